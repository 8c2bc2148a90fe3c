"""Paced recovers from refusals that no limit explains and that tell no reset."""

from __future__ import annotations

from statistics import median

import pytest

from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.outage import MAX_INTERVAL_SECONDS, Outage
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Fault, FixedWindow, Limit, LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

HOUR = 3600.0


def makespan(run: Run) -> float:
    """Return when the last scene succeeded; all of them do."""
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    return max(attempt.end or 0.0 for attempt in run.attempts)


def at_random(policy: Policy, probability: float, seed: int) -> float:
    """Return the makespan if a share of the submits is refused at random."""
    profile = SimulatedProfile("p0", None, LogNormal(10, 0.3), capacity=2)
    faults = [Fault("rate", probability=probability)]
    return makespan(simulate(40, [profile], mode="boost", policy=policy, seed=seed, faults=faults, until=10 * HOUR))


def outage(policy: Policy, limit: Limit, seconds: float, seed: int) -> float:
    """Return the makespan if everything is refused for a while."""
    service = LogNormal(15, 0.3)
    profiles = [SimulatedProfile(f"p{number}", limit, service, 3, retry_after=False) for number in range(3)]
    faults = [Fault("rate", start=60, end=60 + seconds)]
    return makespan(simulate(90, profiles, mode="boost", policy=policy, seed=seed, faults=faults, until=10 * HOUR))


def test_refusals_at_random_do_not_stall_it() -> None:
    """The run that did not end: its rate fell by half with each refusal, until no token came in a hundred days."""
    assert at_random(Paced(), 0.3, 6) < HOUR


@pytest.mark.parametrize("probability", [0.1, 0.2, 0.3])
def test_refusals_at_random_cost_little(probability: float) -> None:
    """About as much as under a policy that learns nothing."""
    ratios = [
        at_random(Paced(), probability, seed) / at_random(PerProfileCooldown(30), probability, seed)
        for seed in range(20)
    ]
    assert median(ratios) < 1.2
    assert max(ratios) < 6


@pytest.mark.parametrize("seconds", [60.0, 300.0])
@pytest.mark.parametrize("limit", [TokenBucket(6, per=60), FixedWindow(6, per=60), TokenBucket(2, per=60)], ids=repr)
def test_it_recovers_from_an_outage(limit: Limit, seconds: float) -> None:
    """Whether it had learned the limit before (a bucket) or not yet (a window)."""
    for seed in range(5):
        found, cooled = (outage(each, limit, seconds, seed) for each in (Paced(), PerProfileCooldown(30)))
        assert found <= 2 * cooled


def test_intervals_grow_up_to_a_minute_or_the_limits_own() -> None:
    """The model explains two refusals; from the third on single submits go out, ever more rarely."""
    for pace, longest in ((1.0, MAX_INTERVAL_SECONDS), (0.01, 100.0)):
        outage, now, waits = Outage(), 0.0, []
        for _ in range(80):
            outage.refused(now, pace)
            if outage.lasts:
                waits.append(outage.retry_at - now)
                now = outage.retry_at
        assert len(waits) == 78
        assert waits == sorted(waits)
        assert waits[-1] == pytest.approx(longest)
