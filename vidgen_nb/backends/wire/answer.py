"""A server's answer, read up to a limit, with the API key redacted."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import httpx

from vidgen_nb.backends.wire.decompression import decoded_chunks
from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.backends.wire.transport_errors import TRANSPORT_ERRORS
from vidgen_nb.core.model import record
from vidgen_nb.ports import Secret

__all__ = ["MAX_BODY_BYTES", "Answer", "read_answer"]

MAX_BODY_BYTES: Final = 4 << 20
"""Bytes of an answer that is not a download; a longer one counts as unreadable. Some echo the prompt."""


@record
class Answer:
    """A server's answer; an API key that it echoes is redacted."""

    status: int
    headers: list[tuple[str, str]]
    """Names in lower case; a name may repeat."""
    data: Any
    """The parsed JSON; None if the body is no JSON, too long or cut off."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


async def read_answer(response: httpx.Response, key: Secret, until: float, max_bytes: int = MAX_BODY_BYTES) -> Answer:
    """Read an answer up to the limit; if its body breaks off, the status still counts."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(until):
            async for piece in decoded_chunks(response):
                body += piece
                if len(body) > max_bytes:
                    break
        data = redact(json.loads(body), key) if len(body) <= max_bytes else None
    except (*TRANSPORT_ERRORS, ValueError, RecursionError):
        data = None
    location = response.extensions.get("location")  # hidden from httpx
    given = [*response.headers.multi_items(), *([("location", location)] if isinstance(location, str) else [])]
    headers = [(name, redact(value, key)) for name, value in given]
    return Answer(response.status_code, headers, data)
