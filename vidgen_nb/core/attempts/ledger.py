"""The run's scenes and counters; every begin and end of an attempt goes through here.

`end` takes a scene off its profile, and its caller says at once what becomes of the scene: `requeue` puts it back at
the front of the queue, `settle` ends it; `succeed` does both.
"""

from __future__ import annotations

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failure_streak import FailureStreak
from vidgen_nb.core.attempts.retry_budget import RetryTokens
from vidgen_nb.core.attempts.unwritable import UnwritableResults
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.reasons import IN_TURN, cancelled_status, choice_reason, requeue_reason
from vidgen_nb.core.state import Gate, ProfileState, SceneState

__all__ = ["Ledger"]


class Ledger:
    """Keeps track of a run's scenes and of the attempts in flight."""

    def __init__(self, context: Context, roster: Roster, queue: SceneQueue) -> None:
        self._context = context
        self._roster = roster
        self._queue = queue
        self.scenes: dict[str, SceneState] = {}
        self.submitting = 0
        """Submits without an answer."""
        self.billed = 0
        """Submits that were, or may have been, accepted (R12)."""
        self.in_flight = 0
        """Attempts without an end."""
        self.unsettled = 0
        """Scenes that are queued or have an attempt in flight."""
        self.last_429_at: float | None = None
        self.retries = RetryTokens(context, context.retry.budget, self._back_off)
        self.unwritable = UnwritableResults()
        self.streak = FailureStreak()

    def current(self, scene: str, number: int, status: str) -> SceneState | None:
        """Return the scene if this is its running attempt and its status; None for a late or a second answer."""
        state = self.scenes.get(scene)
        return state if state is not None and state.number == number and state.status == status else None

    def begin(
        self, state: SceneState, profile: ProfileState, now: float, *, recorded: ev.AttemptStarted | None = None
    ) -> None:
        """Begin an attempt: its submit leaves now. `recorded`: in a replay, what it cost then."""
        self._queue.remove(state)
        scene, context = state.scene, self._context
        state.number = number = state.number + 1
        state.status, state.started, state.profile = "submitting", now, profile
        state.has_open_job = False
        self.submitting += 1
        self.in_flight += 1
        group = state.counted_at = profile.group
        group.unanswered += 1
        profile.active = active = profile.active + 1
        if group.probe_due or profile.own_gate.probe_due:
            self._roster.probe(profile, state)
        if active < profile.limit:
            self._roster.rotation.offer(profile)
        reason = choice_reason(state, profile) if state.avoid else IN_TURN
        cost = None if profile.price is None else profile.price.of(scene)
        if recorded is not None:
            cost = recorded.cost
        event = ev.AttemptStarted(scene.id, number, profile.name, reason, cost)
        event.at = now  # type: ignore[misc]  # as `record` does
        context.keep(event)
        state.pinned_to = None
        context.to_do.append(state)

    def take_up(self, state: SceneState, profile: ProfileState, now: float) -> None:
        """Begin an attempt without a submit: its job may exist already."""
        state.number += 1
        state.status, state.started, state.profile = "generating", now, profile
        state.cancelling = state.timed_out = False
        state.has_open_job = True
        state.is_known, state.trouble = False, None
        profile.active += 1
        self.in_flight += 1
        self.unsettled += 1

    def end(self, state: SceneState) -> ProfileState:
        """Take a scene off its profile; the caller says at once what becomes of it."""
        profile, status = state.profile, state.status
        assert profile is not None  # noqa: S101 - an attempt in flight has one
        if status != "fetching":
            if status == "submitting":
                self.submitting -= 1
                self._roster.submit_answered(state, False)
            self._roster.free(profile)
        self.in_flight -= 1
        if self.unwritable.failures:
            self.unwritable.forget(state)
        state.status, state.profile, state.previous = "queued", None, profile
        state.progress = None
        return profile

    def requeue(
        self, state: SceneState, profile: ProfileState, outcome: Failure, now: float, delay: float | None = None,
        *, recorded: ev.SceneRequeued | None = None,
    ) -> None:  # fmt: skip
        """Put a scene back at the front of the queue, unless it is being cancelled or its deadline is over.

        With a delay, in seconds, this is a retry: it backs off, and needs a token of the retry budget. `recorded`: in
        a replay, what was decided then about the back-off.
        """
        deadline = self._context.retry.deadline
        if state.cancelling:
            self.settle(state, *cancelled_status(state, self._context.retry.job_timeout), now, profile, outcome)
            return
        if deadline is not None and now >= state.queued_at + deadline:
            self.settle(state, "failed", f"deadline of {deadline:g} s is over: {outcome.reason}", now, profile, outcome)
            return
        unpaid = delay is not None and not self.retries.spend()
        state.not_before = now + delay if delay and not unpaid else None
        if recorded is not None:
            state.not_before = recorded.not_before
        reason = requeue_reason(state, unpaid=unpaid)
        self._context.record(
            ev.SceneRequeued(state.scene.id, state.number, profile.name, outcome, reason, state.not_before, unpaid), now
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
        """Put a scene that ran before into the front segment, or among those that wait for its profile."""
        if state.pinned_to is not None and state.pinned_to.in_rotation:
            self._queue.push_pinned(state, state.pinned_to)
        else:
            state.pinned_to = None
            self._queue.push_front(state)

    def unpin_unusable(self, gate: Gate) -> None:
        """Let scenes go elsewhere that wait for a profile behind a gate that is out of the rotation."""
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
        state.status, state.not_before, state.outcome = status, None, outcome
        self.unsettled -= 1
        name = profile.name if profile is not None else None
        self._context.record(ev.SceneSettled(state.scene.id, state.number, name, status, reason, outcome), now)

    def succeed(self, state: SceneState, now: float) -> None:
        """End the attempt and its scene: the result is here. A success earns a part of a retry token."""
        self.in_flight -= 1
        self.unsettled -= 1
        if self.unwritable.failures:
            self.unwritable.forget(state)
        state.previous, state.profile, state.progress = state.profile, None, None
        state.status, state.has_open_job = "succeeded", False
        if self._context.retry.budget is not None:
            self.retries.earn(state, now)
