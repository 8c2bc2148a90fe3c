"""How many submits leave at once, as the limit of open files allows (macOS: 256), and the moment before one leaves."""

from __future__ import annotations

from typing import Any, Final

from vidgen_nb.ports import about_to_leave

resource: Any
try:
    import resource
except ImportError:  # not on Windows, where there is no such limit
    resource = None

__all__ = ["ask_before_sending", "connections_by_open_files"]

SPARE_FILES: Final = 64
"""Left to everything else."""
NO_LIMIT: Final = 1 << 20


def connections_by_open_files() -> int:
    """Return how many connections each of two clients, one of submits and one of polls, may have at once."""
    if resource is None:
        return NO_LIMIT
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return NO_LIMIT if files == resource.RLIM_INFINITY else max(8, (files - SPARE_FILES) // 2)


async def ask_before_sending(event: str, _info: object) -> None:
    """Ask whether a submit may still leave, when httpx has its connection and has sent nothing."""
    if event.endswith(".send_request_headers.started"):
        about_to_leave()
