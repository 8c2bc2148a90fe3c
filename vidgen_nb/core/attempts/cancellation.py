"""Jobs that are cancelled: by the user (R16), or because they take too long (`RetryPolicy.job_timeout`).

A cancelled job may still be billed, and may still finish; then its result is kept. It is never submitted again by
itself. Many providers delete the result of a job that they cancel: one that takes too long is cancelled only when it
has just been heard to run still, also after an outage, and after a restore.
"""

from __future__ import annotations

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.commands import Cancel
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure
from vidgen_nb.core.reasons import BY_USER, cancelled_status, timeout_reason
from vidgen_nb.core.state import SceneState, operation_id, profile_of

__all__ = ["GRACE_SECONDS", "Cancellations", "cancel_command"]

RETRY_SECONDS, MAX_RETRY_SECONDS = 5.0, 300.0
"""Between the first two tries to cancel a job; the pauses double."""
GRACE_SECONDS = 300.0
"""How long beyond its timeout a job may still end by itself, or its result be fetched. Counted from the restore if that
came later: until then nobody could cancel or fetch it."""


class Cancellations:
    """Cancels scenes, and takes in what the provider answers."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context = context
        self._ledger = ledger

    def cancel(self, state: SceneState, now: float) -> None:
        """Cancel a scene: at once if queued, at the provider if it has the job, otherwise once the submit is answered.

        A result that is being fetched is paid for and almost here, so it is kept, unless its fetch was given up.
        """
        if state.status == "queued":
            self._ledger.settle(state, "cancelled", BY_USER, now)
        elif state.status in ("submitting", "generating") and not state.cancelling:
            state.start_cancelling()
            if state.status == "generating":
                self._context.to_do.append(cancel_command(state))
        elif state.scene.id in self._ledger.unwritable.parked:
            profile = self._ledger.end(state)
            reason = f"{BY_USER}; the result of {operation_id(state)!r} was not fetched"
            self._ledger.settle(state, "cancelled", reason, now, profile, Cancelled(reason))

    def resume(self, state: SceneState) -> None:
        """Go on with a cancel that may not have got through: the user's at once, another after the next poll."""
        if state.timed_out:
            state.cancel_due = True
        elif state.cancelling and state.status == "generating":
            self._context.to_do.append(cancel_command(state))

    def is_late(self, state: SceneState, now: float) -> bool:
        """Say whether the attempt has reached `job_timeout`."""
        limit = self._context.retry.job_timeout
        return limit is not None and now >= state.started + limit

    def cancel_late(self, state: SceneState, now: float) -> bool:
        """Cancel a late job; once the grace is over, settle its scene anyway and return True."""
        limit = self._context.retry.job_timeout or 0.0
        if state.status == "generating" and not state.cancelling:
            state.start_cancelling(timed_out=True, now=now)
            self._context.to_do.append(cancel_command(state))
            return False
        if now < max(state.started + limit, self._context.restored_at, state.cancel_from) + GRACE_SECONDS:
            if state.status == "generating" and state.cancel_due:
                state.cancel_due = False
                self._context.to_do.append(cancel_command(state))
            return False
        profile, job = self._ledger.end(state), operation_id(state)
        if state.cancelling and not state.timed_out:
            reason = f"{BY_USER}; the provider still has {job!r} and may bill it"
            self._ledger.settle(state, "cancelled", reason, now, profile, Cancelled(reason))
        else:
            self._hold(state, f"the provider did not confirm that it cancelled {job!r}", now)
        return True

    def retry(self, state: SceneState, outcome: Failure, now: float) -> None:
        """Repeat a cancel that failed, with growing pauses, as long as the job runs; polls continue meanwhile."""
        pause = RETRY_SECONDS * 2.0 ** min(state.cancel_tries, 16)
        asked = getattr(outcome, "retry_after", None) or 0.0
        state.cancel_tries += 1
        self._context.timers.at(now + min(max(pause, asked), MAX_RETRY_SECONDS), self._retry_due, (state, state.number))

    def _retry_due(self, attempt: tuple[SceneState, int], _now: float) -> None:
        state, number = attempt
        if state.number == number and state.status == "generating" and state.cancelling:
            self.resume(state)

    def answered(self, event: ev.CancelAnswered, now: float) -> None:
        """Take in what the provider said; after `requested` and `too late`, polls show what becomes of the job."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is None:
            return
        self._context.record(event, now)
        if event.answer not in ("cancelled", "unsupported"):
            return
        profile, job = self._ledger.end(state), operation_id(state)
        if event.answer == "unsupported" and state.timed_out:
            self._hold(state, f"the provider can't cancel {job!r}", now)
            return
        status, reason = cancelled_status(state, self._context.retry.job_timeout)
        state.has_open_job = event.answer == "unsupported"
        if event.answer == "unsupported":
            reason += f"; the provider can't cancel {job!r} and may bill it"
        self._ledger.settle(state, status, reason, now, profile, Cancelled(reason))

    def _hold(self, state: SceneState, problem: str, now: float) -> None:
        advice = (
            "Check the account; if the job is not there, run the scene again: submit_again(scene); if it is: "
            "ask_again(scene)"
        )
        reason = f"{timeout_reason(self._context.retry.job_timeout)}, and {problem}: it may still finish. {advice}"
        self._ledger.settle(state, "held", reason, now, state.previous, Ambiguous(reason))


def cancel_command(state: SceneState) -> Cancel:
    """Return the command that cancels the running attempt at the provider."""
    assert state.operation is not None  # noqa: S101 - set when it was accepted
    return Cancel(state.scene, state.number, profile_of(state).name, state.operation)
