"""Trouble in asking about an accepted job, or in fetching its result: bounded by time, not by a count.

The job is paid for, and most trouble is of the way to it: an outage, a proxy's page, a key that is being renewed, a
server that does not know the job yet. So it is asked about again, with growing pauses. Only its provider's word ends
it. At the end of patience its scene is held, with the job's id; it is never submitted again by itself (R12, R17).
"""

from __future__ import annotations

import math

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.cancellation import GRACE_SECONDS
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.lifecycle import AttemptLifecycle
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.reasons import BY_USER, cancelled_status
from vidgen_nb.core.state import SceneState, Trouble, operation_id, profile_of

__all__ = ["REFUSED_SECONDS", "UNKNOWN_SECONDS", "Asking"]

UNKNOWN_SECONDS = 600.0
"""A job of which its provider has only ever said that it can't be asked about, such as 404, is held after this."""
REFUSED_SECONDS = 3600.0
"""The same for one that was known before, or whose result was announced and is refused."""
LONGEST_PAUSE_SECONDS, MIN_LONG_PAUSE_SECONDS = 300.0, 60.0
"""Between two calls about a job: the most after an outage of an hour, and from when on its length counts."""
ADVICE = "It may be done: ask_again(scene) asks again, submit_again(scene) may be billed twice"


class Asking:
    """Decides what follows from a poll or a fetch that failed."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster, attempts: AttemptLifecycle) -> None:
        self._context = context
        self._ledger = ledger
        self._roster = roster
        self._attempts = attempts

    def failed(self, state: SceneState, outcome: Failure, now: float) -> None:
        """Ask again later, or settle the scene where patience is over."""
        profile = profile_of(state)
        if isinstance(outcome, Cancelled):
            state.has_open_job = False
            self._ledger.end(state)
            status, reason = cancelled_status(state, self._context.retry.job_timeout, outcome.reason)
            self._ledger.settle(state, status, reason, now, profile, outcome)
            return
        trouble = state.trouble = state.trouble or Trouble(now)
        trouble.count += 1
        if not isinstance(outcome, Permanent):
            trouble.refused_since = None
        elif trouble.refused_since is None:
            trouble.refused_since = now
        if isinstance(outcome, ProfileUnusable):
            self._close(state, outcome, now)
        # what was asked before the end of patience, and failed after it, is asked once more: this program may have
        # stood still in between
        if not self._context.is_replay and (end := self._end(state, trouble, outcome, state.called_at)) is not None:
            self._ledger.end(state)
            self._ledger.settle(state, *end, now, profile, Ambiguous(end[1]) if end[0] == "held" else outcome)
        else:
            self._attempts.call_after(state, self._pause(state, trouble, outcome, now), now)

    def _close(self, state: SceneState, outcome: ProfileUnusable, now: float) -> None:
        """Submit nothing on the profile; its accepted jobs are still asked about, and a good answer opens it."""
        profile = profile_of(state)
        own, until, was_closed = profile.own_gate, profile.own_gate.until, profile.own_gate.unusable
        gate = self._roster.take_out(profile, outcome, now, state.scene.id)
        self._ledger.unpin_unusable(gate)
        if gate is own and not was_closed:
            gate.opens_when_heard = until

    def _pause(self, state: SceneState, trouble: Trouble, outcome: Failure, now: float) -> float:
        """Return the seconds until it is asked about again: growing full jitter, or more by the poll schedule.

        After ten minutes and more, the pauses are up to a tenth of the trouble's length.
        """
        context, poll = self._context, self._context.poll
        delay = max(poll.delay(state.calls, getattr(outcome, "retry_after", None)), context.backoff(trouble.count))
        if isinstance(outcome, RateLimited):  # a limit on polls says nothing about submits
            delay = max(delay, poll.longest)
        longest = min((now - trouble.since) / 10, LONGEST_PAUSE_SECONDS)
        if longest > MIN_LONG_PAUSE_SECONDS:
            delay = max(delay, context.rng.uniform(longest / 2, longest))
        ends = [end - now for end in (self._patience_over(state), _refused_until(state, trouble)) if end > now]
        return min([delay, *ends])

    def _end(
        self, state: SceneState, trouble: Trouble, outcome: Failure, now: float
    ) -> tuple[ev.SettledStatus, str] | None:
        """Return how the scene settles, and why; None: it is asked about again. `now`: when it was asked about."""
        job, name = operation_id(state), profile_of(state).name
        if state.cancelling and not state.timed_out:
            gone = isinstance(outcome, Permanent)
            if gone or now >= trouble.since + GRACE_SECONDS:
                about = "is not known there any more" if gone else "may still be there and be billed"
                return "cancelled", f"{BY_USER}; {job!r} {about}: {outcome.reason}"
            return None
        if trouble.refused_since is not None and now >= (over := _refused_until(state, trouble)):
            patience = over - trouble.refused_since
            problem = f"{name!r} has refused to tell or give it for {patience:g} s: {outcome.reason}"
            if self._context.hold_unknown_jobs and state.started < self._context.restored_at:
                problem = f"since the restore {name!r} does not know it: {outcome.reason}"
                problem += ". Is it the same server and account"
                return "held", f"accepted as {job!r}, but {problem}? {ADVICE}"
            return "held", f"accepted as {job!r}, but {problem}. {ADVICE}"
        if now >= self._patience_over(state):
            problem = f"nothing was heard of it before job_timeout was over: {outcome.reason}"
            return "held", f"accepted as {job!r}, but {problem}. {ADVICE}"
        return None

    def _patience_over(self, state: SceneState) -> float:
        """Return when a job in trouble is given up, in run seconds."""
        limit = self._context.retry.job_timeout
        if limit is None:
            return math.inf
        over = max(state.started + limit, self._context.restored_at + GRACE_SECONDS)
        return over + (GRACE_SECONDS if state.timed_out else 0.0)


def _refused_until(state: SceneState, trouble: Trouble) -> float:
    """Return when a job is given up of which its provider only refuses to tell, in run seconds."""
    if trouble.refused_since is None:
        return math.inf
    return trouble.refused_since + (REFUSED_SECONDS if state.is_known else UNKNOWN_SECONDS)
