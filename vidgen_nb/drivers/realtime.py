"""The asyncio driver: carries out commands on a backend, in real time.

Theory of operation. Commands wait in one queue, and workers carry them out. A worker takes one command after another;
as soon as it has to wait for the provider, a worker that stood by continues with the queue. So there are as many
workers as calls that wait for an answer, and calls that need not wait cost no task each.

Once per turn of the event loop, however many answers came in it, observers are notified and the one timer is set to the
scheduler's next wakeup. Observers hear of a submit before it leaves, so then they are notified at once.

With a journal, a submit does not even enter the queue before the event that announces it is on disk; the loop continues
meanwhile. Until it leaves, it can be called back (`outbox`). If the journal can't be written, no further submit leaves:
scenes whose submit has not left go back to the scheduler's queue, running jobs may finish, and `run` raises its error.

Everything runs in one task group: when `run` returns, no task is left behind. An exception other than `BackendError` is
a bug in a backend, and what a policy raises is one of its: nothing new is submitted, running jobs may finish, and `run`
raises it. A job that can't be polled because of such a bug is stuck: it is still in flight when `run` raises, so that
it can be polled later. Only a bug of ours ends everything at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.alarm import Alarm
from vidgen_nb.drivers.calls import Calls
from vidgen_nb.drivers.observers import Observer, Observers
from vidgen_nb.drivers.outbox import RECALLING, Outbox
from vidgen_nb.drivers.stuck_jobs import StuckJobs, ends_task, raisable
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import Backend, BackendError, EventStore, Profile, Recalled, Sink

__all__ = ["Observer", "RealtimeDriver"]

MAX_COMMANDS_PER_TURN = 256
"""After this many, a worker that never had to wait lets the event loop run other tasks."""


class RealtimeDriver:
    """Runs a scheduler against a backend until the run ends.

    `sink_for(scene, number)` says where a result goes. Observers get every event once, in order; one that raises is
    logged and removed. The `journal` gets the events before them.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        backend: Backend,
        profiles: Mapping[str, Profile],
        clock: Clock,
        sink_for: Callable[[str, int], Sink],
        observers: Sequence[Observer] = (),
        journal: EventStore | None = None,
    ) -> None:
        self.scheduler = scheduler
        self._profiles = profiles
        self._clock = clock
        self._observers = Observers(scheduler.events, observers, journal)
        self._outbox = Outbox(scheduler, self._observers, is_told=hasattr(backend.submit, "tells_when_it_leaves"))
        self._calls = Calls(backend, sink_for, self._outbox)
        scheduler.dispatcher.max_submits = self._calls.max_submits
        self._queue = self._outbox.queue
        self._tasks: asyncio.TaskGroup | None = None
        self._workers: set[asyncio.Task[None]] = set()
        self._has_standby = False
        """Whether a worker has been created that has not started."""
        self._turn_scheduled = False
        """Whether `_end_turn` will be called."""
        self._changed = asyncio.Event()
        # it lets `run` wake the scheduler: an error raised there is not lost, as it would be in a callback of the loop
        self._alarm = Alarm(clock, self._changed.set)
        self._error: BaseException | None = None  # of the backend, a policy or the journal: raised at the end
        self._stuck_jobs = StuckJobs(scheduler, backend.name)
        self._calls_in_flight = 0

    async def run(self) -> None:
        """Continue until the run has ended; raises any error that is not a provider's failure."""
        self._error = None
        self._stuck_jobs.attempts.clear()
        try:
            while not self.scheduler.ended:
                await self._run_tasks()
                self._observers.notify()  # an observer may post more
        finally:
            self._alarm.set(None)
            self._observers.notify()
        if self._error is not None:
            raise self._error

    async def _run_tasks(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._has_standby = self._turn_scheduled = False  # an earlier loop may have left them, or a cancel
                try:
                    self._wake()
                    self.release_stored()
                    self._ensure_worker()
                    while not self.scheduler.ended:
                        self._changed.clear()
                        await self._changed.wait()
                        if self._error is not None and self._is_stuck():
                            raise self._error
                        if self._alarm.has_rung:
                            self._wake()
                    for worker in self._workers:  # the answers that they wait for can't change anything
                        worker.cancel()
                finally:
                    self._tasks = None  # a group that closes takes no new tasks
        except BaseExceptionGroup as group:
            # a bug of the scheduler or the driver: show it as it is
            bug = group.exceptions[0]
            raise bug from bug.__cause__

    def post(self, *events: ev.Event) -> None:
        """Hand requests to the scheduler, and notify observers; only from the driver's own loop.

        Raises `InputError` for a request that makes no sense; that one and those after it change nothing.
        """
        feed, now = self.scheduler.feed, self._clock.now()
        try:
            for event in events:
                feed(event, now)
        except BaseException as error:
            self._enqueue()
            if error is self.scheduler.policy_fault:  # whoever waits for the run must hear of it, too
                self._policy_failed(error)
            raise
        finally:
            self._enqueue()
            self._ensure_worker()
            self._observers.notify()
        if not RECALLING.isdisjoint(map(type, events)):
            self._decide(*self._outbox.recall())
            self._observers.notify()

    def observe(self, observer: Observer) -> None:
        """Hand new events to one more observer."""
        self._observers.add(observer)

    @property
    def notes_leaving(self) -> bool:
        """Whether the journal is told of each submit that leaves, at that moment."""
        return self._outbox.is_told

    # -- stopping, and what has not left yet

    def stop(self, reason: str) -> None:
        """Submit nothing new."""
        if not self.scheduler.stopped:
            self.post(ev.Stopped(reason))

    def withhold(self, reason: str, unsent_reason: str) -> None:
        """Stop, and put scenes back into the queue whose submit has not left."""
        self._decide(*(() if self.scheduler.stopped else (ev.Stopped(reason),)))
        self._decide(*self._outbox.recall_all(unsent_reason))
        self._observers.notify()

    def abandon(self, reason: str) -> None:
        """Stop, and give up every attempt in flight; for a run whose tasks are gone."""
        unsent = {(each.scene, each.number) for each in self._outbox.recall_all(reason)}
        self._queue.clear()
        running = [(s.scene.id, s.number) for s in self.scheduler.scenes.values() if s.profile is not None]
        self.post(ev.Stopped(reason), *(ev.AttemptAbandoned(*each, sent=each not in unsent) for each in running))

    def detach_journal(self) -> None:
        """Write nothing more: somebody else may continue the attempts that are given up from now on."""
        self._observers.journal = None

    def release_stored(self) -> None:
        """Let the submits go whose announcement is on disk; only from the driver's own loop."""
        journal = self._observers.journal
        if journal is None or self._tasks is None:
            return
        if journal.error is not None:  # what could not be written must not be submitted
            self._error = self._error or journal.error
            self.withhold(str(journal.error), "its journal could not be written")
        self._outbox.release(journal.stored)
        self._ensure_worker()

    # -- turns and the timer

    def _enqueue(self) -> None:
        """Queue what the scheduler wants done, and make sure that this turn is ended."""
        if self.scheduler.to_do:
            self._outbox.take(self.scheduler.take_commands())
        if not self._turn_scheduled and self._tasks is not None:
            self._turn_scheduled = True
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        """Notify observers, see whether the run is over, set the timer."""
        self._turn_scheduled = False
        self._observers.notify()
        if self.scheduler.ended or self._is_stuck():
            self._changed.set()
        due = self.scheduler.next_wakeup()
        if due != self._alarm.due and (due is None or self._tasks is not None):
            self._alarm.set(due)

    def _wake(self) -> None:
        due, self._alarm.due = self._alarm.due, None
        # a timer may fire early by the loop's resolution: then use the time that it was set to
        self._decide(at=max(self._clock.now(), due or 0.0))

    def _decide(self, *events: ev.Event, at: float | None = None) -> None:
        """Hand events to the scheduler, or wake it, and queue what it wants done; a policy's bug stops the run."""
        now = self._clock.now() if at is None else at
        for event in events or (None,):
            try:
                self.scheduler.advance(now) if event is None else self.scheduler.feed(event, now)
                self._enqueue()
            except BaseException as error:  # noqa: BLE001 - raised on, unless it is a policy's
                self._policy_failed(error)
        self._ensure_worker()

    # -- carrying out

    def _ensure_worker(self) -> None:
        """Make sure that a worker stands by while commands wait."""
        if self._queue and not self._has_standby and self._tasks is not None:
            self._has_standby = True
            worker = self._tasks.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        """Carry out commands until the queue is empty."""
        self._has_standby = False
        queue, announcements, observers = self._queue, self._outbox.announcements, self._observers
        calls, profiles, feed, now = self._calls, self._profiles, self.scheduler.feed, self._clock.now
        dispatcher = self.scheduler.dispatcher
        for _ in range(MAX_COMMANDS_PER_TURN):
            if not queue:
                return
            command = queue.popleft()
            if queue and not self._has_standby:
                self._ensure_worker()
            if type(command) is Submit and observers.seen < announcements.popleft():
                observers.notify()
            self._calls_in_flight += 1
            try:
                event: ev.Event | None = await calls.of[type(command)](command, profiles[command.profile])
            except Recalled as recalled:
                event = ev.AttemptAbandoned(command.scene.id, command.number, sent=False, reason=str(recalled))
            except BackendError as error:
                if error.stop:
                    self.withhold(error.stop, error.stop)
                event = calls.failed(command, error)
            except BaseException as bug:
                if ends_task(bug, self._workers):
                    raise
                event = self._handle_bug(command, raisable(bug))
            finally:
                self._calls_in_flight -= 1
            if event is not None:
                if dispatcher.max_submits is not None and type(event) is ev.Accepted:
                    dispatcher.max_submits = calls.max_submits
                try:
                    feed(event, now())
                    self._enqueue()
                except BaseException as error:  # noqa: BLE001 - raised on, unless it is a policy's
                    self._policy_failed(error)
        self._ensure_worker()

    def _handle_bug(self, command: Command, bug: BaseException) -> ev.Event | None:
        """Stop the run because of a backend's bug; None: the job continues, but can't be polled."""
        reason = self._stuck_jobs.report(command, bug, first=self._error is None)
        self._stop_for(bug, reason)
        return self._stuck_jobs.answer(command, bug, reason)

    def _policy_failed(self, bug: BaseException) -> None:
        """Stop the run because of a policy's bug; what has left is finished. Any other error is raised on."""
        if bug is not self.scheduler.policy_fault:
            raise bug
        policy, kind = type(self.scheduler.policy).__name__, type(bug).__name__
        reason = one_line(f"a bug in policy {policy!r}: {bug if isinstance(bug, InputError) else kind}")
        self._stop_for(raisable(bug, f"the policy {policy}"), reason)
        self._decide()  # what it wanted done when the policy raised
        self._changed.set()

    def _stop_for(self, bug: BaseException, reason: str) -> None:
        """Submit nothing new any more, and have `run` raise a bug at its end: the first one."""
        if self._error is None:
            self._error = bug
            self._decide(ev.Stopped(reason))  # even after another stop: what ends that one must not end this one
        self.withhold(reason, reason)

    def _is_stuck(self) -> bool:
        """Say whether all that is in flight are jobs that can't be polled because of a bug."""
        idle = not (self._calls_in_flight or self._queue)
        return bool(self._stuck_jobs.attempts) and idle and self._stuck_jobs.are_all_in_flight()
