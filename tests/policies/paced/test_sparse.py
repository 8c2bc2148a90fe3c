"""`Paced` where scenes come one by one: it waits hardly longer than a policy that asks and honours Retry-After.

That one is refused again and again, and leaves at the first moment that the limit admits: its waits are the least.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

import pytest

from vidgen_nb.analysis.simulation.arrivals import Arrivals, Bursts, Poisson
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.limit_learner import LimitLearner
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.provider import Constant, Exponential, FixedWindow, Limit, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.run import Run, simulate

README: dict[str, Limit] = {"alice": TokenBucket(4, per=60), "bruno": SlidingWindow(6, per=60)}
LIMITS: dict[str, dict[str, Limit]] = {
    "README": README,
    "bucket": {"p1": TokenBucket(4, per=60)},
    "window": {"p1": SlidingWindow(6, per=60)},
    "fixed": {"p1": FixedWindow(6, per=60)},
    "one by one": {"p1": TokenBucket(1, per=10), "p2": TokenBucket(1, per=4)},
    "four alike": {f"p{number}": SlidingWindow(5, per=30) for number in range(4)},
    "mixed": {"p1": TokenBucket(8, per=20), "p2": FixedWindow(10, per=60), "p3": SlidingWindow(2, per=20)},
}
MOST, NEARLY_NOTHING = 1.2, 0.1
"""The largest ratio to the other policy's figure, where that is not below a tenth of a second."""
SCENES = 60
KINDS = (TokenBucket, SlidingWindow, FixedWindow)


def rate(limits: dict[str, Limit]) -> float:
    """Return how many submits a second the limits admit for long."""
    return sum(limit.n / limit.per for limit in limits.values() if isinstance(limit, KINDS))


def played(limits: dict[str, Limit], arrivals: Arrivals, policy: Policy, seed: int, *, retry_after: bool = True) -> Run:
    """Run scenes that come one after the other."""
    given = [SimulatedProfile(name, limit, Constant(10), None, retry_after) for name, limit in limits.items()]
    return simulate(SCENES, given, policy=policy, mode="boost", arrivals=arrivals, seed=seed)


def figures(runs: Iterable[Run]) -> tuple[float, float, float]:
    """Return the mean of the 95th percentiles of the waits, and of the makespans, and the share of 429s."""
    found = [run.metrics() for run in runs]
    refused = sum(each.rate_limited for each in found) / sum(each.attempts for each in found)
    return fmean(each.wait.p95 for each in found if each.wait), fmean(each.makespan or 0.0 for each in found), refused


def missed(
    names: Iterable[str], loads: Iterable[float], seeds: range, *, bursts: bool = False, retry_after: bool = True
) -> dict[tuple[str, float], tuple[float, float]]:
    """Return by limits and load where `Paced` is too slow, or refused too often: its wait and the other's."""
    other = PerProfileCooldown(honour_retry_after=retry_after)
    found = {}
    for name in names:
        limits = LIMITS[name]
        for load in loads:
            scenes = load * rate(limits)
            come: Arrivals = Bursts(5, Exponential(5 / scenes)) if bursts else Poisson(scenes)
            own, others = (
                figures(played(limits, come, policy, seed, retry_after=retry_after) for seed in seeds)
                for policy in (Paced(), other)
            )
            slow = own[0] > MOST * others[0] + NEARLY_NOTHING or own[1] > MOST * others[1]
            if slow or (retry_after and own[2] > 0.035 * (1 + len(limits))):
                found[name, load] = own[0], others[0]
    return found


def test_it_waits_hardly_longer_than_retry_after_asks_for() -> None:
    """Bucket, sliding and fixed window, alone and together, at four fifths of what they admit."""
    assert missed(("README", "bucket", "fixed"), (0.8,), range(16)) == {}


def test_it_can_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted: a group that nobody waited for expects nothing, and does not look again when scenes come."""

    def decided(learner: LimitLearner) -> int:
        return learner.prospects.scenes

    monkeypatch.setattr(Prospects, "sent", lambda prospects: None)
    monkeypatch.setattr(LimitLearner, "scenes_seen", property(decided, lambda learner, seen: None), raising=False)
    slow = missed(("README",), (0.8,), range(4))
    own, others = slow["README", 0.8]
    assert own > 3 * others + 10


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bursts", [False, True], ids=["Poisson", "bursts"])
@pytest.mark.parametrize("retry_after", [True, False], ids=["Retry-After", "no Retry-After"])
def test_any_limits_at_any_load(bursts: bool, retry_after: bool) -> None:
    """From half of what the limits admit to more than that; without Retry-After, against a cooldown of 30 s."""
    assert missed(LIMITS, (0.5, 0.7, 0.9, 1.1), range(30), bursts=bursts, retry_after=retry_after) == {}
