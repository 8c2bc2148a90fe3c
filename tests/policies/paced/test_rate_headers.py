"""Paced by rate-limit headers: it is never refused if answers say what is left; lies and silence do no harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.policies import Against, play, scenarios
from tests.provider.test_limits import GAPS, RATES
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.policies.paced.rate_headers import MAX_TOLD_WAIT_SECONDS, HeaderLearner, HeaderMeter
from vidgen_nb.provider import Constant, FixedWindow, Limit, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.provider.rate import rate_info
from vidgen_nb.run import Run, simulate


@settings(deadline=None)
@given(RATES, GAPS)
def test_the_next_place_is_known_to_the_millisecond(limit: Limit, gaps: list[float]) -> None:
    """Whatever was admitted or refused before, the predicted time is the one at which the next submit is admitted."""
    state, meter, now = limit.state(), HeaderMeter(), 0.0
    for gap in gaps:
        now += gap
        accepted = state.admit(now) is None
        told = rate_info(state, now)
        assert told is not None
        meter.update(told, told.remaining or 0, told.reset or 0.0, now, accepted=accepted)
        assert state.ready_at(now) - 1e-6 <= meter.next(now, 0) <= state.ready_at(now) + 2e-3


def test_submits_without_an_answer_hold_a_place() -> None:
    """As many submits leave as the limit has left; the next one waits for an answer or a free place."""
    meter = HeaderMeter()
    meter.update(RateInfo(3, 2, 60.0), 2, 60.0, 0.0, accepted=True)
    assert [meter.next(1.0, unanswered) for unanswered in range(4)] == [1.0, 1.0, 60.0, math.inf]
    assert meter.next(61.0, 2) == 61.0


def test_what_others_use_up_is_waited_for() -> None:
    """Places that nobody here holds are free at the latest reset; the first submit then goes alone."""
    meter = HeaderMeter()
    meter.update(RateInfo(5, 0, 40.0), 0, 40.0, 10.0, accepted=False)
    assert meter.next(20.0, 0) == 50.0
    assert meter.next(20.0, 1) == math.inf
    meter.update(RateInfo(5, 4, 60.0), 4, 60.0, 51.0, accepted=True)
    assert meter.next(51.0, 3) == 51.0


def run(limit: Limit, policy: Paced, *, latency: float = 0.0) -> Run:
    """Run 60 scenes on one profile that tells its limit only in headers."""
    profile = SimulatedProfile("p1", limit, Constant(5), retry_after=False, rate_headers=True)
    return simulate(60, [profile], mode="boost", policy=policy, latency=latency)


def refused(found: Run) -> int:
    """Return how many attempts were refused."""
    return sum(isinstance(event, ev.CallFailed) for event in found.events)


@pytest.mark.parametrize("latency", [0.0, 0.5])
@pytest.mark.parametrize(
    "limit",
    [TokenBucket(4, per=60), TokenBucket(1, per=7), FixedWindow(5, per=60), SlidingWindow(3, per=25)],
    ids=repr,
)
def test_with_headers_it_is_never_refused(limit: Limit, latency: float) -> None:
    """And not slower than with the given limits, except for a call's latency now and then."""
    found, told = (run(limit, policy, latency=latency) for policy in (Paced(), Paced({"p1": limit})))
    assert refused(found) == 0
    assert (found.metrics().makespan or 0) <= (told.metrics().makespan or 0) * (1.1 if latency else 1.001)


def test_two_profiles_of_a_group_share_what_is_told() -> None:
    """The limit is the group's, whichever profile's answer has the headers."""
    limit = FixedWindow(5, per=30)
    profiles = [SimulatedProfile(name, limit, Constant(9), quota_group="team", rate_headers=True) for name in "ab"]
    shared = simulate(30, profiles, mode="boost", policy=Paced())
    assert refused(shared) == 0
    assert {attempt.profile for attempt in shared.attempts} == {"a", "b"}


def test_headers_on_a_few_scenarios() -> None:
    """Of 10 seeded ones: fewer refused than without headers, and in the median at most 1.05 of the truth's time."""
    given = scenarios(10, first=20)
    told = [play(each, each.truth, retry_after=True).makespan for each in given]
    for retry_after in (True, False):
        without, found = (
            Against((play(each, Paced(), retry_after=retry_after, rate_headers=flag) for each in given), told)
            for flag in (False, True)
        )
        assert found.rejected < 0.005 < without.rejected, (found, without)
        assert found.median <= 1.05, found


# -- headers may be wrong


def keeper(*answers: tuple[float, RateInfo | None]) -> HeaderLearner:
    """Return a learner after these answers: a time, and the headers."""
    risk = Prospects()
    risk.scenes = 1000  # room for a few refusals
    learner = HeaderLearner(risk)
    for at, rate in answers:
        learner.sent(at)
        learner.accepted(at, at, rate)
    return learner


def test_headers_that_stop_are_not_waited_for() -> None:
    """After an accepted submit without headers it learns as usual."""
    assert keeper((0.0, RateInfo(1, 0, 50.0))).earliest(1.0) == 50.0
    assert keeper((0.0, RateInfo(1, 0, 50.0)), (2.0, None)).earliest(3.0) == 3.0


def test_headers_that_lie_are_given_up() -> None:
    """Refused again and again although something should be left, it ignores headers from then on."""
    full = RateInfo(60, 50, 1.0)
    learner = keeper((0.0, full))
    for at in range(1, 6):
        learner.sent(at)
        learner.refused(at, at, RateLimited(30.0, "Retry-After", rate=full))
    assert learner.meter is None
    learner.sent(40.0)
    learner.accepted(40.0, 40.0, full)
    assert learner.meter is None
    assert learner.earliest(40.0) > 40.0


def test_a_reset_far_away_does_not_park_the_run() -> None:
    """Then a submit is tried, so that its 429 tells, and is seen."""
    assert keeper((0.0, RateInfo(1, 0, MAX_TOLD_WAIT_SECONDS - 1))).earliest(1.0) == MAX_TOLD_WAIT_SECONDS - 1
    assert keeper((0.0, RateInfo(1, 0, 86_400.0))).earliest(1.0) == 1.0


def test_a_limit_and_its_window_are_enough() -> None:
    """Where only the policy is told, it is taken for a window."""
    policy = RateInfo(2, None, None, 60.0)
    assert keeper((0.0, policy)).earliest(5.0) == 5.0
    assert keeper((0.0, policy), (5.0, policy)).earliest(6.0) == 60.0


NUMBERS = st.one_of(st.none(), st.integers(0, 10**9))
SECONDS = st.one_of(st.none(), st.floats(0, 3e7))


@given(st.lists(st.tuples(st.booleans(), NUMBERS, NUMBERS, SECONDS, SECONDS, st.floats(0, 100)), max_size=30))
def test_nothing_that_is_told_stops_it(
    answers: list[tuple[bool, int | None, int | None, float | None, float | None, float]],
) -> None:
    """Whatever the headers say: with all submits answered, there is always a time for the next one."""
    learner, now = HeaderLearner(Prospects()), 0.0
    for accepted, limit, remaining, reset, window, gap in answers:
        now = max(now + gap, learner.earliest(now))
        assert now < math.inf
        learner.sent(now)
        rate = RateInfo(limit or None, remaining, reset, window)
        if accepted:
            learner.accepted(now, now, rate)
        else:
            learner.refused(now, now, RateLimited(reset, rate=rate))
    assert learner.earliest(now) < math.inf
