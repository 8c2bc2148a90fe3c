"""How many submits leave at once, as the limit of open files allows (macOS: 256), and the moment before one leaves."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import httpx

from vidgen_nb.ports import about_to_connect, about_to_leave

resource: Any
try:
    import resource
except ImportError:  # not on Windows, where there is no such limit
    resource = None

__all__ = ["connections_by_open_files", "leaves_next", "watch_leaving"]

SPARE_FILES: Final = 64
"""Left to everything else."""
NO_LIMIT: Final = 1 << 20
leaves_next: ContextVar[bool] = ContextVar("leaves_next", default=False)
"""Whether the next bytes that this task writes are the first of a submit; `network` says then that it leaves."""


def connections_by_open_files() -> int:
    """Return how many connections each of two clients, one of submits and one of polls, may have at once."""
    if not hasattr(resource, "getrlimit"):  # Windows, and a browser, whose module is empty
        return NO_LIMIT
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return NO_LIMIT if files == resource.RLIM_INFINITY else max(8, (files - SPARE_FILES) // 2)


def watch_leaving(request: httpx.Request, *, network: bool, ours: bool) -> None:
    """Have a submit ask whether it may still leave: now, and when it has a connection.

    `network`: whether httpx will connect; any other transport takes the request at once. `ours`: whether it does so by
    connections of ours (`network`), which know when bytes are handed to the operating system.
    """
    if network:
        about_to_connect()
        request.extensions["trace"] = _note_first_byte if ours else _ask_before_sending
    else:
        about_to_leave()


async def _ask_before_sending(event: str, _info: object) -> None:
    """Ask whether a submit may still leave, when httpx has its connection and has sent nothing."""
    if event.endswith(".send_request_headers.started"):
        about_to_leave()


async def _note_first_byte(event: str, info: dict[str, Any]) -> None:
    """Note that the next bytes are a submit's; a proxy that is asked for a connection has nothing of it yet."""
    if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
        leaves_next.set(True)
