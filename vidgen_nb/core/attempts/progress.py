"""The life of a scene: queued, submitting, generating, fetching, settled (design.md section 4).

    queued ──begin──▶ submitting ──Accepted──▶ generating ──Generated──▶ fetching ──Fetched──▶ succeeded
      ▲                   │                        │                        │
      └── 429, transient, ┴── the job broke ───────┘   (poll and fetch       │
          unusable            for a passing reason      are tried again) ◀──┘
                     anything else: failed, cancelled or held

A job that was accepted costs money: trouble in asking about it or in fetching it is never answered by submitting the
scene again (R12, R17).
"""

from __future__ import annotations

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.cancellation import Cancels, cancel_of
from vidgen_nb.core.attempts.retry_budget import RetryTokens
from vidgen_nb.core.attempts.unwritable import Unwritten
from vidgen_nb.core.commands import Fetch, Poll, Submit
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.reasons import where_to, why
from vidgen_nb.core.roster import Roster
from vidgen_nb.core.state import LIVE, Gate, ProfileState, SceneState, operation_id, running_on

__all__ = ["Attempts"]


class Attempts:
    """Begins attempts, takes in what came of them, and decides what follows for the scene and the profile."""

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
        self.cancels = Cancels(context, self)
        self.unwritten = Unwritten(self)

    # -- beginning

    def begin(self, state: SceneState, profile: ProfileState, now: float) -> None:
        """Give a scene to a profile."""
        state.number += 1
        state.status, state.started, state.profile = "submitting", now, profile
        self.submitting += 1
        self.in_flight += 1
        self._roster.occupy(profile, state)
        self._context.record(ev.AttemptStarted(state.scene.id, state.number, profile.name, why(state, profile)), now)
        state.pinned_to = None
        self._context.commands.append(Submit(state.scene, state.number, profile.name))

    def accepted(self, event: ev.Accepted, now: float) -> None:
        """The provider took it: the scene generates, and its profile's strikes are forgotten."""
        state = self.current(event.scene, event.number, "submitting")
        if state is None:
            return
        self._context.record(event, now)
        self.submitting -= 1
        self.billed += 1
        self._roster.answered(state, accepted=True)
        running_on(state).group.strikes = 0
        state.status, state.operation, state.avoid = "generating", event.operation, None
        state.calls, state.asked = 0, False
        if state.cancelling:
            self._context.commands.append(cancel_of(state))
        self.again(state, self._context.poll.delay(0, event.operation.poll_after), now)

    # -- asking and fetching

    def progressed(self, event: ev.Progressed, now: float) -> None:
        """Not finished: ask again later."""
        state = self.current(event.scene, event.number, "generating")
        if state is None or not state.asked:
            return
        if event.status != state.progress or self.cancels.is_late(state, now):
            state.progress = event.status
            self._context.record(event, now)
        self.again(state, self._context.poll.delay(state.calls, event.poll_after), now)

    def generated(self, event: ev.Generated, now: float) -> None:
        """The job is done: its slot is free, its result is fetched."""
        state = self.current(event.scene, event.number, "generating")
        if state is None:
            return
        self._context.record(event, now)
        state.status, state.artifact = "fetching", event.artifact
        running_on(state).own.strikes = 0
        self._roster.free(running_on(state))
        self._call(state)

    def fetched(self, event: ev.Fetched, now: float) -> None:
        """The result is here: the scene succeeded."""
        state = self.current(event.scene, event.number, "fetching")
        if state is None:
            return
        self._context.record(event, now)
        self.end(state)
        state.status = "succeeded"
        self.unsettled -= 1
        if self._context.retry.budget is not None:
            self.retries.earn(state, now)

    def ask_anew(self, state: SceneState) -> None:
        """Poll, or fetch, at once what somebody else had begun to."""
        if state.cancelling and state.status == "generating":
            self._context.commands.append(cancel_of(state))
        self._call(state)

    def again(self, state: SceneState, delay: float, now: float) -> None:
        """Poll, or fetch, after a delay; unless that has gone on for too long."""
        state.asked = False
        if self.cancels.is_late(state, now) and self.cancels.call_off(state, now):
            return
        if delay > 0:
            self._context.timers.at(now + delay, self._call_due, (state, state.number, state.calls))
        else:
            self._call(state)

    def _call_due(self, call: tuple[SceneState, int, int], _now: float) -> None:
        state, number, calls = call
        if state.number == number and state.calls == calls and state.status in ("generating", "fetching"):
            self._call(state)

    def _call(self, state: SceneState) -> None:
        scene, number, operation = state.scene, state.number, state.operation
        assert operation is not None and state.profile is not None  # noqa: S101, PT018 - set when it was accepted
        name = state.profile.name
        state.calls += 1
        state.asked = True
        if state.status == "generating":
            self._context.commands.append(Poll(scene, number, name, operation))
        elif state.artifact is not None:
            self._context.commands.append(Fetch(scene, number, name, operation, state.artifact))

    # -- ending an attempt

    def end(self, state: SceneState) -> ProfileState:
        """Take a scene off its profile; what becomes of it is for the caller to say at once."""
        profile = running_on(state)
        if state.status == "submitting":
            self.submitting -= 1
            self._roster.answered(state, accepted=False)
        if state.status != "fetching":
            self._roster.free(profile)
        self.in_flight -= 1
        if self.unwritten.waiting:
            self.unwritten.forget(state)
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
            self.settle(state, *self.cancels.called_off(state), now, profile, outcome)
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

    def abandoned(self, event: ev.AttemptAbandoned, now: float) -> None:
        """Hold the scene of an attempt that nobody carries on, unless its submit never left."""
        state = self.scenes.get(event.scene)
        if state is None or state.number != event.number or state.status not in LIVE:
            return
        self._context.record(event, now)
        if not event.sent:
            self.requeue(state, self.end(state), Cancelled(f"{event.reason} before it was sent"), now)
            return
        self.billed += state.status == "submitting"
        accepted = "" if state.status == "submitting" else f" after it was accepted as {operation_id(state)!r}"
        what = "the provider may have it. Look at the account; if the job is not there, run the scene again"
        reason = f"{event.reason}{accepted}: {what}"
        self.settle(state, "held", reason, now, self.end(state), Ambiguous(reason))

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

    def current(self, scene: str, number: int, status: str) -> SceneState | None:
        """Return the scene if this is about its running attempt; None for a late or a second answer."""
        state = self.scenes.get(scene)
        return state if state is not None and state.number == number and state.status == status else None
