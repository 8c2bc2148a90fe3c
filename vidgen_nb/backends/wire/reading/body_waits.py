"""How long a body asks to wait: fields under the names seen in the wild, and sentences whose source is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from vidgen_nb.backends.wire.reading.nested_json import nested_json, xml_fields

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
    # replicate.com/docs/topics/predictions/rate-limits
    ("rate limit resets in", "Replicate", "Request was throttled. Your rate limit resets in ~30s.", 30),
    # no page of OpenAI's quotes it; as in github.com/FoundationAgents/MetaGPT/issues/523
    (
        "try again in",
        "OpenAI",
        "Rate limit reached for gpt-4 on tokens per min (TPM). Please try again in 9.816s.",
        9.816,
    ),
    # github.com/bklieger-groq/stockbot-on-groq/issues/46
    ("try again in", "Groq", "Limit 500000, Used 500370, Requested 252. Please try again in 1m47.5854s.", 107.5854),
    # learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/implement-rate-limiting-azure-api-management
    ("try again in", "Azure API Management", "Rate limit is exceeded. Try again in 60 seconds.", 60),
    # LiteLLM 1.108: its RouterRateLimitError, in litellm/types/router.py
    ("try again in", "LiteLLM", "No deployments available for selected model, Try again in 5 seconds.", 5),
    # learn.microsoft.com/answers/questions/2140040
    ("retry after", "Azure OpenAI", "have exceeded token rate limit. Please retry after 37 seconds.", 37),
    # github.com/browserbase/mcp-server-browserbase/issues/129, beside a RetryInfo that gateways drop
    ("retry in", "Gemini", "You exceeded your current quota. Please retry in 47.434392449s.", 47.434392449),
    # github.com/encode/django-rest-framework: rest_framework/exceptions.py, class Throttled
    ("expected available in", "Django REST framework", "Request was throttled. Expected available in 7 seconds.", 7),
)
"""Sentences in which a wait is given: how that begins, who writes so, an example from the source above it, seconds."""
_BEGINNINGS: Final = "|".join(dict.fromkeys(words for words, *_ in PROSE))
_PROSE: Final = re.compile(f"(?:{_BEGINNINGS}){_AMOUNT}", re.IGNORECASE | re.ASCII)


def field_waits(body: object, read_delay: Callable[[str], float | None], read_moment: Callable[[str], float | None],
                read_ms: Callable[[str], float | None]) -> Iterator[tuple[float, str]]:  # fmt: skip
    """Yield (seconds, field) of every field of a body that asks for a wait."""
    for name, value in _fields(body, 0):
        for pattern, read in ((_DELAY, read_delay), (_MILLISECONDS, read_ms), (_MOMENT, read_moment)):
            seconds = read(value) if pattern.fullmatch(name) else None
            if seconds is not None:
                yield seconds, name


def prose_wait(text: str, read_delay: Callable[[str], float | None]) -> float | None:
    """Return the seconds of a sentence of the table such as `resets in ~30s`; None if there is none."""
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
