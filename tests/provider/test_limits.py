"""The limits admit what they promise: as properties over random clients, and at the edges of windows."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.errors import InputError
from vidgen_nb.provider import Concurrency, DailyQuota, FixedWindow, Limit, LimitState, SlidingWindow, TokenBucket
from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.provider.limits import DAY, All

# a busy machine is no failure
UNHURRIED = settings(deadline=None)
COUNTS = st.integers(1, 7)
PERIODS = st.floats(0.5, 100.0)
GAPS = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 60.0)), min_size=1, max_size=80)
RATES = st.one_of(
    st.builds(lambda n, per: TokenBucket(n, per=per), COUNTS, PERIODS),
    st.builds(lambda n, per: FixedWindow(n, per=per), COUNTS, PERIODS),
    st.builds(lambda n, per: SlidingWindow(n, per=per), COUNTS, PERIODS),
)


def times(gaps: list[float]) -> list[float]:
    """Return the arrival times of a client with these gaps between its requests."""
    return [math.fsum(gaps[: i + 1]) for i in range(len(gaps))]


def admitted(state: LimitState, arrivals: list[float]) -> list[float]:
    """Return the arrivals that were admitted."""
    return [now for now in arrivals if state.admit(now) is None]


def saturate(limit: Limit, requests: int) -> list[float]:
    """Return the admissions of a client that comes back exactly when it is told to."""
    state, now, found = limit.state(), 0.0, []
    for _ in range(requests):
        refusal = state.admit(now)
        if refusal is None:
            found.append(now)
        else:
            assert refusal.retry_after is not None
            now += refusal.retry_after
    return found


@UNHURRIED
@given(COUNTS, PERIODS, GAPS)
def test_sliding_window_never_admits_more_in_any_window(n: int, per: float, gaps: list[float]) -> None:
    """Any n + 1 admissions of a sliding window span at least its length."""
    found = admitted(SlidingWindow(n, per=per).state(), times(gaps))
    assert all(later - earlier >= per - EDGE for earlier, later in zip(found, found[n:], strict=False))


@UNHURRIED
@given(COUNTS, PERIODS, GAPS)
def test_fixed_window_admits_the_first_n_of_each_window(n: int, per: float, gaps: list[float]) -> None:
    """A fixed window admits exactly the first n requests of each aligned window."""
    arrivals = times(gaps)
    expected: list[float] = []
    for now in arrivals:
        index = (now + EDGE) // per
        if sum((t + EDGE) // per == index for t in expected) < n:
            expected.append(now)
    assert admitted(FixedWindow(n, per=per).state(), arrivals) == expected


@UNHURRIED
@given(COUNTS, PERIODS, GAPS)
def test_token_bucket_keeps_below_its_curve_from_every_start(n: int, per: float, gaps: list[float]) -> None:
    """Between any two moments a bucket admits at most n + dt·n/per."""
    found = admitted(TokenBucket(n, per=per).state(), times(gaps))
    for i, begin in enumerate(found):
        for j in range(i, len(found)):
            assert j - i + 1 <= n + (found[j] - begin + 2 * EDGE) * n / per + 1e-9


@UNHURRIED
@given(COUNTS, PERIODS)
def test_token_bucket_gives_a_busy_client_its_whole_curve(n: int, per: float) -> None:
    """A client that always comes back in time gets floor(n + t·n/per) admissions by t: k-th at (k-n)·per/n."""
    found = saturate(TokenBucket(n, per=per), 100)
    assert found == pytest.approx([max(0, k + 1 - n) * per / n for k in range(len(found))], abs=1e-6)


@UNHURRIED
@given(RATES, GAPS)
def test_retry_after_is_exact(limit: Limit, gaps: list[float]) -> None:
    """A refused request is refused just before its retry_after is over, and admitted at it, float rounding or not."""
    state = limit.state()
    for now in times(gaps):
        refusal = state.admit(now)
        if refusal is not None:
            assert refusal.cause == "rate"
            assert refusal.retry_after is not None
            reset = now + refusal.retry_after
            assert state.ready_at(reset - 10 * EDGE) > reset - 10 * EDGE
            assert state.ready_at(reset) == reset
            assert state.admit(reset) is None
            return


@UNHURRIED
@given(RATES, st.integers(1, 7))
def test_coming_back_in_time_never_fails_twice(limit: Limit, bursts: int) -> None:
    """A client that waits as told is refused at most once between two admissions, however long it runs."""
    state, now = limit.state(), 0.1 * bursts
    refused = 0
    for _ in range(100):
        refusal = state.admit(now)
        refused = 0 if refusal is None else refused + 1
        assert refused <= 1
        now += (refusal.retry_after or 0.0) if refusal else 0.0


@UNHURRIED
@given(RATES, RATES, COUNTS, GAPS)
def test_a_sum_admits_what_all_its_parts_admit(a: Limit, b: Limit, n: int, gaps: list[float]) -> None:
    """A combination admits iff each part, given the same admissions, would; a refusal uses up nothing in any part."""
    together = (a & b & DailyQuota(n * 5)).state()
    apart = [a.state(), b.state(), DailyQuota(n * 5).state()]
    for now in times(gaps):
        ready = [part.ready_at(now) for part in apart]
        assert together.ready_at(now) == max(ready)
        refusal = together.admit(now)
        assert (refusal is None) == all(at <= now for at in ready)
        if refusal is None:
            for part in apart:
                part.take(now)
        else:
            assert refusal.retry_after == pytest.approx(max(ready) - now)


@UNHURRIED
@given(COUNTS, st.lists(st.booleans(), max_size=60))
def test_concurrency_counts_what_is_under_way(n: int, steps: list[bool]) -> None:
    """A concurrency limit admits iff fewer than n admissions are unreleased, and can't say when that will be."""
    state, running = Concurrency(n).state(), 0
    for begin in steps:
        if begin:
            refusal = state.admit(0.0)
            assert (refusal is None) == (running < n)
            running += refusal is None
            if refusal is not None:
                assert (refusal.cause, refusal.retry_after) == ("concurrency", None)
        elif running:
            state.release()
            running -= 1


def test_daily_quota_opens_with_the_next_day() -> None:
    """A used-up daily quota is refused as such until the end of the day, counted from the run's start."""
    state = DailyQuota(1).state()
    assert state.admit(100.0) is None
    refusal = state.admit(200.0)
    assert refusal is not None
    assert (refusal.cause, refusal.retry_after) == ("day_quota", DAY - 200.0)
    assert state.admit(DAY) is None


def test_the_gravest_cause_is_named() -> None:
    """Of several refusing limits the daily quota is named first, then concurrency, whose end is unknown."""
    state = (TokenBucket(1, per=60) & Concurrency(1)).state()
    assert state.admit(0.0) is None
    refusal = state.admit(0.0)
    assert refusal is not None
    assert (refusal.cause, refusal.retry_after) == ("concurrency", None)

    state = (TokenBucket(1, per=60) & Concurrency(1) & DailyQuota(1)).state()
    assert state.admit(0.0) is None
    refusal = state.admit(0.0)
    assert refusal is not None
    assert (refusal.cause, refusal.retry_after) == ("day_quota", DAY)


def test_busy_bucket_does_not_drift_in_a_long_run() -> None:
    """After 100,000 waits of 0.1 s the bucket is still exactly on its curve."""
    found = saturate(TokenBucket(3, per=0.3), 200_002)
    assert found[-1] == pytest.approx((len(found) - 3) * 0.1, abs=1e-5)
    assert all(b > a for a, b in pairwise(found[2:]))


def test_sums_flatten_and_compare() -> None:
    """Sums of sums are one flat sum, equal to the same sum written otherwise."""
    a, b, c = TokenBucket(4, per=60), Concurrency(2), DailyQuota(9)
    assert (a & b) & c == a & (b & c) == All((a, b, c))


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_wrong_counts_are_refused(n: int) -> None:
    """A count must be a whole number from 1 up."""
    for make in (lambda: TokenBucket(n, per=1), lambda: Concurrency(n), lambda: DailyQuota(n)):
        with pytest.raises(InputError, match="n is a whole number from 1 up"):
            make()


@pytest.mark.parametrize("per", [0, -1, math.inf, math.nan, "60", None, True])
def test_wrong_periods_are_refused(per: float) -> None:
    """A period must be a finite number of seconds above 0."""
    for kind in (TokenBucket, FixedWindow, SlidingWindow):
        with pytest.raises(InputError, match="per is a finite number of seconds"):
            kind(1, per=per)


def test_sums_take_limits_only() -> None:
    """Adding something else to a limit is an error, and so is an empty sum."""
    with pytest.raises(TypeError):
        TokenBucket(1, per=1) & 3  # type: ignore[operator]
    with pytest.raises(InputError):
        All(())
