"""Every form in which a server says how long to wait, and the forms that make no sense."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.backends.openai.errors import classify
from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.body_waits import PROSE
from vidgen_nb.backends.wire.reading.retry_after import (
    MAX_WAIT_SECONDS,
    parse_http_date,
    parse_milliseconds,
    parse_seconds,
    retry_after,
)
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.ports import Secret

NOW = 1_790_000_000.0
NAMES = [
    "Retry-After", "retry-after-ms", "RateLimit", "x-ratelimit-reset-requests", "x-ratelimit-remaining-requests",
    "ratelimit-reset", "anthropic-ratelimit-tokens-reset", "x-rate-limit-reset", "llm_provider-retry-after",
]  # fmt: skip


def date(seconds: float) -> str:
    """Return the HTTP-date this many seconds from NOW."""
    return format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30), ("1.5", 1.5), (" 2 ", 2), ("+3", 3), (".5", 0.5), ("5.", 5), ("1e1", 10), ("0", 0), ("-1", None),
        ("", None),
        ("nan", None), ("inf", None), ("1e400", None), ("9" * 400, None), ("9" * 5000, None), ("soon", None),
        ("٣٠", None), ("3_0", None), ("0x10", None), ("1e9", None), ("30, 60", 60), ("-5, 7", 7), (",", None),
        (date(90), 90), (date(-90), 0), ("Sunday, 06-Nov-94 08:49:37 GMT", 0), ("Sun Nov  6 08:49:37 1994", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None), ("Wed, 99 Foo 2026 99:99:99 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_header(value: str, seconds: float | None) -> None:
    """Seconds, decimals and dates count; a past date is 0; what makes no sense is as if it weren't there."""
    expected = (None, "") if seconds is None else (seconds, "Retry-After")
    assert retry_after([("Retry-After", value)], None, NOW) == expected


def test_the_larger_of_two_headers_counts() -> None:
    """Of two Retry-After fields the later time is taken: nobody comes back early."""
    assert retry_after([("retry-after", "5"), ("Retry-After", date(60)), ("retry-after", "x")], None, NOW)[0] == 60


def test_precedence() -> None:
    """Milliseconds go before seconds, headers before the body, the body before resets."""
    body = {"retry_after": 4, "error": {"details": [{"@type": "…RetryInfo", "retryDelay": "3s"}]}}
    headers = [("retry-after-ms", "1500"), ("Retry-After", "2"), ("x-ratelimit-reset-requests", "5s")]
    assert retry_after(headers, body, NOW) == (1.5, "retry-after-ms")
    assert retry_after(headers[1:], body, NOW) == (2, "Retry-After")
    assert retry_after(headers[2:], body, NOW) == (3, "RetryInfo")
    assert retry_after(headers[2:], {"retry_after": 4}, NOW) == (4, "retry_after")
    assert retry_after(headers[2:], {}, NOW) == (5, "x-ratelimit-reset-requests")
    assert retry_after([("retry-after-ms", "-1"), ("Retry-After", "2")], None, NOW) == (2, "Retry-After")


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"retryDelay": "34.4s"}, {"quotaId": "PerDay"}, {"retryDelay": "36000s"}]}}, 36000),
        ({"error": {"details": [{"retryDelay": "-1s"}, {"retryDelay": 5}, 7, {"retryDelay": "1"}]}}, 5),
        ({"error": {"details": "no"}}, None),
        ({"retry_after": 30}, 30), ({"retry_after": "30.5"}, 30.5), ({"error": {"retry_after": 7}}, 7),
        ({"retry_after": True}, None), ({"retry_after": math.nan}, None), ({"retry_after": 10**400}, None),
        ({"retry_after": [1]}, None), ([1], None), ("x", None), (None, None),
    ],
)  # fmt: skip
def test_delays_in_the_body(body: object, seconds: float | None) -> None:
    """Google's RetryInfo and a plain `retry_after` are read; anything else in their place is not."""
    assert retry_after([], body, NOW)[0] == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("6s", 6), ("12ms", 0.012), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("42", 42), (str(NOW + 20), 20),
        ("1m, 2m", 120),
        (str((NOW + 20) * 1000), 20), (str(NOW - 20), 0), ("2026-09-21T14:13:50Z", 30), (date(8), 8), ("6x", None),
        ("s", None), ("-6s", None), ("1e400", None), ("99999999h", None), ("", None),
    ],
)  # fmt: skip
def test_reset_headers(value: str, seconds: float | None) -> None:
    """Resets come as durations, delays, epochs in seconds or milliseconds, RFC 3339 and human dates."""
    assert retry_after([("x-ratelimit-reset-requests", value)], None, NOW)[0] == pytest.approx(seconds)


def test_only_exhausted_limits_count() -> None:
    """The reset of a limit with something left is ignored; of the exhausted ones the latest counts."""
    headers = [
        ("x-ratelimit-remaining-tokens", "10"), ("x-ratelimit-reset-tokens", "1h"),
        ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6s"),
        ("anthropic-ratelimit-input-remaining", "0"), ("anthropic-ratelimit-input-reset", "7s"),
    ]  # fmt: skip
    assert retry_after(headers, None, NOW) == (7, "anthropic-ratelimit-input-reset")
    assert retry_after(headers[:2], None, NOW) == (None, "")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ('"default";r=0;t=42', 42), ('"day";r=5;t=9000, "a;t=1,b";r=0; t=3', 3), ('"x";r=0', None),
        ('"x";r=0;t=-4', None),
        ("junk", None), ('"', None), ('"x";t=9', 9),
    ],
)  # fmt: skip
def test_ietf_ratelimit(value: str, seconds: float | None) -> None:
    """`t` of the IETF field counts where `r` is 0."""
    assert retry_after([("RateLimit", value)], None, NOW)[0] == seconds


values = (
    st.text()
    | st.binary().map(lambda data: data.decode("latin-1"))
    | st.floats().map(str)
    | st.integers().map(str)
    | st.from_regex(r"[0-9dhmsnu.eE+\-:TZ;=rt, \"]*", fullmatch=True)
    | st.datetimes().map(lambda moment: format_datetime(moment.replace(tzinfo=UTC), usegmt=True))
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "details", "detail", "message", "retryDelay", "retry_after", "retryAfterMs", "reset_at", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Retry-After", "40s"), ("Retry-After", "40 seconds"), ("Retry-After", "40000ms"),
        ("Retry-After", str(int(NOW + 40))), ("Retry-After", str(int(NOW + 40) * 1000)),
        ("Retry-After", "2026-09-21T14:14:00Z"), ("llm_provider-retry-after", "40"), ("x-retry-after-ms", "40000"),
        ("X-Rate-Limit-Retry-After-Seconds", "40"), ("X-Rate-Limit-Reset", str(int(NOW + 40))),
        ("llm_provider-x-ratelimit-reset-requests", "40s"), ("RateLimit", "limit=10, remaining=0, reset=40"),
    ],
)  # fmt: skip
def test_more_forms_of_headers(header: str, value: str) -> None:
    """Units, epochs in seconds and milliseconds, RFC 3339, and the names that gateways give the upstream's header."""
    assert retry_after([(header, value)], None, NOW)[0] == pytest.approx(40)


@pytest.mark.parametrize(
    "body",
    [
        {"retryAfter": 40}, {"error": {"retry_after_seconds": 40}}, {"error": {"retry_after": "40s"}},
        {"error": {"retry_after_ms": 40_000}}, {"detail": {"retryAfterMs": "40000"}}, {"resets_in_seconds": 40},
        {"error": {"details": [{"metadata": {"quotaResetDelay": "40s"}}]}}, {"error": {"resets_at": NOW + 40}},
        {"error": {"metadata": {"headers": {"X-RateLimit-Reset": f"{(NOW + 40) * 1000:.0f}"}}}},
        {"detail": "Request was throttled. Your rate limit resets in ~40s."},
        {"detail": "Request was throttled. Expected available in 40 seconds."},
        {"error": {"message": "Rate limit reached. Please try again in 40s. Visit example.com."}},
        {"error": {"message": "Please retry after 40 seconds."}}, {"error": {"message": "Please retry in 40.0s."}},
    ],
)  # fmt: skip
def test_more_forms_of_bodies(body: object) -> None:
    """Fields under all their names, and last the sentences that providers document."""
    assert retry_after([], body, NOW)[0] == pytest.approx(40)


@pytest.mark.parametrize(("whose", "sentence", "seconds"), [row[1:] for row in PROSE])
def test_sentences_whose_source_is_known(whose: str, sentence: str, seconds: float) -> None:
    """Each says how long, also nested behind a gateway's own words; none decides what the answer is."""
    nested = f"OpenAIException - {json.dumps({'error': {'message': sentence}})}"
    for body in ({"detail": sentence}, {"error": {"message": sentence}}, {"error": {"message": nested}}):
        wait, source = retry_after([], body, NOW)
        assert wait == pytest.approx(seconds), whose
        assert source == "its words"
    refusal = classify(Answer(400, [], {"detail": sentence}), "submit", key=Secret("sk-alice"), now_epoch=0)
    assert not isinstance(refusal, RateLimited)


def test_prose_is_the_last_that_is_asked() -> None:
    """Words count only where no field says how long; a prompt that is echoed as a parameter is none."""
    body = {"retry_after": 3, "detail": "Your rate limit resets in ~40s."}
    assert retry_after([], body, NOW) == (3, "retry_after")
    assert retry_after([], {"input": {"retry_after": 3}}, NOW) == (None, "")
    assert retry_after([], {"detail": "a film in 40 seconds"}, NOW) == (None, "")


@given(st.integers(0, 10**6), st.sampled_from(["{}s", "{} s", "{} seconds", "{}sec", "{}000ms"]))
def test_durations_are_read_back(seconds: int, form: str) -> None:
    """A number of seconds is the same wait in each of its spellings, in a header and in a body."""
    text = form.format(seconds)
    assert retry_after([("Retry-After", text)], None, NOW)[0] == pytest.approx(seconds)
    assert retry_after([], {"retry_after": text}, NOW)[0] == pytest.approx(seconds)


@given(st.integers(0, 10**7), st.sampled_from([1, 1000]))
def test_epochs_are_read_back(seconds: int, unit: int) -> None:
    """An epoch is the seconds until then, in seconds and milliseconds; one long ago is none."""
    assert retry_after([("Retry-After", str(int(NOW + seconds) * unit))], None, NOW)[0] == seconds
    assert retry_after([("Retry-After", str(int(NOW - 10**6) * unit))], None, NOW)[0] is None


@given(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4), json_values, st.floats(0, 1e10))
def test_never_raises_and_stays_sane(headers: list[tuple[str, str]], body: object, now: float) -> None:
    """For anything a server sends, the wait is None or between 0 and a year, and its source is named."""
    seconds, source = retry_after(headers, body, now)
    assert (seconds is None) == (source == "")
    assert seconds is None or 0 <= seconds <= MAX_WAIT_SECONDS


@given(st.floats(0, MAX_WAIT_SECONDS))
def test_numbers_are_read_back(seconds: float) -> None:
    """Every delay that can be written as a number is read as that number, in seconds and milliseconds."""
    assert parse_seconds(repr(seconds)) == seconds
    assert parse_milliseconds(repr(seconds)) == pytest.approx(seconds / 1000)


@given(st.integers(0, 4_000_000_000))
def test_http_dates_are_read_back(epoch: int) -> None:
    """Every HTTP-date is read as its epoch seconds."""
    assert parse_http_date(format_datetime(datetime.fromtimestamp(epoch, UTC), usegmt=True)) == epoch
