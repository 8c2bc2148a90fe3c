"""The asyncio driver: carries out commands on a backend, in real time.

Commands wait in one line, and workers carry them out: a worker takes one after the other, and while it has to wait for
the provider, another one, which stood by, goes on with the line. So there are as many workers as calls under way, and
a run of calls that need not wait takes no task each.

Once in a turn of the loop, whatever the answers in it, observers are told and the one timer is armed for the
scheduler's next wakeup. Observers know of a submit before it leaves: then they are told at once.

With a journal, a submit does not even come into the line before what announces it is on disk; the loop goes on
meanwhile. When the journal can't be written, no submit leaves any more: what has not left goes back to the queue, what
runs may finish, and `run` raises the journal's error.

Everything runs in one task group: when `run` returns, nothing is left behind. An exception that is no `BackendError` is
a bug in a backend or here: nothing new is submitted, what runs may finish, and `run` raises it. A job that such a bug
keeps from being asked about is stuck: it is under way still when `run` raises, so that it can be asked about later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.bugs import Bugs, stray
from vidgen_nb.drivers.calls import Calls
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, Journal, Profile, Sink

__all__ = ["Observer", "RealtimeDriver"]

log = logging.getLogger("vidgen_nb")

Observer = Callable[[Sequence[ev.Event]], None]
"""Is handed the events that are new; runs on the driver's loop and must be quick."""

BREATH = 256
"""After so many commands a worker that never had to wait lets the loop go round."""


class RealtimeDriver:
    """Runs a scheduler against a backend until the run ends.

    `sink_for(scene, number)` says where a result goes. Observers get every event once, in order; one that raises is
    logged and dropped. The `journal` gets them before.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        backend: Backend,
        profiles: Mapping[str, Profile],
        clock: Clock,
        sink_for: Callable[[str, int], Sink],
        observers: Sequence[Observer] = (),
        journal: Journal | None = None,
    ) -> None:
        self.scheduler = scheduler
        self._calls = Calls(backend, sink_for)
        self._profiles = profiles
        self._clock = clock
        self._observers = list(observers)
        self._journal = journal
        self._unsaved: deque[tuple[int, Submit]] = deque()
        """Submits, and how many events have to be on disk before they may leave."""
        self._seen = len(scheduler.events)
        """Events that observers were told of."""
        self._urgent = 0
        """So many of them must be told before the next submit leaves."""
        self._telling = False
        self._tasks: asyncio.TaskGroup | None = None
        self._line: deque[Command] = deque()
        """Commands that no worker has taken yet."""
        self._workers: set[asyncio.Task[None]] = set()
        self._standby = False
        """Whether a worker has been made that has not begun."""
        self._turning = False
        """Whether the end of this turn is scheduled."""
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._changed = asyncio.Event()
        self._bug: Exception | None = None
        """Of the backend, or what the journal could not do: raised once what is under way has settled."""
        self._mistake: Exception | None = None
        """Of a policy: raised at once."""
        self._bugs = Bugs(scheduler, backend.name)
        self._calling = 0
        """Calls without an answer."""

    async def run(self) -> None:
        """Go on until the run has ended; raises what was no provider's failure."""
        self._bug = self._mistake = None
        self._bugs.stuck.clear()
        try:
            while not self.scheduler.ended:
                await self._run_tasks()
                self._tell()  # an observer may go on with more
        finally:
            self._disarm()
            self._tell()
        if self._bug is not None:
            raise self._bug

    async def _run_tasks(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._standby = self._turning = False  # what an earlier loop or a cancelled task left behind
                try:
                    self._took(self.scheduler.wake(self._clock.now()))
                    self.stored()
                    self._hire()
                    while not self.scheduler.ended:
                        self._changed.clear()
                        await self._changed.wait()
                        if self._mistake is not None:
                            raise self._mistake
                        if self._bug is not None and self._is_stuck():
                            raise self._bug
                        if self._timer is None and self._armed is not None:
                            self._wake()
                    for worker in self._workers:  # what still waits for an answer can change nothing any more
                        worker.cancel()
                finally:
                    self._tasks = None  # a group that closes takes no new tasks
        except BaseExceptionGroup as group:
            # a bug of the scheduler, a policy or the driver: show it as it is
            bug = group.exceptions[0]
            raise bug from bug.__cause__

    def post(self, *events: ev.Event) -> None:
        """Hand requests to the scheduler, and tell observers; only from the driver's own loop.

        Raises `InputError`, with nothing changed by that request or those after it, for one that makes no sense.
        """
        commands: list[Command] = []
        now = self._clock.now()
        try:
            for event in events:
                commands += self.scheduler.handle(event, now)
        except InputError:
            raise
        except Exception as mistake:  # of a policy: whoever waits for the run must hear of it too
            self._mistake = mistake
            self._changed.set()
            raise
        finally:
            self._took(commands)
            self._hire()
            self._tell()

    def abandon(self, reason: str) -> None:
        """Stop, and give up every attempt in flight; for a run whose tasks are gone."""
        unsent = self._take_back()
        self._line.clear()
        running = [(s.scene.id, s.number) for s in self.scheduler.scenes.values() if s.profile is not None]
        self.post(ev.Stopped(reason), *(ev.AttemptAbandoned(*each, sent=each not in unsent) for each in running))

    def stop(self, reason: str) -> None:
        """Submit nothing new, unless that is so already."""
        if not self.scheduler.stopped:
            self.post(ev.Stopped(reason))

    def leave_journal(self) -> None:
        """Write nothing more down: what is given up from now on, somebody else may go on with."""
        self._journal = None

    def observe(self, observer: Observer) -> None:
        """Hand what is new from now on to one more observer."""
        self._observers.append(observer)

    def stored(self) -> None:
        """Let those submits go whose announcement is on disk; only from the driver's own loop."""
        journal = self._journal
        if journal is None or self._tasks is None:
            return
        if journal.error is not None:
            self._give_up(journal.error)
        while self._unsaved and self._unsaved[0][0] <= journal.stored:
            self._line.append(self._unsaved.popleft()[1])
        self._hire()

    def _give_up(self, error: Exception) -> None:
        """Submit nothing more: it could not be written down."""
        self._bug = self._bug or error
        self.withhold(str(error), "its journal could not be written")

    def withhold(self, reason: str, why: str) -> None:
        """Stop, and put back into the queue what has not left."""
        self.stop(reason)
        self.post(*(ev.AttemptAbandoned(*each, sent=False, reason=why) for each in self._take_back()))

    def _take_back(self) -> set[tuple[str, int]]:
        """Return the attempts whose submit has not left, which it does not any more."""
        line, unsaved = list(self._line), [command for _, command in self._unsaved]
        self._unsaved.clear()
        self._line.clear()
        self._line.extend(command for command in line if type(command) is not Submit)
        return {(each.scene.id, each.number) for each in (*line, *unsaved) if type(each) is Submit}

    # -- feeding

    def _took(self, commands: list[Command]) -> None:
        """Put commands in the line, and see to it that this turn is ended."""
        for command in commands:
            if type(command) is Submit:
                self._urgent = len(self.scheduler.events)
                if self._journal is not None:
                    self._unsaved.append((self._urgent, command))
                    continue
            self._line.append(command)
        if not self._turning and self._tasks is not None:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """End a turn: tell observers, see whether the run is over, arm the timer."""
        self._turning = False
        self._tell()
        if self.scheduler.ended or self._is_stuck():
            self._changed.set()
        due = self.scheduler.next_wakeup()
        if due != self._armed:
            self._arm(due)

    def _arm(self, due: float | None) -> None:
        self._disarm()
        if due is not None and self._tasks is not None:
            delay = max(0.0, self._clock.wall(due - self._clock.now()))
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)
            self._armed = due

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed = None

    def _ring(self) -> None:
        """Let `run` wake the scheduler: what is raised there is not lost, as it would be in a callback of the loop."""
        self._timer = None
        self._changed.set()

    def _wake(self) -> None:
        due, self._armed = self._armed, None
        # a timer may fire early by the loop's resolution: then it is as late as it was meant to be
        self._took(self.scheduler.wake(max(self._clock.now(), due or 0.0)))
        self._hire()

    def _tell(self) -> None:
        """Hand observers what is new; what one of them posts comes after it, for all of them."""
        if self._telling:
            return
        self._telling = True
        events = self.scheduler.events
        try:
            while self._seen < len(events):
                new, self._seen = events[self._seen :], len(events)
                if self._journal is not None:
                    self._journal.append(new)
                for observer in list(self._observers):
                    self._hand(observer, new)
        finally:
            self._telling = False

    def _hand(self, observer: Observer, new: Sequence[ev.Event]) -> None:
        try:
            observer(new)
        except Exception:  # whatever it is, it must not end the run
            log.exception("observer %r failed and is dropped; the run goes on", observer)
            self._observers.remove(observer)

    # -- carrying out

    def _hire(self) -> None:
        """See to it that a worker stands by while commands wait."""
        if self._line and not self._standby and self._tasks is not None:
            self._standby = True
            worker = self._tasks.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        """Carry out commands from the line until it is empty."""
        self._standby = False
        line, scheduler, now, calls = self._line, self.scheduler, self._clock.now, self._calls
        for _ in range(BREATH):
            if not line:
                return
            command = line.popleft()
            self._hire()
            if self._seen < self._urgent and type(command) is Submit:
                self._tell()
            self._calling += 1
            try:
                event: ev.Event | None = await calls.of[type(command)](command, self._profiles[command.profile])
            except BackendError as error:
                event = calls.failed(command, error)
            except asyncio.CancelledError as cancelled:
                if _was_cancelled():
                    raise
                event = self._bug_in(command, stray(cancelled))
            except Exception as bug:  # noqa: BLE001 - raised by `run`, once what is under way has settled
                event = self._bug_in(command, bug)
            finally:
                self._calling -= 1
            self._took(scheduler.handle(event, now()) if event is not None else [])
        self._hire()

    def _bug_in(self, command: Command, bug: Exception) -> ev.Event | None:
        """Stop the run for a bug in the backend; None: the job goes on, but can't be asked about."""
        first = self._bug is None
        reason = self._bugs.told(command, bug, first=first)
        if first:
            self._bug = bug
            self.post(ev.Stopped(reason))  # even if it has stopped: what ends another stop does not end this one
        self.withhold(reason, reason)
        return self._bugs.answer(command, bug, reason)

    def _is_stuck(self) -> bool:
        """Say whether nothing is under way but jobs that a bug keeps from being asked about."""
        return bool(self._bugs.stuck) and not (self._calling or self._line) and self._bugs.all_stuck()


def _was_cancelled() -> bool:
    """Say whether somebody cancelled the task that runs now, and not only something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
