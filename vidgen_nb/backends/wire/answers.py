"""A server's answer, read up to a limit and without the key."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import httpx

from vidgen_nb.backends.wire.inflated import plain
from vidgen_nb.backends.wire.redacted import without
from vidgen_nb.backends.wire.transport_errors import TRANSPORT
from vidgen_nb.core.model import record
from vidgen_nb.ports import Secret

__all__ = ["BODY_LIMIT", "Answer", "read"]

BODY_LIMIT: Final = 4 << 20
"""Bytes read of an answer that is not a download; a longer one counts as unreadable. Some echo the prompt."""


@record
class Answer:
    """A server's answer, read up to `BODY_LIMIT`; a key that it echoes is not in it."""

    status: int
    headers: list[tuple[str, str]]
    """Names in lower case; a name may repeat."""
    data: Any
    """The parsed JSON; None where the body is not JSON, too long or cut off."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty text."""
        return next((value for key, value in self.headers if key == name), "")


async def read(response: httpx.Response, key: Secret, until: float, longest: int = BODY_LIMIT) -> Answer:
    """Read an answer up to the limit; a body that breaks off leaves the status, which is what counts."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(until):
            async for piece in plain(response):
                body += piece
                if len(body) > longest:
                    break
        data = without(json.loads(body), key) if len(body) <= longest else None
    except (*TRANSPORT, ValueError, RecursionError):
        data = None
    headers = [(name, without(value, key)) for name, value in response.headers.multi_items()]
    return Answer(response.status_code, headers, data)
