"""What an answer's headers tell of a rate limit (providers.md, "Errors"), as pure functions.

Forms, of which the first that tells anything counts:

- `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`: OpenAI's; resets such as `6m0s`, `120ms`.
- `anthropic-ratelimit-requests-limit`, `-remaining`, `-reset`: resets in RFC 3339.
- `RateLimit`, with `RateLimit-Policy` beside it: draft-ietf-httpapi-ratelimit-headers, up to version 7
  (`limit=10, remaining=4, reset=30` and `10;w=60`) and from 8 on (`"default";r=4;t=30` and `"default";q=10;w=60`).
- `RateLimit-Limit`, `-Remaining`, `-Reset`, and the same with an `X-` before it.

Of several limits in one field the one with the least remaining counts. What makes no sense is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from vidgen_nb.backends.wire.retry_after import number, reset_seconds
from vidgen_nb.core.model import RateInfo

__all__ = ["rate_info"]

MOST: Final = 10**9
"""Requests; a larger number is taken for a mistake."""
_FORMS: Final = (
    "x-ratelimit-{}-requests",
    "anthropic-ratelimit-requests-{}",
    "ratelimit-{}",
    "x-ratelimit-{}",
)
_LONGEST_TEXT: Final = 2000
_COUNT: Final = re.compile(r"\d{1,10}", re.ASCII)
_MEMBER: Final = re.compile(r'(?:"[^"]*"|[^,"])+')
_PARAMETER: Final = re.compile(r"[;,]\s*([a-z]+)\s*=\s*([^;,\s]+)")
_TELLS: Final = re.compile(r"\s*(?:limit|remaining|reset)\s*=")


def rate_info(headers: Iterable[tuple[str, str]], now_epoch: float) -> RateInfo | None:
    """Return what an answer tells of its rate limit, or None where it tells nothing.

    `headers`: (name, value) pairs. `now_epoch`: the time the answer's dates count from, in epoch seconds. Never
    raises; numbers are finite and not negative.
    """
    fields: dict[str, str] = {}
    for name, value in headers:
        if "ratelimit" in (key := name.lower()):
            fields.setdefault(key, value[:_LONGEST_TEXT])
    if not fields:
        return None
    found = _form(fields, _FORMS[0], now_epoch) or _form(fields, _FORMS[1], now_epoch) or _structured(fields)
    return found or _form(fields, _FORMS[2], now_epoch) or _form(fields, _FORMS[3], now_epoch)


def _form(fields: dict[str, str], form: str, now_epoch: float) -> RateInfo | None:
    """Return what three separate fields tell; the limit may have its window with it, as in `10, 10;w=60`."""
    limit = fields.get(form.format("limit"), "")
    reset = reset_seconds(fields.get(form.format("reset"), ""), now_epoch)
    quota, window = _quota(limit) if form == "ratelimit-{}" else (None, None)
    if form == "ratelimit-{}" and window is None:
        window = _quota(fields.get("ratelimit-policy", ""))[1]
    first = quota if quota is not None else _count(limit.partition(",")[0].partition(";")[0])
    return _told(first, _count(fields.get(form.format("remaining"), "")), reset, window)


def _structured(fields: dict[str, str]) -> RateInfo | None:
    """Return what `RateLimit` and `RateLimit-Policy` tell."""
    line, policy = fields.get("ratelimit", ""), fields.get("ratelimit-policy", "")
    quota, window = _quota(policy)
    if _TELLS.match(line):
        told = dict(_PARAMETER.findall(f",{line}"))
        limit, reset = _count(told.get("limit", "")), number(told.get("reset", ""))
        return _told(quota if limit is None else limit, _count(told.get("remaining", "")), reset, window)
    members = [(_count(told.get("r", "")), number(told.get("t", ""))) for told in _members(line)]
    some = [(left, reset) for left, reset in members if left is not None]
    if len(some) > 1:  # which of the quotas it is stands in no one place
        quota, window = None, None
    left, reset = min(some, key=lambda each: (each[0], -(each[1] or 0.0)), default=(None, None))
    if "ratelimit-limit" in fields and left is None:
        return None
    return _told(quota, left, reset, window)


def _members(line: str) -> Iterator[dict[str, str]]:
    """Yield the parameters of each member of a list, `""` standing for the value itself."""
    for member in _MEMBER.findall(line):
        bare = re.sub(r'"[^"]*"', "", member)
        yield {"": bare.partition(";")[0].strip(), **dict(_PARAMETER.findall(bare))}


def _quota(line: str) -> tuple[int | None, float | None]:
    """Return the quota and the window of a policy that has one quota, such as `10;w=60` or `"default";q=10;w=60`."""
    found = {(_count(told.get("q", told[""])), number(told.get("w", ""))) for told in _members(line)}
    whole = [(quota, window) for quota, window in found if quota is not None and window]
    return whole[0] if len(whole) == 1 else (None, None)


def _told(limit: int | None, left: int | None, reset: float | None, window: float | None) -> RateInfo | None:
    """Return the record, or None where it would be empty; a limit of 0 is none."""
    info = RateInfo(limit or None, left, reset, window)
    return None if info == RateInfo() else info


def _count(text: str) -> int | None:
    text = text.strip()
    return count if _COUNT.fullmatch(text) and (count := int(text)) <= MOST else None
