"""What follows from a failure, for the scene and for the profile (R1, R6-R12)."""

from __future__ import annotations

import math
from contextlib import suppress

from vidgen_nb.core import events as ev
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
from vidgen_nb.core.state import IN_FLIGHT, ProfileState, SceneState, operation_id, profile_of
from vidgen_nb.errors import InputError

__all__ = ["Failures"]

MAX_COOLDOWN_FLOOR_SECONDS = 600.0
"""Where the doubling minimum of a cooldown (R7) stops."""
MIN_TRANSIENT_STRIKES = 2
"""Consecutive transient failures after which a profile cools (R9)."""
FIRST_TRANSIENT_COOLDOWN_SECONDS, MAX_TRANSIENT_COOLDOWN_SECONDS = 5.0, 300.0
"""The first such cooldown, which doubles, and its cap."""
PHASE_STATUS = {"submit": "submitting", "poll": "generating", "fetch": "fetching", "cancel": "generating"}


class Failures:
    """Handles calls and jobs that failed, as the backend classified them."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster, attempts: AttemptLifecycle) -> None:
        self._context = context
        self._ledger = ledger
        self._groups = roster.groups
        self._gates = roster.gates
        self._attempts = attempts
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
            self._attempt_failed(state, event.outcome, cooldown, now)
            return
        self._context.record(event, now)
        if event.phase == "cancel":
            self._attempts.cancellations.retry(state, now)
        else:
            self._poll_or_fetch_failed(state, event.outcome, now)

    def job_failed(self, event: ev.JobFailed, now: float) -> None:
        """The provider says that the job ended without a result."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is not None:
            cooldown = self._cooldown_after(state, event.outcome, now)
            self._context.record(event, now)
            self._attempt_failed(state, event.outcome, cooldown, now)

    def _cooldown_after(self, state: SceneState, outcome: Failure, now: float) -> Cooldown | None:
        """Ask the policy what follows a 429, before anything has changed: a user's policy may raise."""
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
        except BaseException:
            gate.strikes -= strike
            raise
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
                    "if the job is not there, run the scene again"
                )
                self._ledger.settle(state, "held", reason, now, profile, outcome)
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
        gate.accepted = 0
        self._ledger.last_429_at = now
        floor = min(2.0 ** min(max(gate.strikes, 1) - 1, 64), MAX_COOLDOWN_FLOOR_SECONDS)
        until = max(now + floor, cooldown.until)  # in this order, a NaN from a policy counts as the minimum
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
        # a daily quota is the group's; a bad key or missing credit is the profile's own
        gate = profile.group if outcome.cause == "day_quota" else profile.own_gate
        until = math.inf if outcome.retry_after is None else now + max(1.0, outcome.retry_after)
        self._gates.close(
            gate, until, now, profile=profile.name, reason=outcome.reason, scene=state.scene.id, unusable=True
        )
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

    def _transient(self, state: SceneState, profile: ProfileState, outcome: Failure, now: float) -> None:
        own = profile.own_gate
        self._strike(state, profile, outcome, now)
        state.avoid = (state.avoid or set()) | {own}
        if self._count_failure(state, profile, outcome, now):
            self._ledger.requeue(state, profile, outcome, now, self._backoff(state.failures, outcome))

    def _poll_or_fetch_failed(self, state: SceneState, outcome: Failure, now: float) -> None:
        profile = profile_of(state)
        if isinstance(outcome, ProfileUnusable):
            self._ledger.end(state)
            self._unusable(state, profile, outcome, now)
            reason = f"accepted as {operation_id(state)!r}, but {profile.name!r} can't ask for it: {outcome.reason}"
            self._ledger.settle(state, "held", reason, now, profile, outcome)
        elif isinstance(outcome, Permanent) and self._may_be_elsewhere(state):
            self._ledger.end(state)
            reason = (
                f"accepted as {operation_id(state)!r}, but since the restore {profile.name!r} does not know it: "
                f"{outcome.reason}. Is it the same server and account? Check there before you run the scene again"
            )
            self._ledger.settle(state, "held", reason, now, profile, outcome)
        elif isinstance(outcome, Permanent | Cancelled):
            self._ledger.end(state)
            status: ev.SettledStatus = "cancelled" if state.cancelling and not state.timed_out else "failed"
            self._ledger.settle(state, status, outcome.reason, now, profile, outcome)
        elif isinstance(outcome, RateLimited):  # a limit on polls says nothing about submits, and costs nothing
            delay = self._context.poll.delay(state.calls, outcome.retry_after)
            self._attempts.schedule_call(state, max(delay, self._context.poll.longest), now)
        elif isinstance(outcome, Unwritable) and state.status == "fetching":
            self._result_unwritable(state, outcome, now)
        elif self._count_failure(state, profile, outcome, now):
            self._retry_call(state, outcome, state.failures, now)

    def _may_be_elsewhere(self, state: SceneState) -> bool:
        """Say whether its job was accepted before a restore that may use another server or account."""
        return self._context.hold_unknown_jobs and state.started < self._context.restored_at

    def _result_unwritable(self, state: SceneState, outcome: Unwritable, now: float) -> None:
        failures = self._ledger.unwritable.count_failure(state)
        if failures < self._context.retry.max_failures:
            self._retry_call(state, outcome, failures, now)
        else:
            self._ledger.unwritable.park(state)

    def _retry_call(self, state: SceneState, outcome: Failure, failures: int, now: float) -> None:
        delay = max(self._context.poll.delay(state.calls, None), self._backoff(failures, outcome))
        self._attempts.schedule_call(state, delay, now)

    def _count_failure(self, state: SceneState, profile: ProfileState, outcome: Failure, now: float) -> bool:
        """Count a failure against `max_failures` (R8) and return True; after the last one, fail the scene."""
        state.failures += 1
        if state.failures < self._context.retry.max_failures:
            return True
        reason = f"gave up after {state.failures} failures, the last: {outcome.reason}"
        if state.status in IN_FLIGHT:
            reason += f" (accepted as {operation_id(state)!r}, which may still finish)"
            self._ledger.end(state)
        self._ledger.settle(state, "failed", reason, now, profile, outcome)
        return False

    def _backoff(self, failures: int, outcome: Failure) -> float:
        """Return seconds: full jitter (AWS, "Exponential Backoff And Jitter"), or more if the server asks for more."""
        retry = self._context.retry
        bound = min(retry.backoff * 2.0 ** min(failures - 1, 64), retry.backoff_cap)
        asked = getattr(outcome, "retry_after", None) or 0.0
        return max(self._context.rng.uniform(0.0, bound), min(asked, self._context.max_wait))
