"""Rate-limit headers: every form in the wild is read, and nothing that a server sends does harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.backends.wire.reading.rate_headers import MAX_REQUESTS, rate_info
from vidgen_nb.backends.wire.reading.retry_after import MAX_WAIT_SECONDS
from vidgen_nb.core.model import RateInfo

OPENAI = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
EPOCH = 1_700_000_000.0


def openai(*values: str) -> list[tuple[str, str]]:
    """Return OpenAI's headers."""
    return list(zip(OPENAI, values, strict=False))


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (openai("60", "59", "1s"), RateInfo(60, 59, 1.0)),
        (openai("2", "0", "6m0s"), RateInfo(2, 0, 360.0)),
        (openai("10", "0", "120ms"), RateInfo(10, 0, 0.12)),
        (openai("10"), RateInfo(10)),
        ([("X-RateLimit-Remaining-Requests", " 4 ")], RateInfo(None, 4)),
        ([("RateLimit", "limit=10, remaining=4, reset=30")], RateInfo(10, 4, 30.0)),
        ([("RateLimit", "limit=10,remaining=0,reset=7"), ("RateLimit-Policy", "10;w=60")], RateInfo(10, 0, 7.0, 60.0)),
        ([("RateLimit-Policy", "10;w=60")], RateInfo(10, None, None, 60.0)),
        ([("RateLimit-Policy", '"day";q=900;w=86400, "burst";q=10;w=60')], None),
        (
            [("RateLimit", '"default";r=3;t=20'), ("RateLimit-Policy", '"default";q=10;w=60')],
            RateInfo(10, 3, 20.0, 60.0),
        ),
        ([("RateLimit", '"a";r=9;t=1, "b";r=0;t=42')], RateInfo(None, 0, 42.0)),
        (
            [("RateLimit-Limit", "10, 10;w=60"), ("RateLimit-Remaining", "1"), ("RateLimit-Reset", "50")],
            RateInfo(10, 1, 50.0, 60.0),
        ),
        (
            [("X-RateLimit-Limit", "5"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000030")],
            RateInfo(5, 0, 30.0),
        ),
        (
            [
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:35Z"),
            ],
            RateInfo(50, 49, 15.0),
        ),
        ([*openai("60", "0", "1s"), ("RateLimit", "limit=10, remaining=4, reset=30")], RateInfo(60, 0, 1.0)),
        (openai("-1", "1.5", "soon"), None),
        (openai("0", "9" * 99, "-1s"), None),
        ([("x-ratelimit-limit-tokens", "90000"), ("Retry-After", "3")], None),
        ([], None),
    ],
)
def test_every_form_is_read(headers: list[tuple[str, str]], told: RateInfo | None) -> None:
    """OpenAI's, Anthropic's and the IETF drafts' fields; the first form that says anything counts, junk does not."""
    assert rate_info(headers, EPOCH) == told


PIECES = st.sampled_from([
    "limit=", "remaining", "reset=", ";w=", ";r=", ";t=", ";q=", '"x"', ",", "=", "1e999", "nan", "-1", "٣", "6m0s",
    "12ms", "inf", "10", "0", " ", "2024-01-01T00:00:00Z", "\x00",
])  # fmt: skip
HOSTILE = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join))
NAMES = st.sampled_from([
    *OPENAI, "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "ratelimit-remaining", "ratelimit-reset",
    "x-ratelimit-limit", "x-ratelimit-remaining", "X-RateLimit-Reset", "anthropic-ratelimit-requests-reset",
])  # fmt: skip


@given(st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=20)), HOSTILE), max_size=8), st.floats(0, 4e9))
def test_hostile_headers_do_no_harm(headers: list[tuple[str, str]], now_epoch: float) -> None:
    """For any headers: nothing raises, and every number is finite and not negative."""
    told = rate_info(headers, now_epoch)
    if told is None:
        return
    for count in (told.limit, told.remaining):
        assert count is None or (type(count) is int and 0 <= count <= MAX_REQUESTS)
    assert told.limit != 0
    for seconds in (told.reset, told.window):
        assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_WAIT_SECONDS)


@pytest.mark.parametrize("unit", ["a=", '"', "1,", "9", ";w=1", '"a";r=0,'])
def test_long_headers_take_no_time(unit: str) -> None:
    """A field of a megabyte is cut off before it is read."""
    rate_info([("RateLimit", unit * 1_000_000), ("RateLimit-Policy", unit * 1_000_000)], EPOCH)
