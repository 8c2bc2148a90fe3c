"""What would have been, with an interval: the same luck with and without the change, seed by seed."""

from __future__ import annotations

from statistics import fmean, pstdev, quantiles
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.simulation.what_if import recorded_simulation
from vidgen_nb.errors import InputError

PROFILES = [
    vg.SimulatedProfile("a", vg.TokenBucket(4, per=60), vg.LogNormal(30, 0.5), capacity=3),
    vg.SimulatedProfile("b", vg.SlidingWindow(3, per=60), vg.LogNormal(20, 0.5), capacity=3),
]


@pytest.fixture(scope="module")
def run() -> vg.Run:
    """A simulated run."""
    return vg.simulate(40, PROFILES, mode="boost", seed=7)


@pytest.fixture(scope="module")
def live(run: vg.Run) -> vg.Run:
    """The same as if its provider were not known."""
    return vg.Run({name: each for name, each in run.header.items() if name not in ("backend", "seed")}, run.events)


def test_a_simulated_run(run: vg.Run) -> None:
    """Its own luck comes first; each pair is two simulations with one seed; the difference has an interval."""
    found = run.what_if(cooldown=5, seeds=6)
    assert found.cases == ["as it was", "cooldown=5"]
    assert [trial.seed for trial in found] == [7, 8, 9, 10, 11, 12] * 2
    assert found[0].makespan == run.metrics().makespan
    assert found[6].makespan == run.what_if(cooldown=5).metrics().makespan
    alone = [
        [vg.simulate(40, PROFILES, mode="boost", seed=k, policy=policy).metrics().makespan or 0.0 for k in range(7, 13)]
        for policy in (vg.PerProfileCooldown(30), vg.PerProfileCooldown(5))
    ]
    changed = found.summary()[1]
    differences = [b - a for a, b in zip(*alone, strict=True)]
    assert changed.difference == pytest.approx(fmean(differences))
    assert changed.difference_low is not None and changed.difference_high is not None
    assert changed.difference_low < fmean(differences) < changed.difference_high
    assert "cooldown=5" in found.in_words()
    assert [each.meta for each in found.chart("wait.p95").data] == ["mean", "difference"]


def test_the_spread_is_that_of_a_prediction(run: vg.Run) -> None:
    """10, 50 and 90 % points over the seeds, with which `predict_finish` answers, too."""
    found = run.what_if(mode="normal", seeds=range(20, 41))
    makespans = [trial.makespan or 0.0 for trial in found if trial.case == "mode=normal"]
    spread = found.spread()["mode=normal"]
    tenths = quantiles(makespans, n=10, method="inclusive")
    assert spread == pytest.approx((tenths[0], tenths[4], tenths[8]))
    assert found.spread("recovery.seconds") == {"as it was": None, "mode=normal": None}


def test_of_a_live_run_what_is_known_stays(live: vg.Run) -> None:
    """Each scene takes as long as it did if it goes to the same profile."""
    simulation, assumed = recorded_simulation(live.data, {})
    assert any("as long as they did" in each for each in assumed)
    again = live.what_if()
    took = {
        each.scene: (each.profile, (each.end or 0) - each.start)
        for each in live.attempts
        if each.end and each.outcome == "succeeded"
    }
    same = [
        ((each.end or 0) - each.start, took[each.scene][1])
        for each in again.attempts
        if each.outcome == "succeeded" and each.profile == took[each.scene][0]
    ]
    assert len(same) >= 15
    for now, before in same:
        assert now == pytest.approx(before, abs=0.11)  # polls come a tenth of a second apart
    assert set(simulation.luck) == set(took)


def test_of_a_live_run_guesses_are_drawn(live: vg.Run) -> None:
    """The first pair has the recorded luck; the others differ, so that the difference has an interval."""
    found = live.what_if(cooldown=5, seeds=8)
    as_it_was = [trial.makespan or 0.0 for trial in found if trial.case == "as it was"]
    assert pstdev(as_it_was) > 0
    assert as_it_was[0] == live.what_if().metrics().makespan
    changed = found.summary()[1]
    assert changed.difference_low is not None and changed.difference_high is not None
    assert changed.difference_low < changed.difference_high
    assert found.assumed and any("TokenBucket" in each or "a:" in each for each in found.assumed)
    again = live.what_if(cooldown=5, seeds=8)
    assert again.trials == found.trials
    given = live.what_if(profiles=PROFILES, seeds=3)
    assert given.summary()[1].trials == 3


def test_without_a_change_the_same_again(live: vg.Run) -> None:
    """A what-if of a live run is a simulated run, which repeats itself, with its scenes' luck."""
    guess = live.what_if(cooldown=9)
    assert guess.what_if().events == guess.events


def test_a_window_and_wrong_arguments(run: vg.Run) -> None:
    """Options of the metrics reach both; what makes no sense says so."""
    found = run.what_if(cooldown=5, seeds=2, metrics={"after": 60})
    assert found[0].attempts == run.metrics(after=60).attempts
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"seeds": 3}, "say what, such as cooldown=10"),
        ({"seeds": 3, "cooldown": 5, "seed": 2}, "not both"),
        ({"seeds": 0, "cooldown": 5}, "seeds is how many, 1 or more, or which"),
        ({"seeds": 3, "colour": 5}, "can't be varied"),
        ({"seeds": 3, "cooldown": 5, "metrics": {"aftr": 1}}, "metrics has no option 'aftr'"),
    ]
    for options, says in wrong:
        with pytest.raises(InputError, match=says):
            run.what_if(**options)


def test_luck_is_checked() -> None:
    """A quantile between 0 and 1 for each scene."""
    fixed = [vg.simulate(2, PROFILES, seed=k, luck={"s001": 0.5, "s002": 0.5}).metrics().makespan for k in range(3)]
    assert len(set(fixed)) == 1
    for wrong in ({"s001": 1.0}, {"s001": "x"}, [0.5]):
        with pytest.raises(InputError, match="a quantile between 0 and 1"):
            vg.simulate(2, PROFILES, luck=wrong)
