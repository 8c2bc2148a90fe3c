"""How long a server asks to wait: every form seen in the wild, as pure functions.

Order: `retry-after-ms`, `Retry-After`, Google's `RetryInfo`, `retry_after` in the body, the resets of exhausted limits
in the headers. A value that makes no sense (negative, NaN, infinite, longer than a year, junk) is ignored, and the next
form is tried. A date in the past counts as 0. Of several valid values the largest counts: we never come back early.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

__all__ = ["MAX_WAIT_SECONDS", "parse_http_date", "parse_milliseconds", "parse_reset", "parse_seconds", "retry_after"]

MAX_WAIT_SECONDS: Final = 366 * 86400.0
"""A longer wait is taken for a mistake, such as an epoch in place of a delay."""

_MAX_TEXT_CHARS: Final = 2000
_NUMBER: Final = re.compile(r"\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
_DURATION: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|μs|ns|m|s|d)", re.ASCII)
_UNITS: Final = {
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ns": 1e-9,
}
_RESET: Final = re.compile(r"(?:[a-z]+-)?ratelimit-(?:reset(?:-.+)?|.+-reset)")
_LIST_MEMBER: Final = re.compile(r'(?:"[^"]*"|[^,"])+')
_PARAMETER: Final = re.compile(r";\s*([a-z]+)\s*=\s*([^;\s]+)")


def retry_after(headers: Iterable[tuple[str, str]], body: object, now_epoch: float) -> tuple[float | None, str]:
    """Return the seconds that an answer asks to wait, and the field that says so; `(None, "")` if none does.

    `headers`: (name, value) pairs, names may repeat. `body`: the parsed JSON, or None. `now_epoch`: the time the
    answer's dates count from, in epoch seconds. Never raises; the seconds are finite and not negative.
    """
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    for source, waits in (
        ("retry-after-ms", _parse_lines(fields.get("retry-after-ms", ()), parse_milliseconds)),
        ("Retry-After", _parse_lines(fields.get("retry-after", ()), lambda text: _delay_or_date(text, now_epoch))),
        ("RetryInfo", _retry_info(body)),
        ("retry_after", _body_retry_after(body)),
    ):
        longest = max(waits, default=None)
        if longest is not None:
            return longest, source
    return max(_exhausted_limits(fields, now_epoch), default=(None, ""), key=lambda found: found[0] or 0.0)


def parse_seconds(text: str) -> float | None:
    """Return a delay written as a decimal number; None unless it is between 0 and `MAX_WAIT_SECONDS`."""
    text = text.strip()
    if len(text) > _MAX_TEXT_CHARS or not _NUMBER.fullmatch(text):
        return None
    return _plausible(float(text))


def parse_milliseconds(text: str) -> float | None:
    """Return the seconds of a number of milliseconds (`retry-after-ms`, `openai-poll-after-ms`), or None."""
    text = text.strip()
    if len(text) > _MAX_TEXT_CHARS or not _NUMBER.fullmatch(text):
        return None
    return _plausible(float(text) / 1000)


def parse_http_date(text: str) -> float | None:
    """Return the epoch seconds of an HTTP-date in any of the three forms of RFC 9110 §5.6.7, or None."""
    if not text.isascii() or len(text) > _MAX_TEXT_CHARS:
        return None
    try:
        return _to_epoch(parsedate_to_datetime(text.strip()))
    except (ValueError, TypeError, IndexError, OverflowError):  # what email.utils raises for junk
        return None


def _plausible(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_WAIT_SECONDS else None


def _to_epoch(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds_until(epoch: float, now_epoch: float) -> float | None:
    return _plausible(max(epoch - now_epoch, 0.0))


def _parse_lines(lines: Iterable[str], read: Callable[[str], float | None]) -> Iterator[float]:
    """Parse every line; one that a proxy joined from several (`30, 60`) also piece by piece."""
    for line in lines:
        whole = read(line)
        pieces = [whole] if whole is not None else map(read, line[:_MAX_TEXT_CHARS].split(","))
        yield from (seconds for seconds in pieces if seconds is not None)


def _delay_or_date(text: str, now_epoch: float) -> float | None:
    seconds = parse_seconds(text)
    if seconds is None and (moment := parse_http_date(text)) is not None:
        return _seconds_until(moment, now_epoch)
    return seconds


def _retry_info(body: object) -> Iterator[float]:
    """Yield the delays of `google.rpc.RetryInfo`, durations such as `"34.4s"`."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        seconds = _parse_duration(delay) if isinstance(delay, str) else None
        if seconds is not None:
            yield seconds


def _body_retry_after(body: object) -> Iterator[float]:
    """Yield `retry_after` of the body, or of its `error`: a number or numeric text, in seconds."""
    error = body.get("error") if isinstance(body, dict) else None
    for place in (body, error):
        value: Any = place.get("retry_after") if isinstance(place, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        seconds = parse_seconds(value) if isinstance(value, str) else None
        if seconds is not None:
            yield seconds


def _parse_duration(text: str) -> float | None:
    """Return the seconds of a duration as Go and OpenAI write it: `6s`, `12ms`, `6m0s`, `1h2m3.5s`."""
    text = text.strip()
    parts = _DURATION.findall(text) if len(text) <= _MAX_TEXT_CHARS else []
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        return None
    return _plausible(sum(float(amount) * _UNITS[unit] for amount, unit in parts))


def parse_reset(text: str, now_epoch: float) -> float | None:
    """Return the seconds until a reset: a duration, a delay, an epoch in s or ms, RFC 3339, or an HTTP date."""
    text = text.strip()
    if len(text) > _MAX_TEXT_CHARS:
        return None
    if _NUMBER.fullmatch(text):
        value = float(text)
        # epochs are far above the maximum; those in milliseconds are far above those in seconds
        return (
            value if value <= MAX_WAIT_SECONDS else _seconds_until(value / 1000 if value > 1e11 else value, now_epoch)
        )
    try:
        return _seconds_until(_to_epoch(datetime.fromisoformat(text)), now_epoch)
    except (ValueError, OverflowError):
        moment = parse_http_date(text)
        return _parse_duration(text) if moment is None else _seconds_until(moment, now_epoch)


def _exhausted_limits(fields: dict[str, list[str]], now_epoch: float) -> Iterator[tuple[float, str]]:
    """Yield (seconds, field) of every limit that is exhausted, or does not say what remains."""
    for name, lines in fields.items():
        if _RESET.fullmatch(name):
            left = max(_parse_lines(fields.get(name.replace("reset", "remaining"), ()), parse_seconds), default=0.0)
            if left == 0:
                yield from (
                    (seconds, name) for seconds in _parse_lines(lines, lambda text: parse_reset(text, now_epoch))
                )
    for line in fields.get("ratelimit", ()):  # draft-ietf-httpapi-ratelimit-headers: "default";r=0;t=42
        for member in _LIST_MEMBER.findall(line[:_MAX_TEXT_CHARS]):
            parameters = dict(_PARAMETER.findall(re.sub(r'"[^"]*"', "", member)))
            seconds = parse_seconds(parameters.get("t", ""))
            if seconds is not None and not parse_seconds(parameters.get("r", "0")):
                yield seconds, "RateLimit"
