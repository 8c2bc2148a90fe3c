"""The simulator against queueing theory, within stated confidence intervals.

Means of independent replications with Student's 99.9 % interval; seeds are fixed, so a test passes always or never. The
first part of each replication is left out: it begins with an empty system.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import factorial, floor, sqrt
from random import Random
from statistics import fmean, stdev

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.bounds.admissions import most_admitted
from vidgen_nb.provider import Constant, Exponential, FixedWindow, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import Service

T_999 = {7: 5.408, 19: 3.883}
"""Student's t at 99.95 %, by degrees of freedom."""


def erlang_c(c: int, a: float) -> float:
    """Return the probability that who comes must wait in an M/M/c queue of load `a` = λ/μ (Erlang 1917)."""
    last = a**c / factorial(c) / (1 - a / c)
    return last / (sum(a**k / factorial(k) for k in range(c)) + last)


def waits(service: Service, c: int, load: float, scenes: int, seed: int) -> list[float]:
    """Return the waits of scenes that come at random to one profile of `c` slots, the first tenth left out."""
    random = Random(seed)
    arrivals = list(accumulate(random.expovariate(load * c / service.mean) for _ in range(scenes)))
    run = vg.simulate(scenes, [SimulatedProfile("p", service=service, capacity=c)], mode="boost", seed=seed,
                      arrivals=arrivals)  # fmt: skip
    numbers = run.metrics()
    length, rate, wait = numbers.queue_length, numbers.arrival_rate, numbers.queue_time
    assert length is not None and rate is not None and wait is not None
    assert length == pytest.approx(rate * wait)  # over the whole run L = λW, whatever is drawn
    assert len(run.attempts) == scenes
    return [each.start - each.queued for each in run.attempts[scenes // 10 :]]


def interval(of: Callable[[int], float], runs: int) -> tuple[float, float]:
    """Return the 99.9 % confidence interval of a mean, from independent runs."""
    means = [of(seed) for seed in range(runs)]
    half = T_999[runs - 1] * stdev(means) / sqrt(runs)
    return fmean(means) - half, fmean(means) + half


def holds(service: Service, c: int, load: float, scenes: int, runs: int, theory: float, width: float) -> None:
    """Check that the interval of the mean wait has the theory in it, and is no wider than a share of it."""
    low, high = interval(lambda seed: fmean(waits(service, c, load, scenes, seed)), runs)
    assert low <= theory <= high, f"{theory:.2f} s not in [{low:.2f}, {high:.2f}] s"
    assert (high - low) / theory < width


@pytest.mark.parametrize(("c", "load"), [(1, 0.5), (3, 0.7)])
def test_m_m_c(c: int, load: float) -> None:
    """Mean wait C(c, a) ÷ (cμ - λ)."""
    mean = 100.0
    theory = erlang_c(c, c * load) * mean / (c * (1 - load))
    holds(Exponential(mean), c, load, 2000, 8, theory, 1.0)


def test_m_d_1() -> None:
    """Mean wait ρs ÷ 2(1 - ρ), half of M/M/1 (Pollaczek and Khinchine)."""
    holds(Constant(100), 1, 0.6, 2000, 8, 0.6 * 100 / (2 * 0.4), 0.6)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("c", "load"), [(1, 0.5), (1, 0.8), (2, 0.8), (5, 0.9)])
def test_m_m_c_with_many(c: int, load: float) -> None:
    """The same with 20 runs of 8,000 scenes each."""
    theory = erlang_c(c, c * load) * 100.0 / (c * (1 - load))
    holds(Exponential(100), c, load, 8000, 20, theory, 0.35)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("load", [0.3, 0.8])
def test_m_d_1_with_many(load: float) -> None:
    """The same with 20 runs of 8,000 scenes each."""
    holds(Constant(100), 1, load, 8000, 20, load * 100 / (2 * (1 - load)), 0.2)


LIMITS = [TokenBucket(4, per=60), TokenBucket(1, per=7), FixedWindow(5, per=60), SlidingWindow(3, per=10)]


@pytest.mark.parametrize("limit", LIMITS, ids=repr)
def test_admission_curves(limit: Limit) -> None:
    """A run that asks again at each reset is admitted as the closed form says, at every moment."""
    run = vg.simulate(40, [SimulatedProfile("p", limit, Constant(1))], mode="boost",
                      policy=vg.PerProfileCooldown(1, honour_retry_after=True))  # fmt: skip
    admitted = [each.start for each in run.attempts if each.outcome == "succeeded"]
    assert len(admitted) == 40
    n, per = limit.n, limit.per  # type: ignore[attr-defined]
    for k, at in enumerate(admitted, 1):
        curve = floor(n + at * n / per + 1e-6) if isinstance(limit, TokenBucket) else n * (1 + floor(at / per + 1e-6))
        assert k <= curve == most_admitted(limit, at)
        assert most_admitted(limit, at - 1e-3) < k  # not earlier


@pytest.mark.parametrize("limit", [*LIMITS, TokenBucket(4, per=60) & SlidingWindow(2, per=20)], ids=repr)
def test_nobody_is_admitted_more_often(limit: Limit) -> None:
    """Whoever asks, at random or all the time, from a cooldown's end on: the curve from there is never passed."""
    for seed in range(20):
        random = Random(seed)
        state, since, count = limit.state(), random.choice([0.0, random.uniform(0, 100)]), 0
        now = since
        for _ in range(300):
            if state.admit(now) is None:
                count += 1
                assert count <= most_admitted(limit, now, since)
            now += random.choice([0.0, random.uniform(0, 5), max(0.0, state.ready_at(now) - now)])
