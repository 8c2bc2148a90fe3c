"""Faulty downloads: slow ones, and ones that are cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

__all__ = ["CutOff", "CutOffResponse", "slow_response"]

_CHUNKS: Final = 8


def slow_response(content: bytes, media_type: str, wall_seconds: float) -> Response:
    """Return a response whose body takes this many wall seconds."""

    async def pieces() -> AsyncIterator[bytes]:
        size = -(-len(content) // _CHUNKS)
        for begin in range(0, len(content), size):
            await asyncio.sleep(wall_seconds / _CHUNKS)
            yield content[begin : begin + size]

    return StreamingResponse(pieces(), media_type=media_type, headers={"Content-Length": str(len(content))})


class CutOff(Exception):
    """The connection should be dropped, on purpose."""


class CutOffResponse(Response):
    """A response with half of its body, and the Content-Length of the whole; then the connection closes."""

    def __init__(self, content: bytes, media_type: str) -> None:
        super().__init__(content, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, half of the body, and no more."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        # in process this ends the response; uvicorn refuses to end it too early, and raising then makes it drop the
        # connection, as we want
        try:
            await send({"type": "http.response.body", "body": b""})
        except Exception as error:
            raise CutOff from error
