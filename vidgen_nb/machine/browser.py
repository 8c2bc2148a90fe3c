"""Python in a browser (Pyodide, as in JupyterLite): what it has not, and how it waits.

It has no threads, no sockets and no other processes. Its one event loop is the page's, which never stops: a call that
waits for it would wait for itself, except where the browser can switch stacks (WebAssembly's JavaScript Promise
Integration, which Pyodide offers as `run_sync`).
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["can_wait_here", "in_browser", "in_one_go", "wait_here"]

T = TypeVar("T")

_in_browser = sys.platform == "emscripten"


def in_browser() -> bool:
    """Say whether this is Python in a browser."""
    return _in_browser


def can_wait_here() -> bool:
    """Say whether a call may wait here while the page's loop goes on."""
    if not _in_browser:
        return False
    from pyodide.ffi import can_run_sync  # type: ignore[import-not-found, unused-ignore]  # comes with its Python

    return bool(can_run_sync())


def wait_here(work: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine while the page's loop goes on with it, and with all else; only where `can_wait_here()`."""
    from pyodide.ffi import run_sync  # type: ignore[import-not-found, unused-ignore]

    return run_sync(work)  # type: ignore[no-any-return, unused-ignore]


def in_one_go(slices: Generator[Any, None, T]) -> T:
    """Return the result of work that yields wherever others may have a turn, without giving them one."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
