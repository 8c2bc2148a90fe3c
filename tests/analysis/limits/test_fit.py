"""Where an estimate's assumption fails, it says so: no narrow interval around a wrong rate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.analysis.limits.shared_accounts import KINDS, Case
from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_group
from vidgen_nb.analysis.limits.submit_history import RefusedSubmit, SubmitHistory, submit_history
from vidgen_nb.core.model import Mode
from vidgen_nb.provider import Concurrency, Constant, FixedWindow, SimulatedProfile, TokenBucket
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.run import Run, simulate


def given(make: Callable[[Case], Run], seeds: range) -> tuple[int, list[tuple[Case, LimitEstimate]]]:
    """Return how many of these runs met 429s, and the estimates that were given."""
    met, found = 0, []
    for seed in seeds:
        case = Case(seed)
        estimate = make(case).estimate_limits()["p"]
        met += estimate.refused > 0
        assert (estimate.rate is None) == bool(estimate.reason)
        if estimate.rate is not None:
            found.append((case, estimate))
    return met, found


def true(case: Case, estimate: LimitEstimate, *rates: float) -> bool:
    """Say whether a rate of the case, or one of those, lies in the estimate."""
    assert estimate.rate is not None
    return any(rate in estimate.rate for rate in (case.n / case.per, *rates))


def test_where_the_assumption_holds() -> None:
    """Most runs that met their limit get an estimate, and the truth is in all of them."""
    met, found = given(Case.alone, range(40))
    assert len(found) >= 0.6 * met
    assert all(true(*each) for each in found)


@pytest.mark.long
def test_where_the_assumption_holds_in_400_cases() -> None:
    """The same, many times."""
    met, found = given(Case.alone, range(1000, 1400))
    assert len(found) >= 0.6 * met
    assert all(true(*each) for each in found)


@pytest.mark.parametrize("profiles", ["pq", pytest.param("pqr", marks=pytest.mark.long)])
def test_profiles_that_share_an_account(profiles: str) -> None:
    """It finds the one limit that they share, or says that it can't tell; never a part of it as the limit of each."""
    met, found = given(lambda case: case.on_one_account(profiles), range(30))
    assert met == 30 and len(found) >= 12
    assert all(true(*each) for each in found)
    assert all(each.profiles == tuple(profiles) for _, each in found)


def test_either_one_limit_or_two() -> None:
    """Two equal windows used in turn are one window of twice the size: it names both readings and what would decide."""
    profiles = [SimulatedProfile(name, FixedWindow(4, per=60), Constant(5), capacity=4) for name in ("a", "b")]
    found = simulate(60, profiles, mode="boost").estimate_limits()["a"]
    assert found.rate is None and found.candidates
    assert "4 per 60" in found.reason and "8 per 60" in found.reason and "quota_group" in found.reason


def test_two_limits_at_once() -> None:
    """A limit a minute and one an hour: where an interval is given, one of them lies in it."""
    _, found = given(Case.two_limits, range(50))
    assert all(true(case, each, case.n / case.per / 2, case.n / case.per / 1.5) for case, each in found)


def test_which_two_limits() -> None:
    """Where no single limit explains the 429s and two do, it names both; the smaller n are right."""
    named = right = 0
    for seed in range(60):
        case = Case(seed)
        said = re.search(r"two at once do, a .*? of (\d+) per .* and a .*? of (\d+) per", _reason(case.two_limits()))
        if said:
            named += 1
            right += int(said[1]) == case.n and int(said[2]) in (4 * case.n, 10 * case.n)
    assert named >= 15 and right >= 0.8 * named
    assert not any("two at once" in _reason(Case(seed).at_random()) for seed in range(30))


def _reason(run: Run) -> str:
    return run.estimate_limits()["p"].reason


def test_429s_at_random() -> None:
    """No limit explains them, and none is named."""
    met, told = given(Case.at_random, range(40))
    assert met >= 30 and not told
    found = Case(4).at_random().estimate_limits()["p"]
    assert re.search(rf"{found.refused} 429s fit", found.reason) and "at random" in found.reason, found.reason


def test_jobs_at_once_are_no_rate() -> None:
    """429s that don't say that too many jobs ran are recognised by the number of jobs."""
    met, found = given(Case.jobs_at_once, range(40))
    assert met >= 30 and not found
    case = Case(1)
    assert f"a limit of {case.n} jobs at once does: it is no rate" in case.jobs_at_once().estimate_limits()["p"].reason


def answered(state: LimitState, moments: list[float], *, counting: bool = False, told: bool = False) -> SubmitHistory:
    """Return how a limit answers submits at these moments; `counting`: it counts those that it refuses."""
    found = SubmitHistory("p", profiles=["p"])
    for at in moments:
        if (ready := state.ready_at(at)) <= at:
            state.take(at)
            found.accepted.append((at, at))
        else:
            if counting:
                state.take(at)
            accepted = len(found.accepted)
            found.refused.append(RefusedSubmit((at, at), ready - at if told else None, accepted, accepted))
    return found


def test_refusals_that_count() -> None:
    """A client that doesn't wait is kept out: that isn't a slower limit, and it says what explains the answers."""
    moments = [60.0 * k + 7 * j for k in range(30) for j in range(1 + k % 5)]
    found = estimate_group(answered(TokenBucket(2, per=40).state(), moments, counting=True))
    assert found.rate is None
    assert "token bucket, 2 per 39" in found.reason and "if refused submits count" in found.reason
    free = estimate_group(answered(TokenBucket(2, per=40).state(), moments))
    assert free.rate is not None and 2 / 40 in free.rate


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_changed(kind: type[TokenBucket]) -> None:
    """Half the rate from the middle on: it says about when, and both rates."""
    first = [3.0 * k for k in range(240)]
    early, late = (answered(kind(n, per=60).state(), first) for n in (8, 3))
    both = SubmitHistory("p", profiles=["p"], accepted=early.accepted + [(a + 720, a + 720) for a, _ in late.accepted])
    before = len(early.accepted)
    both.refused = early.refused + [
        replace(each, between=(each.between[0] + 720,) * 2, sure=each.sure + before, possible=each.possible + before)
        for each in late.refused
    ]
    found = estimate_group(both)
    assert found.rate is None
    said = re.search(r"changed at about (\d+) s does, from 0\.133 .* to [\d.]+ \(([\d.]+)–([\d.]+)\) a", found.reason)
    assert said, found.reason
    assert 720 < int(said[1]) < 780
    assert float(said[2]) <= 3 / 60 <= float(said[3])


def test_a_promise_that_is_broken() -> None:
    """After the time that Retry-After named, the next 429 comes: something else took what had become free."""
    moments = [0.0, 0.0, 0.0, *(20.0 * k for k in range(1, 30))]
    history = answered(TokenBucket(2, per=60).state(), moments, told=True)
    history.refused = [
        replace(each, retry_after=min(each.retry_after or 0.0, 5.0 + number % 3))
        for number, each in enumerate(history.refused)
    ]
    told = [b.between[0] - a.between[0] for a, b in pairwise(history.refused) if a.sure == b.sure]
    assert told, "some 429s came after others with nothing accepted in between"
    found = estimate_group(history)
    assert found.rate is None
    assert "came after the time that Retry-After named" in found.reason and "something else uses" in found.reason


def test_what_was_seen_only_once() -> None:
    """One 429 with a Retry-After shows a length; that n is all that there is, was not seen again."""
    history = answered(FixedWindow(3, per=60).state(), [0.0, 0.0, 0.0, 0.0, 60.0, 90.0, 120.0], told=True)
    found = estimate_group(history)
    assert found.rate is None and "reached only once" in found.reason
    again = answered(FixedWindow(3, per=60).state(), [0.0, 0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 61.0], told=True)
    assert (found := estimate_group(again)).rate is not None and 3 / 60 in found.rate


def test_jobs_at_once_beside_a_rate_that_was_not_met() -> None:
    """429s that say that too many jobs ran are counted in the reason, and are no rate."""
    run = simulate(20, [SimulatedProfile("p", Concurrency(2), Constant(20))], mode=Mode("boost", None, 8))
    found = run.estimate_limits()["p"]
    crowded = submit_history(run.header, run.events)["p"].crowded
    assert crowded > 0 and found.refused == 0
    assert found.reason == f"no 429 over the rate; 20 submits were accepted; {crowded} 429s were about jobs at once"
