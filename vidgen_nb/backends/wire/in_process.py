"""How a client in a browser reaches an emulator of the same kernel: without a socket, since there are none."""

from __future__ import annotations

import httpx

from vidgen_nb import browser, loopback
from vidgen_nb.errors import InputError

__all__ = ["InProcess", "transport_here"]


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to the ASGI app that answers at their address; an answer comes in one piece."""

    def check(self, url: httpx.URL) -> None:
        """Raise `InputError` if nothing answers there."""
        if loopback.app_at(url.host, url.port) is None:
            raise InputError(
                f"nothing can be reached at {url.host} from a browser's Python: it has no sockets. Use a started "
                "Emulator of this notebook here, and a Python of your own, or Binder, for a real API"
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the app's answer; `httpx.ReadError` if it breaks off."""
        app = loopback.app_at(request.url.host, request.url.port)
        try:
            return await httpx.ASGITransport(app).handle_async_request(request)
        except Exception as error:
            raise httpx.ReadError("the emulator broke off", request=request) from error


def transport_here() -> InProcess | None:
    """Return what clients use in a browser; None elsewhere: the network."""
    return InProcess() if browser.IN_BROWSER else None
