"""What an answer's headers say about a rate limit, as pure functions.

Forms; the first that says anything counts:

- `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`: OpenAI's; resets such as `6m0s`, `120ms`.
- `anthropic-ratelimit-requests-limit`, `-remaining`, `-reset`: resets in RFC 3339.
- `RateLimit`, with `RateLimit-Policy` beside it: draft-ietf-httpapi-ratelimit-headers, up to version 7
  (`limit=10, remaining=4, reset=30` and `10;w=60`) and from 8 on (`"default";r=4;t=30` and `"default";q=10;w=60`).
- `RateLimit-Limit`, `-Remaining`, `-Reset`, and the same with an `X-` before it.

If a field has several limits, the one with the least remaining counts. What makes no sense is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from vidgen_nb.backends.wire.reading.retry_after import parse_reset, parse_seconds
from vidgen_nb.core.model import RateInfo

__all__ = ["rate_info"]

MAX_REQUESTS: Final = 10**9
"""A larger number is taken for a mistake."""
_FIELD_TEMPLATES: Final = (
    "x-ratelimit-{}-requests",
    "anthropic-ratelimit-requests-{}",
    "ratelimit-{}",
    "x-ratelimit-{}",
)
_MAX_TEXT_CHARS: Final = 2000
_COUNT: Final = re.compile(r"\d{1,10}", re.ASCII)
_LIST_MEMBER: Final = re.compile(r'(?:"[^"]*"|[^,"])+')
_PARAMETER: Final = re.compile(r"[;,]\s*([a-z]+)\s*=\s*([^;,\s]+)")
_NAMED_PARAMETERS: Final = re.compile(r"\s*(?:limit|remaining|reset)\s*=")


def rate_info(headers: Iterable[tuple[str, str]], now_epoch: float) -> RateInfo | None:
    """Return what an answer says about its rate limit, or None if it says nothing.

    `headers`: (name, value) pairs. `now_epoch`: the time the answer's dates count from, in epoch seconds. Never
    raises; numbers are finite and not negative.
    """
    fields: dict[str, str] = {}
    for name, value in headers:
        if "ratelimit" in (key := name.lower()):
            fields.setdefault(key, value[:_MAX_TEXT_CHARS])
    if not fields:
        return None
    found = (
        _separate_fields(fields, _FIELD_TEMPLATES[0], now_epoch)
        or _separate_fields(fields, _FIELD_TEMPLATES[1], now_epoch)
        or _combined_field(fields)
    )
    return (
        found
        or _separate_fields(fields, _FIELD_TEMPLATES[2], now_epoch)
        or _separate_fields(fields, _FIELD_TEMPLATES[3], now_epoch)
    )


def _separate_fields(fields: dict[str, str], template: str, now_epoch: float) -> RateInfo | None:
    """Return what three separate fields say; the limit may include its window, as in `10, 10;w=60`."""
    limit = fields.get(template.format("limit"), "")
    reset = parse_reset(fields.get(template.format("reset"), ""), now_epoch)
    quota, window = _quota(limit) if template == "ratelimit-{}" else (None, None)
    if template == "ratelimit-{}" and window is None:
        window = _quota(fields.get("ratelimit-policy", ""))[1]
    first = quota if quota is not None else _parse_count(limit.partition(",")[0].partition(";")[0])
    return _rate_info(first, _parse_count(fields.get(template.format("remaining"), "")), reset, window)


def _combined_field(fields: dict[str, str]) -> RateInfo | None:
    """Return what `RateLimit` and `RateLimit-Policy` say."""
    line, policy = fields.get("ratelimit", ""), fields.get("ratelimit-policy", "")
    quota, window = _quota(policy)
    if _NAMED_PARAMETERS.match(line):
        parameters = dict(_PARAMETER.findall(f",{line}"))
        limit, reset = _parse_count(parameters.get("limit", "")), parse_seconds(parameters.get("reset", ""))
        return _rate_info(
            quota if limit is None else limit, _parse_count(parameters.get("remaining", "")), reset, window
        )
    members = [
        (_parse_count(parameters.get("r", "")), parse_seconds(parameters.get("t", "")))
        for parameters in _list_members(line)
    ]
    known = [(left, reset) for left, reset in members if left is not None]
    if len(known) > 1:  # which quota each belongs to is not said in one place
        quota, window = None, None
    left, reset = min(known, key=lambda each: (each[0], -(each[1] or 0.0)), default=(None, None))
    if "ratelimit-limit" in fields and left is None:
        return None
    return _rate_info(quota, left, reset, window)


def _list_members(line: str) -> Iterator[dict[str, str]]:
    """Yield the parameters of each member of a list; the key of the value itself is `""`."""
    for member in _LIST_MEMBER.findall(line):
        bare = re.sub(r'"[^"]*"', "", member)
        yield {"": bare.partition(";")[0].strip(), **dict(_PARAMETER.findall(bare))}


def _quota(line: str) -> tuple[int | None, float | None]:
    """Return the quota and the window of a policy with one quota, such as `10;w=60` or `"default";q=10;w=60`."""
    found = {
        (_parse_count(parameters.get("q", parameters[""])), parse_seconds(parameters.get("w", "")))
        for parameters in _list_members(line)
    }
    whole = [(quota, window) for quota, window in found if quota is not None and window]
    return whole[0] if len(whole) == 1 else (None, None)


def _rate_info(limit: int | None, left: int | None, reset: float | None, window: float | None) -> RateInfo | None:
    """Return the record, or None if it would be empty; a limit of 0 counts as missing."""
    info = RateInfo(limit or None, left, reset, window)
    return None if info == RateInfo() else info


def _parse_count(text: str) -> int | None:
    text = text.strip()
    return count if _COUNT.fullmatch(text) and (count := int(text)) <= MAX_REQUESTS else None
