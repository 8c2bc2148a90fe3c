"""A provider's headers are true: that many submits are admitted at once, and the whole limit is back at the reset."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.provider.test_limits import GAPS, RATES, times
from vidgen_nb.core.model import RateInfo
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    FixedWindow,
    Limit,
    Provider,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.described import describe_profile, profile_from
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.provider.rate import rate_info


def room(state: LimitState, now: float) -> int:
    """Submit as many as are admitted at once, and return how many those were."""
    count = 0
    while state.admit(now) is None:
        count += 1
    return count


@settings(deadline=None)
@given(RATES, GAPS, st.booleans())
def test_remaining_and_reset_are_true(limit: Limit, gaps: list[float], wait: bool) -> None:
    """After any history, `remaining` submits are admitted now, and the whole limit at the reset, no earlier."""
    state, arrivals = limit.state(), times(gaps)
    for now in arrivals:
        state.admit(now)
    told = rate_info(state, arrivals[-1])
    assert told is not None and told.limit is not None and told.remaining is not None and told.reset is not None
    if wait:
        assert room(state, arrivals[-1] + told.reset) == told.limit
    else:
        assert room(state, arrivals[-1]) == told.remaining
        assert told.remaining == told.limit or told.reset > 0


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (TokenBucket(4, per=60), [RateInfo(4, 3, 15.0), RateInfo(4, 2, 30.0)]),
        (FixedWindow(4, per=60), [RateInfo(4, 3, 60.0), RateInfo(4, 2, 60.0)]),
        (SlidingWindow(1, per=60), [RateInfo(1, 0, 60.0), RateInfo(1, 0, 60.0)]),
        (TokenBucket(7, per=1), [RateInfo(7, 6, 0.143), RateInfo(7, 5, 0.286)]),
        (DailyQuota(4), [None, None]),
        (Concurrency(4), [None, None]),
        (TokenBucket(4, per=60) & Concurrency(2), [None, None]),
        (None, [None, None]),
    ],
)
def test_what_is_told_after_each_submit(limit: Limit | None, told: list[RateInfo | None]) -> None:
    """Only a single bucket or window has headers, in whole milliseconds, and only with the flag."""
    for flag in (True, False):
        provider = Provider([SimulatedProfile("p1", limit, Constant(1), rate_headers=flag)])
        found = []
        for scene in ("a", "b"):
            provider.submit("p1", scene, 0.0)
            found.append(provider.rate("p1", 0.0))
        assert found == (told if flag else [None, None])


def test_the_flag_is_written_down() -> None:
    """It is read from a run's header; in older headers without it, it is off."""
    profile = SimulatedProfile("p1", TokenBucket(4, per=60), Constant(1), rate_headers=True)
    data = describe_profile(profile)
    assert profile_from(data).rate_headers
    del data["rate_headers"]
    assert not profile_from(data).rate_headers
