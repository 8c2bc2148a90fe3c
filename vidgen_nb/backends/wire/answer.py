"""A server's answer, read up to a limit, with the API key redacted."""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

import httpx

from vidgen_nb.backends.wire.decompression import decoded_chunks
from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.backends.wire.transport_errors import TRANSPORT_ERRORS
from vidgen_nb.core.model import record
from vidgen_nb.patience import Patience
from vidgen_nb.ports import Secret

__all__ = ["MAX_BODY_BYTES", "Answer", "read_answer"]

MAX_BODY_BYTES: Final = 4 << 20
"""Bytes of an answer that is not a download; a longer one counts as unreadable. Some echo the prompt."""

_MAX_TEXT_CHARS: Final = 8000
_MAX_PAGE_BYTES: Final = 1 << 16
"""Of a page, in which its title is looked for."""
_MAX_KEY_CHARS: Final = 8192
_TITLE: Final = re.compile(r"<(title|h1)\b[^>]*>([^<]*)", re.IGNORECASE)
_PAGE: Final = re.compile(r"<!doctype html|<html\b|<head\b|<body\b|<title\b|<h1\b", re.IGNORECASE)
_CHARSET: Final = re.compile(
    r"charset\s*=\s*[\"']?(utf-?(?:8|16|32)(?:le|be)?|us-ascii|iso-?8859-?\d{1,2}|latin-?1|windows-\d{3,4}|cp\d{3,4}|"
    r"gbk|gb2312|gb18030|big5|shift[_-]?jis|euc-(?:jp|kr)|koi8-[ru])\b",
    re.IGNORECASE | re.ASCII,
)
_MAX_ODD_SHARE: Final = 0.05
"""Of characters that nobody can read, in a text."""


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
    def said(self) -> Any:
        """The JSON, or the text where there is none."""
        return self.text if self.data is None else self.data

    @property
    def kind(self) -> str:
        """What the body is, in words: `an HTML page`, `a list`, `nothing`."""
        if self.is_cut_off:
            return "cut off"
        if self.data is None:
            page = "html" in self.header("content-type").lower()
            page = page or (self.text.startswith("<") and "</" not in self.text)  # a title, and no XML
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


async def read_answer(
    response: httpx.Response, key: Secret, patience: Patience, max_bytes: int = MAX_BODY_BYTES
) -> Answer:
    """Read an answer up to the limit; if its body breaks off, the status still counts."""
    body, data, text, cut_off = bytearray(), None, "", False
    try:
        async with patience:
            async for piece in decoded_chunks(response):
                body += piece
                if len(body) > max_bytes:
                    break
        charset = _CHARSET.search(response.headers.get("content-type", ""))
        text = _beginning(body, charset[1] if charset else "", key)  # nothing is shown of one that broke off
        data = redact(_json(body, charset[1] if charset else ""), key) if len(body) <= max_bytes else None
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


def _json(body: bytes | bytearray, charset: str) -> Any:
    """Parse JSON, in UTF-8, 16 or 32 as the standard has it, or in the charset that some servers use all the same."""
    try:
        return json.loads(body, strict=False)
    except UnicodeDecodeError:
        return json.loads(body.decode(charset or "latin-1"), strict=False)


def _beginning(body: bytes | bytearray, charset: str, key: Secret) -> str:
    """Return what a person can read of a body that is no JSON: of a page its title; nothing of one that is no text."""
    text = redact(_decoded(bytes(body[:_MAX_PAGE_BYTES]), charset), key)
    if len(body) > _MAX_PAGE_BYTES:
        text = text[:-_MAX_KEY_CHARS]  # which may end in half a key
    text = text.strip("\ufeff\0 \t\r\n")
    if text.startswith("<") and _PAGE.search(text):
        title = _TITLE.search(text)
        return redact(f"<{html.unescape(title[2]).strip()}>", key) if title else "<>"
    text = text[:_MAX_TEXT_CHARS]
    odd = sum(not (char.isprintable() or char.isspace()) or char == "\ufffd" for char in text)
    return text if odd <= _MAX_ODD_SHARE * len(text) else ""


def _decoded(body: bytes, charset: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    if charset:
        return body.decode(charset, errors="replace")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        return body.decode(errors="ignore") if cut else body.decode("latin-1")
