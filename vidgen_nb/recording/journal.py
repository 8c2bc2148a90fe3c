"""The journal of a run: its events, written down while they happen, so that the run outlives its program.

It has the format of a saved run (`runfile`). A thread of its own writes: it takes everything that has come since the
last write, makes it durable with one fsync (a group commit), and then reports how many events are stored. So 10,000
submits at once wait for a few fsyncs, and the loop that hands events over waits for none.

When a submit leaves is noted at once, by the loop itself, and not waited for (`left_lines`).

Nothing is dropped: what can't be written is kept, and tried again with the next event. The file always ends with a
complete event, unless the machine or the process died during a write: then readers skip the incomplete last line.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vidgen_nb.core.events import Event, Progressed
from vidgen_nb.errors import JournalError
from vidgen_nb.machine.browser import in_browser
from vidgen_nb.plaintext import error_line, one_line
from vidgen_nb.recording.disk import GrowingFile
from vidgen_nb.recording.left_lines import this_boot
from vidgen_nb.recording.runfile import ParsedRun, event_line, header_line, left_line, left_lines_line, parse

__all__ = ["Journal"]

log = logging.getLogger("vidgen_nb")

_NEW_RUN_ADVICE = "run.save(path) saves the run elsewhere; scenes given after its end start a new run"


class Journal:
    """Writes one run's events to one file.

    Between `hold()` and `release()` the file is open and locked against other writers; for events that come at other
    times it is opened briefly. `stored` and `error` may be read from any thread.
    """

    def __init__(self, file: GrowingFile, stored: int, boot: str = "") -> None:
        self.path = file.path
        self.stored = stored
        """Events on disk, counted from the run's first."""
        self.error: JournalError | None = None
        """Why it could not be written; `hold()` clears it."""
        self.on_stored: Callable[[], None] = lambda: None
        """Called on the writer's thread after each write, successful or not."""
        self.syncs = 0
        """How often it was made durable."""
        self._file: GrowingFile | None = file
        self._closed_size = 0
        """The file's length when it was closed."""
        self._use = threading.Lock()
        """Held while the file is opened, closed, or written to by the loop."""
        self._boot = boot
        """What its latest line about `left` lines says; empty: there are none."""
        self._held = True
        self._pid = os.getpid()
        self._pending: list[Event] = []
        self._wanted = False
        """Whether the writer has something to do."""
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        atexit.register(self.release)

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Journal:
        """Create a file, and its folder if necessary. Raises `JournalError` if that fails."""
        file = GrowingFile(path, create=True)
        line = header_line(header)
        try:
            file.append(line)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise
        journal = cls(file, 0)
        journal.syncs = file.syncs
        return journal

    @classmethod
    def open(cls, path: Path) -> tuple[Journal, ParsedRun]:
        """Open a file to continue it, and return its content; an incomplete last line is cut off.

        Raises `JournalError` if somebody else writes it or it can't be written, and `FileFormatError`, leaving the file
        as it was, if it is damaged or not a run.
        """
        file = GrowingFile(path)
        try:
            recorded = parse(str(path), file.read())
            if recorded.torn_bytes:
                file.cut(recorded.length)
            if recorded.lacks_newline:
                file.append(b"\n")
        except BaseException:
            file.close()
            raise
        return cls(file, len(recorded.events), recorded.left.boot), recorded

    # -- for the loop

    def append(self, events: Sequence[Event]) -> None:
        """Hand over events; returns at once."""
        if sys.is_finalizing():  # no thread begins any more; a restore finds the file as after a kill
            return
        with self._condition:
            self._pending += events
            self._wake()
        if in_browser():
            self._write_pending()

    def keep_left_lines(self, wanted: bool) -> None:
        """Have it told of each submit that leaves from now on, or of none; `JournalError` if that can't be written."""
        boot = this_boot() if wanted else ""
        if boot != self._boot:
            self._note(left_lines_line(boot))
            self._boot = boot

    def note_left(self, scene: str, number: int) -> None:
        """Write that an attempt's submit leaves now; `JournalError`, also as `error`, if that can't be written."""
        if self._boot:
            try:
                self._note(left_line(scene, number))
            except JournalError as error:
                if self._held:
                    self._failed(error)
                    self.on_stored()
                raise

    def _note(self, line: bytes) -> None:
        """Write a line at once: it outlives the program, but perhaps not the machine."""
        with self._use:
            if not self._held:
                raise JournalError(str(self.path), "it is closed: run() opens it again")
            self._opened().note(line)

    def hold(self) -> None:
        """Keep the file open and locked from now on, and retry what could not be written."""
        with self._condition:
            self._held, self.error = True, None
            atexit.register(self.release)
            self._wake()
        if in_browser():
            self._write_pending()

    def release(self) -> None:
        """Wait until everything is written, if possible, and close the file."""
        atexit.unregister(self.release)
        if os.getpid() != self._pid or sys.is_finalizing():  # the parent of a forked child goes on writing
            return
        with self._condition:
            self._held = False
            self._wake()
            thread = self._thread
        if thread is not None:
            thread.join()
        else:
            self._write_pending()

    @property
    def failure(self) -> JournalError | None:
        """Why the file can no longer be continued, judging by its state now; None if it can."""
        with self._condition:
            file, is_idle = self._file, self._file is None and self._thread is None
            size = self._closed_size if file is None else file.end
        try:
            found = self.path.stat().st_size
            if found < size:
                raise JournalError(str(self.path), f"somebody else has shortened it: {_NEW_RUN_ADVICE}")
            if is_idle:
                self._reopened().close()
        except FileNotFoundError:
            return JournalError(str(self.path), f"it was deleted: {_NEW_RUN_ADVICE}")
        except OSError as error:
            return JournalError(str(self.path), f"can't be read: {error.strerror or error}. Check its folder")
        except JournalError as error:
            return error
        return None

    def _wake(self) -> None:
        """Make sure that the writer runs; call with the lock held."""
        self._wanted = True
        if not in_browser() and self._thread is None:
            thread = threading.Thread(target=self._write_loop, name="vidgen_nb journal", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # this machine can start no more of them now: then without one
                self._wanted = False
                self._write_pending()
                return
            self._thread = thread
        self._condition.notify()

    # -- for the writer

    def _write_loop(self) -> None:
        """Write until nobody holds the journal and there is nothing left to do."""
        while True:
            with self._condition:
                while not self._wanted:
                    self._condition.wait()
                self._wanted = False
            self._write_pending()
            with self._condition:
                if not self._held and not self._wanted:
                    self._thread = None
                    return

    def _write_pending(self) -> None:
        """Write what is pending, and close the file if nobody holds the journal."""
        batch = self._pending[:]
        try:
            if batch:
                self._write(batch)
        except JournalError as error:
            self._failed(error)
        except Exception as bug:  # noqa: BLE001 - whatever it is, nothing may be sent that is not on disk
            self._failed(JournalError(str(self.path), f"can't be written: {type(bug).__name__}: {error_line(bug)}"))
        with self._use:
            if not self._held and self._file is not None:
                self._file.close()
                self._closed_size, self._file = self._file.end, None
        if batch:
            self.on_stored()

    def _write(self, batch: list[Event]) -> None:
        with self._use:
            file = self._opened()
        content = b"".join(map(event_line, batch))
        # progress of a job is polled again anyway, so it becomes durable with the next event
        sync = any(type(event) is not Progressed for event in batch)
        before = file.syncs
        file.append(content, sync=sync)
        self.syncs += file.syncs - before
        with self._condition:
            del self._pending[: len(batch)]
            self.stored += len(batch)

    def _opened(self) -> GrowingFile:
        """Return the open file; call with `_use` held."""
        if self._file is None:
            self._file = self._reopened()
        return self._file

    def _reopened(self) -> GrowingFile:
        """Open the file again; it must be unchanged."""
        file = GrowingFile(self.path)
        if file.size != self._closed_size:
            file.close()
            raise JournalError(
                str(self.path), "somebody else has continued this run meanwhile: restore it to see what is finished"
            )
        return file

    def _failed(self, error: JournalError) -> None:
        if self.error is None or str(self.error) != str(error):
            log.error("%s", one_line(str(error), 1000))
        self.error = error
