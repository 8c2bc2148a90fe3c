"""What follows for a job when its backend has a bug: an exception that is no `BackendError`."""

from __future__ import annotations

import asyncio
import logging

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Command, Submit
from vidgen_nb.core.outcomes import Ambiguous, Permanent
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import clean

__all__ = ["Bugs", "stray"]

log = logging.getLogger("vidgen_nb")


def stray(cancelled: asyncio.CancelledError) -> Exception:
    """Return what to raise for a `CancelledError` out of a call that nobody cancelled."""
    bug = RuntimeError("the backend let a CancelledError out: something that it waited for was cancelled")
    bug.__cause__ = cancelled
    return bug


class Bugs:
    """Keeps account of the jobs of a run that can't be asked about any more."""

    def __init__(self, scheduler: Scheduler, backend: str) -> None:
        self._scheduler = scheduler
        self._backend = backend
        self.stuck: set[tuple[str, int]] = set()
        """Their attempts, as (scene, number)."""
        self._taken_up = {(name, each.number) for name, each in scheduler.scenes.items() if each.profile is not None}
        """Attempts that were under way when an earlier run was broken off."""

    def told(self, command: Command, bug: Exception, *, first: bool) -> str:
        """Log a bug, but not each time that a cancel is tried again; return the reason for what follows."""
        kind = type(bug).__name__
        if first or not isinstance(command, Cancel):
            what = f"{type(command).__name__} of scene {command.scene.id} on {command.profile}: {kind}"
            log.error("%s", clean(what))
        return clean(f"a bug in backend {self._backend!r}: {bug if isinstance(bug, InputError) else kind}")

    def answer(self, command: Command, bug: Exception, reason: str) -> ev.Event | None:
        """Return what came of a command; None: its job is stuck."""
        attempt = (command.scene.id, command.number)
        match command:
            case Submit():  # it may have been accepted (R12)
                return ev.CallFailed(*attempt, "submit", Ambiguous(reason))
            case Cancel():  # polls tell what becomes of it
                return ev.CallFailed(*attempt, "cancel", Permanent(reason, "no_result"))
        if attempt in self._taken_up and not isinstance(bug, InputError):  # it was asked about before, in vain
            return ev.AttemptAbandoned(*attempt, reason=reason)
        self.stuck.add(attempt)
        return None

    def all_stuck(self) -> bool:
        """Say whether all that is under way is stuck."""
        running = self._scheduler.in_flight
        if not 0 < running <= len(self.stuck):
            return False
        scenes = ((self._scheduler.scenes[name], number) for name, number in self.stuck)
        return running <= sum(scene.number == number and scene.profile is not None for scene, number in scenes)
