"""The asyncio driver: carries out commands on a backend, in real time.

Theory of operation. Commands wait in one queue, and workers carry them out. A worker takes one command after another;
as soon as it has to wait for the provider, a worker that stood by continues with the queue. So there are as many
workers as calls that wait for an answer, and calls that need not wait cost no task each.

Once per turn of the event loop, however many answers came in it, observers are notified and the one timer is set to the
scheduler's next wakeup. Observers hear of a submit before it leaves, so then they are notified at once.

With a journal, a submit does not even enter the queue before the event that announces it is on disk; the loop continues
meanwhile. Until it leaves, it can be called back (`outbox`): after a stop, a pause and the like, and when the backend
is `about_to_leave` with it, the scheduler is asked whether it may. If the journal can't be written, no further submit
leaves: scenes whose submit has not left go back to the scheduler's queue, running jobs may finish, and `run` raises the
journal's error.

Everything runs in one task group: when `run` returns, no task is left behind. An exception other than `BackendError` is
a bug in a backend or here: nothing new is submitted, running jobs may finish, and `run` raises it. A job that can't be
polled because of such a bug is stuck: it is still in flight when `run` raises, so that it can be polled later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.calls import Calls
from vidgen_nb.drivers.observers import Observer, Observers
from vidgen_nb.drivers.outbox import RECALLING, Outbox
from vidgen_nb.drivers.stuck_jobs import StuckJobs, is_task_cancelled, stray_cancellation
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, EventStore, Profile, Recalled, Sink, on_leaving

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
        scheduler.dispatcher.max_submits = getattr(backend, "max_submits", None)
        self._reason_to_stay = scheduler.dispatcher.reason_to_stay
        self._calls = Calls(backend, sink_for)
        self._profiles = profiles
        self._clock = clock
        self._observers = Observers(scheduler.events, observers, journal)
        self._outbox = Outbox()
        self._queue = self._outbox.queue
        self._tasks: asyncio.TaskGroup | None = None
        self._workers: set[asyncio.Task[None]] = set()
        self._has_standby = False
        """Whether a worker has been created that has not started."""
        self._turn_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: float | None = None
        self._changed = asyncio.Event()
        self._backend_error: Exception | None = None
        """Of the backend, or the journal's: raised once running attempts have settled."""
        self._policy_error: Exception | None = None
        self._stuck_jobs = StuckJobs(scheduler, backend.name)
        self._calls_in_flight = 0

    async def run(self) -> None:
        """Continue until the run has ended; raises any error that is not a provider's failure."""
        self._backend_error = self._policy_error = None
        self._stuck_jobs.attempts.clear()
        try:
            while not self.scheduler.ended:
                await self._run_tasks()
                self._observers.notify()  # an observer may post more
        finally:
            self._disarm()
            self._observers.notify()
        if self._backend_error is not None:
            raise self._backend_error

    async def _run_tasks(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                # an earlier loop or a cancelled task may have left them
                self._has_standby = self._turn_scheduled = False
                try:
                    self._enqueue(self.scheduler.wake(self._clock.now()))
                    self.release_stored()
                    self._ensure_worker()
                    while not self.scheduler.ended:
                        self._changed.clear()
                        await self._changed.wait()
                        if self._policy_error is not None:
                            raise self._policy_error
                        if self._backend_error is not None and self._is_stuck():
                            raise self._backend_error
                        if self._timer is None and self._timer_due is not None:
                            self._wake()
                    for worker in self._workers:  # the answers that they wait for can't change anything
                        worker.cancel()
                finally:
                    self._tasks = None  # a group that closes takes no new tasks
        except BaseExceptionGroup as group:
            # a bug of the scheduler, a policy or the driver: show it as it is
            bug = group.exceptions[0]
            raise bug from bug.__cause__

    def post(self, *events: ev.Event) -> None:
        """Hand requests to the scheduler, and notify observers; only from the driver's own loop.

        Raises `InputError` for a request that makes no sense; that one and those after it change nothing.
        """
        commands: list[Command] = []
        now = self._clock.now()
        try:
            for event in events:
                commands += self.scheduler.handle(event, now)
        except InputError:
            raise
        except Exception as error:  # of a policy: whoever waits for the run must hear of it, too
            self._policy_error = error
            self._changed.set()
            raise
        finally:
            self._enqueue(commands)
            self._ensure_worker()
            self._observers.notify()
        if any(isinstance(event, RECALLING) for event in events):
            self._call_back(self._outbox.take_back(lambda each: not self._reason_to_stay(each.scene.id, each.number)))

    def observe(self, observer: Observer) -> None:
        """Hand new events to one more observer."""
        self._observers.add(observer)

    # -- stopping, and what has not left yet

    def stop(self, reason: str) -> None:
        """Submit nothing new."""
        if not self.scheduler.stopped:
            self.post(ev.Stopped(reason))

    def withhold(self, reason: str, unsent_reason: str) -> None:
        """Stop, and put scenes back into the queue whose submit has not left."""
        unsent = self._outbox.take_back()
        self.stop(reason)
        self._call_back(unsent, unsent_reason)

    def abandon(self, reason: str) -> None:
        """Stop, and give up every attempt in flight; for a run whose tasks are gone."""
        unsent = {(each.scene.id, each.number) for each in self._outbox.take_back()}
        self._outbox.clear()
        running = [(s.scene.id, s.number) for s in self.scheduler.scenes.values() if s.profile is not None]
        self.post(ev.Stopped(reason), *(ev.AttemptAbandoned(*each, sent=each not in unsent) for each in running))

    def _call_back(self, unsent: Collection[Submit], reason: str = "") -> None:
        """Put scenes back into the queue whose submit has not left."""
        attempts = [(each.scene.id, each.number) for each in unsent]
        reasons = [reason or self._reason_to_stay(*each) for each in attempts]
        self.post(*(ev.AttemptAbandoned(*each, False, why) for each, why in zip(attempts, reasons, strict=True)))

    def _check_leaving(self, command: Submit) -> None:
        journal = self._observers.journal
        failed = journal is not None and journal.error is not None
        if reason := "the journal failed" if failed else self._reason_to_stay(command.scene.id, command.number):
            raise Recalled(reason)

    def detach_journal(self) -> None:
        """Write nothing more: somebody else may continue the attempts that are given up from now on."""
        self._observers.journal = None

    def release_stored(self) -> None:
        """Let the submits go whose announcement is on disk; only from the driver's own loop."""
        journal = self._observers.journal
        if journal is None or self._tasks is None:
            return
        if journal.error is not None:  # what could not be written must not be submitted
            self._backend_error = self._backend_error or journal.error
            self.withhold(str(journal.error), "its journal could not be written")
        self._outbox.release(journal.stored)
        self._ensure_worker()

    # -- turns and the timer

    def _enqueue(self, commands: list[Command]) -> None:
        """Queue commands, and make sure that this turn is ended."""
        if commands:
            events, has_journal = len(self.scheduler.events), self._observers.journal is not None
            for command in commands:
                self._outbox.put(command, events, unsaved=has_journal)
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
        if due != self._timer_due:
            self._arm(due)

    def _arm(self, due: float | None) -> None:
        self._disarm()
        if due is not None and self._tasks is not None:
            delay = max(0.0, self._clock.wall(due - self._clock.now()))
            self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)
            self._timer_due = due

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timer_due = None

    def _on_timer(self) -> None:
        """Let `run` wake the scheduler: an error raised there is not lost, as it would be in a callback of the loop."""
        self._timer = None
        self._changed.set()

    def _wake(self) -> None:
        due, self._timer_due = self._timer_due, None
        # a timer may fire early by the loop's resolution: then use the time that it was set to
        self._enqueue(self.scheduler.wake(max(self._clock.now(), due or 0.0)))
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
        queue, announcements = self._queue, self._outbox.announcements
        scheduler, now, calls, observers = self.scheduler, self._clock.now, self._calls, self._observers
        for _ in range(MAX_COMMANDS_PER_TURN):
            if not queue:
                return
            command = queue.popleft()
            self._ensure_worker()
            if type(command) is Submit and observers.seen < announcements.popleft():
                observers.notify()
            self._calls_in_flight += 1
            try:
                if type(command) is Submit:
                    on_leaving.set(partial(self._check_leaving, command))
                event: ev.Event | None = await calls.of[type(command)](command, self._profiles[command.profile])
            except Recalled as recalled:
                event = ev.AttemptAbandoned(command.scene.id, command.number, sent=False, reason=str(recalled))
            except BackendError as error:
                event = calls.failed(command, error)
            except asyncio.CancelledError as cancelled:
                if is_task_cancelled():
                    raise
                event = self._handle_bug(command, stray_cancellation(cancelled))
            except Exception as bug:  # noqa: BLE001 - raised by `run`, once running attempts have settled
                event = self._handle_bug(command, bug)
            finally:
                self._calls_in_flight -= 1
            self._enqueue(scheduler.handle(event, now()) if event is not None else [])
        self._ensure_worker()

    def _handle_bug(self, command: Command, bug: Exception) -> ev.Event | None:
        """Stop the run because of a backend's bug; None: the job continues, but can't be polled."""
        first = self._backend_error is None
        reason = self._stuck_jobs.report(command, bug, first=first)
        if first:
            self._backend_error = bug
            self.post(ev.Stopped(reason))  # even after another stop: what ends that one must not end this one
        self.withhold(reason, reason)
        return self._stuck_jobs.answer(command, bug, reason)

    def _is_stuck(self) -> bool:
        """Say whether all that is in flight are jobs that can't be polled because of a bug."""
        idle = not (self._calls_in_flight or self._queue)
        return bool(self._stuck_jobs.attempts) and idle and self._stuck_jobs.are_all_in_flight()
