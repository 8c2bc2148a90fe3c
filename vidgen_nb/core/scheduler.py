"""The scheduler: events in, commands out. Time is an argument, in float seconds since the run began.

`handle(event, now)` takes in what a user asked for or a driver found out, and returns what to do;
`next_wakeup()` says when to call `wake(now)` if nothing happens before. Nothing else changes its state, and nothing in
it looks at a clock: the live driver, the emulated run and virtual time use it in the same way.

Every event, those fed in and those decided, stands in `events` in order; that list is the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failures import Failures
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.attempts.progress import Attempts
from vidgen_nb.core.commands import Command
from vidgen_nb.core.context import Context, OnAmbiguous
from vidgen_nb.core.dispatcher import Dispatcher
from vidgen_nb.core.model import NORMAL, Mode, PollSchedule, RetryPolicy, as_max_billed
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.replay import Replay
from vidgen_nb.core.requests import Requests
from vidgen_nb.core.roster import Roster
from vidgen_nb.core.state import SceneState
from vidgen_nb.errors import InputError, ReplayError

__all__ = ["Scheduler"]


class Scheduler:
    """Decides which scene goes to which profile, and when (rules R1-R20 of design.md)."""

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
    ) -> None:
        self._context = Context(
            mode,
            policy,
            retry or RetryPolicy(),
            poll or PollSchedule(),
            on_ambiguous,
            max_wait,
            rng or Random(0),  # noqa: S311 - jitter, no secret
            as_max_billed(max_billed),
        )
        self._timers = self._context.timers
        self._now = 0.0
        self._queue = SceneQueue()
        self.roster = Roster(self._context)
        self._ledger = Ledger(self._context, self.roster, self._queue)
        self._dispatcher = Dispatcher(self._context, self._ledger, self.roster, self._queue)
        attempts = Attempts(self._context, self._ledger, self.roster)
        self._failures = failures = Failures(self._context, self._ledger, self.roster, attempts)
        self._requests = requests = Requests(self._context, self._ledger, self.roster, self._queue, attempts)
        self._handlers: dict[type[ev.Event], Callable[[Any, float], None]] = {
            ev.ProfileAdded: requests.profile_added,
            ev.ProfileChanged: requests.profile_changed,
            ev.ProfileRemoved: requests.profile_removed,
            ev.SceneAdded: requests.scene_added,
            ev.RunStarted: requests.run_started,
            ev.RunRestored: requests.run_restored,
            ev.ModeChanged: requests.mode_changed,
            ev.PolicyChanged: requests.policy_changed,
            ev.Paused: requests.paused_,
            ev.Unpaused: requests.unpaused,
            ev.Stopped: requests.stopped_,
            ev.BillingLimitChanged: requests.limit_changed,
            ev.CancelRequested: requests.cancel_requested,
            ev.CooldownReleased: requests.cooldown_released,
            ev.CooldownImposed: requests.cooldown_imposed,
            ev.Accepted: attempts.accepted,
            ev.Progressed: attempts.progressed,
            ev.Generated: attempts.generated,
            ev.Fetched: attempts.fetched,
            ev.CallFailed: failures.call_failed,
            ev.JobFailed: failures.job_failed,
            ev.CancelAnswered: attempts.cancels.answered,
            ev.AttemptAbandoned: attempts.abandoned,
        }

    # -- the interface of drivers

    def handle(self, event: ev.Event, now: float) -> list[Command]:
        """Take in an event and return what to do.

        Raises `InputError`, with nothing changed, for a request that makes no sense. Late and second answers of the
        driver are no error: they change nothing.
        """
        now = self._advance(now)
        handler = self._handlers.get(type(event))
        if handler is None:
            raise InputError(f"{type(event).__name__} is the scheduler's own decision; it can't be fed in")
        handler(event, now)
        return self._decided(now)

    def wake(self, now: float) -> list[Command]:
        """Do what is due by now and return what to do."""
        return self._decided(self._advance(now))

    def next_wakeup(self) -> float | None:
        """Return when `wake` is wanted, in run seconds, or None."""
        return None if self._requests.ended else self._context.timers.next()

    @classmethod
    def replay(cls, events: Iterable[ev.Event], *, whole: bool = True, **settings: Any) -> Scheduler:
        """Rebuild a scheduler from a recorded run's events, with the settings it began with.

        What was decided then is taken over, not decided again; commands still open are not issued again, and jobs are
        polled again from the next `RunRestored` on. Where the record ends in the middle of what followed from an event,
        the rest is decided now, and stands in `events` too.
        Raises `ReplayError` for events that do not follow from each other. `whole`: the
        record has all decisions; if not, which were taken is not compared.
        """
        scheduler, recorded = cls(**settings), list(events)
        context = scheduler._context
        replay = Replay(recorded, scheduler._handlers, scheduler._ledger, scheduler._failures)
        for index, event in enumerate(recorded):
            if not event.at >= scheduler._now:
                raise ReplayError(f"comes {scheduler._now - event.at:g} s before the one before it", index)
            scheduler._advance(event.at)
            with replay.at(index):
                if isinstance(event, ev.AttemptStarted):
                    scheduler._take_over(event)
                elif isinstance(event, ev.BillingLimitReached):
                    scheduler._requests.limit_reached(event, event.at)
                elif isinstance(event, ev.RunEnded):
                    scheduler._end(event.reason, event.at)
                else:
                    replay.feed(event)
        if whole:
            replay.check(context.events)
        scheduler.roster.rebuild()
        context.commands.clear()
        context.fault = None
        return scheduler

    # -- what it shows

    @property
    def events(self) -> list[ev.Event]:
        """Everything that happened, in order; to be read only."""
        return self._context.events

    @property
    def scenes(self) -> dict[str, SceneState]:
        """All scenes by id; to be read only."""
        return self._ledger.scenes

    @property
    def mode(self) -> Mode:
        """The mode that holds for new submissions."""
        return self._context.mode

    @property
    def policy(self) -> Policy:
        """The policy that holds for new decisions, as it was given."""
        return self._context.given

    @property
    def max_billed(self) -> int | None:
        """How many submits may be accepted in the run."""
        return self._context.max_billed

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
        """Submissions without an answer."""
        return self._ledger.submitting

    @property
    def last_429_at(self) -> float | None:
        """Time of the latest 429 on any profile, or None (R19)."""
        return self._ledger.last_429_at

    @property
    def ended(self) -> ev.EndReason | None:
        """Why the run ended, or None: it has not."""
        return self._requests.ended

    @property
    def paused(self) -> bool:
        """Whether new submissions are held back."""
        return self._requests.paused

    @property
    def stopped(self) -> bool:
        """Whether the run ends with what is under way."""
        return self._requests.stopped

    @property
    def waiting(self) -> int:
        """Scenes that could be submitted now if a profile were free."""
        return len(self._queue)

    def all_cool(self, now: float) -> bool:
        """Say whether scenes wait and every profile cools or is unusable (R5)."""
        return len(self._queue) > 0 and not (self.ended or self.stopped or self.paused) and self.roster.all_closed(now)

    def cooling(self, now: float) -> dict[str, float]:
        """Return the seconds left for each profile that cools or is unusable; inf: no end is known."""
        return self.roster.closed(now)

    # -- deciding

    def _advance(self, now: float) -> float:
        """Do what is due. A `now` before the last one counts as that: a timer may fire a little early."""
        if now < self._now:
            now = self._now
        self._now = now
        heap = self._timers.heap
        if heap and heap[0][0] <= now:
            self._timers.run(now)
        return now

    def _decided(self, now: float) -> list[Command]:
        requests, context = self._requests, self._context
        if requests.started and requests.ended is None:
            queue = self._queue
            if context.max_billed is not None:
                requests.watch_limit(context.max_billed, now)
            if queue.size and (self.roster.offered or queue.pinned) and not (requests.stopped or requests.paused):
                self._dispatcher.dispatch(now)
            ledger = self._ledger
            if not ledger.in_flight or (ledger.unwritable.left and ledger.in_flight == len(ledger.unwritable.left)):
                self._idle(now)
        if context.fault is not None:  # the commands stay for the next call
            fault, context.fault = context.fault, None
            raise fault
        commands = context.commands
        if commands:
            context.commands = []
            return commands
        return []

    def _idle(self, now: float) -> None:
        """Nothing is under way: let a scene go that waits for the retry budget, or see whether the run is over."""
        requests, ledger = self._requests, self._ledger
        if ledger.unwritable.left:
            self._end("results can't be written", now)
        elif ledger.retries.waiting and not requests.stopped:
            ledger.retries.unblock(ledger.unsettled, now)
            if self._queue and not requests.paused:
                self._dispatcher.dispatch(now)
        if not ledger.in_flight:
            self._end_if_over(now)

    def _end_if_over(self, now: float) -> None:
        if not self._ledger.unsettled:
            self._end("settled", now)
        elif self._requests.stopped:
            self._end("max_billed" if self._requests.limited else "stopped", now)
        elif not self._requests.paused and self.roster.usable_again(now) > now + self._context.max_wait:
            self._end("no usable profile", now)

    def _end(self, reason: ev.EndReason, now: float) -> None:
        self._requests.ended = reason
        self._context.record(ev.RunEnded(reason), now)

    def _take_over(self, event: ev.AttemptStarted) -> None:
        """Repeat a recorded decision."""
        state, profile = self._ledger.scenes[event.scene], self.roster[event.profile]
        if state.status != "queued":
            raise InputError(f"scene {event.scene!r} is {state.status}")
        if state.pinned_to is None:  # else it was not the profile's turn
            self.roster.cursor = profile.index
        self._ledger.begin(state, profile, event.at)
