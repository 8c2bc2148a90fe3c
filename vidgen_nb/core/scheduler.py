"""The scheduler: events in, commands out. Time is an argument, in float seconds since the run began.

`handle(event, now)` takes what a user asked for or a driver found out, and returns what to do; `next_wakeup()` says
when to call `wake(now)` if nothing happens before. Nothing else changes its state, and nothing in it reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from random import Random
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failures import Failures
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.lifecycle import AtHand, AttemptLifecycle
from vidgen_nb.core.commands import Command
from vidgen_nb.core.context import Context, OnAmbiguous
from vidgen_nb.core.dispatcher import Dispatcher
from vidgen_nb.core.model import NORMAL, Mode, PollSchedule, RetryPolicy, as_max_billed
from vidgen_nb.core.money import as_max_cost
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.replay import Replay
from vidgen_nb.core.requests.handlers import handlers_of
from vidgen_nb.core.requests.limits import LIMIT_EVENTS, Limits, as_pause_after
from vidgen_nb.core.requests.requests import Requests
from vidgen_nb.core.state import RunState, SceneState
from vidgen_nb.errors import ReplayError

__all__ = ["Scheduler"]


class Scheduler:
    """Decides which scene goes to which profile, and when (rules R1-R23 of ARCHITECTURE.md)."""

    def __init__(
        self,
        *,
        policy: Policy,
        mode: Mode = NORMAL,
        retry: RetryPolicy | None = None,
        poll: PollSchedule | None = None,
        on_ambiguous: OnAmbiguous = "hold",
        max_wait: float = 3600.0,
        rng: Random | None = None,
        max_billed: int | None = None,
        max_cost: float | None = None,
        pause_after_same_failure: int | None = None,
    ) -> None:
        rng, limit = rng or Random(0), as_max_billed(max_billed)  # noqa: S311 - jitter, no secret
        self._context = context = Context(
            mode, policy, retry or RetryPolicy(), poll or PollSchedule(), on_ambiguous, max_wait, rng, limit,
            as_max_cost(max_cost), as_pause_after(pause_after_same_failure),
        )  # fmt: skip
        self._timers, self._times = context.timers, context.timers.times
        self.to_do, self.take_commands = context.to_do, context.take_commands
        """What is to be done, in order; `take_commands` takes all of it, as `handle` and `wake` do."""
        self.events, self.spending = context.events, context.spending
        """Everything that happened, in order, and what the run has spent and committed; read-only."""
        self._now, self._run = 0.0, RunState()
        self._queue = queue = SceneQueue()
        self.roster = roster = Roster(context)
        self._rotation, self._offered = roster.rotation, roster.rotation.offered
        self._ledger = ledger = Ledger(context, roster, queue)
        self.scenes = ledger.scenes
        """All scenes by id; read-only."""
        self._pinned, self._parked = queue.pinned, ledger.unwritable.parked
        self.dispatcher = Dispatcher(context, self._run, ledger, self._rotation, queue)
        self._attempts = attempts = AttemptLifecycle(context, ledger, roster)
        self._failures = failures = Failures(context, ledger, roster, attempts)
        requests = Requests(context, self._run, ledger, roster, queue, attempts)
        self._limits = limits = Limits(context, self._run, ledger, roster, queue)
        self._handlers = handlers_of(requests, limits, attempts, failures)

    # -- the interface of drivers

    def handle(self, event: ev.Event, now: float) -> list[Command]:
        """Take in an event and return what to do.

        Raises `InputError`, with nothing changed, for a request that makes no sense. Late or repeated answers of the
        driver are not errors: they change nothing.
        """
        self.feed(event, now)
        return self.take_commands()

    def wake(self, now: float) -> list[Command]:
        """Do what is due by now and return what to do."""
        self.advance(now)
        return self.take_commands()

    def feed(self, event: ev.Event, now: float) -> None:
        """Take in an event as `handle` does; what to do is added to `to_do`."""
        handler = self._handlers[type(event)]
        if now > self._now:
            self._now = now
            if self._times[0] <= now:
                self._timers.run(now)
        else:
            now = self._now  # a timer may fire a little early
        handler(event, now)
        self._decide(now)

    def feed_answer(self, state: SceneState, answer: ev.Event, now: float) -> None:
        """Do what `feed` does, for the answer to the submit of `state` that was decided at `now`."""
        if type(answer) is ev.Accepted:
            self._attempts.begin_job(state, answer, now)
            self._decide(now)
        else:
            self.feed(answer, now)

    def advance(self, now: float, at_hand: AtHand | None = None) -> None:
        """Do what is due by now; what follows is added to `to_do`.

        `at_hand(scene, now)` is asked about a job if its poll is all that is due. It returns both of the last answers
        about it, which are taken in at once, without a `Poll` or a `Fetch`; or None.
        """
        if now < self._now:
            now = self._now
        self._now, timers, attempts = now, self._timers, self._attempts
        if at_hand is not None and self._times[0] <= now:
            calls = timers.pop()
            callback, state = calls[0]
            is_sole_job = callback is attempts.call_due and len(calls) == 1 and self._times[0] > now
            if is_sole_job and (answers := at_hand(state, now)) is not None:
                attempts.finish_job(state, answers[0], now)
                self._decide(now)
                attempts.take_result(state, answers[1], now)
                self._decide(now)
                return
            for callback, argument in calls:
                callback(argument, now)
        timers.run(now)
        self._decide(now)

    def _decide(self, now: float) -> None:
        """Submit what may be submitted by now, and end the run if it is over."""
        context = self._context
        if self._run.goes_on:
            if context.is_limited:
                self._limits.check(now)
            if (self._offered or self._pinned) and self._queue.size:
                self.dispatcher.dispatch(now)
            if not self._ledger.in_flight or self._parked:
                self._idle(now)
        if context.policy_error is not None:  # the commands stay for the next call
            error, context.policy_error = context.policy_error, None
            raise error

    def prepare(self, events: Iterable[ev.Event]) -> None:
        """Take in requests at 0, before the run starts: nothing follows from them until then."""
        self._handlers.handle_all(events, 0.0)
        self.advance(0.0)

    def next_wakeup(self) -> float | None:
        """Return when to call `wake`, in run seconds, or None."""
        return at if (at := self._times[0]) < inf and self._run.ended is None else None

    @classmethod
    def replay(cls, events: Iterable[ev.Event], *, whole: bool = True, **settings: Any) -> Scheduler:
        """Rebuild a scheduler from a recorded run's events, with the settings it began with.

        Recorded decisions are repeated, not made again. Open commands are not issued again; jobs are polled again from
        the next `RunRestored` on. If the record ends before everything that followed from its last event, the rest is
        decided now, and stands in `events`, too. `whole=False`: the record lacks some decisions, so none are compared.

        Raises `ReplayError` for events that do not follow from each other.
        """
        scheduler, recorded = cls(**settings), list(events)
        context = scheduler._context
        replay = Replay(recorded, scheduler._handlers, context, scheduler._ledger, scheduler._failures)
        for index, event in enumerate(recorded):
            if not event.at >= scheduler._now:
                raise ReplayError(f"is {scheduler._now - event.at:g} s earlier than the event before it", index)
            scheduler._now = event.at
            context.timers.run(event.at)
            with replay.at(index):
                if isinstance(event, ev.AttemptStarted):
                    replay.begin(event, scheduler.roster)
                elif isinstance(event, LIMIT_EVENTS):
                    scheduler._limits.reach(event, event.at)
                elif isinstance(event, ev.RunEnded):
                    scheduler._end(event.reason, event.at)
                else:
                    replay.feed(event)
        if whole:
            replay.check(context.events)
        scheduler._rotation.rebuild()
        context.to_do.clear()
        context.policy_error, context.is_replay = None, False
        return scheduler

    # -- what it shows

    @property
    def mode(self) -> Mode:
        """The mode for new submissions."""
        return self._context.mode

    @property
    def policy(self) -> Policy:
        """The policy for new decisions, as the user gave it."""
        return self._context.configured_policy

    @property
    def policy_fault(self) -> BaseException | None:
        """What a policy raised last; `handle` or `wake` has raised it on, as it is."""
        return self._context.policy_fault

    @property
    def max_billed(self) -> int | None:
        """How many submits may be accepted in the run."""
        return self._context.max_billed

    @property
    def billed(self) -> int:
        """Submits that were, or may have been, accepted (R12)."""
        return self._ledger.billed

    @property
    def max_cost(self) -> float | None:
        """What the run may spend and commit."""
        return self._context.max_cost

    @property
    def stopped_by(self) -> ev.EndReason | None:
        """The limit that stopped the run; None: a person did, or it goes on."""
        return self._run.stopped_by

    @property
    def unsettled(self) -> int:
        """Scenes that are queued or have an attempt in flight."""
        return self._ledger.unsettled

    @property
    def in_flight(self) -> int:
        """Attempts without an end."""
        return self._ledger.in_flight

    @property
    def submitting(self) -> int:
        """Submits without an answer."""
        return self._ledger.submitting

    @property
    def last_429_at(self) -> float | None:
        """Time of the latest 429 on any profile, or None (R19)."""
        return self._ledger.last_429_at

    @property
    def ended(self) -> ev.EndReason | None:
        """Why the run ended; None while it goes on."""
        return self._run.ended

    @property
    def paused(self) -> bool:
        """Whether new submissions are held back."""
        return self._run.paused

    @property
    def stopped(self) -> bool:
        """Whether the run ends once running attempts have settled."""
        return self._run.stopped

    @property
    def waiting(self) -> int:
        """Scenes that could be submitted now if a profile were free."""
        return len(self._queue)

    def cooling(self, now: float) -> dict[str, float]:
        """Return the seconds left for each profile that cools or is unusable; inf: no end is known."""
        return self.roster.seconds_closed(now)

    # -- deciding

    def _idle(self, now: float) -> None:
        """Where no attempt makes progress, let a scene go that waits for the retry budget, or end the run."""
        run, ledger = self._run, self._ledger
        if parked := len(ledger.unwritable.parked):
            if ledger.in_flight == parked:
                self._end(ev.EndReason.RESULTS_UNWRITABLE, now)
        elif ledger.retries.waiting and not run.stopped:
            ledger.retries.unblock(ledger.unsettled, now)
            self._limits.check(now)
            self.dispatcher.dispatch(now)
        if ledger.in_flight:
            return
        if not ledger.unsettled:
            self._end(ev.EndReason.SETTLED, now)
        elif run.stopped:
            self._end(run.stopped_by or ev.EndReason.STOPPED, now)
        elif not run.paused and self.roster.usable_again(now) > now + self._context.max_wait:
            self._end(ev.EndReason.NO_USABLE_PROFILE, now)

    def _end(self, reason: ev.EndReason, now: float) -> None:
        self._run.goes_on, self._run.ended = False, reason
        self._context.record(ev.RunEnded(reason), now)
