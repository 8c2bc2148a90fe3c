"""The journal of a run: its events, written down while they happen, so that the run outlives its program.

It has the format of a saved run (`runfile`). A thread of its own writes: it takes all that has come since it last
looked, writes it at once and makes it durable with one fsync (a group commit), and then says how far it has come. So
10,000 submits at once wait for a few fsyncs, and the loop that hands events over waits for none.

Nothing is dropped: what can't be written is kept, and tried again with the next event. The file always ends with a
whole event, or, when the machine or the process dies within a write, in the middle of one, which a reader leaves out.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vidgen_nb.core.events import Event, Progressed
from vidgen_nb.errors import JournalError
from vidgen_nb.plaintext import clean
from vidgen_nb.recording.disk import GrowingFile
from vidgen_nb.recording.runfile import Recorded, event_line, header_line, parse

__all__ = ["Journal"]

log = logging.getLogger("vidgen_nb")

HAS_THREADS = sys.platform != "emscripten"
"""Pyodide has none: there each hand-over writes by itself."""

_BEGIN_ANEW = "run.save(path) saves the run elsewhere; scenes that are given once it has ended begin a new one"


class Journal:
    """Writes one run's events to one file.

    Between `hold()` and `release()` the file is open, and locked against other writers; events that come at other
    times open it for themselves. `stored` and `error` may be read from any thread.
    """

    def __init__(self, file: GrowingFile, size: int, stored: int) -> None:
        self.path = file.path
        self.stored = stored
        """Events on the disk, counted from the run's first."""
        self.error: JournalError | None = None
        """Why it could not go on writing; `hold()` forgets it."""
        self.on_stored: Callable[[], None] = lambda: None
        """Called after each write, well or not; on the writer's thread."""
        self.syncs = 0
        """How often it has made the disk sure of something."""
        self._file: GrowingFile | None = file
        self._size = size
        self._held = True
        self._pending: list[Event] = []
        self._asked = False
        """Whether something is to be done."""
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        atexit.register(self.release)

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Journal:
        """Begin a file; its folder is made where it is missing. Raises `JournalError` where that can't be."""
        file = GrowingFile(path, create=True)
        line = header_line(header)
        try:
            file.append(line, 0)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise
        journal = cls(file, len(line), 0)
        journal.syncs = file.syncs
        return journal

    @classmethod
    def open(cls, path: Path) -> tuple[Journal, Recorded]:
        """Go on with a file, and return what is in it; a last line that was not written to its end is cut off.

        Raises `JournalError` where somebody else writes it or it can't be written, and `FileFormatError`, with the
        file as it was, where it is damaged or no run.
        """
        file = GrowingFile(path)
        try:
            recorded = parse(str(path), file.read())
            size = recorded.length
            if recorded.torn:
                file.cut(size)
            if recorded.open_end:
                file.append(b"\n", size)
                size += 1
        except BaseException:
            file.close()
            raise
        return cls(file, size, len(recorded.events)), recorded

    # -- for the loop

    def append(self, events: Sequence[Event]) -> None:
        """Hand over what happened; returns at once."""
        with self._state:
            self._pending += events
            self._wake()
        if not HAS_THREADS:
            self._work()

    def hold(self) -> None:
        """Keep the file open and locked from now on, and try again what could not be written."""
        with self._state:
            self._held, self.error = True, None
            atexit.register(self.release)
            self._wake()
        if not HAS_THREADS:
            self._work()

    def release(self) -> None:
        """Wait until all is written, as far as that is possible, and let the file go."""
        atexit.unregister(self.release)
        with self._state:
            self._held = False
            self._wake()
            thread = self._thread
        if thread is not None:
            thread.join()
        else:
            self._work()

    @property
    def lost(self) -> JournalError | None:
        """Why nothing can be added to the file any more, by whatever it holds now; None: it can."""
        with self._state:
            size, at_rest = self._size, self._file is None and self._thread is None
        try:
            found = self.path.stat().st_size
            if found < size:
                raise JournalError(str(self.path), f"somebody else has cut it: {_BEGIN_ANEW}")
            if at_rest:
                self._reopened().close()
        except FileNotFoundError:
            return JournalError(str(self.path), f"it was deleted: {_BEGIN_ANEW}")
        except OSError as error:
            return JournalError(str(self.path), f"can't be read: {error.strerror or error}. Look at its folder")
        except JournalError as error:
            return error
        return None

    def _wake(self) -> None:
        """See to it that the writer looks; with the lock held."""
        self._asked = True
        if HAS_THREADS and self._thread is None:
            self._thread = threading.Thread(target=self._live, name="vidgen_nb journal", daemon=True)
            self._thread.start()
        self._state.notify()

    # -- for the writer

    def _live(self) -> None:
        """Write until nobody holds the journal and nothing is left to do."""
        while True:
            with self._state:
                while not self._asked:
                    self._state.wait()
                self._asked = False
            self._work()
            with self._state:
                if not self._held and not self._asked:
                    self._thread = None
                    return

    def _work(self) -> None:
        """Write what is pending, and close where nobody holds the journal."""
        batch = self._pending[:]
        try:
            if batch:
                self._write(batch)
        except JournalError as error:
            self._failed(error)
        except Exception as bug:  # noqa: BLE001 - whatever it is: nothing may be sent that is not on the disk
            self._failed(JournalError(str(self.path), f"can't be written: {type(bug).__name__}: {bug}"))
        if not self._held and self._file is not None:
            self._file.close()
            self._file = None
        if batch:
            self.on_stored()

    def _write(self, batch: list[Event]) -> None:
        file = self._file or self._reopened()
        self._file = file
        content = b"".join(map(event_line, batch))
        # how far a job is, is asked again anyway; it becomes durable with what comes next
        sync = any(type(event) is not Progressed for event in batch)
        before = file.syncs
        file.append(content, self._size, sync=sync)
        self.syncs += file.syncs - before
        with self._state:
            self._size += len(content)
            del self._pending[: len(batch)]
            self.stored += len(batch)

    def _reopened(self) -> GrowingFile:
        """Open the file again; it must be as it was left."""
        file = GrowingFile(self.path)
        if file.size != self._size:
            file.close()
            raise JournalError(
                str(self.path), "somebody else has gone on with this run meanwhile: restore it to see what is done"
            )
        return file

    def _failed(self, error: JournalError) -> None:
        if self.error is None or str(self.error) != str(error):
            log.error("%s", clean(str(error), 1000))
        self.error = error
