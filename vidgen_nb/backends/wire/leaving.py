"""How many submits leave at once, as the limit of open files allows (macOS: 256), and the moment before one leaves."""

from __future__ import annotations

from typing import Any, Final

import httpx

from vidgen_nb.ports import about_to_connect, about_to_leave

resource: Any
try:
    import resource
except ImportError:  # not on Windows, where there is no such limit
    resource = None

__all__ = ["connections_by_open_files", "watch_leaving"]

SPARE_FILES: Final = 64
"""Left to everything else."""
NO_LIMIT: Final = 1 << 20


def connections_by_open_files() -> int:
    """Return how many connections each of two clients, one of submits and one of polls, may have at once."""
    if resource is None:
        return NO_LIMIT
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return NO_LIMIT if files == resource.RLIM_INFINITY else max(8, (files - SPARE_FILES) // 2)


def watch_leaving(request: httpx.Request, *, network: bool) -> None:
    """Have a submit ask whether it may still leave: now, and when it has a connection.

    `network`: whether httpx will connect; any other transport takes the request at once.
    """
    if network:
        about_to_connect()
        request.extensions["trace"] = _ask_before_sending
    else:
        about_to_leave()


async def _ask_before_sending(event: str, _info: object) -> None:
    """Ask whether a submit may still leave, when httpx has its connection and has sent nothing."""
    if event.endswith(".send_request_headers.started"):
        about_to_leave()
