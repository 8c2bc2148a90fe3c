"""Refusals that count: each kind of limit against a plain recomputation from all requests, and in closed form."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Fault,
    FixedWindow,
    Limit,
    LimitState,
    Provider,
    Refused,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.run import simulate

# a busy machine is no failure
UNHURRIED = settings(deadline=None)
COUNTS = st.integers(1, 5)
PERIODS = st.sampled_from([1.0, 7.5, 60.0])
# times on a grid of eighths: exact in binary, so that no recomputation differs by rounding
ARRIVALS = st.lists(st.integers(0, 80), min_size=1, max_size=60).map(
    lambda gaps: [sum(gaps[: k + 1]) / 8 for k in range(len(gaps))]
)
KINDS = st.sampled_from([TokenBucket, FixedWindow, SlidingWindow])


def answers(state: LimitState, arrivals: list[float]) -> list[bool]:
    """Return which arrivals are admitted."""
    return [state.admit(now) is None for now in arrivals]


def recomputed(kind: type[Limit], n: int, per: float, arrivals: list[float]) -> list[bool]:
    """Return which arrivals are admitted, from the definitions and all earlier requests."""
    found: list[bool] = []
    level, before = float(n), 0.0
    for place, now in enumerate(arrivals):
        earlier = arrivals[:place]
        if kind is FixedWindow:
            found.append(sum((at + EDGE) // per == (now + EDGE) // per for at in earlier) < n)
        elif kind is SlidingWindow:
            found.append(sum(at + per > now + EDGE for at in earlier) < n)
        else:
            level, before = min(n, level + (now - before) * n / per), now
            found.append(level >= 1 - 2e-6 * n / per)
            level = level - 1 if found[-1] else max(-n, level - 1)
    return found


@UNHURRIED
@given(KINDS, COUNTS, PERIODS, ARRIVALS)
def test_every_request_counts(kind: type[Limit], n: int, per: float, arrivals: list[float]) -> None:
    """A limit that counts refusals admits what its definition says, given all requests, refused ones too."""
    limit = kind(n, per=per, count_refusals=True)  # type: ignore[call-arg]
    assert answers(limit.state(), arrivals) == recomputed(kind, n, per, arrivals)


@UNHURRIED
@given(KINDS, KINDS, COUNTS, COUNTS, PERIODS, ARRIVALS)
def test_retry_after_is_true(
    kind: type[Limit], other: type[Limit], n: int, m: int, per: float, arrivals: list[float]
) -> None:
    """If nobody else comes, a refused request is refused just before its Retry-After is over, and admitted at it."""
    limit = kind(n, per=per, count_refusals=True) & other(m, per=10.0, count_refusals=True)  # type: ignore[call-arg]
    state = limit.state()
    for now in arrivals:
        refusal = state.admit(now)
        if refusal is not None:
            assert refusal.retry_after is not None
            reset = now + refusal.retry_after
            assert copy.deepcopy(state).admit(max(now, reset - 1e-3)) is not None
            assert copy.deepcopy(state).admit(reset) is None


@pytest.mark.parametrize("kind", [TokenBucket, SlidingWindow])
def test_who_hammers_stays_out(kind: type[Limit]) -> None:
    """Twice the limit's rate: admitted until the limit is used up once, and never again; half of it if free."""
    for count_refusals in (True, False):
        state = kind(4, per=60.0, count_refusals=count_refusals).state()  # type: ignore[call-arg]
        admitted = [7.5 * k for k in range(8000) if state.admit(7.5 * k) is None]
        if count_refusals:
            # a bucket of 4 that gains half a token before each request lasts for 7; a window for 4
            assert len(admitted) == (7 if kind is TokenBucket else 4)
        else:
            assert len(admitted) == pytest.approx(4000, abs=5)


@pytest.mark.parametrize(("kind", "share"), [(TokenBucket, 0.5), (SlidingWindow, 1.0), (FixedWindow, 1.0)])
def test_one_refusal_for_each_reset(kind: type[Limit], share: float) -> None:
    """The admission curve of a client that comes back as told: a bucket gives half, for each refusal takes a token."""
    state, now, admitted = kind(3, per=30.0, count_refusals=True).state(), 0.0, 0  # type: ignore[call-arg]
    while now < 30_000:
        refusal = state.admit(now)
        admitted += refusal is None
        now += (refusal.retry_after or 0.0) if refusal else 0.0
    assert admitted == pytest.approx(3 + share * 3000, abs=3)


def test_a_storm_is_forgotten_after_one_period() -> None:
    """However many requests were refused, a bucket is empty again one `per` later, and full after two."""
    state = TokenBucket(4, per=60, count_refusals=True).state()
    for _ in range(10_000):
        state.admit(0.0)
    assert state.ready_at(0.0) == pytest.approx(75.0)
    assert answers(state, [120.0] * 5) == [True, True, True, True, False]


def test_a_refusal_by_one_part_uses_up_the_others_that_count() -> None:
    """Refused for too many jobs at once: a limit that counts refusals has one less, another has not."""
    counting = Concurrency(1) & FixedWindow(3, per=60, count_refusals=True)
    free = Concurrency(1) & FixedWindow(3, per=60)
    for limit, left in ((counting, "rate"), (free, None)):
        provider = Provider([SimulatedProfile("p1", limit, Constant(10))])
        provider.submit("p1", "s1", 0.0)
        assert [provider.submit("p1", "s2", 1.0), provider.submit("p1", "s3", 2.0)] == [Refused("concurrency")] * 2
        answer = provider.submit("p1", "s4", 11.0)
        assert (answer.cause if isinstance(answer, Refused) else None) == left


def test_other_refusals_count_as_well() -> None:
    """A submit that a fault refuses uses up a limit that counts refusals."""
    for count_refusals, wait in ((True, 59.0), (False, None)):
        limit = FixedWindow(1, per=60, count_refusals=count_refusals)
        provider = Provider([SimulatedProfile("p1", limit)], faults=[Fault("overload", nth=1)])
        assert provider.submit("p1", "s1", 0.0) == Refused("overload")
        answer = provider.submit("p1", "s1", 1.0)
        assert (answer.retry_after if isinstance(answer, Refused) else None) == wait


def test_too_short_a_cooldown_costs_more_than_time() -> None:
    """With refusals that count, retrying every second keeps a window shut; waiting as told does not."""
    spans = {}
    for count_refusals in (True, False):
        profile = SimulatedProfile("p1", SlidingWindow(4, per=60, count_refusals=count_refusals), Constant(1))
        for policy in ("PerProfileCooldown", "Paced"):
            run = simulate(40, [profile], mode="boost", policy=policy, seed=1)
            assert run.metrics().scenes == {"succeeded": 40}
            assert run.what_if().events == run.events
            spans[policy, count_refusals] = run.metrics().makespan or math.nan
            bound = run.metrics().lower_bound
            assert bound is not None
            assert bound <= spans[policy, count_refusals] + 1e-6
    assert spans["PerProfileCooldown", True] > spans["PerProfileCooldown", False]


def test_over_wait_knows_that_refusals_count() -> None:
    """A cooldown as long as the server asks ends exactly at the true reset, also where refusals move that."""
    for limit in (TokenBucket(3, per=30, count_refusals=True), SlidingWindow(3, per=30, count_refusals=True)):
        told = SimulatedProfile("p1", limit, Constant(1))
        run = simulate(20, [told], mode="boost", policy=PerProfileCooldown(honour_retry_after=True))
        over = run.metrics().over_wait
        assert over is not None
        assert list(over.values.values()) == pytest.approx([0.0] * len(run.cooldowns), abs=1e-6)
        assert run.metrics().early_wakes == 0


def test_how_it_is_written() -> None:
    """The repr shows the option only where it is used; a wrong value is an error."""
    assert repr(TokenBucket(4, per=60)) == "TokenBucket(n=4, per=60)"
    assert repr(FixedWindow(4, per=60, count_refusals=True)) == "FixedWindow(n=4, per=60, count_refusals=True)"
    with pytest.raises(InputError, match="count_refusals is True or False, not 'no'"):
        SlidingWindow(4, per=60, count_refusals="no")  # type: ignore[arg-type]
