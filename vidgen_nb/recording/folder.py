"""The journals in a folder: which is the latest, and which one is left to be gone on with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from vidgen_nb.errors import JournalError
from vidgen_nb.recording.disk import is_free

__all__ = ["is_done", "is_left", "latest", "to_restore"]

LOOK: Final = 50
"""So many of a folder's journals, the latest ones, are looked at for one that is left."""
LAST: Final = 1 << 16
"""Bytes of a file's end, which a `RunEnded` and what follows it fit in."""
NAME: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}\.jsonl")
_CHANGES_NOTHING: Final = frozenset({
    "ProfileAdded", "ProfileChanged", "ProfileRemoved", "RunRestored", "ModeChanged", "PolicyChanged", "Paused",
    "Unpaused", "BillingLimitChanged", "CooldownReleased", "CooldownImposed", "CooldownEnded",
})  # fmt: skip
"""Events after which a run that had settled still has."""


def latest(folder: Path) -> Path | None:
    """Return the journal of the last run in a folder; None: there is none.

    One without a whole header is passed over: its program ended before anything was sent. Raises `JournalError` where
    the folder can't be read.
    """
    return next(_newest(folder), None)


def to_restore(folder: Path) -> Path | None:
    """Return the latest journal that is left, of the last 50, or else the latest one; None: there is none."""
    found = list(islice(_newest(folder), LOOK))
    return next((path for path in found if is_left(path)), found[0] if found else None)


def is_left(path: Path) -> bool:
    """Say whether a run is not done, and nobody goes on with it: not one that can't be read or written either."""
    try:
        return not is_done(path) and is_free(path)
    except OSError:
        return False


def is_done(path: Path) -> bool:
    """Say whether all of a journal's run had settled when it ended, by the end of the file alone."""
    found = path.stat()
    return _is_done(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4 * LOOK)
def _is_done(path: Path, size: int, changed: int) -> bool:
    """Read the file's end once, however often a panel asks."""
    with path.open("rb") as file:
        file.seek(max(0, size - LAST))
        lines = file.read().rstrip().split(b"\n")
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except ValueError:
            return False
        name = event.get("event") if isinstance(event, dict) else None
        if name not in _CHANGES_NOTHING:
            return name == "RunEnded" and event.get("reason") == "settled"
    return False


def _newest(folder: Path) -> Iterator[Path]:
    """Yield the journals of a folder, the latest first; of runs of one second, the one that was written to last."""
    try:
        names = sorted((each.name for each in folder.iterdir() if NAME.fullmatch(each.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        what = f"the folder can't be read: {error.strerror or error}. Mend its permissions, or name another one"
        raise JournalError(str(folder), what) from error
    for _, same in groupby(names, key=lambda name: name.partition("-")[0]):
        paths = sorted((folder / name for name in same), key=_written, reverse=True)
        yield from filter(_has_header, paths)


def _written(path: Path) -> int:
    """Return when a file was written to last; 0 where it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _has_header(path: Path) -> bool:
    """Say whether a file has a whole first line; of one that can't be read, that is said when it is opened."""
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except FileNotFoundError:
        return False
    except OSError:
        return True
