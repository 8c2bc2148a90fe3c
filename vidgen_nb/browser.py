"""Python in a browser (Pyodide, as in JupyterLite): what it has not, and how it waits.

It has no threads, no sockets and no other processes. Its one event loop is the page's, which never stops: a call that
waits for it would wait for itself, except where the browser can switch stacks (WebAssembly's JavaScript Promise
Integration, which Pyodide offers as `run_sync`).

Other modules read these names when they need them (`browser.HAS_THREADS`), so that tests can be in a browser, too.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["HAS_THREADS", "IN_BROWSER", "can_wait", "wait_for"]

T = TypeVar("T")

IN_BROWSER = sys.platform == "emscripten"
HAS_THREADS = not IN_BROWSER


def can_wait() -> bool:
    """Say whether a call may wait here while the page's loop goes on."""
    if not IN_BROWSER:
        return False
    from pyodide.ffi import can_run_sync  # type: ignore[import-not-found, unused-ignore]  # comes with its Python

    return bool(can_run_sync())


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine while the page's loop goes on with it, and with all else; only where `can_wait()`."""
    from pyodide.ffi import run_sync  # type: ignore[import-not-found, unused-ignore]

    return run_sync(work)  # type: ignore[no-any-return, unused-ignore]
