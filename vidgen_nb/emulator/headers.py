"""Headers of every answer: its id, and what lets a page of another origin read it."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["with_common_headers"]

_FOR_PAGES: Final = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*")]
_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def with_common_headers(app: ASGIApp) -> ASGIApp:
    """Return an app that names each of its answers in `x-request-id`, which official clients show in errors.

    A browser's page may call it, too (CORS): a key is asked for all the same.
    """

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        added = [(b"x-request-id", f"req_{uuid4().hex}".encode())]
        asked = dict(scope.get("headers", ()))
        if b"origin" in asked:
            added += _FOR_PAGES
        if b"origin" in asked and b"access-control-request-method" in asked:
            names = asked.get(b"access-control-request-headers", b"authorization, content-type")
            added += [(b"access-control-allow-methods", _METHODS), (b"access-control-allow-headers", names)]

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        await app(scope, receive, send_named)

    return named
