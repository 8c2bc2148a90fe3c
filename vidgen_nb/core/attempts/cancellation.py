"""Jobs that are called off: by the user (R16), or because they take too long (`RetryPolicy.job_timeout`).

A job that was called off may still be billed, and may still finish; then its result is taken. It is never submitted
again by itself.
"""

from __future__ import annotations

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.commands import Cancel
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Ambiguous, Cancelled
from vidgen_nb.core.reasons import BY_USER, called_off, overdue
from vidgen_nb.core.state import SceneState, operation_id, running_on

__all__ = ["GRACE", "Cancels", "cancel_of"]

CANCEL_AGAIN = 5.0
"""Seconds between two tries to cancel a job."""
GRACE = 300.0
"""Seconds beyond its time in which a job that is called off may end by itself, and a result may be fetched; they begin
anew with a run that is restored, for meanwhile nobody could call it off or fetch it."""


class Cancels:
    """Cancels scenes, and takes in what the provider says to that."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger

    def cancel(self, state: SceneState, now: float) -> None:
        """Cancel a scene: at once in the queue, at the provider when it has the job, else when it answers.

        A result that is being fetched is paid for and almost here: it is taken, unless nobody tries that any more.
        """
        if state.status == "queued":
            self._ledger.settle(state, "cancelled", BY_USER, now)
        elif state.status in ("submitting", "generating") and not state.cancelling:
            state.cancelling = True
            if state.status == "generating":
                self._context.commands.append(cancel_of(state))
        elif state.scene.id in self._ledger.unwritable.left:
            profile = self._ledger.end(state)
            reason = f"{BY_USER}; the result of {operation_id(state)!r} was not fetched"
            self._ledger.settle(state, "cancelled", reason, now, profile, Cancelled(reason))

    def is_late(self, state: SceneState, now: float) -> bool:
        """Say whether the attempt takes longer than it may."""
        limit = self._context.retry.job_timeout
        return limit is not None and now >= state.started + limit

    def call_off(self, state: SceneState, now: float) -> bool:
        """Cancel a job that is late, and after a while settle its scene all the same; say whether that was done."""
        limit = self._context.retry.job_timeout or 0.0
        if now < max(state.started + limit, self._context.restored_at) + GRACE:
            if state.status == "generating" and not state.cancelling:
                state.cancelling = state.overdue = True
                self._context.commands.append(cancel_of(state))
            return False
        profile, job = self._ledger.end(state), operation_id(state)
        if state.cancelling and not state.overdue:
            reason = f"{BY_USER}; the provider still has {job!r} and may bill it"
            self._ledger.settle(state, "cancelled", reason, now, profile, Cancelled(reason))
        else:
            self._hold(state, f"the provider did not confirm that it cancelled {job!r}", now)
        return True

    def again(self, state: SceneState, now: float) -> None:
        """Repeat a cancel that failed, as long as the job runs; polls go on meanwhile."""

        def again(number: int, _now: float) -> None:
            if state.number == number and state.status == "generating" and state.cancelling:
                self._context.commands.append(cancel_of(state))

        self._context.timers.at(now + CANCEL_AGAIN, again, state.number)

    def answered(self, event: ev.CancelAnswered, now: float) -> None:
        """Take in what the provider said; after `requested` and `too late` the polls go on and tell."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is None:
            return
        self._context.record(event, now)
        if event.answer not in ("cancelled", "unsupported"):
            return
        profile, job = self._ledger.end(state), operation_id(state)
        if event.answer == "unsupported" and state.overdue:
            self._hold(state, f"the provider can't cancel {job!r}", now)
            return
        status, reason = called_off(state, self._context.retry.job_timeout)
        if event.answer == "unsupported":
            reason += f"; the provider can't cancel {job!r} and may bill it"
        self._ledger.settle(state, status, reason, now, profile, Cancelled(reason))

    def _hold(self, state: SceneState, why: str, now: float) -> None:
        look = "Look at the account; if the job is not there, run the scene again"
        reason = f"{overdue(self._context.retry.job_timeout)}, and {why}: it may still finish. {look}"
        self._ledger.settle(state, "held", reason, now, state.previous, Ambiguous(reason))


def cancel_of(state: SceneState) -> Cancel:
    """Return the command that cancels the running attempt at the provider."""
    assert state.operation is not None  # noqa: S101 - set when it was accepted
    return Cancel(state.scene, state.number, running_on(state).name, state.operation)
