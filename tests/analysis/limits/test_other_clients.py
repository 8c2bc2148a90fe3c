"""Another client on the account that this run knows nothing of: what headers show of it, and what nothing shows."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.analysis.limits.shared_accounts import KINDS
from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_limits
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.simulation.arrivals import Trace
from vidgen_nb.clients import simulate_clients
from vidgen_nb.core.model import Mode
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Constant, Exponential, LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

LIVE = {"name": "openai_videos"}


class Shared:
    """An account with a limit, of which another client takes `taken` a second, in a rhythm of its own."""

    def __init__(self, seed: int, rhythm: str, *, headers: bool = False) -> None:
        rng = Random(seed)
        kind, n, per = rng.choice(KINDS), rng.choice([2, 3, 5, 8]), float(rng.choice([10, 20, 60]))
        self.rate = n / per
        self.taken = rng.choice([0.1, 0.25, 0.5, 0.75]) * self.rate
        gap, first = 1 / self.taken, rng.random() / self.taken
        if rhythm == "constant":
            times = [first + gap * k for k in range(100)]
        elif rhythm == "bursts":
            size = rng.choice([2, 3, 5])
            times = [first + gap * size * (k // size) for k in range(100)]
        else:
            times = sorted(rng.uniform(0, 100 * gap) for _ in range(100))
        policies = [PerProfileCooldown(rng.choice([5, 10, 30])), PerProfileCooldown(30, honour_retry_after=True),
                    GlobalPause(30), ExponentialCooldown(), Paced()]  # fmt: skip
        profile = SimulatedProfile(
            "p", kind(n, per=per), rng.choice([LogNormal(20, 0.4), Constant(20), Exponential(20)]),
            retry_after=rng.random() < 0.5, rate_headers=headers,
        )  # fmt: skip
        options: dict[str, Any] = {"mode": Mode("boost", None, 8), "latency": rng.choice([0.0, 0.1, 0.5]), "seed": seed}
        policy = rng.choice(policies)
        if rhythm == "none":
            self.run: Run = simulate(100, [profile], policy=policy, **options)
        else:
            arrivals = [Trace([0.0] * 100), Trace(times)]
            both = [policy, PerProfileCooldown(5)]
            self.run = simulate_clients(2, 100, [profile], policy=both, arrivals=arrivals, **options)[0]

    def estimate(self, *, live: bool = False) -> LimitEstimate:
        """Return this client's estimate; `live`: as if its answers had come on a real clock."""
        header = {**self.run.header, "backend": LIVE} if live else self.run.header
        return estimate_limits(build(header, list(self.run.events)))["p"]


@pytest.mark.parametrize(
    "rhythm",
    [pytest.param("constant", marks=pytest.mark.long), pytest.param("bursts", marks=pytest.mark.long), "random"],
)
def test_without_headers(rhythm: str) -> None:
    """Few intervals are given, and what lies in them is the limit, or what is left of it; they say so."""
    met, given, outside = 0, 0, 0
    for seed in range(60):
        shared = Shared(seed, rhythm)
        found = shared.estimate()
        met += found.refused > 0
        if found.rate is not None:
            given += 1
            outside += shared.rate not in found.rate and shared.rate - shared.taken not in found.rate
            assert found.note == "the limit left for this client" and found.note in str(found)
    assert met >= 50 and given <= met / 2
    assert outside <= met / 25, "a limit that always happened to be used up is one"


@pytest.mark.parametrize("live", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("rhythm", [pytest.param("constant", marks=pytest.mark.long), "bursts", "random"])
def test_with_headers(rhythm: str, live: bool) -> None:
    """Headers count what others submit: no share of theirs is left out without a word, on a real clock neither."""
    met, seen = 0, 0
    for seed in range(40):
        shared = Shared(seed, rhythm, headers=True)
        found = shared.estimate(live=live)
        met += found.refused > 0
        seen += "something else uses this account" in found.reason
        if found.rate is not None and shared.rate not in found.rate:
            assert shared.rate - shared.taken in found.rate and found.note, (seed, str(found))
    assert met >= 20
    assert seen >= 0.45 * met


@pytest.mark.parametrize("live", [False, True])
def test_alone_headers_count_nobody_else(live: bool) -> None:
    """Nothing is suspected, and where the headers alone tell the length, it is said that the limit is the account's."""
    given = counted = 0
    for seed in range(40):
        alone = Shared(seed, "none", headers=True)
        found = alone.estimate(live=live)
        assert "headers" not in found.reason
        if found.rate is not None:
            given += 1
            counted += found.is_counted
            assert alone.rate in found.rate and (found.note == "") == found.is_counted
    assert given >= 15 and counted >= given / 2


def test_used_before_the_run_began() -> None:
    """The first answer says that more is used than one submit uses."""
    profile = SimulatedProfile("p", TokenBucket(8, per=400), Constant(1), rate_headers=True)
    arrivals = [Trace([0.0] * 3 + [5000.0] * 17), Trace([50.0] * 20)]
    second = simulate_clients(2, 20, [profile], mode="boost", arrivals=arrivals)[1]
    assert "count 2 more than this run submitted" in second.estimate_limits()["p"].reason
