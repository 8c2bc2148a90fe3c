"""Sweeps: each combination of a grid, whatever is varied."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.simulation.overrides import copies_of
from vidgen_nb.core.model import BOOST, Mode
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Sweep
from vidgen_nb.experiments.sweep import sweep
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.provider import Constant, FixedWindow, SimulatedProfile, TokenBucket
from vidgen_nb.run import simulate

PROFILES = [SimulatedProfile("p1", TokenBucket(2, per=60), Constant(20), retry_after=False)]


def makespans(found: Sweep) -> list[float | None]:
    """Return the makespan of each trial."""
    return [trial.makespan for trial in found]


def test_a_grid_of_cooldowns_and_profiles() -> None:
    """Every combination, first name slowest; each run is the one that `simulate` makes."""
    found = vg.sweep(8, PROFILES, grid={"cooldown": [5, 40], "profiles": [1, 3]}, seeds=[4], progress=False)
    assert isinstance(found, Sweep)
    assert found.axes == {"cooldown": [5, 40], "profiles": [1, 3]}
    assert found.cases == [
        "cooldown=5, profiles=1", "cooldown=5, profiles=3", "cooldown=40, profiles=1", "cooldown=40, profiles=3",
    ]  # fmt: skip
    runs = [
        simulate(8, copies_of(PROFILES, count), policy=PerProfileCooldown(seconds), seed=4)
        for seconds in (5, 40)
        for count in (1, 3)
    ]
    assert makespans(found) == [run.metrics().makespan for run in runs]
    frame = found.to_frame()
    assert list(frame.columns[:4]) == ["case", "cooldown", "profiles", "seed"]
    assert list(found.to_frame("summary")["profiles"]) == [1, 3, 1, 3]


@pytest.mark.parametrize(
    ("grid", "options"),
    [
        ({"scenes": [3]}, {"scenes": 3}),
        ({"policy": [GlobalPause(7)]}, {"policy": GlobalPause(7)}),
        ({"policy": ["GlobalPause"], "cooldown": [7]}, {"policy": GlobalPause(7)}),
        ({"mode": [BOOST]}, {"mode": "boost"}),
        ({"honour_retry_after": [True]}, {"policy": PerProfileCooldown(honour_retry_after=True)}),
        ({"latency": [2.0]}, {"latency": 2.0}),
        ({"limit": [FixedWindow(1, per=30)]}, {"limit": FixedWindow(1, per=30)}),
        ({"capacity": [1], "mode": [Mode("m", None, 9)]}, {"capacity": 1, "mode": Mode("m", None, 9)}),
        ({"profiles": [[SimulatedProfile("q", None, Constant(5))]]}, {"limit": None, "service": Constant(5)}),
    ],
)
def test_what_can_be_varied(grid: dict[str, Any], options: dict[str, Any]) -> None:
    """Anything of the simulation, the policy or the profiles, by its name."""
    options = dict(options)
    (trial,) = sweep(6, PROFILES, grid=grid, seeds=[1], progress=False)
    own: dict[str, Any] = {"limit": PROFILES[0].limit, "service": Constant(20), "retry_after": False}
    own |= {name: options.pop(name) for name in ("limit", "service", "capacity") if name in options}
    profile = SimulatedProfile("q", **own)
    run = simulate(options.pop("scenes", 6), [profile], seed=1, **options)
    assert (trial.makespan, trial.attempts) == (run.metrics().makespan, run.metrics().attempts)


def test_a_function_makes_what_is_varied() -> None:
    """`make` gets the values by name and says what to change; the table shows the values."""

    def make(rate: int, kind: str) -> dict[str, Any]:
        limit = {"bucket": TokenBucket, "window": FixedWindow}[kind](rate, per=60)
        return {"limit": limit, "cooldown": 60 / rate}

    found = sweep(
        6, PROFILES, grid={"rate": [2, 6], "kind": ["bucket", "window"]}, make=make, seeds=[1], progress=False
    )
    assert found.cases[1] == "rate=2, kind=window"
    profile = SimulatedProfile("p1", FixedWindow(2, per=60), Constant(20), retry_after=False)
    assert found[1].makespan == simulate(6, [profile], policy=PerProfileCooldown(30), seed=1).metrics().makespan
    assert len(set(makespans(found))) > 1


def test_more_profiles_than_there_are() -> None:
    """Copies in turn, with names of their own and limits of their own, also of a quota group's members."""
    given = [SimulatedProfile("a", quota_group="g"), SimulatedProfile("b"), SimulatedProfile("a (2)")]
    assert [each.name for each in copies_of(given, 2)] == ["a", "b"]
    more = copies_of(given, 6)
    assert [each.name for each in more] == ["a", "b", "a (2)", "a (3)", "b (2)", "a (2) (2)"]
    assert more[3].quota_group is None
    for wrong in (0, True, 1.5):
        with pytest.raises(InputError, match="1 or more"):
            copies_of(given, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        ({}, "grid gives a list of values"),
        ([("cooldown", [5])], "grid gives a list of values"),
        ({"cooldown": 5}, "grid gives a list of values"),
        ({"cooldown": []}, "grid gives a list of values"),
        ({"cooldown": [5, 5]}, "cooldown=5 twice"),
        ({"tempo": [1]}, r"'tempo' can't be varied \(known: scenes, profiles"),
        ({"latencies": [1]}, "'latencies' can't be varied; did you mean 'latency'"),
        ({"cooldown": [-1]}, "seconds must be 0 or more"),
        ({"capacity": [0]}, "capacity is a whole number"),
        ({"profiles": [0]}, "1 or more"),
        ({"scenes": [-1]}, "0 or more"),
        ({"scenes": [2.5]}, "a whole number, or a list of them, not 2.5"),
        ({"cooldown": "30"}, "grid gives a list of values .*, not 'cooldown': '30'"),
        ({"seed": [1, 2]}, "seed can't be varied: give seeds="),
    ],
)
def test_bad_input(grid: dict[str, Any], says: str) -> None:
    """It says what is wrong and what there is to choose from."""
    with pytest.raises(InputError, match=says):
        sweep(2, PROFILES, grid=grid, seeds=[1], progress=False)


def test_make_must_say_what_to_change() -> None:
    """Another thing than a dict is an error that shows it."""
    with pytest.raises(InputError, match=r"make returns what to change, .*not 5"):
        sweep(2, PROFILES, grid={"rate": [5]}, make=lambda rate: rate, seeds=[1], progress=False)
