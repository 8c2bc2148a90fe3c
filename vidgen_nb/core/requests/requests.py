"""What users and the session ask of the scheduler, at any time of a run (R15, R16)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.lifecycle import AttemptLifecycle
from vidgen_nb.core.context import Context
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.state import IN_FLIGHT, UNSETTLED, RunState, SceneState
from vidgen_nb.errors import DuplicateScene, InputError

__all__ = ["Requests"]


class Requests:
    """Carries out requests; one that makes no sense is an `InputError` and changes nothing."""

    def __init__(
        self,
        context: Context,
        run: RunState,
        ledger: Ledger,
        roster: Roster,
        queue: SceneQueue,
        attempts: AttemptLifecycle,
    ) -> None:
        self._context = context
        self._run = run
        self._ledger = ledger
        self._roster = roster
        self._gates = roster.gates
        self._queue = queue
        self._attempts = attempts
        self._orders = 0
        """Scenes added so far: each one's place in the queue's order, if it has no rank."""

    # -- the run

    def start(self, event: ev.RunStarted, now: float) -> None:
        """Begin to submit, or continue after a stop."""
        self._context.trust_policy()
        self._context.record(event, now)
        run = self._run
        run.goes_on, run.stopped, run.stopped_by, run.ended = True, False, None, None
        self._ledger.streak.clear()
        for state in self._ledger.unwritable.unpark():
            self._attempts.resume_call(state, now)

    def restore(self, event: ev.RunRestored, now: float) -> None:
        """Continue a run that was broken off, with the settings of the event."""
        context = self._context
        context.record(event, now)
        context.retry, context.on_ambiguous, context.max_wait = event.retry, event.on_ambiguous, event.max_wait
        context.rng.seed(event.seed)
        context.restored_at, context.hold_unknown_jobs = now, event.hold_unknown_jobs
        context.set_limits(context.max_billed, context.max_cost, event.pause_after_same_failure)
        self._ledger.retries.change_budget(event.retry.budget, now)
        self._ledger.unwritable.unpark()
        for state in self._ledger.scenes.values():
            if state.status == "queued":
                self._watch_deadline(state)
            elif state.status in ("generating", "fetching"):
                state.is_known = False  # it may be another server, or another account
                state.trouble = None
                self._attempts.resume_call(state, now)

    def pause(self, event: ev.Paused, now: float) -> None:
        """Submit nothing new."""
        self._context.record(event, now)
        self._run.paused = True

    def unpause(self, event: ev.Unpaused, now: float) -> None:
        """Submit again."""
        self._context.record(event, now)
        self._run.paused = False
        self._run.take_back(ev.EndReason.SAME_FAILURE)

    def stop(self, event: ev.Stopped, now: float) -> None:
        """Submit nothing new, and end when running attempts have settled."""
        self._context.record(event, now)
        self._run.stopped, self._run.stopped_by = True, None

    def change_mode(self, event: ev.ModeChanged, now: float) -> None:
        """Use another mode for new submissions."""
        self._context.record(event, now)
        self._context.mode = event.mode
        for profile in self._roster.profiles.values():
            self._roster.set_limit(profile)

    def change_policy(self, event: ev.PolicyChanged, now: float) -> None:
        """Use another policy for new decisions; running cooldowns stay."""
        if not isinstance(event.policy, Policy):
            raise InputError(f"a policy is an instance of a class derived from Policy, not {event.policy!r}")
        self._context.record(event, now)
        self._context.use_policy(event.policy)
        if event.policy.moves:
            for profile in list(self._queue.pinned):
                self._queue.unpin(profile)
        self._roster.rotation.offer_all(self._roster.profiles.values())

    # -- profiles

    def add_profile(self, event: ev.ProfileAdded, now: float) -> None:
        """Bring a profile into the rotation."""
        profile = self._roster.add(event.profile, event.capacity, event.group, now, event.price)
        if event.price is not None:
            self._context.count_money()
        self._context.record(event, now)
        self._attempts.ask_now(profile, now)  # it may have another key by now

    def change_profile(self, event: ev.ProfileChanged, now: float) -> None:
        """Give a profile another capacity."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        profile.capacity = event.capacity
        self._roster.set_limit(profile)

    def change_price(self, event: ev.PriceChanged, now: float) -> None:
        """Give a profile another price."""
        profile = self._roster[event.profile]
        self._roster.check_currency(event.profile, event.price)
        self._context.count_money()
        self._context.record(event, now)
        profile.price = event.price

    def remove_profile(self, event: ev.ProfileRemoved, now: float) -> None:
        """Remove a profile: its running attempts continue, scenes that wait for it go elsewhere."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        profile.removed, profile.limit = True, 0
        self._roster.rotation.reoffer()
        self._queue.unpin(profile)

    def release_cooldown(self, event: ev.CooldownReleased, now: float) -> None:
        """Open the gates of a profile and its group by hand."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        if not event.alone:
            self._gates.open(profile.group, now)
        self._gates.open(profile.own_gate, now)
        self._attempts.ask_now(profile, now)

    def impose_cooldown(self, event: ev.CooldownImposed, now: float) -> None:
        """Apply a cooldown known from elsewhere."""
        profile = self._roster[event.profile]
        if math.isnan(event.until):
            raise InputError(f"the cooldown of {event.profile!r} needs an end in run seconds, not nan")
        self._context.record(event, now)
        gate = profile.own_gate if event.alone else profile.group
        if event.until > now:
            self._gates.close(
                gate, event.until, now, profile=profile.name, reason=event.reason, unusable=event.unusable
            )
            self._ledger.unpin_unusable(gate)

    # -- scenes

    def add_scene(self, event: ev.SceneAdded, now: float) -> None:
        """Queue a new scene, or a settled one that is run again by hand.

        If the run has ended, `RunStarted` continues it.
        """
        self.add_scenes((event,), now)

    def add_scenes(self, events: Iterable[ev.SceneAdded], now: float) -> None:
        """Do for each of many scenes what `add_scene` does."""
        ledger, queue, keep, scenes = self._ledger, self._queue, self._context.keep, self._ledger.scenes
        has_deadline = self._context.retry.deadline is not None
        for event in events:
            scene, attempts = event.scene, event.attempts
            before = scenes.get(scene.id)
            if before is not None:
                if before.status in UNSETTLED:
                    raise DuplicateScene(scene.id, f"is already {before.status} in this run")
                attempts = before.number
            if (rank := event.rank) is not None and math.isnan(rank):
                raise InputError(f"the rank of scene {scene.id!r} is a number, not nan")
            event.at = now  # type: ignore[misc]  # as `record` does
            keep(event)
            self._orders = order = self._orders + 1
            place = order if rank is None else rank
            scenes[scene.id] = state = SceneState(scene, place, attempts, event.single, now)
            if before is not None:
                state.previous = before.previous
            ledger.unsettled += 1
            if event.single:
                queue.push_front(state)
            elif rank is None:
                queue.push_back(state)
            else:
                queue.push_ranked(state)
            if has_deadline:
                self._watch_deadline(state)

    def edit_scene(self, event: ev.SceneEdited, now: float) -> None:
        """Change what a scene's next attempt submits; one that is settled stays so until it is run again."""
        state = self._ledger.scenes.get(event.scene.id)
        if state is None or state.status in IN_FLIGHT:
            what = "is not in this run" if state is None else f"is {state.status}"
            raise InputError(f"scene {event.scene.id!r} {what}: it can't be edited now")
        self._context.record(event, now)
        state.scene, state.outcome = event.scene, None

    def submit_again(self, event: ev.SubmitAgainRequested, now: float) -> None:
        """Note that a held scene may be billed twice; adding it is what submits it."""
        state = self._ledger.scenes.get(event.scene)
        if state is None or state.status != "held":
            what = "is not in this run" if state is None else f"is {state.status}"
            raise InputError(f"scene {event.scene!r} {what}: only a held scene is submitted again in this way")
        self._context.record(event, now)

    def _watch_deadline(self, state: SceneState) -> None:
        """Set a timer so that a scene doesn't wait in the queue beyond its deadline (R8)."""
        if (deadline := self._context.retry.deadline) is not None:
            self._context.timers.at(state.queued_at + deadline, self._deadline_due, (state, state.queued_at))

    def _deadline_due(self, watch: tuple[SceneState, float], now: float) -> None:
        state, queued_at = watch
        deadline = self._context.retry.deadline  # a restore may have changed it
        if deadline is None or now < queued_at + deadline:
            return
        if state.status == "queued" and state.queued_at == queued_at:
            self._ledger.settle(state, "failed", f"deadline: still waiting after {now - queued_at:.1f} s", now)

    def cancel(self, event: ev.CancelRequested, now: float) -> None:
        """Cancel one scene, or all that have not settled."""
        scenes = self._ledger.scenes
        if event.scene is not None and event.scene not in scenes:
            raise InputError(f"no scene has the id {event.scene!r} in this run")
        self._context.record(event, now)
        for state in list(scenes.values()) if event.scene is None else (scenes[event.scene],):
            self._attempts.cancellations.cancel(state, now)
