"""Limits that count refused submits, without a Retry-After: found out where no other limit explains the answers."""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.counted import belief_if_refusals_count
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.paced.submit_log import SubmitLog
from vidgen_nb.provider import Constant, FixedWindow, Limit, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.run import simulate

KINDS = (TokenBucket, FixedWindow, SlidingWindow)
BOOST = Mode("boost", None, 8)


def makespan(limit: Limit, policy: Policy) -> float:
    """Return how long 60 scenes take on one profile whose 429s tell no wait."""
    profile = SimulatedProfile("a", limit, Constant(15), retry_after=False)
    found = simulate(60, [profile], policy=policy, mode=BOOST).metrics().makespan
    assert found is not None
    return found


def test_against_a_policy_that_was_told() -> None:
    """Half of 36 such limits cost at most a quarter more time than if they had been told; once it was twice as much."""
    limits = [kind(n, per=per, count_refusals=True) for kind in KINDS for n in (2, 4, 6, 10) for per in (20, 60, 120)]
    times = [makespan(each, Paced()) for each in limits]
    told = [time / makespan(each, Paced(limits={"a": each})) for time, each in zip(times, limits, strict=True)]
    waiting = [time / makespan(each, PerProfileCooldown(30)) for time, each in zip(times, limits, strict=True)]
    assert median(told) <= 1.25
    assert median(waiting) <= 0.9 and max(waiting) <= 1.5


@pytest.mark.parametrize("kind", [TokenBucket, SlidingWindow])
def test_the_true_limit_is_among_those_believed(kind: type[TokenBucket]) -> None:
    """Of answers of such a limit, with never more than n refusals in a row, none excludes it."""
    found = 0
    for seed in range(40):
        rng = Random(seed)
        n, per = rng.choice([3, 5, 8]), float(rng.choice([10, 30, 60]))
        state, at, answers, row = kind(n, per=per, count_refusals=True).state(), 0.0, list[tuple[float, bool]](), 0
        for _ in range(40):
            was_accepted = state.admit(at) is None
            answers.append((at, was_accepted))
            row = 0 if was_accepted else row + 1
            at += per * rng.uniform(0.9, 1.4) if row >= 2 else rng.choice([0.0, per / n * rng.uniform(0.2, 1.5)])
        belief = belief_if_refusals_count(answers)
        if [accepted for _, accepted in answers].count(False) < 3:
            continue
        found += 1
        name, x = ("bucket", per / n) if kind is TokenBucket else ("window", per)
        assert belief is not None
        assert any(each.kind == name and each.n == n and each.low <= x <= each.high for each in belief.candidates), seed
    assert found >= 25


def test_few_refusals_show_nothing() -> None:
    """Two 429s are no reason to believe that refused submits count."""
    assert belief_if_refusals_count([(0.0, True), (0.0, False), (5.0, False), (60.0, True)]) is None


def test_a_submit_is_put_where_it_belongs() -> None:
    """A refused submit that is counted late gives the same log as if it had been there from the start."""
    late, early = SubmitLog(), SubmitLog()
    for at in (0.0, 1.0, 3.0):
        late.add(at)
    late.insert(2.0)
    for at in (0.0, 1.0, 2.0, 3.0):
        early.add(at)
    assert (late.times, late.count) == (early.times, early.count)
    assert [late.bucket_admits(n, 9.0) for n in (1, 2, 3, 4)] == [early.bucket_admits(n, 9.0) for n in (1, 2, 3, 4)]
