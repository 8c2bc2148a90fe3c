"""The asyncio driver: carries out commands on a backend, in real time.

One timer is armed for the scheduler's next wakeup. A task carries out one command after the other: when an answer
leads to more commands, the task goes on with the first of them and only the others get tasks of their own, so that a
run of short calls needs no task per call.

Everything runs in one task group: when `run` returns, nothing is left behind. An exception that is no `BackendError` is
a bug in a backend or here: nothing new is submitted, what runs may finish, and `run` raises it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll, Submit
from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import BackendError
from vidgen_nb.ports import Backend, Profile, Sink

__all__ = ["Observer", "RealtimeDriver"]

log = logging.getLogger("vidgen_nb")

Observer = Callable[[Sequence[ev.Event]], None]
"""Is handed the events that are new; runs on the driver's loop and must be quick."""

BREATH = 256
"""A task that never had to wait lets the loop go round after so many commands."""


class RealtimeDriver:
    """Runs a scheduler against a backend until the run ends.

    `sink_for(scene, number)` says where a result goes. Observers get every event once, in order; one that raises is
    logged and dropped.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        backend: Backend,
        profiles: Mapping[str, Profile],
        clock: Clock,
        sink_for: Callable[[str, int], Sink],
        observers: Sequence[Observer] = (),
    ) -> None:
        self.scheduler = scheduler
        self._backend = backend
        self._profiles = profiles
        self._clock = clock
        self._sink_for = sink_for
        self._observers = list(observers)
        self._seen = len(scheduler.events)
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: list[Command] = []
        """Commands that came while no task group was open."""
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._changed = asyncio.Event()
        self._bug: Exception | None = None
        self._calls: dict[type[Command], Callable[[Any, Profile], Awaitable[ev.Event]]] = {
            Submit: self._submit,
            Poll: self._poll,
            Fetch: self._fetch,
            Cancel: self._cancel,
        }

    async def run(self) -> None:
        """Go on until the run has ended; raises what was no provider's failure."""
        self._bug = None
        try:
            while not self.scheduler.ended:
                await self._run_tasks()
        finally:
            self._disarm()
            self._notify()
        if self._bug is not None:
            raise self._bug

    async def _run_tasks(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                waiting, self._waiting = self._waiting, []
                self._took(waiting + self.scheduler.wake(self._clock.now()))
                while not self.scheduler.ended:
                    self._changed.clear()
                    await self._changed.wait()
        except BaseExceptionGroup as group:
            # a bug of the scheduler, a policy or the driver: show it as it is
            raise group.exceptions[0] from None
        finally:
            self._tasks = None

    def post(self, event: ev.Event) -> None:
        """Hand a request to the scheduler; only from the driver's own loop.

        Raises `InputError`, with nothing changed, for a request that makes no sense.
        """
        self._took(self.scheduler.handle(event, self._clock.now()))

    def observe(self, observer: Observer) -> None:
        """Hand what is new from now on to one more observer."""
        self._observers.append(observer)

    # -- feeding

    def _took(self, commands: list[Command]) -> None:
        for command in commands:
            self._spawn(command)
        self._after()

    def _spawn(self, command: Command) -> None:
        if self._tasks is None:
            self._waiting.append(command)
        else:
            self._tasks.create_task(self._carry_out(command))

    def _after(self) -> None:
        """Tell observers, see whether the run is over, arm the timer."""
        if self._observers:
            self._notify()
        if self.scheduler.ended:
            self._changed.set()
        due = self.scheduler.next_wakeup()
        if due != self._armed:
            self._arm(due)

    def _arm(self, due: float | None) -> None:
        self._disarm()
        if due is not None and self._tasks is not None:
            delay = max(0.0, self._clock.wall(due - self._clock.now()))
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)
            self._armed = due

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed = None

    def _wake(self) -> None:
        due = self._armed
        self._timer = self._armed = None
        # a timer may fire early by the loop's resolution: then it is as late as it was meant to be
        self._took(self.scheduler.wake(max(self._clock.now(), due or 0.0)))

    def _notify(self) -> None:
        events = self.scheduler.events
        if self._seen == len(events):
            return
        new, self._seen = events[self._seen :], len(events)
        for observer in list(self._observers):
            try:
                observer(new)
            except Exception:  # whatever it is, it must not end the run
                log.exception("observer %r failed and is dropped; the run goes on", observer)
                self._observers.remove(observer)

    # -- carrying out

    async def _carry_out(self, command: Command) -> None:
        """Carry out a command, and then what its answer leads to."""
        scheduler, now = self.scheduler, self._clock.now
        count = 0
        while True:
            event = await self._answer(command)
            commands = scheduler.handle(event, now())
            for other in commands[1:]:
                self._spawn(other)
            self._after()
            if not commands:
                return
            command = commands[0]
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)

    async def _answer(self, command: Command) -> ev.Event:
        try:
            return await self._calls[type(command)](command, self._profiles[command.profile])
        except BackendError as error:
            return ev.CallFailed(command.scene.id, command.number, PHASES[type(command)], error.outcome)
        except Exception as bug:  # noqa: BLE001 - raised by `run`, once what is under way has settled
            return self._bug_in(command, bug)

    def _bug_in(self, command: Command, bug: Exception) -> ev.Event:
        """Stop the run for a bug in the backend; a submit may have been accepted all the same (R12)."""
        kind = type(bug).__name__
        log.error("%s of scene %s on %s: %s", type(command).__name__, command.scene.id, command.profile, kind)
        if self._bug is None:
            self._bug = bug
            self.post(ev.Stopped(f"a bug in backend {self._backend.name!r}: {kind}"))
        reason = f"a bug in backend {self._backend.name!r}: {kind}"
        outcome = Ambiguous(reason) if isinstance(command, Submit) else Permanent(reason, "no_result")
        return ev.CallFailed(command.scene.id, command.number, PHASES[type(command)], outcome)

    async def _submit(self, command: Submit, profile: Profile) -> ev.Event:
        return ev.Accepted(command.scene.id, command.number, await self._backend.submit(command.scene, profile))

    async def _poll(self, command: Poll, profile: Profile) -> ev.Event:
        progress = await self._backend.poll(command.operation, profile)
        if progress.artifact is not None:
            return ev.Generated(command.scene.id, command.number, progress.artifact)
        if progress.outcome is not None:
            return ev.JobFailed(command.scene.id, command.number, progress.outcome)
        return ev.Progressed(command.scene.id, command.number, progress.status, progress.progress, progress.poll_after)

    async def _fetch(self, command: Fetch, profile: Profile) -> ev.Event:
        sink = self._sink_for(command.scene.id, command.number)
        try:
            await self._backend.fetch(command.operation, command.artifact, profile, sink)
        except BaseException:
            sink.discard()
            raise
        return ev.Fetched(command.scene.id, command.number, sink.path)

    async def _cancel(self, command: Cancel, profile: Profile) -> ev.Event:
        answer = await self._backend.cancel(command.operation, profile)
        return ev.CancelAnswered(command.scene.id, command.number, answer)


PHASES: dict[type[Command], ev.Phase] = {Submit: "submit", Poll: "poll", Fetch: "fetch", Cancel: "cancel"}
