"""Cooldowns that grow with each consecutive 429."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.state import Gate
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown


def lengths(policy: ExponentialCooldown, strikes: int, group: str = "team") -> list[float]:
    """Return the cooldowns after this many 429s in a row."""
    gate = Gate(group)
    found = []
    for gate.strikes in range(1, strikes + 1):
        found.append(policy.on_429(gate, RateLimited(), 100.0).until - 100.0)
    return found


def test_it_doubles_up_to_its_cap() -> None:
    """Without jitter: base, twice that, and so on, and never more than the cap, however many 429s."""
    assert lengths(ExponentialCooldown(5, 50), 6) == [5, 10, 20, 40, 50, 50]
    assert lengths(ExponentialCooldown(5, 50), 2000)[-1] == 50


def test_full_jitter_lies_between_zero_and_that() -> None:
    """AWS, "full jitter": uniform below the exponential; it uses the whole range."""
    found = [lengths(ExponentialCooldown(8, 100, "full", seed), 5) for seed in range(200)]
    for each in found:
        assert all(0 <= length <= most for length, most in zip(each, [8, 16, 32, 64, 100], strict=True))
    thirds = sorted(each[2] for each in found)
    assert thirds[0] < 3.2 and thirds[-1] > 28.8 and 13 < thirds[100] < 19


def test_decorrelated_jitter_grows_from_the_last_length() -> None:
    """AWS, "decorrelated jitter": between base and three times the previous length, up to the cap, per group."""
    policy = ExponentialCooldown(2, 60, "decorrelated", seed=4)
    found = lengths(policy, 40)
    for before, length in zip([2.0, *found], found, strict=False):
        assert 2 <= length <= min(60, 3 * before)
    assert max(found) > 30
    assert lengths(policy, 1, "other")[0] <= 6
    assert lengths(policy, 1)[0] <= 6  # an accepted submit came in between: it starts over


@pytest.mark.parametrize("jitter", ["full", "decorrelated"])
def test_the_same_seed_gives_the_same_jitter(jitter: Any) -> None:
    """Each run starts over, also after the policy was used; another seed gives other numbers."""
    policy = ExponentialCooldown(jitter=jitter, seed=1)
    first = lengths(policy.for_run(), 8)
    lengths(policy, 3)
    assert lengths(policy.for_run(), 8) == first
    assert lengths(replace(policy, seed=2), 8) != first


def test_in_the_scheduler_it_grows_and_is_forgotten() -> None:
    """R7: consecutive 429s of a group double its cooldown; an accepted submit starts over."""
    world = World(profiles=1, scenes=3, policy=ExponentialCooldown(5, 300))
    for wait in (5, 10, 20):
        begin = world.now
        world.limit("s1")
        assert world.events(ev.CooldownStarted)[-1].until == begin + wait
        world.sleep_until(begin + wait)
    world.accept("s1")
    world.finish("s1")
    begin = world.now
    world.limit("s2")
    assert world.events(ev.CooldownStarted)[-1].until == begin + 5


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"base": -1}, "base must be 0 or more seconds"),
        ({"cap": math.inf}, "cap must be 0 or more seconds"),
        ({"jitter": "some"}, "jitter is 'none', 'full' or 'decorrelated', not 'some'"),
        ({"seed": 1.5}, "seed is a whole number, not 1.5"),
    ],
)
def test_settings_are_checked(settings: Any, what: str) -> None:
    """The error names the policy, the setting and what is allowed."""
    with pytest.raises(InputError, match=f"ExponentialCooldown: {what}"):
        ExponentialCooldown(**settings)
