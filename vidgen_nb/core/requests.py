"""What users and the session ask of the scheduler, at any time of a run (R15, R16)."""

from __future__ import annotations

import math

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.progress import Attempts
from vidgen_nb.core.context import Context
from vidgen_nb.core.model import as_max_billed
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.roster import Roster
from vidgen_nb.core.state import UNSETTLED, SceneState
from vidgen_nb.errors import DuplicateScene, InputError

__all__ = ["Requests"]


class Requests:
    """Carries out requests; a request that makes no sense is an `InputError` and changes nothing."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster, queue: SceneQueue, attempts: Attempts) -> None:
        self._context = context
        self._ledger = ledger
        self._roster = roster
        self._queue = queue
        self._attempts = attempts
        self._orders = 0
        self.started = self.stopped = self.paused = False
        self.limited = False
        """Stopped because `max_billed` was reached."""
        self.ended: ev.EndReason | None = None

    # -- the run

    def run_started(self, event: ev.RunStarted, now: float) -> None:
        """Begin to submit, or go on after a stop."""
        self._context.record(event, now)
        self.started, self.stopped, self.ended = True, False, None
        self.limited = False
        for state in self._ledger.unwritable.begin_anew():
            self._attempts.ask_anew(state)

    def run_restored(self, event: ev.RunRestored, now: float) -> None:
        """Carry on what was broken off, by these settings."""
        context = self._context
        context.record(event, now)
        context.retry, context.on_ambiguous, context.max_wait = event.retry, event.on_ambiguous, event.max_wait
        context.rng.seed(event.seed)
        context.restored_at, context.wary = now, event.wary
        self._ledger.retries.use(event.retry.budget, now)
        self._ledger.unwritable.begin_anew()
        for state in self._ledger.scenes.values():
            if state.status == "queued":
                self._watch_deadline(state)
            elif state.status in ("generating", "fetching"):
                self._attempts.ask_anew(state)

    def paused_(self, event: ev.Paused, now: float) -> None:
        """Submit nothing new."""
        self._context.record(event, now)
        self.paused = True

    def unpaused(self, event: ev.Unpaused, now: float) -> None:
        """Go on."""
        self._context.record(event, now)
        self.paused = False

    def stopped_(self, event: ev.Stopped, now: float) -> None:
        """Submit nothing new, and end when what runs has settled."""
        self._context.record(event, now)
        self.stopped, self.limited = True, False

    def limit_changed(self, event: ev.BillingLimitChanged, now: float) -> None:
        """Let another number of submits be accepted, and go on if the last one is what stopped the run."""
        max_billed = as_max_billed(event.max_billed)
        self._context.record(event, now)
        self._context.max_billed = max_billed
        self.stopped, self.limited = self.stopped and not self.limited, False

    def watch_limit(self, limit: int, now: float) -> None:
        """Stop once `max_billed` is reached, if scenes are left that would be submitted."""
        ledger = self._ledger
        if ledger.billed >= limit and ledger.unsettled > ledger.in_flight and not self.stopped:
            self.limit_reached(ev.BillingLimitReached(limit), now)

    def limit_reached(self, event: ev.BillingLimitReached, now: float) -> None:
        """Submit nothing new, as after a stop."""
        self._context.record(event, now)
        self.stopped = self.limited = True

    def mode_changed(self, event: ev.ModeChanged, now: float) -> None:
        """Take another mode for new submissions."""
        self._context.record(event, now)
        self._context.mode = event.mode
        for profile in self._roster.profiles.values():
            self._roster.set_limit(profile)

    def policy_changed(self, event: ev.PolicyChanged, now: float) -> None:
        """Take another policy for new decisions; running cooldowns stay."""
        if not isinstance(event.policy, Policy):
            raise InputError(f"a policy is an instance of a class derived from Policy, not {event.policy!r}")
        self._context.record(event, now)
        self._context.use(event.policy)
        if event.policy.moves:
            for profile in list(self._queue.pinned):
                self._queue.unpin(profile)
        self._roster.offer_all(self._roster.profiles.values())

    # -- profiles

    def profile_added(self, event: ev.ProfileAdded, now: float) -> None:
        """Bring a profile into the rotation."""
        self._roster.add(event.profile, event.capacity, event.group, now)
        self._context.record(event, now)

    def profile_changed(self, event: ev.ProfileChanged, now: float) -> None:
        """Give a profile another capacity."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        profile.capacity = event.capacity
        self._roster.set_limit(profile)

    def profile_removed(self, event: ev.ProfileRemoved, now: float) -> None:
        """Take a profile out; what runs on it goes on, what waits for it alone goes elsewhere."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        profile.removed = True
        self._roster.fewer()
        self._queue.unpin(profile)

    def cooldown_released(self, event: ev.CooldownReleased, now: float) -> None:
        """End the windows of a profile and its group by hand."""
        profile = self._roster[event.profile]
        self._context.record(event, now)
        if not event.alone:
            self._roster.open(profile.group, now)
        self._roster.open(profile.own, now)

    def cooldown_imposed(self, event: ev.CooldownImposed, now: float) -> None:
        """Take over a window known from elsewhere."""
        profile = self._roster[event.profile]
        if math.isnan(event.until):
            raise InputError(f"the cooldown of {event.profile!r} needs an end in run seconds, not nan")
        self._context.record(event, now)
        gate = profile.own if event.alone else profile.group
        if event.until > now:
            self._roster.close(
                gate, event.until, now, profile=profile.name, reason=event.reason, unusable=event.unusable
            )
            self._ledger.unpin_unusable(gate)

    # -- scenes

    def scene_added(self, event: ev.SceneAdded, now: float) -> None:
        """Queue a scene: a new one, or a settled one that is run again by hand; after an end `RunStarted` goes on."""
        scenes, scene_id = self._ledger.scenes, event.scene.id
        state = scenes.get(scene_id)
        if state is not None and state.status in UNSETTLED:
            raise DuplicateScene(scene_id, f"is already {state.status} in this run")
        self._context.record(event, now)
        self._orders += 1
        if state is None:
            state = SceneState(event.scene, self._orders, event.attempts, single=event.single, now=now)
            scenes[scene_id] = state
        else:
            state.reset(event.scene, self._orders, single=event.single, now=now)
        self._ledger.unsettled += 1
        if event.single:
            self._queue.push_front(state)
        else:
            self._queue.push_back(state)
        self._watch_deadline(state)

    def _watch_deadline(self, state: SceneState) -> None:
        """See to it that a scene does not wait in the queue beyond its deadline (R8)."""
        if (deadline := self._context.retry.deadline) is not None:
            self._context.timers.at(state.queued_at + deadline, self._deadline_over, (state, state.queued_at))

    def _deadline_over(self, watch: tuple[SceneState, float], now: float) -> None:
        state, queued_at = watch
        deadline = self._context.retry.deadline  # may be another one since
        if deadline is None or now < queued_at + deadline:
            return
        if state.status == "queued" and state.queued_at == queued_at:
            self._ledger.settle(state, "failed", f"deadline: still queued after {now - queued_at:.1f} s", now)

    def cancel_requested(self, event: ev.CancelRequested, now: float) -> None:
        """Cancel one scene, or all that are not settled."""
        scenes = self._ledger.scenes
        if event.scene is not None and event.scene not in scenes:
            raise InputError(f"no scene has the id {event.scene!r} in this run")
        self._context.record(event, now)
        for state in list(scenes.values()) if event.scene is None else (scenes[event.scene],):
            self._attempts.cancels.cancel(state, now)
