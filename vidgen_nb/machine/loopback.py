"""Servers of this program that its own clients reach without a socket: in a browser, where there are none.

There `Emulator.start` enters its ASGI app here, and the backends' HTTP clients look here for what answers an address.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["app_at", "enter_app", "leave_app"]

FIRST_PORT: Final = 8000

_apps: dict[int, Any] = {}


def enter_app(app: Any, port: int = 0) -> int | None:
    """Let an ASGI app answer at a port, 0 for a free one; return the port, or None if it is taken."""
    if not port:
        port = next(free for free in range(FIRST_PORT, FIRST_PORT + len(_apps) + 1) if free not in _apps)
    if port in _apps:
        return None
    _apps[port] = app
    return port


def leave_app(port: int) -> None:
    """Let nothing answer there any more."""
    _apps.pop(port, None)


def app_at(host: str, port: int | None) -> Any:
    """Return the ASGI app that answers at an address, or None."""
    return _apps.get(port or 80) if host in ("127.0.0.1", "localhost") else None
