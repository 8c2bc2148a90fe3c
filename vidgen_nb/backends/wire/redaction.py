"""A server may echo the key: keeps it out of what we take from its answers, and of what is logged about our calls.

Neither httpx nor httpcore logs a header that we send. But httpcore logs at DEBUG the headers of each answer, and httpx
at INFO its reason phrase.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any, Final

from vidgen_nb.ports import Secret

__all__ = ["current_key", "redact"]

current_key: ContextVar[Secret | None] = ContextVar("call_key", default=None)
"""The key of the call that is under way in this task."""

MIN_SECRET_CHARS: Final = 8
"""Characters of a key that is kept out. Servers without accounts take keys such as `EMPTY` or `test`: no secrets, and
parts of words; a job whose id or status was changed could never be asked about."""

_UNRESERVED: Final = re.compile(r"[\w.-]+", re.ASCII)
"""What stands in a URL as it is; nobody quotes it."""

_HTTP_LOGGERS = ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")))


def redact(value: Any, key: Secret | None) -> Any:
    """Return a text, or the texts of JSON data, with `[key]` for the key, in whatever case, also as URLs have it."""
    if key is None:
        return value
    if isinstance(value, str):
        # looked for before it is replaced: five times as fast in the megabytes of a video within an answer
        if len(key.reveal()) < MIN_SECRET_CHARS or not _may_contain(value, key.reveal()):
            return value
        return re.sub("".join(map(_char_pattern, key.reveal())), "[key]", value, flags=re.IGNORECASE)
    if isinstance(value, list):
        return [redact(each, key) for each in value]
    if isinstance(value, dict):
        return {redact(name, key): redact(each, key) for name, each in value.items()}
    return value


def _may_contain(text: str, key: str) -> bool:
    """Return whether a key stands in a text as it is, or may do so with its `+`, `/` or `=` quoted."""
    return key.lower() in text.lower() or ("%" in text and not _UNRESERVED.fullmatch(key))


def _char_pattern(char: str) -> str:
    """Return a pattern of a key's character as it is, and percent-encoded, be it twice."""
    if _UNRESERVED.fullmatch(char):
        return re.escape(char)
    quoted = "".join(f"%(?:25)*{byte:02x}" for byte in char.encode(errors="replace"))
    return f"(?:{re.escape(char)}|{quoted})"


class _RedactingFilter(logging.Filter):
    """Replaces the key of the call under way; other users of httpx have none here."""

    def filter(self, record: logging.LogRecord) -> bool:
        key = current_key.get()
        if key is not None:
            record.msg, record.args = redact(record.getMessage(), key), ()
        return True


for _name in _HTTP_LOGGERS:
    logging.getLogger(_name).addFilter(_RedactingFilter())
