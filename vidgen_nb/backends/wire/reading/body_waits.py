"""How long a body asks to wait: fields under the names seen in the wild, and the sentences that providers document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from vidgen_nb.backends.wire.reading.error_body import xml_fields
from vidgen_nb.backends.wire.reading.nested_json import nested_json

__all__ = ["field_waits", "prose_wait"]

_MAX_DEPTH: Final = 6
_MAX_LISTED: Final = 20
_CONTAINERS: Final = frozenset(
    {"error", "errors", "detail", "details", "metadata", "meta", "data", "headers", "extra", "info", "extensions",
     "err", "response", "response_metadata", "rate_limit", "ratelimit", "message", "raw"}
)  # fmt: skip
"""Where the fields of a wait may stand; what else is nested may be the user's own parameters."""
_DELAY: Final = re.compile(
    r"retry_?(after|in|delay)(_(seconds|secs|sec|s))?|resets?_(in|after)(_(seconds|secs|sec|s))?|quota_reset_delay|"
    r"wait(_time)?(_(seconds|secs|sec|s))?|cool_?down(_(seconds|secs|sec|s))?|seconds_(until|to)_(reset|retry)"
)
_MILLISECONDS: Final = re.compile(r"(retry_?(after|in|delay)|resets?_(in|after)|wait(_time)?)_(ms|millis|milliseconds)")
_MOMENT: Final = re.compile(
    r"resets?(_(at|time|date|epoch|timestamp|time_?stamp))?|(next_)?retry_(at|time)|available_(at|after)|"
    r"quota_reset_time_?stamp|(x_)?rate_?limit_reset(_\w+)?"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_AMOUNT: Final = (
    r"\s*~?\s*((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)\b[\s,]*)+"
    r"|(?:\d+(?:\.\d+)?(?:h|ms|m|s))+)"
)
PROSE: Final = (
    (r"rate limit resets in", "Replicate: replicate.com/docs/topics/predictions/rate-limits"),
    (r"try again in", "OpenAI: cookbook.openai.com/examples/how_to_handle_rate_limits"),
    (r"retry after", "Azure OpenAI: learn.microsoft.com/azure/ai-services/openai/how-to/quota"),
    (r"retry in", "Gemini: ai.google.dev/gemini-api/docs/rate-limits"),
    (r"expected available in", "Django REST framework: rest_framework/exceptions.py, class Throttled"),
)
"""Beginnings of the sentences in which providers give a wait, and where they are documented."""
_PROSE: Final = re.compile("(?:" + "|".join(words for words, _ in PROSE) + ")" + _AMOUNT, re.IGNORECASE | re.ASCII)


def field_waits(body: object, read_delay: Callable[[str], float | None], read_moment: Callable[[str], float | None],
                read_ms: Callable[[str], float | None]) -> Iterator[tuple[float, str]]:  # fmt: skip
    """Yield (seconds, field) of every field of a body that asks for a wait."""
    for name, value in _fields(body, 0):
        for pattern, read in ((_DELAY, read_delay), (_MILLISECONDS, read_ms), (_MOMENT, read_moment)):
            seconds = read(value) if pattern.fullmatch(name) else None
            if seconds is not None:
                yield seconds, name


def prose_wait(text: str, read_delay: Callable[[str], float | None]) -> float | None:
    """Return the seconds of a documented sentence such as `resets in ~30s`; None if there is none."""
    found = _PROSE.search(text[:2000])
    return read_delay(found[1].replace(",", " ")) if found else None


def _fields(body: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the names, in one spelling, and values of what may be a wait."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(body, str):
        body = (xml_fields(body) if depth == 0 else None) or nested_json(body)
    if isinstance(body, list):
        for each in body[:_MAX_LISTED]:
            yield from _fields(each, depth + 1)
    if not isinstance(body, dict):
        return
    found = {re.sub(r"[\s\-]+", "_", _CAMEL.sub("_", str(key)[:60])).lower(): value for key, value in body.items()}
    is_left = any(isinstance(left, int | float) and left > 0 for name, left in found.items() if name == "remaining")
    for name, value in found.items():
        if name in _CONTAINERS:
            yield from _fields(value, depth + 1)
        elif is_left and _MOMENT.fullmatch(name):
            continue  # of a limit that is not exhausted
        elif isinstance(value, str):
            yield name, value
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18:
            yield name, repr(value)
        elif isinstance(value, dict) and "seconds" in value and _DELAY.fullmatch(name):  # google.protobuf.Duration
            yield name, str(value["seconds"])
