"""A run whose file some other program may be writing: read once, and then only what is new."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from vidgen_nb.core.events import Event
from vidgen_nb.recording.runfile import parse
from vidgen_nb.run import Run

__all__ = ["FollowedRun"]


class FollowedRun:
    """Reads a run's file as it grows; several pages may ask at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._header_line = b""
        self._length = 0
        """Bytes that were read."""
        self._events: list[Event] = []
        self._header: dict[str, Any] = {}

    def read(self) -> Run:
        """Return the run as it is now; `FileFormatError` where the file is none, `OSError` where it can't be read."""
        with self._reading:
            return self._read()

    def _read(self) -> Run:
        with self._path.open("rb") as file:
            if file.seek(0, 2) < self._length:  # an incomplete line was cut off, or it is another file
                self._length, self._events = 0, []
            if not self._length:
                file.seek(0)
                self._header_line = file.readline()
                self._length = len(self._header_line)
            file.seek(self._length)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        if new or not self._header:
            found = parse(str(self._path), self._header_line + new)
            self._header = found.header
            self._events.extend(found.events)
            self._length += len(new)
        return Run(self._header, list(self._events))
