"""What follows from a failure, for the scene and for the profile (R1, R6-R12)."""

from __future__ import annotations

import math
from contextlib import suppress

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.asking import Asking
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.lifecycle import AttemptLifecycle
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import (
    Ambiguous,
    Cancelled,
    Failure,
    Permanent,
    ProfileUnusable,
    RateLimited,
    Transient,
    Unwritable,
)
from vidgen_nb.core.policy import Cooldown
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.reasons import cancelled_status
from vidgen_nb.core.state import SLOW_START_SUBMITS, ProfileState, SceneState, profile_of
from vidgen_nb.errors import InputError

__all__ = ["Failures"]

MIN_COOLDOWN_SECONDS, MAX_MIN_COOLDOWN_SECONDS, FREE_STRIKES = 1e-3, 1.0, 8
"""However small the minimum that a policy sets: of these 429s in a row; then it doubles, up to the second."""
MAX_COOLDOWN_FLOOR_SECONDS = 600.0
"""Where the doubling minimum of a cooldown (R7) stops."""
FALLBACK_COOLDOWN_SECONDS = 30.0
"""After a 429 at which the policy has a bug: R7's default."""
MIN_TRANSIENT_STRIKES = 2
"""Consecutive transient failures after which a profile cools (R9)."""
FIRST_TRANSIENT_COOLDOWN_SECONDS, MAX_TRANSIENT_COOLDOWN_SECONDS = 5.0, 300.0
"""The first such cooldown, which doubles, and its cap."""
MAX_LOCAL_WAIT_SECONDS = 30.0
"""How long nothing is tried, at most, where this machine itself is in trouble: at first one second, then twice that."""
PHASE_STATUS = {"submit": "submitting", "poll": "generating", "fetch": "fetching", "cancel": "generating"}


def _least_seconds(first: float, strikes: int) -> float:
    """Return how long a cooldown is at least (R7); `first`: the policy's minimum. Even at 0, it does not stay so."""
    floor = min(first * 2.0 ** min(max(strikes, 1) - 1, 64), MAX_COOLDOWN_FLOOR_SECONDS)
    last = min(MIN_COOLDOWN_SECONDS * 2.0 ** min(max(strikes - FREE_STRIKES, 0), 64), MAX_MIN_COOLDOWN_SECONDS)
    return max(floor, last)


class Failures:
    """Handles calls and jobs that failed, as the backend classified them."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster, attempts: AttemptLifecycle) -> None:
        self._context = context
        self._ledger = ledger
        self._roster = roster
        self._groups = roster.groups
        self._gates = roster.gates
        self._attempts = attempts
        self._asking = Asking(context, ledger, roster, attempts)
        self.replayed_end: ev.SceneRequeued | ev.SceneSettled | None = None
        """During a replay, what became of the scene whose attempt fails now; it counts, not a count of failures."""
        self.replayed_cooldown: Cooldown | None = None
        """During a replay, the recorded answer to the 429 that is handled now; it counts, not the policy's."""
        self.replayed_window: float | None = None
        """During a replay, until when the failure handled now closed its profile's gate, as recorded; -inf: it did
        not. This counts, not the present rule."""

    def call_failed(self, event: ev.CallFailed, now: float) -> None:
        """A call failed; what that means depends on whether the provider has the job."""
        state = self._ledger.current(event.scene, event.number, PHASE_STATUS[event.phase])
        if state is None or (event.phase in ("poll", "fetch") and not state.awaiting_answer):
            return
        if event.phase == "submit":
            cooldown = self._cooldown_after(state, event.outcome, now)
            self._context.record(event, now)
            self._ledger.billed += isinstance(event.outcome, Ambiguous)
            self._ledger.streak.refused(event.scene, event.outcome)
            self._attempt_failed(state, event.outcome, cooldown, now)
            return
        self._context.record(event, now)
        if event.phase == "cancel":
            self._attempts.cancellations.retry(state, event.outcome, now)
        else:
            self._poll_or_fetch_failed(state, event.outcome, now)

    def job_failed(self, event: ev.JobFailed, now: float) -> None:
        """The provider says that the job ended without a result."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is not None:
            cooldown = self._cooldown_after(state, event.outcome, now)
            self._context.record(event, now)
            state.has_open_job = False
            self._ledger.streak.job_failed(event.scene, event.outcome)
            self._attempts.heard_of(state, now)
            self._attempt_failed(state, event.outcome, cooldown, now)

    def reopen(self, ended: ev.CooldownEnded) -> None:
        """Repeat that a profile came back because its key was good again."""
        gate = self._roster[ended.group].own_gate
        # one that was removed and is added again comes back by that
        if gate.opens_when_heard is not None and ended.profiles == gate.member_names():
            self._gates.open(gate, ended.at)

    def _cooldown_after(self, state: SceneState, outcome: Failure, now: float) -> Cooldown | None:
        """Ask the policy what follows a 429; if it raises, the group cools for the default time all the same."""
        if not isinstance(outcome, RateLimited):
            return None
        gate = profile_of(state).group
        strike = state.started > gate.closed_at  # else its submit left before the cooldown began: late (R6)
        gate.strikes += strike
        policy = self._context.policy
        if self.replayed_cooldown is not None:
            with suppress(Exception):  # it may learn from being asked; it may also stand for an unknown class
                policy.on_429(gate, outcome, now)
            return self.replayed_cooldown
        try:
            cooldown = policy.on_429(gate, outcome, now)
            if not isinstance(cooldown, Cooldown):
                raise InputError(
                    f"{type(policy).__name__}.on_429 returned {cooldown!r}: a policy returns a Cooldown(...)"
                )
        except BaseException as error:  # noqa: BLE001 - a user's policy may even exit
            self._context.defer_policy_error(error)
            cooldown = Cooldown("group", now + max(FALLBACK_COOLDOWN_SECONDS, outcome.retry_after or 0.0))
        return cooldown

    def _attempt_failed(self, state: SceneState, outcome: Failure, cooldown: Cooldown | None, now: float) -> None:
        profile = self._ledger.end(state)
        match outcome:
            case RateLimited() if cooldown is not None:
                self._rate_limited(state, profile, outcome, cooldown, now)
                self._ledger.requeue(state, profile, outcome, now)
            case ProfileUnusable():
                self._unusable(state, profile, outcome, now)
                self._ledger.requeue(state, profile, outcome, now)
            case Ambiguous() if self._context.on_ambiguous == "hold":
                self._strike(state, profile, outcome, now)
                reason = (
                    f"{outcome.reason}: the provider may have accepted it. Check the account of {profile.name!r}; "
                    "if the job is not there, run the scene again: submit_again(scene); if it is: "
                    "ask_again(scene, job=its id)"
                )
                self._ledger.settle(state, "held", reason, now, profile, outcome)
            case Transient(local=True):
                self._local_trouble(state, profile, outcome, now)
                self._ledger.requeue(state, profile, outcome, now)
            case Transient() | Ambiguous() | Unwritable():
                self._transient(state, profile, outcome, now)
            case Permanent():
                self._ledger.settle(state, "failed", outcome.reason, now, profile, outcome)
            case Cancelled():
                status, reason = cancelled_status(state, self._context.retry.job_timeout, outcome.reason)
                self._ledger.settle(state, status, reason, now, profile, outcome)

    def _rate_limited(
        self, state: SceneState, profile: ProfileState, outcome: RateLimited, cooldown: Cooldown, now: float
    ) -> None:
        gate = profile.group
        gate.max_unanswered = SLOW_START_SUBMITS
        self._ledger.last_429_at = now
        until = cooldown.until
        if self.replayed_cooldown is None or until == -math.inf:  # else what was recorded counts
            until = max(now + _least_seconds(self._context.policy.min_cooldown, gate.strikes), until)
        for each in self._groups.values() if cooldown.scope == "all" else (gate,):
            self._gates.close(
                each,
                until,
                now,
                profile=profile.name,
                reason=outcome.reason,
                scene=state.scene.id,
                unusable=cooldown.unusable,
            )
        state.avoid = (state.avoid or set()) | {gate}
        if not self._context.policy.moves:
            state.pinned_to = profile
        self._ledger.unpin_unusable(gate)

    def _unusable(self, state: SceneState, profile: ProfileState, outcome: ProfileUnusable, now: float) -> None:
        gate = self._roster.take_out(profile, outcome, now, state.scene.id)
        gate.opens_when_heard = None
        self._ledger.unpin_unusable(gate)
        state.avoid = (state.avoid or set()) | {gate}

    def _strike(self, state: SceneState, profile: ProfileState, outcome: Failure, now: float) -> None:
        """Let a profile cool that fails repeatedly; a submit in doubt costs a scene, so after one it cools at once."""
        own = profile.own_gate
        if state.started > own.closed_at:
            own.strikes += 1
        least = 1 if isinstance(outcome, Ambiguous) else MIN_TRANSIENT_STRIKES
        window = FIRST_TRANSIENT_COOLDOWN_SECONDS * 2.0 ** min(max(own.strikes - least, 0), 64)
        until = now + min(window, MAX_TRANSIENT_COOLDOWN_SECONDS) if own.strikes >= least else -math.inf
        if self.replayed_window is not None:
            until = self.replayed_window
        if until > now:
            self._gates.close(
                own,
                until,
                now,
                profile=profile.name,
                reason=f"{own.strikes} failures in a row, the last: {outcome.reason}"
                if own.strikes > 1
                else outcome.reason,
                scene=state.scene.id,
            )

    def _local_trouble(self, state: SceneState, profile: ProfileState, outcome: Transient, now: float) -> None:
        """Try nothing on a profile for a while: nobody failed there, so that neither scene nor profile is counted.

        After `max_wait` it leaves the rotation, until there is an answer about a job: the run need not wait for ever.
        """
        gate = profile.own_gate
        if not gate.local_strikes:
            gate.local_since = now
        if state.started > gate.closed_at:
            gate.local_strikes += 1
        if now - gate.local_since > self._context.max_wait:
            self._unusable(state, profile, ProfileUnusable(outcome.reason), now)
            gate.local_strikes, gate.opens_when_heard = 0, now
            return
        window = min(2.0 ** min(gate.local_strikes - 1, 64), MAX_LOCAL_WAIT_SECONDS)
        until = now + window if self.replayed_window is None else self.replayed_window
        if until > now:
            self._gates.close(gate, until, now, profile=profile.name, reason=outcome.reason, scene=state.scene.id)

    def _transient(self, state: SceneState, profile: ProfileState, outcome: Failure, now: float) -> None:
        own = profile.own_gate
        self._strike(state, profile, outcome, now)
        state.avoid = (state.avoid or set()) | {own}
        state.failures += 1
        recorded = self.replayed_end
        gives_up = state.failures >= self._context.retry.max_failures
        if recorded is not None:  # older records count failed polls and fetches, too
            gives_up = isinstance(recorded, ev.SceneSettled) and not state.cancelling
        if gives_up:
            reason = f"gave up after {state.failures} failures, the last: {outcome.reason}"
            self._ledger.settle(state, "failed", reason, now, profile, outcome)
        else:
            delay = self._backoff(state.failures, outcome)
            then = recorded if isinstance(recorded, ev.SceneRequeued) else None
            self._ledger.requeue(state, profile, outcome, now, delay, recorded=then)

    def _poll_or_fetch_failed(self, state: SceneState, outcome: Failure, now: float) -> None:
        if isinstance(outcome, Unwritable) and state.status == "fetching":
            self._result_unwritable(state, outcome, now)
        else:
            self._asking.failed(state, outcome, now)

    def _result_unwritable(self, state: SceneState, outcome: Unwritable, now: float) -> None:
        failures = self._ledger.unwritable.count_failure(state)
        if failures < self._context.retry.max_failures:
            delay = max(self._context.poll.delay(state.calls, None), self._context.backoff(failures))
            self._attempts.schedule_call(state, delay, now)
        else:
            self._ledger.unwritable.park(state)

    def _backoff(self, failures: int, outcome: Failure) -> float:
        """Return the seconds until a retry: full jitter, or more if the server asks for more."""
        asked = getattr(outcome, "retry_after", None) or 0.0
        return max(self._context.backoff(failures), min(asked, self._context.max_wait))
