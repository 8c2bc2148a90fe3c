"""An append-only file with one writer, whose bytes survive a crash once `append` has returned.

While one thread waits in `append` for the disk, another may `note` a line; that one need only survive the process.
Its lock (`locks`) is released when the process ends, however it ends.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidgen_nb.errors import JournalError
from vidgen_nb.machine.browser import in_browser
from vidgen_nb.recording.locks import IS_LOCKED_ERRNOS, UNSUPPORTED_ERRNOS, close_held, lock, open_held

__all__ = ["GrowingFile", "is_free"]

log = logging.getLogger("vidgen_nb")
READ_BYTES = 1 << 20
LOCK_RETRY_SECONDS = 0.002
"""Wall time before a second try: the lock may have been held by a mere `is_free`."""


def is_free(path: Path) -> bool:
    """Say whether a file can be written and surely nobody else writes it; holds its lock for a moment."""
    try:
        file = GrowingFile(path)
    except JournalError:
        return False
    file.close()
    return file.is_locked


class GrowingFile:
    """One open file, locked; every problem is a `JournalError` that says what to do."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.syncs = 0
        """How often it was made durable."""
        self.is_locked = True
        """Whether others are kept out: not on a disk that has no locks."""
        self._has_partial_write = False
        """Whether part of a failed write may stand at its end."""
        self._writing = threading.Lock()
        """Held while bytes are written, not while the disk is waited for."""
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | (os.O_CREAT | os.O_EXCL if create else 0)
        with self._as_journal_error("can't be created" if create else "can't be opened for writing"):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._number = open_held(path, flags)
        try:
            self._acquire_lock()
            self.end = self.size
            """Where the next line goes: its length, unless somebody else has changed it."""
            if create:
                self._sync_folder()
        except BaseException:
            self.close()
            raise

    def _acquire_lock(self) -> None:
        try:
            try:
                lock(self._number)
            except OSError as error:
                if error.errno not in IS_LOCKED_ERRNOS:
                    raise
                time.sleep(LOCK_RETRY_SECONDS)
                lock(self._number)
        except OSError as error:
            if error.errno in UNSUPPORTED_ERRNOS:
                self.is_locked = False
                folder, why = self.path.parent, error.strerror
                log.warning("%s has no locks (%s): write a run there in one session at a time", folder, why)
                return
            if error.errno not in IS_LOCKED_ERRNOS:
                with self._as_journal_error("can't be locked against a second writer"):
                    raise
            raise JournalError(
                str(self.path),
                "another session writes it, in this program or another: close() that session, or stop its kernel",
            ) from None

    def _sync_folder(self) -> None:
        """Make the file's name durable: its folder holds it."""
        if os.name == "posix":
            with self._as_journal_error("can't be made durable"):
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    _sync(folder)
                finally:
                    os.close(folder)

    def read(self) -> bytes:
        """Return the whole content."""
        with self._as_journal_error("can't be read"):
            os.lseek(self._number, 0, os.SEEK_SET)
            chunks = []
            while chunk := os.read(self._number, READ_BYTES):
                chunks.append(chunk)
            return b"".join(chunks)

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._number).st_size

    def append(self, content: bytes, *, sync: bool = True) -> None:
        """Write at the end, and wait until it is on disk; if that fails, take it back."""
        at = self._put(content)
        if not sync:
            return
        try:
            with self._as_journal_error("can't be written"):
                _sync(self._number)
        except JournalError:
            self._take_back(at, len(content))
            raise
        self.syncs += 1

    def note(self, line: bytes) -> None:
        """Write at the end, at once, also while another thread waits in `append`."""
        self._put(line)

    def _put(self, content: bytes) -> int:
        """Write at the end, and return where; if that fails, cut the file back."""
        with self._writing:
            at = self.end
            with self._as_journal_error("can't be written"):
                self._check_unchanged(at)
            try:
                with self._as_journal_error("can't be written"):
                    self._write(content, at)
                    if in_browser():
                        self._store()
            except JournalError:
                self._has_partial_write = True
                with suppress(OSError):
                    self._cut_partial_write(at)
                raise
            self.end = at + len(content)
        return at

    def _store(self) -> None:
        """Have a browser store what was written: it does so when a file is closed, and knows its size from then on."""
        close_held(self._number)
        self._number = open_held(self.path, os.O_RDWR)

    def _take_back(self, at: int, length: int) -> None:
        """Take out what could not be made durable; what was noted behind it meanwhile stays."""
        with self._writing, suppress(OSError):
            noted, self.end = self.end - at - length, -1  # if this fails: nobody may write any more
            if noted:
                os.lseek(self._number, at + length, os.SEEK_SET)
                # as long as what stands there, in one piece: readers skip empty lines
                self._write(os.read(self._number, noted) + b"\n" * length, at)
            self.end = at + noted
            self._has_partial_write = True
            self._cut_partial_write(self.end)

    def _cut_partial_write(self, at: int) -> None:
        """Cut off what a failed write has left."""
        os.ftruncate(self._number, at)
        self._has_partial_write = False

    def _check_unchanged(self, at: int) -> None:
        """Raise `OSError` if somebody else has deleted the file or changed its length."""
        found = os.fstat(self._number)
        if os.name == "posix" and found.st_nlink == 0:
            raise OSError(errno.ENOENT, "it was deleted during the run")
        if found.st_size > at and self._has_partial_write and at >= 0:
            self._cut_partial_write(at)
        elif found.st_size != at and stat.S_ISREG(found.st_mode):
            raise OSError(errno.ENOENT, f"somebody else changed it: it has {found.st_size} bytes instead of {at}")

    def _write(self, content: bytes, at: int) -> None:
        os.lseek(self._number, at, os.SEEK_SET)
        left = memoryview(content)
        while left:
            left = left[os.write(self._number, left) :]

    def cut(self, length: int) -> None:
        """Cut the file off after `length` bytes."""
        with self._as_journal_error("can't be cut"):
            os.ftruncate(self._number, length)
            self.end = length

    def close(self) -> None:
        """Release it, so that others may write."""
        close_held(self._number)

    @contextmanager
    def _as_journal_error(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(str(self.path), f"{what}: {error.strerror or error}. {_advice(error)}") from error


def _sync(number: int) -> None:
    """Make a file durable, as far as its disk can."""
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in UNSUPPORTED_ERRNOS:
            raise


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "Make room on that disk, then run() continues"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return "Pass a folder that can be written to as journal=, or run without a journal: journal=None"
    if error.errno == errno.ENOENT:
        return "Check the path; run.save(path) saves a run elsewhere"
    return "Check that disk, then run() continues; run.save(path) saves the run elsewhere"
