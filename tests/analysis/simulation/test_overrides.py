"""Unknown arguments, and what the error says."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Constant, SimulatedProfile

PROFILES = [SimulatedProfile("p1", None, Constant(5))]


@pytest.mark.parametrize(
    ("call", "wrong", "says"),
    [
        (vg.compare, {"mode": "boost"}, "compare has no argument 'mode'; did you mean 'modes'?"),
        (vg.compare, {"policy": "GlobalPause"}, "compare has no argument 'policy'; did you mean 'policies'?"),
        (vg.compare, {"seed": 3}, "compare has no argument 'seed'; did you mean 'seeds'?"),
        (vg.sweep, {"gird": {"cooldown": [5]}}, "sweep has no argument 'gird'; did you mean 'grid'?"),
        (vg.sweep, {"grid": {"cooldown": [5]}, "modes": "boost"}, "no argument 'modes'; did you mean 'mode'?"),
        (vg.sweep, {}, "sweep: missing a required argument: 'grid'"),
        (vg.simulate, {"policies": []}, "simulate has no argument 'policies'; did you mean 'policy'?"),
        (vg.simulate, {"latencey": 1.0}, "simulate has no argument 'latencey'; did you mean 'latency'?"),
        (vg.simulate, {"zzz": 1}, r"simulate has no argument 'zzz' \(known: scenes, profiles, mode, policy, seed, "),
    ],
)  # fmt: skip
def test_wrong_names(call: Any, wrong: dict[str, Any], says: str) -> None:
    """An argument that there isn't is an `InputError` with the nearest one that there is."""
    with pytest.raises(InputError, match=says):
        call(3, PROFILES, **wrong)


def test_wrong_names_of_a_question() -> None:
    """`what_if` says it, too, and takes the same things as a sweep."""
    run = vg.simulate(3, PROFILES)
    with pytest.raises(InputError, match="'policies' can't be varied; did you mean 'policy'"):
        run.what_if(policies="GlobalPause")


def test_too_many_in_a_row() -> None:
    """What follows scenes and profiles is named; one profile alone is a list of one."""
    with pytest.raises(InputError, match="simulate: too many positional arguments"):
        vg.simulate(3, PROFILES, "boost")  # type: ignore[call-arg]
    assert vg.simulate(3, PROFILES[0]).events == vg.simulate(3, PROFILES).events  # type: ignore[arg-type]


def test_the_signature_stays() -> None:
    """Help and completion show the parameters and the words of the function itself."""
    assert list(inspect.signature(vg.simulate).parameters)[:3] == ["scenes", "profiles", "mode"]
    assert (vg.compare.__name__, (vg.compare.__doc__ or "")[:8]) == ("compare", "Simulate")
