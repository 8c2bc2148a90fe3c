"""What every change of a scene goes through: the run's scenes and counters, and how an attempt ends.

An attempt that has ended leaves its scene queued, until its caller says at once what becomes of it: `requeue` lets it
wait again in front, `settle` ends it.
"""

from __future__ import annotations

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.retry_budget import RetryTokens
from vidgen_nb.core.attempts.unwritable import UnwritableResults
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.reasons import called_off, where_to, why
from vidgen_nb.core.roster import Roster
from vidgen_nb.core.state import Gate, ProfileState, SceneState, running_on

__all__ = ["Ledger"]


class Ledger:
    """Keeps account of a run's scenes and of the attempts in flight."""

    def __init__(self, context: Context, roster: Roster, queue: SceneQueue) -> None:
        self._context = context
        self._roster = roster
        self._queue = queue
        self.scenes: dict[str, SceneState] = {}
        self.submitting = 0
        """Submits without an answer."""
        self.billed = 0
        """Submits that were accepted, or may have been (R12)."""
        self.in_flight = 0
        """Attempts without an end."""
        self.unsettled = 0
        """Scenes that are queued or have an attempt in flight."""
        self.last_429_at: float | None = None
        self.retries = RetryTokens(context, context.retry.budget, self._back_off)
        self.unwritable = UnwritableResults()

    def current(self, scene: str, number: int, status: str) -> SceneState | None:
        """Return the scene if this is about its running attempt; None for a late or a second answer."""
        state = self.scenes.get(scene)
        return state if state is not None and state.number == number and state.status == status else None

    def begin(self, state: SceneState, profile: ProfileState, now: float) -> None:
        """Begin an attempt: its submit leaves now."""
        self._queue.remove(state)
        state.number += 1
        state.status, state.started, state.profile = "submitting", now, profile
        self.submitting += 1
        self.in_flight += 1
        self._roster.occupy(profile, state)
        self._context.record(ev.AttemptStarted(state.scene.id, state.number, profile.name, why(state, profile)), now)
        state.pinned_to = None
        self._context.commands.append(Submit(state.scene, state.number, profile.name))

    def end(self, state: SceneState) -> ProfileState:
        """Take a scene off its profile; what becomes of it is for the caller to say at once."""
        profile = running_on(state)
        if state.status == "submitting":
            self.submitting -= 1
            self._roster.answered(state, accepted=False)
        if state.status != "fetching":
            self._roster.free(profile)
        self.in_flight -= 1
        if self.unwritable.waiting:
            self.unwritable.forget(state)
        state.status, state.profile, state.previous = "queued", None, profile
        state.progress = None
        return profile

    def requeue(
        self, state: SceneState, profile: ProfileState, outcome: Failure, now: float, delay: float | None = None
    ) -> None:
        """Let a scene wait again, in front; unless it is to be cancelled, or its deadline is over.

        With a delay, in seconds, this is a retry: it backs off, and needs a token of the retry budget.
        """
        deadline = self._context.retry.deadline
        if state.cancelling:
            self.settle(state, *called_off(state, self._context.retry.job_timeout), now, profile, outcome)
            return
        if deadline is not None and now >= state.queued_at + deadline:
            self.settle(state, "failed", f"deadline of {deadline:g} s is over: {outcome.reason}", now, profile, outcome)
            return
        unpaid = delay is not None and not self.retries.spend()
        state.not_before = now + delay if delay and not unpaid else None
        where = where_to(state, unpaid=unpaid)
        self._context.record(
            ev.SceneRequeued(state.scene.id, state.number, profile.name, outcome, where, state.not_before, unpaid), now
        )
        if unpaid:
            self.retries.wait(state, now + (delay or 0.0))
        else:
            self._back_off(state)

    def _back_off(self, state: SceneState) -> None:
        if state.not_before is None:
            self._enqueue(state)
        else:
            self._context.timers.at(state.not_before, self._backoff_over, (state, state.not_before))

    def _backoff_over(self, wait: tuple[SceneState, float], _now: float) -> None:
        state, not_before = wait
        if state.status == "queued" and state.not_before == not_before:
            state.not_before = None
            self._enqueue(state)

    def _enqueue(self, state: SceneState) -> None:
        """Put a scene that ran before into the front segment, or before its own profile's door."""
        if state.pinned_to is not None and state.pinned_to.in_rotation:
            self._queue.push_pinned(state, state.pinned_to)
        else:
            state.pinned_to = None
            self._queue.push_front(state)

    def unpin_unusable(self, gate: Gate) -> None:
        """Let scenes that wait for a profile out of the rotation go elsewhere."""
        if gate.unusable:
            for profile in gate.members:
                self._queue.unpin(profile)

    def settle(
        self,
        state: SceneState,
        status: ev.SettledStatus,
        reason: str,
        now: float,
        profile: ProfileState | None = None,
        outcome: Failure | None = None,
    ) -> None:
        """End a scene that has no attempt in flight."""
        self._queue.remove(state)
        self.retries.forget(state)
        state.status, state.not_before = status, None
        self.unsettled -= 1
        name = profile.name if profile is not None else None
        self._context.record(ev.SceneSettled(state.scene.id, state.number, name, status, reason, outcome), now)
