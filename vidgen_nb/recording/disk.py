"""A file that grows at its end, has one writer, and whose bytes survive a crash once `append` has returned.

The lock is the operating system's (flock, or a byte range on Windows): it ends with the process, however that ends.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidgen_nb.errors import JournalError

__all__ = ["GrowingFile", "is_free"]

if sys.platform == "win32":
    import msvcrt

    FAR = 1 << 40
    """A byte that no journal reaches: on Windows, what is locked can't be read by others."""

    def _lock(number: int) -> None:
        os.lseek(number, FAR, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
else:

    def _lock(number: int) -> None:
        try:
            import fcntl
        except ImportError:  # a browser kernel: nobody else is there
            return
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
AGAIN = 0.002
"""Wall seconds until a lock that was taken is tried once more: somebody may only have looked, with `is_free`."""


def is_free(path: Path) -> bool:
    """Say whether a file could be written, and nobody else does; its lock is held for a moment."""
    try:
        GrowingFile(path).close()
    except JournalError:
        return False
    return True


class GrowingFile:
    """One open file, locked; every trouble is a `JournalError` that says what to do."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.syncs = 0
        """How often it was made durable."""
        self._has_rest = False
        """Whether the rest of a write that failed may stand at its end."""
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | (os.O_CREAT | os.O_EXCL if create else 0)
        with self._told("can't be made" if create else "can't be opened for writing"):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._number = os.open(path, flags, 0o666)
        try:
            self._take()
            if create:
                self._note_name()
        except BaseException:
            self.close()
            raise

    def _take(self) -> None:
        try:
            try:
                _lock(self._number)
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
                time.sleep(AGAIN)
                _lock(self._number)
        except OSError as error:
            if error.errno not in TAKEN:
                with self._told("can't be locked against a second writer"):
                    raise
            raise JournalError(
                str(self.path),
                "another session writes it, in this program or another: close() that one, or stop its kernel",
            ) from None

    def _note_name(self) -> None:
        """Make the file's name durable: it stands in its folder."""
        if os.name == "posix":
            with self._told("can't be made durable"):
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)

    def read(self) -> bytes:
        """Return all that is in it."""
        with self._told("can't be read"):
            os.lseek(self._number, 0, os.SEEK_SET)
            with os.fdopen(os.dup(self._number), "rb") as file:
                return file.read()

    @property
    def size(self) -> int:
        """Bytes in it."""
        return os.fstat(self._number).st_size

    def append(self, content: bytes, at: int, *, sync: bool = True) -> None:
        """Write from byte `at` on, and wait until it is on the disk; where that fails, nothing is left after `at`."""
        with self._told("can't be written"):
            self._check(at)
        try:
            with self._told("can't be written"):
                self._write(content, at)
                if sync:
                    os.fsync(self._number)
                    self.syncs += 1
        except JournalError:
            self._has_rest = True
            with suppress(OSError):
                self._cut_rest(at)
            raise

    def _cut_rest(self, at: int) -> None:
        """Cut off what a write that failed has left."""
        os.ftruncate(self._number, at)
        self._has_rest = False

    def _check(self, at: int) -> None:
        """Raise `OSError` where somebody else has deleted the file or changed its length."""
        found = os.fstat(self._number)
        if os.name == "posix" and found.st_nlink == 0:
            raise OSError(errno.ENOENT, "it was deleted while the run went on")
        if found.st_size > at and self._has_rest:
            self._cut_rest(at)
        elif found.st_size != at and stat.S_ISREG(found.st_mode):
            raise OSError(errno.ENOENT, f"somebody else changed it: it has {found.st_size} bytes in place of {at}")

    def _write(self, content: bytes, at: int) -> None:
        os.lseek(self._number, at, os.SEEK_SET)
        left = memoryview(content)
        while left:
            left = left[os.write(self._number, left) :]

    def cut(self, length: int) -> None:
        """Forget what stands after so many bytes."""
        with self._told("can't be cut"):
            os.ftruncate(self._number, length)

    def close(self) -> None:
        """Let it go, and others write."""
        with suppress(OSError):
            os.close(self._number)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(str(self.path), f"{what}: {error.strerror or error}. {_advice(error)}") from error


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "Make room on that disk, then run() goes on"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return "Name a folder that can be written to with journal=, or run without one: journal=None"
    if error.errno == errno.ENOENT:
        return "Look whether the path is right; a run can be saved elsewhere with run.save(path)"
    return "Look at that disk, then run() goes on; run.save(path) saves the run elsewhere"
