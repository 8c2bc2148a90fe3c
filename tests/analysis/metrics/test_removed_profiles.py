"""Cooldowns of a group one of whose profiles is removed meanwhile."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from vidgen_nb.core import events as ev

LIMIT = vg.TokenBucket(2, per=60)
GROUP = [vg.SimulatedProfile(name, LIMIT, vg.Constant(5), quota_group="g") for name in ("a", "b", "c")]


def over_waits(*removed: tuple[float, str]) -> dict[float, float]:
    """Return the wait beyond the reset by start of the cooldown, with these profiles removed at these times."""
    requests = [(at, ev.ProfileRemoved(name)) for at, name in removed]
    run = vg.simulate(6, GROUP, mode="boost", policy=vg.PerProfileCooldown(40), requests=requests)
    found = run.metrics().over_wait
    return {} if found is None else {start: value for (_, start), value in found.values.items()}


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_one_that_is_removed_does_not_end_the_groups_cooldown(name: str) -> None:
    """The bucket is refilled by one at 30 s, and the group cools to 40 s: 10 s too long, whoever is left."""
    whole = over_waits()
    assert whole[0.0] == pytest.approx(10)
    assert over_waits((10, name))[0.0] == pytest.approx(10)
    assert over_waits((10, name), (20, "b" if name == "a" else "a"))[0.0] == pytest.approx(10)


def test_a_removal_is_no_wake() -> None:
    """What is submitted to others after a profile was removed is no first attempt after a cooldown."""
    requests = [(10, ev.ProfileRemoved("b"))]
    run = vg.simulate(6, GROUP, mode="boost", policy=vg.PerProfileCooldown(40), requests=requests)
    assert (
        run.metrics().early_wakes
        == vg.simulate(6, GROUP, mode="boost", policy=vg.PerProfileCooldown(40)).metrics().early_wakes
    )


def test_without_any_profile_a_cooldown_has_no_end() -> None:
    """Nobody knows how long the group would have cooled."""
    requests = [(10.0, ev.ProfileRemoved("a")), (50.0, ev.ProfileAdded("a", None))]
    alone = [vg.SimulatedProfile("a", LIMIT, vg.Constant(5))]
    run = vg.simulate(4, alone, mode="boost", policy=vg.PerProfileCooldown(40), requests=requests)
    assert run.cooldowns[0].end == 10
    found = run.metrics().over_wait
    assert found is None or all(start > 0 for _, start in found.values)
