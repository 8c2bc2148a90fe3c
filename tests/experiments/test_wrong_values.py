"""Values of a wrong kind, given to whatever simulates: an `InputError` that says what is wanted, none of Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
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
    (partial(MADE["sweep"].table_chart, ["makespan"]), ["confidence", "theme"]),
    (RUN.little_chart, ["windows", "after", "until", "theme"]),
    (partial(RUN.load_chart, window=1), ["window", "theme"]),
    (partial(RUN.recovery_chart, trouble=(1, 2)), ["trouble", "window", "control", "seeds", "theme"]),
    (partial(RUN.admission_chart, "p1"), ["limit", "theme"]),
    (RUN.share_chart, ["profiles", "theme"]),
    (RUN.metrics, ["after", "until", "trouble", "window", "control", "profiles"]),
]
DRAWN: dict[str, Callable[..., Any]] = {
    name: getattr(RUN, name)
    for name in (
        "gantt", "svg", "slot_time_chart", "attempts_chart", "share_chart", "queue_chart", "wait_chart", "move_chart",
        "little_chart", "load_chart",
    )
} | {
    "admission_chart": partial(RUN.admission_chart, "p1"),
    "aligned_chart": partial(RUN.aligned_chart, RUN),
    "recovery_chart": partial(RUN.recovery_chart, trouble=(1, 2)),
    "comparison_chart": MADE["compare"].chart, "sweep_chart": MADE["sweep"].chart,
    "spread_chart": MADE["compare"].spread_chart, "ranking_chart": MADE["compare"].ranking_chart,
    "table_chart": partial(MADE["compare"].table_chart, ["makespan"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_has_no_such_option(name: str) -> None:
    """An option that it has not is met with the one that was meant, as everywhere."""
    with pytest.raises(InputError, match=rf"{name} has no argument 'thme'; did you mean 'theme'\?"):
        DRAWN[name](thme="dark")


def test_what_charts_ask_for() -> None:
    """A window that the run has, a time that is one, a metric once."""
    for call, says in (
        (partial(RUN.load_chart), "load_chart: missing a required argument: 'window'"),
        (partial(RUN.load_chart, window=1e9), "window is at most as long as the run"),
        (partial(RUN.little_chart, after=-5), "after is a finite number of seconds, 0 or more, not -5"),
        (partial(RUN.metrics, until=0), "not after=0 and until=0"),
        (partial(MADE["compare"].table_chart, ["makespan", "makespan"]), "metrics has makespan twice"),
        (partial(vg.lower_bound, 2, PROFILES, cooldowns={"p1": -3}), "from 0 on, not -3"),
    ):
        with pytest.raises(InputError, match=says):
            call()


def test_a_window_that_one_run_has_not_says_which() -> None:
    """What is wrong with the numbers of a run is said with its case and its seed, as what is wrong with the run is."""
    with pytest.raises(InputError, match="after lies in the run") as caught:
        sweep(metrics={"after": 1e6})
    assert "in the run of case 'cooldown=2' with seed 0" in caught.value.__notes__


def test_seeds_are_which_or_how_many() -> None:
    """A number is that many, from 0 on; by default there are twenty."""
    assert [each.seed for each in compare(seeds=3).where(policy="PerProfileCooldown")] == [0, 1, 2]
    assert len(vg.sweep(1, PROFILES, grid={"cooldown": [5]}, progress=False)) == 20


@pytest.mark.parametrize(
    ("call", "names"), WAYS, ids=lambda each: getattr(getattr(each, "func", each), "__qualname__", "")
)
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
