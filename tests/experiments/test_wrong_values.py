"""Values of a wrong kind, given to whatever simulates: an `InputError` that says what is wanted, none of Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.errors import InputError

PROFILES = [vg.SimulatedProfile("p1"), vg.SimulatedProfile("p2")]
RUN = vg.simulate(2, PROFILES)
WRONG: tuple[Any, ...] = (None, "x", 2.5, True, [None], {"a": None}, {1: 2}, object(), int)
OPTIONS = [
    each.name for each in fields(Simulation) if each.name not in ("scenes", "profiles", "mode", "policy", "seed")
]
FEW: dict[str, Any] = {"seeds": range(2), "progress": False}


def compare(**given: Any) -> Any:
    """Return a comparison of two policies."""
    options: dict[str, Any] = {"scenes": 2, "profiles": PROFILES} | FEW | given
    return vg.compare(**options)


def sweep(**given: Any) -> Any:
    """Return a sweep of two cooldowns."""
    options: dict[str, Any] = {"scenes": 2, "profiles": PROFILES, "grid": {"cooldown": [2, 5]}} | FEW | given
    return vg.sweep(**options)


def versus(**given: Any) -> Any:
    """Return two policies side by side."""
    options: dict[str, Any] = {"scenes": 2, "seeds": 1} | given
    return vg.versus("GlobalPause", "PerProfileCooldown", **options)


def case(**given: Any) -> Any:
    """Return a case beside one of which nothing is changed."""
    return vg.versus({"one": given, "other": {}}, scenes=2, seeds=1)


MADE = {"compare": compare(), "sweep": sweep(), "versus": versus()}
SHARED = ["scenes", "profiles", "mode", "seeds", "executor", "metrics", *OPTIONS]
WAYS: list[tuple[Callable[..., Any], list[str]]] = [
    (compare, [name for name in SHARED if name != "mode"] + ["policies", "modes"]),
    (sweep, [*SHARED, "policy", "grid"]),
    (versus, [*SHARED, "policy", "seed", "confidence", "cases"]),
    (case, ["scenes", "profiles", "mode", "policy", "capacity", "limit", "cooldown", *OPTIONS]),
    (RUN.what_if, ["profiles", "mode", "policy", "seed", "seeds", "capacity", "quota_group", "rate_headers", *OPTIONS]),
    (vg.explore, ["scenes", "profiles", "mode", "policy", "seed", *OPTIONS]),
    (MADE["compare"].summary, ["metric", "confidence", "baseline"]),
    (MADE["compare"].against_best, ["metric", "confidence"]),
    (MADE["compare"].numbers, ["metric", "against"]),
    (MADE["compare"].chart, ["metric", "confidence", "theme"]),
    (MADE["sweep"].chart, ["x", "y", "best", "against", "theme"]),
    (MADE["versus"].chart, ["moves", "height", "theme"]),
]


@pytest.mark.parametrize(("call", "names"), WAYS, ids=lambda each: getattr(each, "__qualname__", ""))
def test_wrong_values(call: Callable[..., Any], names: list[str]) -> None:
    """What is not taken is an `InputError`, with enough words to act on."""
    said: list[str] = []
    for name in names:
        for value in WRONG:
            if name == "metric" and value is int:
                continue  # a function of the user's: its errors are its own
            try:
                call(**{name: value})
            except InputError as error:
                said.append(str(error))
    assert len(said) >= len(names)
    assert min(map(len, said)) > 20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"capacities": None},
            "capacities gives profiles a number of jobs at once, such as .*, not None; capacity= is",
        ),
        ({"capacities": {"p1": "2"}}, "1 or more, or None for no bound; that of 'p1' is '2'"),
        ({"capacities": {"alcie": 2}}, "capacities has 'alcie', which is no profile; did you mean 'alice'"),
        ({"absent": "alcie"}, "absent names a profile 'alcie', which does not exist; did you mean 'alice'"),
        ({"absent": None}, "absent are names of profiles, in a list, not None"),
        ({"confidence": "high"}, "confidence lies between 0 and 1, such as 0.95, not 'high'"),
        ({"cases": [1]}, "takes cases without cases=, one after the other"),
        ({"metric": lambda: 1}, "a metric is a function of run.metrics"),
    ],
)
def test_what_is_said(given: dict[str, Any], says: str) -> None:
    """What, where and what to do."""
    with pytest.raises(InputError, match=says):
        versus(**given)
