"""How often the truth lies in a forecast's interval, in runs of several kinds: about as often as it says.

What is not in a forecast: an outage, or 429s at random, that come after it was made, and a limit that changes then.
Limits that count tokens are taken for limits of requests. Where 429s at random are under way, most forecasts that miss
are too late: they take some of the 429s for a strict limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from random import Random
from statistics import mean, median
from typing import Any

import pytest

from vidgen_nb.analysis.forecast.predict import predict_finish
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.core.model import Mode, Scene
from vidgen_nb.policies.cooldowns import ExponentialCooldown, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    Fault,
    FixedWindow,
    Limit,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, simulate

KINDS = (TokenBucket, FixedWindow, SlidingWindow)
ALL = ("one_limit", "after_an_outage", "in_an_outage", "after_429s_at_random", "jobs_at_once", "two_rates", "tokens")
SEEDS = range(500, 650)
"""Other ones than those with which the model was made."""


class Case:
    """Profiles, a policy and a mode, drawn from a seed; each method is a kind of run, and when it is looked at."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = Random(seed)
        self.profiles = rng.choice([1, 2, 4, 8])
        self.scenes = rng.choice([24, 60, 120])
        policies = [PerProfileCooldown(rng.choice([10, 30])), PerProfileCooldown(30, honour_retry_after=True),
                    ExponentialCooldown(), Paced()]  # fmt: skip
        modes = [Mode("normal", 1, 4), Mode("boost", None, 8)]
        self.options: dict[str, Any] = {"mode": rng.choice(modes), "policy": rng.choice(policies), "seed": seed}

    def _kind(self) -> Any:
        return self.rng.choice(KINDS)

    def _limit(self) -> Limit:
        limit: Limit = self._kind()(self.rng.choice([2, 4, 8]), per=self.rng.choice([10, 30, 60, 120]))
        return limit

    def _simulated(self, limits: list[Limit], **options: Any) -> Run:
        rng, services = self.rng, (Exponential(40), LogNormal(60, 0.3), Constant(30))
        made = [
            SimulatedProfile(f"p{k}", limit, rng.choice(services), retry_after=rng.random() < 0.5)
            for k, limit in enumerate(limits)
        ]
        return simulate(options.pop("scenes", self.scenes), made, **self.options, **options)

    def _midway(self, limits: list[Limit], **options: Any) -> tuple[Run, float]:
        run = self._simulated(limits, **options)
        return run, run.data.end * self.rng.choice([0.3, 0.5, 0.7])

    def limits(self) -> list[Limit]:
        """Return a limit for each profile."""
        return [self._limit() for _ in range(self.profiles)]

    def one_limit(self) -> tuple[Run, float]:
        """Each profile has one limit: the plain case."""
        return self._midway(self.limits())

    def after_an_outage(self) -> tuple[Run, float]:
        """Every submit failed for a while, not long ago."""
        begin = self.rng.uniform(20, 80)
        end = begin + self.rng.choice([30, 120, 300])
        return self._simulated(self.limits(), faults=[Fault("overload", start=begin, end=end)]), end + 30

    def in_an_outage(self) -> tuple[Run, float]:
        """Every submit fails, and will for some time yet: it is looked at any moment of that time."""
        begin = self.rng.uniform(20, 80)
        end = begin + self.rng.choice([30, 120, 300])
        faults = [Fault("overload", start=begin, end=end)]
        return self._simulated(self.limits(), faults=faults), self.rng.uniform(begin, end)

    def after_429s_at_random(self) -> tuple[Run, float]:
        """Half of all submits got a 429 for a while."""
        begin = self.rng.uniform(20, 100)
        end = begin + self.rng.choice([60, 200])
        faults = [Fault("rate", start=begin, end=end, probability=0.5)]
        return self._simulated(self.limits(), faults=faults), begin + self.rng.choice([100, 260])

    def jobs_at_once(self) -> tuple[Run, float]:
        """Each profile has a rate and a number of jobs at once, beyond which it refuses."""
        return self._midway([each & Concurrency(self.rng.choice([2, 3])) for each in self.limits()])

    def two_rates(self) -> tuple[Run, float]:
        """Each has a limit of some seconds and one of 80 s."""
        both = [self._kind()(4, per=10) & self._kind()(self.rng.choice([10, 16]), per=80) for _ in range(self.profiles)]
        return self._midway(both)

    def tokens(self) -> tuple[Run, float]:
        """Each has a limit of tokens, of which a forecast does not know."""
        scenes = [Scene(f"s{k:03}", "a fox", tokens=self.rng.randrange(200, 1500)) for k in range(self.scenes)]
        return self._midway([TokenBucket(4000, per=60, weight="tokens")] * self.profiles, scenes=scenes)


@dataclass
class Coverage:
    """What became of the forecasts for some cases of a kind."""

    told: int = 0
    earlier: int = 0
    """Cases in which the truth lies before the interval."""
    later: int = 0
    """Cases in which it lies after it."""
    widths: list[float] = field(default_factory=list)
    """Widths of the intervals, as shares of the time that was left."""

    @property
    def within(self) -> int:
        """Cases in which it lies within."""
        return self.told - self.earlier - self.later


@cache
def coverage(kind: str, seeds: range) -> Coverage:
    """Return how often the truth lies in the interval, in cases of a kind."""
    found = Coverage()
    for seed in seeds:
        run, at = getattr(Case(seed), kind)()
        if at >= run.data.end:
            continue
        told = predict_finish(build(run.header, [each for each in run.events if each.at <= at]))
        if told.low is not None and told.high is not None:
            found.told += 1
            found.earlier += run.data.end < told.low - 1e-3
            found.later += run.data.end > told.high + 1e-3
            found.widths.append((told.high - told.low) / (run.data.end - at))
    return found


def plausible(share: float, cases: int) -> tuple[int, int]:
    """Return the fewest and the most of so many cases that 98 of 100 samples have, if each comes with that chance."""
    below, counts = 0.0, []
    for count in range(cases + 1):
        below += math.comb(cases, count) * share**count * (1 - share) ** (cases - count)
        if below > 0.01:
            counts.append(count)
        if below > 0.99:
            break
    return counts[0], counts[-1]


def test_what_is_plausible_of_a_binomial_count() -> None:
    """Of 100 with a chance of 80 %, 70 to 89 are plausible; 69 are so in fewer than 1 of 100 samples."""
    assert plausible(0.8, 100) == (70, 89)


def test_jobs_at_once_are_known_to_a_forecast() -> None:
    """A profile that refuses what is more than 2 jobs at once, 20 s each: 24 scenes take 12 rounds of them, or more."""
    profile = SimulatedProfile("p", Concurrency(2), Constant(20))
    run = simulate(24, [profile], mode=Mode("boost", None, 8), policy=PerProfileCooldown(5))
    found = predict_finish(build(run.header, [each for each in run.events if each.at <= 100]))
    assert run.data.end >= 240
    assert found.middle == pytest.approx(run.data.end, rel=0.1)


@pytest.mark.long
@pytest.mark.parametrize("kind", ALL)
def test_the_truth_lies_within_in_runs_of_several_kinds(kind: str) -> None:
    """In each kind, a chance of 75 to 90 % is plausible for what was found, and intervals are not needlessly wide."""
    found = coverage(kind, SEEDS)
    assert found.told >= 0.6 * len(SEEDS)
    assert plausible(0.75, found.told)[0] <= found.within <= plausible(0.9, found.told)[1]
    assert median(found.widths) < (4 if kind == "in_an_outage" else 1.8)


@pytest.mark.long
def test_the_truth_lies_within_over_all_kinds() -> None:
    """Over all kinds the mean share is about what an interval says, 80 %, or a little more; to two deviations."""
    shares = [found.within / found.told for found in (coverage(kind, SEEDS[:40]) for kind in ALL)]
    assert 0.76 <= mean(shares) <= 0.89
