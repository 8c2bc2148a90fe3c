"""Troubles of this machine, told from those of a server: no files or ports left, no memory, no network.

Nobody's service failed then, and nothing was sent. By error numbers, wherever in a chain of errors they stand.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from typing import Final

__all__ = ["LocalTrouble", "local_trouble"]

_FILES: Final = "this machine has too many files open: raise `ulimit -n`, or lower capacity"
_MEMORY: Final = "this machine has no memory left for connections: close other programs, or lower capacity"
_NETWORK: Final = "this machine has no network: is it online?"
_TROUBLES: Final = {
    "EMFILE": _FILES,
    "WSAEMFILE": _FILES,
    "ENFILE": _FILES,
    "ENOBUFS": _MEMORY,
    "WSAENOBUFS": _MEMORY,
    "ENOMEM": _MEMORY,
    "EADDRNOTAVAIL": "this machine has no free port or address for a connection: lower capacity, or wait a minute",
    "ENETDOWN": _NETWORK,
    "ENETUNREACH": _NETWORK,
    "EHOSTUNREACH": "this machine finds no way to the server: is it online, or is a VPN needed?",
}
_BY_NUMBER: Final = {getattr(errno, name): text for name, text in _TROUBLES.items() if hasattr(errno, name)}
_THREADS: Final = "this machine can start no more threads: raise `ulimit -u`, or close other programs"
_NO_THREAD: Final = "can't start new thread"
"""What CPython's RuntimeError says; it has no number."""
_NO_NAMES: Final = "this machine can't look up names now: is it online?"
_MAX_DEPTH: Final = 16


class LocalTrouble(OSError):
    """Such a trouble, in place of an error whose words must not be shown."""


def local_trouble(error: BaseException) -> str:
    """Return what is wrong with this machine, and what to do; empty if an error is, or may be, somebody else's.

    Where several addresses were tried, all must have failed for such a reason.
    """
    found = [_of(each) for each in _origins(error, _MAX_DEPTH)]
    return found[0] if found and all(found) else ""


def _origins(error: BaseException | None, depth: int) -> Iterator[BaseException]:
    """Yield what an error was raised for: those errors that have a number, or else the first ones."""
    if error is None or depth == 0:
        return
    below = error.__cause__ or error.__context__
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _origins(each, depth - 1)
    elif below is None or (isinstance(error, OSError) and error.errno is not None):
        yield error
    else:
        yield from _origins(below, depth - 1)


def _of(error: BaseException) -> str:
    if isinstance(error, LocalTrouble):
        return str(error)
    if isinstance(error, socket.gaierror):
        return _of_names(error)
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0, "")
    return _THREADS if isinstance(error, RuntimeError) and _NO_THREAD in str(error) else ""


def _of_names(error: socket.gaierror) -> str:
    """Return what a failed look-up means: a resolver without files says so in any way it likes."""
    if (no_files := _without_files()) or error.errno == getattr(socket, "EAI_MEMORY", None):
        return no_files or _MEMORY
    if error.errno in (socket.EAI_AGAIN, getattr(socket, "EAI_SYSTEM", None)):
        return _NO_NAMES
    # macOS says "not known" when it is offline
    return _NETWORK if sys.platform == "darwin" and _is_offline() else ""


def _without_files() -> str:
    """Return the trouble if no further file can be opened."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as refused:
        return _BY_NUMBER.get(refused.errno or 0, "")
    return ""


def _is_offline() -> bool:
    """Return whether there is no way to the internet; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
    except OSError:
        return True
    return False
