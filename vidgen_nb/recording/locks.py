"""Locks that live exactly as long as the program that holds them.

The lock is the operating system's: flock, or a byte range on Windows. It ends with the program, however that ends. But
a flock belongs to the open file, which a forked child shares (`os.fork`, a pool of `multiprocessing`): a child that
outlived its parent would hold it on, for nobody. So a child lets go of these files right after the fork. Programs that
are started otherwise never get them, because they are closed on exec. POSIX record locks would need none of that, but
they vanish when the same program reads the file and closes it, and they don't keep out its other sessions.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["HAS_LOCKS", "IS_LOCKED_ERRNOS", "UNSUPPORTED_ERRNOS", "close_held", "lock", "open_held"]

if sys.platform == "win32":
    import msvcrt

    HAS_LOCKS = True
    LOCKED_BYTE = 1 << 40
    """Farther than any journal reaches: on Windows, others can't read a locked byte."""

    def lock(number: int) -> None:
        """Lock an open file against others; `OSError` if it is locked, or can't be."""
        os.lseek(number, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(number, 0, os.SEEK_SET)
else:
    try:
        import fcntl

        HAS_LOCKS = hasattr(fcntl, "flock")
    except ImportError:  # a browser kernel: there are no other processes
        HAS_LOCKS = False

    def lock(number: int) -> None:
        """Lock an open file against others; `OSError` if it is locked, or can't be."""
        if HAS_LOCKS:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


UNSUPPORTED_ERRNOS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""A disk that has no locks, or no fsync: Lustre and NFS as they are often mounted, Google Drive in Colab."""
IS_LOCKED_ERRNOS = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)

_held: set[int] = set()
"""File descriptors that a forked child must let go of."""
_guard = threading.RLock()
"""So that no fork comes between the opening of a file and its entry in `_held`."""


def open_held(path: Path, flags: int) -> int:
    """Open a file as `os.open` does; a forked child will not have it."""
    with _guard:
        number = os.open(path, flags, 0o666)
        _held.add(number)
    return number


def close_held(number: int) -> None:
    """Close such a file; its lock ends."""
    with _guard:
        if number in _held:
            _held.discard(number)
            with suppress(OSError):
                os.close(number)


def _let_go() -> None:
    """In a forked child, let the descriptors lead nowhere: objects that the child has copied may still use them."""
    try:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in _held:
                with suppress(OSError):
                    os.dup2(nowhere, number, inheritable=False)
            os.close(nowhere)
        _held.clear()
    finally:
        _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_let_go)
