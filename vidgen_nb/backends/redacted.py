"""Keeps keys out of what httpx and httpcore log about our own calls.

They log no header that we send. But httpcore logs at DEBUG the headers of each answer, httpx at INFO its reason phrase,
and a server may echo the key in either.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

from vidgen_nb.ports import Secret

__all__ = ["call_key"]

call_key: ContextVar[Secret | None] = ContextVar("call_key", default=None)
"""The key of the call that is under way in this task."""

_LOGGERS = ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")))


class _Redacting(logging.Filter):
    """Replaces the key of the call under way; other users of httpx have none here."""

    def filter(self, record: logging.LogRecord) -> bool:
        key = call_key.get()
        if key is not None:
            message = re.sub(re.escape(key.reveal()), "[key]", record.getMessage(), flags=re.IGNORECASE)
            record.msg, record.args = message, ()
        return True


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_Redacting())
