"""What the tour says of its run is so: the same scenes, accounts and mode, in virtual time."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import found_in, text_of


@pytest.mark.parametrize("seed", range(5))
def test_the_first_429(seed: int) -> None:
    """Twelve scenes are submitted and one waits; who refuses cools alone, and its scene goes before the waiting one."""
    text = text_of("00_tour")
    assert "twelve scenes are submitted, one waits" in text
    run = vg.simulate(vg.demo_scenes(13), vg.demo_profiles(), mode="boost", seed=seed)
    assert sum(each.start == 0 and each.number == 1 for each in run.attempts) == 12
    refused = next(each for each in run.attempts if each.outcome == "rate_limited")
    own = [each.scene for each in run.attempts if each.profile == refused.profile]
    assert (refused.profile, own.index(refused.scene) + 1) == ("alice", 3)
    first = [each for each in run.cooldowns if each.start == refused.end]
    assert [each.profile for each in first] == ["alice"] and "Only the profile that refused cools" in text
    again = next(each for each in run.attempts if each.scene == refused.scene and each.number == 2)
    waiting = next(each for each in run.attempts if each.scene == run.scenes[12].id)
    assert again.profile != "alice" and again.start <= waiting.start


def test_the_solution() -> None:
    """When each profile could take the scene is as its table says; the last try passes, and that profile refuses."""
    found, text = found_in("solutions/00_tour"), text_of("solutions/00_tour")
    assert [each.passed for each in found["ex"].tries] == [False, False, True]
    task = str(found["ex"])
    for name, wait in (("alice", "12.5"), ("bruno", "30.0"), ("chiara", "2.5"), ("delta", "5.4")):
        assert f"| {name} | {wait} s |" in text
        assert f"rests for {wait} s more" in task or f"has a free place in {wait} s" in task
    assert found["run"].trail(found["second"].scene) == "bruno✕429→chiara✕429→delta✓"
    assert "first on chiara, which refuses it as well, and then on delta" in text


def test_the_table_of_profiles() -> None:
    """The limits in its table are those of the demo."""
    text = text_of("00_tour")
    for account in vg.demo_profiles():
        limit = account.limit
        assert isinstance(limit, vg.TokenBucket | vg.SlidingWindow)
        if isinstance(limit, vg.TokenBucket):
            said = f"{limit.n} submits, then one every {limit.per / limit.n:g} s"
        else:
            said = f"{limit.n} submits in any {limit.per:g} s"
        assert f"| {account.name} | {said} |" in text
        assert account.capacity == 3
    assert "generates three scenes at once" in text
