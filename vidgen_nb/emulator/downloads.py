"""Downloads: parts of a file; and faulty ones, which are slow or cut off."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

__all__ = ["CutOff", "CutOffResponse", "part_response", "slow_response"]

_CHUNKS: Final = 8
_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
"""One range of bytes; several at once are answered with the whole, which a server may do."""


def part_response(content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return the content, the part of it that `Range` asks for (206), or a 416 if there is no such part."""
    match = _RANGE.fullmatch(headers.get("Range", ""))
    if match is None or not any(match.groups()) or "If-Range" in headers:
        return Response(content, media_type=media_type, headers={"Accept-Ranges": "bytes"})
    first, last, size = match[1], match[2], len(content)
    begin = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if first and last and int(last) < int(first):  # no valid range: as if there was none
        return Response(content, media_type=media_type, headers={"Accept-Ranges": "bytes"})
    if begin >= size:
        return Response(status_code=416, headers={"Accept-Ranges": "bytes", "Content-Range": f"bytes */{size}"})
    told = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {begin}-{end}/{size}"}
    return Response(content[begin : end + 1], 206, told, media_type)


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
