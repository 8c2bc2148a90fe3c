"""Where a class is read from: an emulator of this program, or the file that one in a terminal writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vidgen_nb.charts.report.naming import began
from vidgen_nb.clock import local_time
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import RateInfo
from vidgen_nb.dashboard.followed_run import FollowedRun
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError
from vidgen_nb.recording.disk import is_free

__all__ = ["EmulatorSource", "FileSource", "Reading", "Source", "source_of"]


@dataclass(frozen=True)
class Reading:
    """A class as it is now."""

    header: dict[str, Any]
    events: Sequence[Event]
    """From the beginning, in order."""
    now: float | None
    """Run seconds; None: nobody serves it any more."""
    unknown_keys: int = 0
    """Requests with no key, or a wrong one."""
    left: RateInfo | None = None
    """What the limit that all share admits now, if there is one and it is known."""


class Source(Protocol):
    """Reads a class."""

    def read(self) -> Reading:
        """Return it as it is now."""


class EmulatorSource:
    """An emulator of this program."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        groups = {each.quota_group for each in emulator.provider.profiles.values()}
        shares = len(groups) == 1 and groups != {None}
        self._one_of_all = next(iter(emulator.provider.profiles)) if shares else None
        """A profile whose limit is that of all; None: there is no such limit."""

    def read(self) -> Reading:
        """Return it as it is now."""
        emulator = self._emulator
        return Reading(
            header=emulator.header("class"),
            events=emulator.events,
            now=None if emulator.has_stopped else max(0.0, emulator.clock.now()),
            unknown_keys=emulator.unknown_keys,
            left=None if self._one_of_all is None else emulator.left_of_limit(self._one_of_all),
        )


class FileSource:
    """A file that another program may be writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._followed = FollowedRun(path)
        self._followed.read()  # say at once what is wrong with it

    def read(self) -> Reading:
        """Return it as it is now."""
        run = self._followed.read()
        return Reading(run.header, run.events, None if is_free(self._path) else self._now(run.header, run.events))

    def _now(self, header: dict[str, Any], events: Sequence[Event]) -> float:
        """Return the run second by the clock on the wall, and never one before the latest event."""
        last, start = events[-1].at if events else 0.0, began(header)
        if start is None:
            return last
        return max(last, (local_time() - start).total_seconds() * float(header.get("speed", 1.0)))


def source_of(what: object) -> Source:
    """Return what reads an emulator, or a file; `InputError` for anything else, `FileFormatError` for no run's file."""
    if isinstance(what, Emulator):
        return EmulatorSource(what)
    if isinstance(what, str | os.PathLike):
        path = Path(what).expanduser()
        if not path.is_file():
            raise InputError(
                f"there is no file {str(path)!r}: `vidgen-nb emulator --class 30` says which one it writes"
            )
        return FileSource(path)
    raise InputError(f"watch an Emulator, or the file that `vidgen-nb emulator --class 30` writes, not {what!r:.80}")
