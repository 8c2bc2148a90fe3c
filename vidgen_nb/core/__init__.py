"""The scheduler, pure: no asyncio, clock, I/O or global randomness. It imports `errors` and `plaintext` alone.

Theory of operation
===================

Events in, commands out. `Scheduler.handle(event, now)` takes what a user asked for (`SceneAdded`, `Paused`, …) or what
a driver found out (`Accepted`, `CallFailed`, …) and returns what to do next: `Submit`, `Poll`, `Fetch`, `Cancel`. A
driver carries the commands out and feeds each answer back as an event. `next_wakeup()` says when to call `wake(now)` if
nothing happens before. Time is an argument: seconds since the run began. So the same code runs live, against the
emulator and in virtual time. Every event stands in `Scheduler.events`, those fed in and those decided, with the reason
of each decision; that list is the run, and replaying it gives the same scheduler.

A scene's life (`attempts.lifecycle`): queued → submitting → generating → fetching → succeeded. After a 429 or another
passing failure of a submit, the scene is back at the front of the queue (R2, R9); anything else settles it as failed,
cancelled or held. Once a job is accepted it costs money, so a scene whose job is in doubt is held and never submitted
again by itself (R12, R17).

A profile's gates (`state.Gate`, `profiles.gates`): a profile may submit while two gates are open. The gate of its quota
group is closed by a 429 (a cooldown, R1), its own by repeated failures or a bad key (R9, R11). A gate that opens lets
one submit through as a probe, and everyone once that probe is accepted (R18). How long a gate stays closed is for the
policy to say (`policy`); the scheduler only makes sure that it never shortens and lasts at least a second (R6, R7).

Who holds what:

- `queue`: the order of waiting scenes.
- `profiles`: the roster of profiles with their slots, the rotation of their turns, the gates of their cooldowns.
- `dispatcher`: brings scenes and profiles together.
- `requests`: carries out what users ask for.
- `attempts`: what happens to an attempt, on top of one `ledger` of scenes and counters.
- `context`: settings, timers, and the two products, events and commands.
- `replay`: rebuilds a scheduler from a recorded run.
"""
