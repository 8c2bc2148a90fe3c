"""A server's answer, read up to a limit, with the API key redacted."""

from __future__ import annotations

import asyncio
import json
import re
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

_MAX_TEXT_BYTES: Final = 2000
_TITLE: Final = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)


@record
class Answer:
    """A server's answer; an API key that it echoes is redacted."""

    status: int
    headers: list[tuple[str, str]]
    """Names in lower case; a name may repeat."""
    data: Any
    """The parsed JSON; None if the body is no JSON, too long or cut off."""
    text: str = ""
    """The beginning of a body that is no JSON; of an HTML page its title."""
    is_cut_off: bool = False
    """Whether the connection broke, or time ran out, before the whole body was there."""

    @property
    def kind(self) -> str:
        """What the body is, in words: `an HTML page`, `a list`, `nothing`."""
        if self.data is None:
            page = "html" in self.header("content-type").lower() or self.text.startswith("<")
            return "an HTML page" if page else "a text that is no JSON" if self.text else "nothing"
        return {dict: "an object", list: "a list", str: "a text", bool: "true or false"}.get(
            type(self.data), "a number"
        )

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


async def read_answer(response: httpx.Response, key: Secret, until: float, max_bytes: int = MAX_BODY_BYTES) -> Answer:
    """Read an answer up to the limit; if its body breaks off, the status still counts."""
    body, data, text, cut_off = bytearray(), None, "", False
    try:
        async with asyncio.timeout_at(until):
            async for piece in decoded_chunks(response):
                body += piece
                if len(body) > max_bytes:
                    break
        text = redact(_beginning(body), key)  # nothing is shown of a body that broke off
        data = redact(json.loads(body), key) if len(body) <= max_bytes else None
    except httpx.DecodingError:
        pass
    except TRANSPORT_ERRORS:
        cut_off = True
    except (ValueError, RecursionError):
        pass
    location = response.extensions.get("location")  # hidden from httpx
    given = [*response.headers.multi_items(), *([("location", location)] if isinstance(location, str) else [])]
    headers = [(name, redact(value, key)) for name, value in given]
    return Answer(response.status_code, headers, data, text if data is None else "", cut_off)


def _beginning(body: bytes | bytearray) -> str:
    """Return what a person can read of a body that is no JSON; nothing of one that is no text."""
    text = bytes(body[:_MAX_TEXT_BYTES]).decode(errors="replace").strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"<{title[1].strip()}>" if title else "<>"
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else ""
