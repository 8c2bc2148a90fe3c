"""What follows for a job when its backend has a bug: an exception other than `BackendError`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Submit
from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["StuckJobs", "ends_task", "raisable"]

log = logging.getLogger("vidgen_nb")


def ends_task(error: BaseException, workers: Container[asyncio.Task[None] | None]) -> bool:
    """Say whether an exception ends the worker that it is raised in: somebody cancelled it, or its loop has ended.

    Anything else comes from the backend, whatever it looks like.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs
        return True
    if isinstance(error, asyncio.CancelledError):
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit) and task not in workers  # the rest of a worker whose loop is gone


def raisable(bug: BaseException, culprit: str = "the backend") -> BaseException:
    """Return what to raise for a bug; for one that looks like the end of a task or a coroutine, another error."""
    if isinstance(bug, asyncio.CancelledError):
        problem = "a CancelledError: something that it waited for was cancelled"
    elif isinstance(bug, GeneratorExit):
        problem = "a GeneratorExit"
    else:
        return bug
    instead = RuntimeError(f"{culprit} raised {problem}")
    instead.__cause__ = bug
    return instead


class StuckJobs:
    """Keeps track of the jobs of a run that can no longer be polled or fetched because of a backend's bug."""

    def __init__(self, scheduler: Scheduler, backend: str) -> None:
        self._scheduler = scheduler
        self._backend = backend
        self.attempts: set[tuple[str, int]] = set()
        """Their attempts, as (scene, number)."""
        self._inherited = {(name, each.number) for name, each in scheduler.scenes.items() if each.profile is not None}
        """Attempts that were in flight when an earlier program ended."""

    def report(self, command: Command, bug: BaseException, *, first: bool) -> str:
        """Log a bug, but not again for every cancel that is retried; return the reason for what follows."""
        kind = type(bug).__name__
        if first or not isinstance(command, Cancel):
            where = f"{type(command).__name__} of scene {command.scene.id} on {command.profile}"
            log.error("%s", one_line(f"{where}: {kind}"))
        return one_line(f"a bug in backend {self._backend!r}: {bug if isinstance(bug, InputError) else kind}")

    def answer(self, command: Command, bug: BaseException, reason: str) -> ev.Event | None:
        """Return the event that answers a command; None: its job is stuck."""
        attempt = (command.scene.id, command.number)
        match command:
            case Submit():  # it may have been accepted (R12)
                return ev.CallFailed(*attempt, "submit", Ambiguous(reason))
            case Cancel():  # polls show what becomes of the job
                return ev.CallFailed(*attempt, "cancel", Permanent(reason, "no_result"))
        if attempt in self._inherited and not isinstance(bug, InputError):  # an earlier program asked for it in vain
            return ev.AttemptAbandoned(*attempt, reason=reason)
        self.attempts.add(attempt)
        return None

    def are_all_in_flight(self) -> bool:
        """Say whether every attempt in flight is stuck."""
        in_flight = self._scheduler.in_flight
        if not 0 < in_flight <= len(self.attempts):
            return False
        scenes = ((self._scheduler.scenes[name], number) for name, number in self.attempts)
        return in_flight <= sum(scene.number == number and scene.profile is not None for scene, number in scenes)
