"""How long a server asks to wait: every form seen in the wild, as pure functions.

Order: `retry-after-ms`, `Retry-After` (and what gateways call it, `llm_provider-retry-after`), Google's `RetryInfo`,
`retry_after` and its like in the body, the resets of exhausted limits in the headers, and last the sentences of
`body_waits.PROSE`: prose says how long, and only where nothing else does; never what an answer is (R13). A value that
makes no sense (negative, NaN, infinite, longer than a year, junk) is ignored, and the next form is tried. A date in the
past counts as 0. Of several valid values the largest counts: we never come back early.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from vidgen_nb.backends.wire.reading.body_waits import field_waits, prose_wait
from vidgen_nb.backends.wire.reading.error_body import read_error

__all__ = ["MAX_WAIT_SECONDS", "parse_http_date", "parse_milliseconds", "parse_reset", "parse_seconds", "retry_after"]

MAX_WAIT_SECONDS: Final = 366 * 86400.0
"""A longer wait is taken for a mistake, such as an epoch in place of a delay."""

_MAX_TEXT_CHARS: Final = 2000
_NUMBER: Final = re.compile(r"\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
_DURATION: Final = re.compile(
    r"(\d+(?:\.\d*)?|\.\d+)(hours?|hrs?|h|milliseconds?|ms|us|µs|μs|ns|minutes?|mins?|m|seconds?|secs?|s|days?|d)",
    re.ASCII,
)
_ISO_DURATION: Final = re.compile(
    r"p(?=[\dt])(?:(?P<w>[\d.]+)w)?(?:(?P<d>[\d.]+)d)?(?:t(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m)?(?:(?P<s>[\d.]+)s)?)?",
    re.ASCII,
)
_CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d+)?)", re.ASCII)
"""Such as 00:00:40, as .NET writes a TimeSpan."""
_UNITS: Final = {
    "w": 7 * 86400.0,
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
MAX_EPOCH_AGE: Final = 86400.0
"""A number that would be an epoch longer ago than this is none."""
_RETRY_AFTER: Final = re.compile(r"(?:[a-z_]+-)*retry-?(?:after|in)(?:-(?:seconds|secs|sec|s))?")
_RETRY_AFTER_MS: Final = re.compile(r"(?:[a-z_]+-)*retry-?(?:after|in)-(?:ms|millis|milliseconds)")
_RESET: Final = re.compile(r"(?:[a-z_]+-)*?rate-?limit-(?:reset(?:-.+)?|.+-reset)")
_NAMED: Final = re.compile(r"[;,\s]*([a-z]+)\s*=\s*([^;,\s]+)")
"""Of `limit=10, remaining=0, reset=40`, as in draft-ietf-httpapi-ratelimit-headers up to version 7."""
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

    def moment(text: str) -> float | None:
        return parse_reset(text, now_epoch)

    for waits in (
        _headers(fields, _RETRY_AFTER_MS, parse_milliseconds),
        _headers(fields, _RETRY_AFTER, moment),
        ((seconds, "RetryInfo") for seconds in _retry_info(body)),
        field_waits(body, moment, moment, parse_milliseconds),
        _exhausted_limits(fields, now_epoch),
    ):
        longest = max(waits, default=None, key=lambda found: found[0])
        if longest is not None:
            return longest
    said = prose_wait(read_error(body).message, moment)
    return (said, "its words") if said is not None else (None, "")


def parse_seconds(text: str) -> float | None:
    """Return a delay written as a decimal number; None unless it is between 0 and `MAX_WAIT_SECONDS`."""
    text = text.strip()
    if len(text) > _MAX_TEXT_CHARS or not _NUMBER.fullmatch(text):
        return None
    return _plausible(float(text))


def parse_milliseconds(text: str) -> float | None:
    """Return the seconds of a number of milliseconds (`retry-after-ms`, `openai-poll-after-ms`), or None.

    A unit beside the number counts.
    """
    text = text.strip()
    if len(text) > _MAX_TEXT_CHARS or not _NUMBER.fullmatch(text):
        return _parse_duration(text)
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


def _headers(
    fields: dict[str, list[str]], name: re.Pattern[str], read: Callable[[str], float | None]
) -> Iterator[tuple[float, str]]:
    """Yield (seconds, field) of the headers of this kind."""
    for field, lines in fields.items():
        if name.fullmatch(field):
            source = "Retry-After" if field == "retry-after" else field
            yield from ((seconds, source) for seconds in _parse_lines(lines, read))


def _retry_info(body: object) -> Iterator[float]:
    """Yield the delays of `google.rpc.RetryInfo`, durations such as `"34.4s"`."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        seconds = _parse_duration(delay) if isinstance(delay, str) else None
        if seconds is not None:
            yield seconds


def _parse_duration(text: str) -> float | None:
    """Return the seconds of a duration: `6s`, `6m0s`, `1h2m3.5s` as Go writes it, `1 minute 5 seconds`, or `PT1M5S`."""
    text = re.sub(r"\s+", "", text[: _MAX_TEXT_CHARS + 1]).lower()
    if clock := _CLOCK.fullmatch(text):
        return float(clock[1]) * 3600 + float(clock[2]) * 60 + float(clock[3])
    if iso := _ISO_DURATION.fullmatch(text):
        try:
            return _plausible(sum(float(amount) * _UNITS[unit] for unit, amount in iso.groupdict("0").items()))
        except ValueError:  # 1.2.3
            return None
    parts = _DURATION.findall(text) if len(text) <= _MAX_TEXT_CHARS else []
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        return None
    return _plausible(sum(float(amount) * _unit(unit) for amount, unit in parts))


def _unit(name: str) -> float:
    """Return the seconds of a unit, written out or not."""
    return _UNITS.get(name) or _UNITS["ms" if name.startswith("mil") else name[0]]


def parse_reset(text: str, now_epoch: float) -> float | None:
    """Return the seconds until a reset: a duration, a delay, an epoch in s or ms, RFC 3339, or an HTTP date.

    It may stand in quotes, and have parameters behind it (`40;w=60`), as structured fields have.
    """
    text = text.partition(";")[0].strip().strip('"').strip()
    if len(text) > _MAX_TEXT_CHARS:
        return None
    if _NUMBER.fullmatch(text):
        value = float(text)
        if value <= MAX_WAIT_SECONDS:
            return value
        # epochs are far above the maximum; those in milliseconds are far above those in seconds
        epoch = value / 1000 if value > 1e11 else value
        return _seconds_until(epoch, now_epoch) if epoch >= now_epoch - MAX_EPOCH_AGE else None
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
    for line in (
        *fields.get("ratelimit", ()),
        *fields.get("x-ratelimit", ()),
    ):  # draft-ietf-httpapi-ratelimit-headers: "default";r=0;t=42
        named = dict(_NAMED.findall(line[:_MAX_TEXT_CHARS].lower())) if '"' not in line else {}
        seconds = parse_reset(named.get("reset", ""), now_epoch)
        if seconds is not None and not parse_seconds(named.get("remaining", "0")):
            yield seconds, "RateLimit"
        for member in _LIST_MEMBER.findall(line[:_MAX_TEXT_CHARS]):
            parameters = dict(_PARAMETER.findall(re.sub(r'"[^"]*"', "", member)))
            seconds = parse_seconds(parameters.get("t", ""))
            if seconds is not None and not parse_seconds(parameters.get("r", "0")):
                yield seconds, "RateLimit"
