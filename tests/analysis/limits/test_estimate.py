"""Limits recovered from attempts: the truth lies in the interval, and without enough evidence there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.limits.limited_runs import limited, met_in_use, submits
from vidgen_nb.analysis.limits.estimate import Estimates, LimitEstimate, estimate_limits
from vidgen_nb.analysis.limits.feasible import Evidence, sliding_window, token_bucket
from vidgen_nb.analysis.limits.fixed_windows import fixed_window
from vidgen_nb.analysis.limits.submit_history import submit_history
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.bundled_demo import demo
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Fault,
    FixedWindow,
    Limit,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, simulate

KINDS = {"token_bucket": TokenBucket, "fixed_window": FixedWindow, "sliding_window": SlidingWindow}


def recovered(seeds: range, *, live: bool) -> tuple[int, int, int]:
    """Return how many cases need an estimate, how many got one, and how many rates are within 10 %; check each.

    `live`: the moments of decisions and the beginning of windows count as unknown.
    """
    must = told = close = 0
    for seed in seeds:
        limit, run = limited(seed)
        found = estimate_limits(replace(run.data, header={}) if live else run.data)["p1"]
        enough = met_in_use(limit, run) >= 5
        must += enough
        if found.rate is None:
            assert found.reason, seed
            assert live or not enough, f"seed {seed}: {limit}: {found}"
            continue
        told += 1
        assert found.n is not None and found.per is not None
        rate = limit.n / limit.per
        assert rate in found.rate and limit.n in found.n and limit.per in found.per, f"seed {seed}: {limit}: {found}"
        assert found.kind is None or KINDS[found.kind] is type(limit), f"seed {seed}: {limit}: {found}"
        assert found.rate.low <= found.rate.value <= found.rate.high
        close += abs(found.rate.value / rate - 1) <= 0.1
    return must, told, close


def test_known_limits_are_recovered() -> None:
    """It says something wherever a limit in use was met 5 times; the truth lies in it, the rate is close."""
    must, told, close = recovered(range(1, 41), live=False)
    assert must >= 8
    assert told >= must
    assert close >= 0.9 * told


@pytest.mark.long
def test_known_limits_are_recovered_in_200_cases() -> None:
    """The same, until 200 cases got an estimate."""
    must, told, close = recovered(range(5000, 5520), live=False)
    assert told >= 200
    assert must >= 100
    assert close >= 0.9 * told


def test_without_knowing_when_windows_begin() -> None:
    """In a live run nobody knows where windows begin: the truth still lies in the interval."""
    _, told, close = recovered(range(1, 61), live=True)
    assert told >= 20
    assert close >= 0.8 * told


def answers(limit: Limit, run: Run) -> bool:
    """Say whether a limit answers every submit of a run as it was answered."""
    state = limit.state()
    return all((state.admit(at) is None) == accepted for at, accepted in submits(run.events))


MET = [1, 2, 4, 6, 8, 9, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22]
"""Seeds of runs that met their limits."""


@pytest.mark.parametrize("seed", MET)
def test_the_sets_are_exact(seed: int) -> None:
    """Every length inside explains every answer, none just outside does; checked by asking such limits."""
    limit, run = limited(seed)
    evidence = Evidence(submit_history(run.header, run.events)["p1"], None)
    assert evidence.denies
    for kind, lengths in ((TokenBucket, token_bucket), (FixedWindow, fixed_window), (SlidingWindow, sliding_window)):
        for n in range(1, evidence.most + 1):
            for low, high in lengths(evidence, n)[-4:]:
                step = min(1e-4 * high, (high - low) / 4) if high < math.inf else 1e-4 * low
                if high - low > 1e-4:
                    inside = [low + step, high - step if high < math.inf else 3 * low]
                    assert all(answers(kind(n, per=each), run) for each in inside), (kind, n, low, high)
                outside = [low - 1e-4 * low] if low > 0.0011 else []
                outside += [high + 1e-4 * high] if high < math.inf else []
                assert not any(answers(kind(n, per=each), run) for each in outside), (kind, n, low, high)
        if isinstance(limit, kind):
            assert any(low <= limit.per * (1 + 1e-9) and limit.per <= high * (1 + 1e-9)
                       for low, high in lengths(evidence, limit.n))  # fmt: skip


def one(limit: Limit | None = None, *, scenes: int = 40, retry_after: bool = False, **options: Any) -> LimitEstimate:
    """Return the estimate of a profile with that limit, busy all the time."""
    profile = SimulatedProfile("p1", limit, Constant(20), retry_after=retry_after)
    return simulate(scenes, [profile], mode=Mode("boost", None, 8), **options).estimate_limits()["p1"]


def test_what_a_token_bucket_shows() -> None:
    """Four at once, then one every 15 s: distinguished from windows, with the counts of the attempts behind it."""
    found = one(TokenBucket(4, per=60))
    assert found.kind == "token_bucket" and found.kinds == ("token_bucket",)
    assert found.limit == TokenBucket(4, per=60)
    assert found.n is not None and (found.n.low, found.n.high) == (4, 4)
    assert (found.accepted, found.reason, found.retry_after) == (40, "", "not used")
    assert found.refused >= found.met >= 5
    assert str(found).startswith("p1: token bucket, 4 per 60 (")


def test_a_true_retry_after_makes_it_exact() -> None:
    """Retry-After is used where it is true; one that is not, or is rounded up, is noticed and does no harm."""
    exact = one(TokenBucket(4, per=50), retry_after=True)
    assert exact.retry_after == "true" and exact.per is not None
    assert exact.per.high - exact.per.low < 0.01
    profile = SimulatedProfile("p1", TokenBucket(4, per=50), Constant(20), retry_after=True)
    run = simulate(40, [profile], mode=Mode("boost", None, 8))
    for said, used in ((lambda t: math.ceil(t), "true, rounded up to whole seconds"), (lambda t: 600.0, "not used")):
        for event in run.events:
            if isinstance(event, ev.CallFailed):
                assert isinstance(event.outcome, RateLimited) and event.outcome.retry_after is not None
                said_now = float(said(event.outcome.retry_after))
                event.outcome = RateLimited(said_now)  # type: ignore[misc]  # frozen for everyone else
        found = estimate_limits(build(run.header, run.events))["p1"]
        assert found.retry_after == used
        assert found.per is not None and 50 in found.per


def test_what_cant_be_told() -> None:
    """Each reason, in words: never met, never in use, contradictions, too little."""
    never = one(None)
    assert never.reason == "no 429 over the rate; 40 submits were accepted"
    assert never.rate is None and never.limit is None and never.kind is None
    assert "had always recovered when it was tried again" in one(TokenBucket(4, per=10)).reason
    assert "explains every answer" in one(TokenBucket(4, per=60), faults=[Fault("rate", nth=2)]).reason
    late = Fault("rate", start=1.0)
    assert "too little was accepted after its 429s" in one(None, scenes=9, faults=[late], until=200.0).reason


def test_too_many_at_once_is_no_rate() -> None:
    """429s that say `concurrency` don't count; the rate beside them is found."""
    profile = SimulatedProfile("p1", TokenBucket(4, per=60) & Concurrency(3), Constant(30), retry_after=True)
    run = simulate(40, [profile], mode=Mode("boost", None, 8), policy=PerProfileCooldown(5))
    group = submit_history(run.header, run.events)["p1"]
    assert group.crowded > 0
    found = run.estimate_limits()["p1"]
    assert found.rate is not None and 4 / 60 in found.rate
    assert found.refused == len(group.refused) > 0


def test_a_quota_group_has_one_limit() -> None:
    """Its profiles' attempts are taken together and share an estimate; others keep theirs; a table shows them."""
    pair = [SimulatedProfile(name, TokenBucket(4, per=60), Constant(20), quota_group="g") for name in ("a", "b")]
    run = simulate(60, [*pair, SimulatedProfile("c", None, Constant(20))], mode=Mode("boost", None, 4))
    found = run.estimate_limits()
    assert isinstance(found, Estimates) and list(found) == ["a", "b", "c"]
    assert found["a"] is found["b"] and found["a"].profiles == ("a", "b") and found["a"].group == "g"
    assert found["a"].limit == TokenBucket(4, per=60)
    assert found["c"].rate is None
    assert "<td>token bucket</td>" in found._repr_html_()
    assert repr(found).count("\n") == 1


def test_a_submit_in_doubt_may_have_counted() -> None:
    """A lost answer is taken neither for accepted nor for not: the truth stays inside."""
    told = 0
    for seed in range(8):
        profile = SimulatedProfile("p1", TokenBucket(4, per=60), Constant(20), retry_after=False)
        lost = [Fault("lost_answer", probability=0.2)]
        run = simulate(40, [profile], mode=Mode("boost", None, 8), faults=lost, seed=seed)
        assert any(isinstance(each, ev.CallFailed) and isinstance(each.outcome, Ambiguous) for each in run.events)
        found = run.estimate_limits()["p1"]
        told += found.rate is not None
        assert found.rate is None or 4 / 60 in found.rate
        assert any(each.kind == "token_bucket" and each.n == 4 and each.low <= 60 <= each.high
                   for each in found.candidates)  # fmt: skip
    assert told >= 2


LATE = 2.0
"""Run seconds after which a submit is answered late: the shortest limit gives a token every ten."""


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_live_run(tmp_path: Path) -> None:
    """Limits are found over HTTP, too: decisions lie between submit and answer, windows began before the run."""
    limits = {"bucket": TokenBucket(3, per=30), "fixed": FixedWindow(3, per=40), "sliding": SlidingWindow(3, per=30)}
    simulated = [
        SimulatedProfile(name, limit, Constant(2), retry_after=name != "sliding") for name, limit in limits.items()
    ]
    mode, policy = Mode("boost", None, 4), PerProfileCooldown(7)
    for speed in (40, 15, 5):  # a busy machine answers late, and little is known of when limits refused
        with demo(simulated, speed=speed, output=tmp_path, mode=mode, policy=policy) as session:
            run = session.run_blocking([Scene(f"s{k}", "x") for k in range(45)])
        if max((each.accepted or each.end or 0.0) - each.start for each in run.attempts) < LATE:
            break
    for name, found in run.estimate_limits().items():
        assert found.rate is not None, found
        assert limits[name].n / limits[name].per in found.rate, found  # type: ignore[attr-defined]
        assert any(name in kind for kind in found.kinds), found
