"""Wrong arguments of what simulates: an `InputError` that says what, where and what to do; and what is taken."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.validation import is_number, plain_number
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError

PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(2, per=60), vg.Constant(10), capacity=2, quota_group="team"),
    vg.SimulatedProfile("p2", None, vg.LogNormal(10, 0.3), capacity=1),
]
TOLD = vg.Paced({"team": vg.TokenBucket(2, per=60)})
QUIET: dict[str, Any] = {"seeds": [1], "progress": False}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"profiles": None}, "profiles are SimulatedProfile.* objects, in a list, not None"),
        ({"profiles": 3}, "profiles are SimulatedProfile.* objects, in a list, not 3"),
        ({"profiles": ["p1"]}, "profiles are SimulatedProfile.* objects, not 'p1'"),
        ({"on_ambiguous": "drop"}, "on_ambiguous is 'hold' or 'retry', not 'drop'"),
        ({"told_groups": "no"}, "told_groups is True or False, not 'no'"),
        ({"max_wait": "x"}, "max_wait must be 0 or more seconds, not 'x'"),
        ({"max_wait": None}, "max_wait must be 0 or more seconds, not None"),
        ({"max_wait": math.nan}, "max_wait must be 0 or more"),
        ({"latency": "x"}, "latency is a finite number of seconds, 0 or more, not 'x'"),
        ({"latency": None}, "latency is a finite number"),
        ({"latency": True}, "latency is a finite number"),
        ({"until": "x"}, "until is a number of seconds, 0 or more, not 'x'"),
        ({"arrivals": ["a", 1]}, "an arrival is a finite number of seconds, 0 or more, not 'a'"),
        ({"arrivals": 5}, "arrivals are run seconds, one for each scene, in a list, not 5"),
        ({"arrivals": [1.0]}, "arrivals has 1 times for 2 scenes"),
        ({"faults": 5}, "faults are Fault.* objects, in a list, not 5"),
        ({"faults": ["rate"]}, "faults are Fault.* objects, not 'rate'"),
        ({"retry": 5}, r"retry is a RetryPolicy\(...\) or None, not 5"),
        ({"requests": [5]}, "requests are .*pairs, .*not 5"),
        ({"requests": [(1.0, "pause")]}, r"requests are .*such as \(60, Paused\(\)\), not"),
        ({"requests": [("x", ev.Paused())]}, "a request's time is a finite number of seconds"),
        ({"cooldowns": [30]}, "cooldowns are CooldownImposed events, not 30"),
        ({"seed": "1"}, "seed is a whole number, not '1'"),
        ({"faults": [vg.Fault("rate", profile="nobody")]}, r"a fault is for profile 'nobody', .*known: p1, p2"),
        ({"faults": [vg.Fault("rate", profile="p11")]}, "a fault is for profile 'p11', .*did you mean 'p1'"),
        ({"policy": vg.Paced({"nobody": vg.TokenBucket(1, per=1)})}, "limits has 'nobody', .*known: p1, p2, team"),
        ({"policy": vg.EarliestFinish(vg.Paced({"x": vg.TokenBucket(1, per=1)}))}, "Paced: limits has 'x'"),
    ],
)  # fmt: skip
def test_what_can_not_be_simulated(options: dict[str, Any], says: str) -> None:
    """`simulate` says so, and so do `compare` and `sweep`, which take the same."""
    given: dict[str, Any] = {"profiles": PROFILES} | options
    profiles, alone = given.pop("profiles"), "seed" in given or "policy" in given
    with pytest.raises(InputError, match=says):
        vg.simulate(2, profiles, **given)
    if alone:
        return
    with pytest.raises(InputError, match=says):
        vg.compare(2, profiles, **given, **QUIET)
    with pytest.raises(InputError, match=says):
        vg.sweep(2, profiles, grid={"cooldown": [5]}, **given, **QUIET)


@pytest.mark.parametrize(
    ("options", "like"),
    [
        ({"faults": None, "retry": None, "until": None, "arrivals": None}, {}),
        ({"faults": vg.Fault("rate", nth=1)}, {"faults": [vg.Fault("rate", nth=1)]}),
        ({"faults": iter([vg.Fault("rate", nth=1)])}, {"faults": [vg.Fault("rate", nth=1)]}),
        ({"arrivals": iter([0, 1, 2, 3])}, {"arrivals": [0, 1, 2, 3]}),
        ({"arrivals": np.arange(4)}, {"arrivals": [0, 1, 2, 3]}),
        ({"seed": np.int64(3), "latency": np.float32(0.5)}, {"seed": 3, "latency": 0.5}),
        ({"max_wait": np.int64(60), "max_billed": np.int64(2)}, {"max_wait": 60.0, "max_billed": 2}),
        ({"policy": TOLD}, {"policy": TOLD}),
    ],
)  # fmt: skip
def test_what_is_taken_as_well(options: dict[str, Any], like: dict[str, Any]) -> None:
    """None where there is a default, one fault, what can be gone through once, and numbers of numpy."""
    run, other = vg.simulate(4, PROFILES, **options), vg.simulate(4, PROFILES, **like)
    assert run.events == other.events
    assert json.dumps(run.header) == json.dumps(other.header)


@pytest.mark.parametrize(
    ("grid", "like"),
    [
        ({"profiles": np.arange(1, 4)}, {"profiles": [1, 2, 3]}),
        ({"capacity": np.arange(1, 4)}, {"capacity": [1, 2, 3]}),
        ({"scenes": np.arange(1, 4)}, {"scenes": [1, 2, 3]}),
        ({"cooldown": np.arange(5, 20, 5)}, {"cooldown": [5, 10, 15]}),
        ({"cooldown": np.linspace(5, 15, 3)}, {"cooldown": [5.0, 10.0, 15.0]}),
        ({"latency": np.arange(2)}, {"latency": [0, 1]}),
    ],
)
def test_a_grid_of_numpy(grid: dict[str, Any], like: dict[str, Any]) -> None:
    """It is the grid of plain numbers, also in the records, and JSON can carry those."""
    found, plain = (vg.sweep(3, PROFILES, grid=each, **QUIET) for each in (grid, like))
    assert found.trials == plain.trials and found.cases == plain.cases
    assert json.dumps(found.axes) == json.dumps(plain.axes)
    assert json.dumps([trial.values for trial in found]) == json.dumps([trial.values for trial in plain])


def test_numpy_elsewhere() -> None:
    """How many scenes there are, what a question changes, and what `make` is given."""
    assert len(vg.simulate(np.int64(3), PROFILES).scenes) == 3
    run = vg.simulate(3, PROFILES)
    assert run.what_if(profiles=np.int64(1)).events == run.what_if(profiles=1).events  # type: ignore[call-overload]
    assert run.what_if(capacity=np.int64(1)).events == run.what_if(capacity=1).events
    grid = {"rate": np.arange(1, 3)}
    assert len(vg.sweep(3, PROFILES, grid=grid, make=lambda rate: {"limit": vg.TokenBucket(rate, per=9)}, **QUIET)) == 2


@pytest.mark.parametrize(
    ("value", "plain"), [(np.int8(3), 3), (np.float32(0.5), 0.5), (True, True), ("3", "3"), (None, None), (2, 2)]
)
def test_plain_numbers(value: object, plain: object) -> None:
    """Numbers of any kind become those of Python, and nothing else changes."""
    assert plain_number(value) == plain and type(plain_number(value)) is type(plain)


@pytest.mark.parametrize(
    ("value", "good"), [(1, True), (math.inf, True), (math.nan, False), (True, False), ("1", False)]
)
def test_what_is_a_number(value: object, good: bool) -> None:
    """Infinite is one, NaN and truth are none."""
    assert is_number(value) is good


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"modes": None}, "modes are names such as 'boost', .* not None"),
        ({"modes": [3]}, "modes are names such as 'boost', .* not 3"),
        ({"policies": 3}, "policies are instances, or names .* not 3"),
        ({"policies": {1: "GlobalPause"}}, "policies has a text as the name of each element, not 1"),
    ],
)
def test_what_can_not_be_compared(options: dict[str, Any], says: str) -> None:
    """It says what modes and policies are."""
    with pytest.raises(InputError, match=says):
        vg.compare(2, PROFILES, **options, **QUIET)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"grid": {1: [5]}}, "grid has a text as the name of each element, not 1"),
        ({"make": 3}, "make is a function of rate, not 3"),
        ({"make": lambda tempo: {"cooldown": tempo}}, r"make is a function of rate, .* takes \(tempo\)"),
        ({"make": lambda a, rate: {}}, r"function of rate, .* takes \(a, rate\)"),
        ({"grid": {"profiles": [2.5]}}, "profiles is a list of profiles, or how many: 1 or more, not 2.5"),
        ({"grid": {"profiles": [None]}}, "profiles are SimulatedProfile"),
        ({"grid": {"faults": [[vg.Fault("rate", profile="nobody")]]}}, "a fault is for profile 'nobody'"),
    ],
)  # fmt: skip
def test_what_can_not_be_swept(options: dict[str, Any], says: str) -> None:
    """It says what a grid holds, and by which names `make` is called."""
    with pytest.raises(InputError, match=says):
        vg.sweep(2, PROFILES, **{"grid": {"rate": [1]}, **options}, **QUIET)


def test_a_profile_of_some_cases() -> None:
    """A fault, or a limit, may be one of a profile that only some cases of a sweep have."""
    options: dict[str, Any] = {"faults": [vg.Fault("rate", profile="p1 (2)", nth=1)]}
    assert len(vg.sweep(4, PROFILES, grid={"profiles": [1, 3]}, **options, **QUIET)) == 2
    told = vg.Paced({"p2": vg.TokenBucket(1, per=9)})
    assert len(vg.sweep(4, PROFILES, grid={"profiles": [1, 2]}, policy=told, **QUIET)) == 2
    run = vg.simulate(4, PROFILES, faults=[vg.Fault("rate", profile="p2")], until=100)
    assert len(run.what_if(profiles=1).scenes) == 4
