"""Redacts an API key that a server echoes: from the answers that we read, and from the log lines about our calls.

Neither httpx nor httpcore logs a header that we send. But httpcore logs the headers of each answer at DEBUG, and httpx
its reason phrase at INFO.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any, Final

from vidgen_nb.ports import Secret

__all__ = ["current_key", "redact"]

current_key: ContextVar[Secret | None] = ContextVar("call_key", default=None)
"""The key of the call that is running in this task."""

MIN_SECRET_CHARS: Final = 8
"""A shorter key is not redacted. Servers without accounts accept keys such as `EMPTY` or `test`, which are no secrets
but parts of words: redacted from a job's id or status, they would make the job unreachable."""

_UNRESERVED: Final = re.compile(r"[\w.-]+", re.ASCII)
"""Characters that nobody percent-encodes in a URL."""

_HTTP_LOGGERS = ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")))


def redact(value: Any, key: Secret | None) -> Any:
    """Return a string, or JSON data, with `[key]` in place of the key; in any case, and also percent-encoded."""
    if key is None:
        return value
    if isinstance(value, str):
        for text in key.known():  # a key that is renewed has several
            value = _without(value, text)
        return value
    if isinstance(value, list):
        return [redact(each, key) for each in value]
    if isinstance(value, dict):
        return {redact(name, key): redact(each, key) for name, each in value.items()}
    return value


def _without(value: str, key: str) -> str:
    # searching before replacing is five times as fast in the megabytes of a video inside an answer
    if len(key) < MIN_SECRET_CHARS or not _may_contain(value, key):
        return value
    return re.sub("".join(map(_char_pattern, key)), "[key]", value, flags=re.IGNORECASE)


def _may_contain(text: str, key: str) -> bool:
    """Return whether a text contains a key, or may contain it with its `+`, `/` or `=` percent-encoded."""
    return key.lower() in text.lower() or ("%" in text and not _UNRESERVED.fullmatch(key))


def _char_pattern(char: str) -> str:
    """Return a pattern for a key's character: as it is, or percent-encoded, once or repeatedly."""
    if _UNRESERVED.fullmatch(char):
        return re.escape(char)
    quoted = "".join(f"%(?:25)*{byte:02x}" for byte in char.encode(errors="replace"))
    return f"(?:{re.escape(char)}|{quoted})"


class _RedactingFilter(logging.Filter):
    """Redacts the key of the running call; the log lines of other users of httpx are left alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        key = current_key.get()
        if key is not None:
            record.msg, record.args = redact(record.getMessage(), key), ()
        return True


for _name in _HTTP_LOGGERS:
    logging.getLogger(_name).addFilter(_RedactingFilter())
