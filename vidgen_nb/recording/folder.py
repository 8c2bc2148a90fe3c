"""The journals in a folder: which is the latest, and which one can be resumed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from vidgen_nb.core.events import EndReason
from vidgen_nb.errors import JournalError
from vidgen_nb.recording.disk import is_free

__all__ = ["is_resumable", "is_settled", "latest", "to_restore"]

MAX_JOURNALS_CHECKED: Final = 50
"""How many of a folder's latest journals are searched for one to resume."""
TAIL_BYTES: Final = 1 << 16
"""How much of a file's end is read: enough for a `RunEnded` and what follows it."""
JOURNAL_NAME: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}\.jsonl")
_KEEPS_SETTLED: Final = frozenset({
    "ProfileAdded", "ProfileChanged", "ProfileRemoved", "RunRestored", "ModeChanged", "PolicyChanged", "Paused",
    "Unpaused", "BillingLimitChanged", "CooldownReleased", "CooldownImposed", "CooldownEnded", "SceneEdited",
})  # fmt: skip
"""Events that leave a settled run settled."""


def latest(folder: Path) -> Path | None:
    """Return the journal of the last run in a folder, or None.

    A journal without a complete header is skipped: its program ended before anything was sent. Raises `JournalError` if
    the folder can't be read.
    """
    return next(_newest(folder), None)


def to_restore(folder: Path) -> Path | None:
    """Return the latest of the last 50 journals that can be resumed, otherwise the latest one, or None."""
    found = list(islice(_newest(folder), MAX_JOURNALS_CHECKED))
    return next((path for path in found if is_resumable(path)), found[0] if found else None)


def is_resumable(path: Path) -> bool:
    """Say whether a run has not settled and nobody is running it; False if it can't be read or written."""
    try:
        return not is_settled(path) and is_free(path)
    except OSError:
        return False


def is_settled(path: Path) -> bool:
    """Say whether every scene of a journal's run had settled when it ended, from the end of the file alone."""
    found = path.stat()
    return _is_done(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4 * MAX_JOURNALS_CHECKED)
def _is_done(path: Path, size: int, changed: int) -> bool:
    """Read the end of an unchanged file once, however often a panel asks."""
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().rstrip().split(b"\n")
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except ValueError:
            return False
        name = event.get("event") if isinstance(event, dict) else None
        if name not in _KEEPS_SETTLED:
            return name == "RunEnded" and event.get("reason") == EndReason.SETTLED
    return False


def _newest(folder: Path) -> Iterator[Path]:
    """Yield the journals of a folder, newest first; among runs of the same second, the one written to last."""
    try:
        names = sorted((each.name for each in folder.iterdir() if JOURNAL_NAME.fullmatch(each.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        what = f"the folder can't be read: {error.strerror or error}. Fix its permissions, or choose another one"
        raise JournalError(str(folder), what) from error
    for _, same in groupby(names, key=lambda name: name.partition("-")[0]):
        paths = sorted((folder / name for name in same), key=_written, reverse=True)
        yield from filter(_has_header, paths)


def _written(path: Path) -> int:
    """Return when a file was last written to; 0 if it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _has_header(path: Path) -> bool:
    """Say whether a file has a complete first line; True if it can't be read, so that opening it says why."""
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except FileNotFoundError:
        return False
    except OSError:
        return True
