"""How a session takes up a run that another one left behind, in this program or in one that has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from vidgen_nb.errors import InputError, JournalError, SessionError
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.folder import is_left, latest, to_restore
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.validation import as_profiles

__all__ = ["Restorer", "restored_session"]


class HasRunner(Protocol):
    """What a restored run is handed to."""

    @property
    def runner(self) -> Runner: ...


T = TypeVar("T", bound=HasRunner)


def restored_session(
    make: Callable[..., T],
    path: str | os.PathLike[str],
    backend: Backend,
    profiles: Iterable[Profile],
    *,
    without: str | Iterable[str],
    moved: bool,
    **options: Any,
) -> T:
    """Return `make(backend, profiles, journal=…, **options)` with the run of a journal; as in `Session.restore`.

    What `options` leave open is as the run had it.
    """
    given = list([profiles] if isinstance(profiles, Profile) else profiles)
    as_profiles(backend, given)
    if "journal" in options:
        raise InputError("journal: a restored run goes on in the same file; name it, or its folder, as the path alone")
    options = {name: value for name, value in options.items() if value is not None or name not in ("policy", "speed")}
    if "policy" in options:
        options["policy"] = as_policy(options["policy"])
    past = RestoredRun.open(
        Path(path).expanduser().absolute(),
        backend.poll_schedule,
        policy=options.get("policy"),
        speed=options.get("speed"),
        without=[without] if isinstance(without, str) else without,
        moved=moved,
    )
    try:
        session = make(backend, given, journal=past.journal.path.parent, **{**vars(past.settings), **options})
        session.runner.adopt_restored(past, session.runner.state)
    except BaseException:
        past.journal.release()
        raise
    return session


class Restorer:
    """Takes up the last run in the journals' folder of a session."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def no_restore(self) -> str:
        """Why `restore_last_run` can do nothing; empty: it can."""
        live, folder = self._runner.live, self._runner.resources.journals
        if self._runner.is_closed:
            return "the session is closed"
        if live is not None and not (live.unrecoverable and live.is_over):
            return "there is a run already"
        if folder is None:
            return "no journal is kept"
        try:
            return "" if latest(folder) is not None else "no run is written down yet"
        except JournalError as error:
            return str(error)

    @property
    def unfinished(self) -> bool:
        """Whether there is a run to restore that is not done, and that nobody goes on with."""
        folder = self._runner.resources.journals
        path = to_restore(folder) if folder is not None and not self.no_restore else None
        return path is not None and is_left(path)

    def restore_last_run(self) -> None:
        """Take up the run that `restore` would take from the folder of the journals; `run()` goes on with it.

        Its mode, policy and other settings become those of the session, except for the speed; of two limits on what is
        billed, the smaller one holds. Raises `SessionError` where there is none or this session has a run of its own,
        and what `restore` raises.
        """
        self._runner.loop.call(self._take_up)

    def _take_up(self) -> None:
        runner, problem, folder = self._runner, self.no_restore, self._runner.resources.journals
        if problem or folder is None:
            raise SessionError(f"no run can be restored: {problem}")
        own = runner.state.settings
        past = RestoredRun.open(folder, runner.resources.backend.poll_schedule, speed=own.speed)
        try:
            limits = [each for each in (own.max_billed, past.settings.max_billed) if each is not None]
            settings = replace(past.settings, speed=own.speed, max_billed=min(limits, default=None))
            runner.adopt_restored(past, replace(runner.state, settings=settings))
        except BaseException:
            past.journal.release()
            raise
