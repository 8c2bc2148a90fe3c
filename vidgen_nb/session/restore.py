"""How a session takes up a run that another one left behind, in this program or in one that has ended."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError, JournalError, SessionError
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.folder import is_resumable, latest, to_restore
from vidgen_nb.session.live.restored_run import RestoredRun
from vidgen_nb.session.runner import Runner
from vidgen_nb.session.validation import as_profiles, check_prices
from vidgen_nb.session.video_folder import VideoFolder

__all__ = ["Restorable", "Restorer"]


class Restorable:
    """Made from a backend and profiles, and able to go on with a run that another one left behind."""

    runner: Runner

    @classmethod
    def restore(
        cls,
        path: str | os.PathLike[str],
        backend: Backend,
        profiles: Iterable[Profile],
        *,
        output: str | os.PathLike[str] | VideoFolder = "videos",
        policy: Policy | str | None = None,
        speed: float | None = None,
        without: Iterable[str] = (),
        moved: bool = False,
        **changes: Any,
    ) -> Self:
        """Take up a run whose program has ended, whatever ended it; `run()` goes on with it.

            session = Session.restore("runs", OpenAIVideos(base_url), profiles)
            run = session.run_blocking()

        `path`: its journal, or the folder of the journals: then the latest run there that is not done and that nobody
        goes on with (of the last 50), or else the latest one. Jobs that the provider had accepted are asked about
        again, never submitted again. A scene whose submit had left and has no answer on record may have been accepted:
        it is held; what is known not to have left waits again. Held are also the jobs of profiles that are named in
        `without`, and a job that the provider does not find: it may be another server, or another account. `run.scenes`
        and the log say so, and what to do. Where the backend's address is not the recorded one, that is an error,
        unless the server has `moved`. What was queued is queued still, and cooldowns have gone on by the wall clock;
        those without an end, such as for a bad key, are over. Of a run that had settled, `run()` returns what there is.

        Mode, policy and the other settings are those of the run, unless given (`mode`, `policy`, `retry`,
        `on_ambiguous`, `max_wait`, `speed`, `seed`); the journal goes on in the same file. Raises `InputError` for a
        file that is no journal or is damaged, for jobs of another backend or of a profile that is not given, and for a
        policy whose class is not known here; `JournalError` while another session writes the file, or where it can't be
        written.
        """
        given = list([profiles] if isinstance(profiles, Profile) else profiles)
        as_profiles(backend, given)
        if "journal" in changes:
            raise InputError(
                "journal: a restored run goes on in the same file; name it, or its folder, as the path alone"
            )
        if policy is not None:
            changes["policy"] = policy = as_policy(policy)
        if speed is not None:
            changes["speed"] = speed
        past = RestoredRun.open(
            Path(path).expanduser().absolute(),
            backend.poll_schedule,
            policy=policy,
            speed=speed,
            without=[without] if isinstance(without, str) else without,
            moved=moved,
        )
        try:
            settings = {**vars(past.settings), **changes}
            make: Any = cls
            session: Self = make(backend, given, output=output, journal=past.journal.path.parent, **settings)
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
        return path is not None and is_resumable(path)

    def restore_last_run(self) -> None:
        """Take up the run that `restore` would take from the folder of the journals; `run()` goes on with it.

        Its mode, policy and other settings become those of the session, except for the speed; of two limits on what is
        billed, or on its cost, the smaller one holds. Raises `SessionError` where there is none or this session has a
        run of its own, and what `restore` raises.
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
            caps = [each for each in (own.max_cost, past.settings.max_cost) if each is not None]
            settings = replace(
                past.settings, speed=own.speed, max_billed=min(limits, default=None), max_cost=min(caps, default=None),
                pause_after_same_failure=own.pause_after_same_failure,
            )  # fmt: skip
            check_prices(settings.max_cost, runner.state.profiles.values())
            runner.adopt_restored(past, replace(runner.state, settings=settings))
        except BaseException:
            past.journal.release()
            raise
