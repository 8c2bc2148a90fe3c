"""How a session takes up a run that another one left behind, in this program or in one that is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError, JournalError, SessionError
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.ports import Backend, Profile
from vidgen_nb.recording.folder import is_left, latest, to_restore
from vidgen_nb.session.restored_run import Past
from vidgen_nb.session.runner import Lifecycle
from vidgen_nb.session.settings import checked_profiles
from vidgen_nb.session.video_folder import VideoFolder

__all__ = ["Restoring"]


class Restoring(Lifecycle):
    """What of a `Session` has to do with runs of earlier ones."""

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
        goes on with (of the last 50), or else the latest. Jobs that the provider had accepted are
        asked about again, never submitted again. A scene whose submit has no answer on record may have been accepted:
        it is held, and so are the jobs of profiles that are named in `without`; `run.scenes` and the log say so, and
        what to do. So is a job that the provider does not find: the server may be another one, or the account. Where
        the backend's address is not the recorded one, that is an error, unless the server has `moved`. What was queued
        is queued still, and cooldowns have gone on by the wall clock; those without an end, such as for a bad key, are
        over. Of a run that had settled, `run()` returns what there is.

        Mode, policy and the other settings are those of the run, unless given (`mode`, `policy`, `retry`,
        `on_ambiguous`, `max_wait`, `speed`, `seed`); the journal goes on in the same file. Raises `InputError` for a
        file that is no journal or is damaged, for jobs of another backend or of a profile that is not given, and for a
        policy whose class is not known here; `JournalError` while another session writes the file, or where it can't be
        written.
        """
        given = list([profiles] if isinstance(profiles, Profile) else profiles)
        checked_profiles(backend, given)
        chosen = as_policy(policy) if policy is not None else None
        where = Path(path).expanduser().absolute()
        if "journal" in changes:
            raise InputError(
                "journal: a restored run goes on in the same file; name it, or its folder, as the path alone"
            )
        past = Past.open(where, backend.poll_schedule, policy=chosen, speed=speed)
        past.moved = moved
        try:
            past.leave_out([without] if isinstance(without, str) else without)
            settings = past.settings | ({} if speed is None else {"speed": speed})
            settings |= changes if chosen is None else {**changes, "policy": chosen}
            make: Any = cls  # a Session, or what is made like one
            session: Self = make(backend, given, output=output, journal=past.journal.path.parent, **settings)
            session._take_over(past)
        except BaseException:
            past.journal.release()
            raise
        return session

    @property
    def no_restore(self) -> str:
        """Why `restore_last_run` can do nothing; empty: it can."""
        if self._closed:
            return "the session is closed"
        if self._live is not None and not (self._live.dead and self._live.is_over):
            return "there is a run already"
        if self._settings.journal is None:
            return "no journal is kept"
        try:
            return "" if latest(self._settings.journal) is not None else "no run is written down yet"
        except JournalError as error:
            return str(error)

    @property
    def unfinished(self) -> bool:
        """Whether there is a run to restore in which not all had settled, and that nobody goes on with."""
        folder = self._settings.journal
        path = to_restore(folder) if folder is not None and not self.no_restore else None
        return path is not None and is_left(path)

    def restore_last_run(self) -> None:
        """Take up the run in the journals' folder that `restore` would take, and as it does; `run()` goes on with it.

        Its mode, policy and other settings become those of the session, but for the speed; of two limits on what is
        billed the smaller one holds. Raises `SessionError` where there is none or this session has a run of its own,
        and what `restore` raises.
        """

        def take() -> None:
            settings, problem = self._settings, self.no_restore
            if problem or settings.journal is None:
                raise SessionError(f"no run can be restored: {problem}")
            backend = settings.backend
            past = Past.open(settings.journal, backend.poll_schedule, speed=settings.speed)
            before = vars(settings).copy()
            try:
                for name in ("mode", "policy", "retry", "on_ambiguous", "max_wait", "seed"):
                    setattr(settings, name, past.settings[name])
                limits = [each for each in (settings.max_billed, past.settings["max_billed"]) if each is not None]
                settings.max_billed = min(limits, default=None)
                self._take_over(past)
            except BaseException:
                vars(settings).update(before)
                past.journal.release()
                raise

        self._home.call(take)
