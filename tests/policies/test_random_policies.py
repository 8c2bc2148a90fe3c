"""All randomness of a run comes from its seed: also that of policies, a user's own included."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import numpy as np
import pytest

import vidgen_nb as vg
from vidgen_nb.core.context import Context
from vidgen_nb.core.events import Event, Paused
from vidgen_nb.core.model import NORMAL, PollSchedule, RetryPolicy
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import GroupView

PROFILES = [
    vg.SimulatedProfile(f"p{k}", vg.TokenBucket(3, per=60), vg.Constant(10), capacity=3, quota_group="all")
    for k in range(3)
]


class Attribute(vg.Policy):
    """A generator in an attribute, as anybody would write it."""

    def __init__(self) -> None:
        self.rng = Random(7)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> vg.Cooldown:
        """Draw a cooldown."""
        return vg.Cooldown("group", now + self.rng.uniform(1, 40))


class PerGroup(Attribute):
    """Generators in a dict, in an object of the policy's."""

    def __init__(self) -> None:
        self.state = type("State", (), {})()
        self.state.of = {"all": Random(1)}

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> vg.Cooldown:
        """Draw a cooldown."""
        return vg.Cooldown("group", now + self.state.of["all"].uniform(1, 40))


@dataclass(frozen=True)
class FreshEachRun(vg.Policy):
    """A fresh copy for each run, with a setting for the seed."""

    seed: int = 3
    rng: Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", Random(self.seed))

    def for_run(self) -> Self:
        """Return a fresh one."""
        return type(self)(self.seed)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> vg.Cooldown:
        """Draw a cooldown."""
        return vg.Cooldown("group", now + self.rng.uniform(1, 40))


class NumPy(Attribute):
    """A generator of NumPy's."""

    def __init__(self, legacy: bool = False) -> None:
        self.rng: Any = np.random.RandomState(1) if legacy else np.random.default_rng(1)


class OfItsOwn(Attribute):
    """One that makes its numbers as they are needed, from the seed it is given."""

    def with_seed(self, seed: int) -> Self:
        """Keep the seed."""
        made = type(self)()
        made.rng = Random(seed)
        return made


RANDOM = {
    "full": vg.ExponentialCooldown(jitter="full"),
    "decorrelated": vg.ExponentialCooldown(jitter="decorrelated", seed=5),
    "inside another": vg.EarliestFinish(vg.ExponentialCooldown(jitter="full")),
    "attribute": Attribute(),
    "dict": PerGroup(),
    "fresh": FreshEachRun(),
    "numpy": NumPy(),
    "numpy legacy": NumPy(legacy=True),
    "own": OfItsOwn(),
}


def cooldowns(policy: vg.Policy, seed: int) -> list[float]:
    """Return the lengths of a run's cooldowns; nothing but the policy is random in it."""
    run = vg.simulate(30, PROFILES, mode="boost", policy=policy, seed=seed, told_groups=True)
    return [each.end - each.start for each in run.cooldowns]


@pytest.mark.parametrize("name", RANDOM)
def test_the_runs_seed_reaches_every_policy(name: str) -> None:
    """Another seed gives other numbers, the same one the same, however often and in whatever order runs are made."""
    policy = RANDOM[name]
    first = cooldowns(policy, 1)
    assert len(first) > 3
    assert cooldowns(policy, 2) != first
    assert cooldowns(policy, 1) == first


def test_no_interval_of_width_zero() -> None:
    """Replications of a random policy differ, so that the mean over seeds has an interval; those of others do not."""
    policies = {"fixed": vg.ExponentialCooldown(), **RANDOM}
    made = vg.compare(30, PROFILES, policies=policies, modes="boost", seeds=range(8), told_groups=False, progress=False)
    for each in made.summary("attempts") + made.summary("makespan"):
        assert each.low is not None and each.high is not None
        assert (each.high == each.low) == (each.case == "fixed"), each


def test_a_policys_own_seed_is_mixed_in() -> None:
    """Two policies with seeds of their own differ in one run."""
    one, other = (vg.ExponentialCooldown(jitter="full", seed=seed) for seed in (0, 1))
    assert cooldowns(one, 4) != cooldowns(other, 4)


def test_what_holds_no_generator_is_left_as_it_is() -> None:
    """Then the policy itself decides; and of what a policy holds, only what leads to a generator is copied."""
    plain = vg.PerProfileCooldown()
    assert plain.with_seed(3) is plain
    policy = Attribute()
    policy.shared = [1, 2]  # type: ignore[attr-defined]
    made = policy.with_seed(3)
    assert made.rng is not policy.rng and made.shared is policy.shared  # type: ignore[attr-defined]
    assert policy.rng.getstate() == Random(7).getstate()  # what was given is as it was


def test_one_that_learns_sees_each_event_once() -> None:
    """A policy that goes on with what it knows is not told again what it has seen."""

    class Learning(Attribute):
        seen = 0

        def observe(self, event: Event, now: float) -> None:
            self.seen += 1

    context = Context(NORMAL, Learning(), RetryPolicy(), PollSchedule(), "hold", 0.0, Random(1))
    context.record(Paused(), 1.0)
    policy = context.policy
    context.use_policy(policy)
    assert isinstance(context.policy, Learning) and context.policy is not policy
    assert context.policy.seen == 1
