"""The life of an attempt: submitting, generating, fetching, settled.

    queued ──begin──▶ submitting ──Accepted──▶ generating ──Generated──▶ fetching ──Fetched──▶ succeeded
      ▲                   │                        │                        │
      └── 429, transient, ┴── the job failed ──────┘   (a failed poll or     │
          unusable            for a passing reason      fetch is retried) ◀─┘
                     anything else: failed, cancelled or held

An accepted job costs money, so the scene is never submitted again because a poll or a fetch failed (R12, R17). What
follows from such a failure is decided in `asking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.cancellation import Cancellations, cancel_command
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.commands import Fetch, Poll
from vidgen_nb.core.context import Context
from vidgen_nb.core.model import Operation
from vidgen_nb.core.outcomes import Ambiguous, Cancelled
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.state import IN_FLIGHT, ProfileState, SceneState, operation_id, profile_of
from vidgen_nb.errors import InputError

__all__ = ["AtHand", "AttemptLifecycle"]

AtHand = Callable[[SceneState, float], tuple[ev.Generated, ev.Fetched] | None]
"""Returns a job's last answers at once, if it is done; see `Scheduler.advance`."""
STANDSTILL_SECONDS, MAX_CROWD = 15.0, 10
"""When the program stood still for longer, and more attempts than this are in flight, their polls are spread."""


class AttemptLifecycle:
    """Follows an attempt from its acceptance to its result: polls, fetches, and cancels what takes too long."""

    def __init__(self, context: Context, ledger: Ledger, roster: Roster) -> None:
        self._context = context
        self._timers = context.timers
        self._ledger = ledger
        self._roster = roster
        self.call_due = self._call_due
        """What the timers of calls have in common; one object, so that they are known by it."""
        self.cancellations = Cancellations(context, ledger)

    def accepted(self, event: ev.Accepted, now: float) -> None:
        """The provider took it: its job runs."""
        state = self._ledger.current(event.scene, event.number, "submitting")
        if state is not None:
            self.begin_job(state, event, now)

    def begin_job(self, state: SceneState, event: ev.Accepted, now: float) -> None:
        """The provider took a scene: it generates, and its group's strikes are forgotten (R7)."""
        ledger, context, operation = self._ledger, self._context, event.operation
        if operation.cost is not None:
            context.count_money()
        event.at = now  # type: ignore[misc]  # as `record` does; these three are on every scene's way
        context.keep(event)
        ledger.submitting -= 1
        ledger.billed += 1
        profile = self._roster.submit_answered(state, True)
        profile.group.strikes = profile.own_gate.local_strikes = 0
        state.status, state.operation, state.avoid = "generating", operation, None
        state.is_known, state.trouble = False, None
        state.calls, state.has_open_job = 0, True
        if state.cancelling:
            context.to_do.append(cancel_command(state))
        # also after `job_timeout`: it may be done, and is asked about before it is cancelled
        if (delay := context.poll.delay(0, operation.poll_after)) > 0:
            self.call_after(state, delay, now)
        else:
            self._call(state, now)

    def progressed(self, event: ev.Progressed, now: float) -> None:
        """Not finished: poll again later."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is None or not state.awaiting_answer:
            return
        delay = self._context.poll.delay(state.calls, event.poll_after)
        if self._is_outdated(state, now):
            self.call_after(state, delay, now)
            return
        opens = profile_of(state).own_gate.opens_when_heard is not None
        if event.status != state.progress or state.trouble or opens or self.cancellations.is_late(state, now):
            state.progress = event.status
            self._context.record(event, now)
        self.heard_of(state, now)
        self.schedule_call(state, delay, now)

    def _is_outdated(self, state: SceneState, now: float) -> bool:
        """Say whether an answer was asked for before `job_timeout`, and read after it: the job may be done by now.

        The program may have stood still in between.
        """
        late = self.cancellations.is_late
        return not self._context.is_replay and late(state, now) and not late(state, state.called_at)

    def generated(self, event: ev.Generated, now: float) -> None:
        """The job is done: its slot is free, its result is fetched."""
        state = self._ledger.current(event.scene, event.number, "generating")
        if state is not None:
            self.finish_job(state, event, now)
            self._call(state, now)

    def finish_job(self, state: SceneState, event: ev.Generated, now: float) -> None:
        """The job of a scene is done: its slot is free."""
        if event.cost is not None:
            self._context.count_money()
        event.at = now  # type: ignore[misc]
        self._context.keep(event)
        profile = state.profile
        assert profile is not None  # noqa: S101 - an attempt in flight has one
        if state.trouble or profile.own_gate.opens_when_heard is not None:
            self.heard_of(state, now)
        if self._ledger.streak.scenes:
            self._ledger.streak.clear()
        state.is_known, state.status, state.artifact, profile.own_gate.strikes = True, "fetching", event.artifact, 0
        self._roster.free(profile)

    def fetched(self, event: ev.Fetched, now: float) -> None:
        """The result is here: the scene succeeded."""
        state = self._ledger.current(event.scene, event.number, "fetching")
        if state is not None:
            self.take_result(state, event, now)

    def take_result(self, state: SceneState, event: ev.Fetched, now: float) -> None:
        """The result of a scene is here."""
        event.at = now  # type: ignore[misc]
        self._context.keep(event)
        if state.artifact is not None and state.artifact.kind == "with_key":
            self.heard_of(state, now)
        self._ledger.succeed(state, now)

    def heard_of(self, state: SceneState, now: float) -> None:
        """The provider has answered about a job: asking works, and so does its profile's key."""
        state.is_known, state.trouble = True, None
        gate = profile_of(state).own_gate
        if gate.opens_when_heard is not None and now >= gate.opens_when_heard and not self._context.is_replay:
            self._roster.gates.open(gate, now)

    def ask_now(self, profile: ProfileState, now: float) -> None:
        """Ask about the jobs of a profile that can't be asked about; something has changed."""
        for state in self._ledger.scenes.values():
            if state.profile is profile and state.trouble and not state.awaiting_answer:
                self.resume_call(state, now)

    def asked_again(self, event: ev.AskedAgain, now: float) -> None:
        """The user says that a settled scene's job may exist: follow it as a new attempt, without a submit."""
        state = self._ledger.scenes.get(event.scene.id)
        if state is None or state.status not in ("held", "failed"):
            what = "is not in this run" if state is None else f"is {state.status}"
            raise InputError(f"scene {event.scene.id!r} {what}: only a held scene's job can be asked about again")
        if event.number != state.number + 1 or not event.job:
            raise InputError(f"scene {event.scene.id!r}: attempt {state.number + 1} is next, and needs a job's id")
        profile = self._roster[event.profile]
        self._context.record(event, now)
        operation = state.operation
        self._ledger.take_up(state, profile, now)
        known = operation is not None and operation.id == event.job
        state.operation = operation if known else Operation(event.job)
        state.calls, state.artifact = 0, None
        self._call(state, now)

    def resume_call(self, state: SceneState, now: float) -> None:
        """Poll or fetch at once: whoever was doing so no longer does."""
        self.cancellations.resume(state)
        self._call(state, now)

    def schedule_call(self, state: SceneState, delay: float, now: float) -> None:
        """Poll or fetch after a delay; cancel a job that has taken too long."""
        state.awaiting_answer = False
        if self.cancellations.is_late(state, now) and self.cancellations.cancel_late(state, now):
            return
        if delay > 0:
            self.call_after(state, delay, now)
        else:
            self._call(state, now)

    def call_after(self, state: SceneState, delay: float, now: float) -> None:
        """Poll or fetch after a delay, however late it is."""
        state.awaiting_answer = False
        state.call_at = due = now + delay
        self._timers.at(due, self.call_due, state)

    def _call_due(self, state: SceneState, now: float) -> None:
        if state.call_at > now or state.status not in ("generating", "fetching"):
            return
        is_crowded = now - state.call_at > STANDSTILL_SECONDS and self._ledger.in_flight > MAX_CROWD
        if is_crowded and not self._context.is_replay:  # all are due at once, and would be again each time
            self.call_after(state, self._context.rng.uniform(0.0, self._context.poll.longest), now)
        else:
            self._call(state, now)

    def _call(self, state: SceneState, now: float) -> None:
        operation, profile, to_do = state.operation, state.profile, self._context.to_do
        assert operation is not None and profile is not None  # noqa: S101, PT018 - set when it was accepted
        state.calls += 1
        state.awaiting_answer, state.called_at, state.call_at = True, now, math.inf
        if state.status == "generating":
            to_do.append(Poll(state.scene, state.number, profile.name, operation))
        elif state.artifact is not None:
            to_do.append(Fetch(state.scene, state.number, profile.name, operation, state.artifact))

    def abandoned(self, event: ev.AttemptAbandoned, now: float) -> None:
        """Hold the scene of an attempt that nobody continues; if its submit never left, the scene is queued again."""
        state = self._ledger.scenes.get(event.scene)
        if state is None or state.number != event.number or state.status not in IN_FLIGHT:
            return
        self._context.record(event, now)
        if not event.sent:
            self._ledger.requeue(state, self._ledger.end(state), Cancelled(f"{event.reason} before it was sent"), now)
            return
        self._ledger.billed += state.status == "submitting"
        accepted = "" if state.status == "submitting" else f" after it was accepted as {operation_id(state)!r}"
        advice = (
            "the provider may have it. Check the account; if the job is not there, run the scene again: "
            f"submit_again(scene); if it is: ask_again(scene{'' if accepted else ', job=its id'})"
        )
        reason = f"{event.reason}{accepted}: {advice}"
        self._ledger.settle(state, "held", reason, now, self._ledger.end(state), Ambiguous(reason))
