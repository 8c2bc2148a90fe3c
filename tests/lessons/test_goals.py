"""Goals: as texts, as values, against another answer, and what a missed one says."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.lessons.goals import goal
from vidgen_nb.lessons.measurement import Measurement


def measured(**numbers: list[float]) -> Measurement:
    """Return what an answer gave: these numbers, one for each seed; another answer gives twice as much."""

    def of(runs: dict[int, Any], words: str) -> Measurement:
        twice = {seed: {name: 2 * value for name, value in run.items()} for seed, run in runs.items()}
        return Measurement(None, words, runs, lambda answer: of(twice, f"{answer}"))

    many = len(next(iter(numbers.values())))
    return of({seed: {name: values[seed] for name, values in numbers.items()} for seed in range(many)}, "mine")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("makespan below 70", vg.Goal("makespan", below=70)),
        ("Makespan below 70 s".lower(), vg.Goal("makespan", below=70)),
        ("refusals at most 5", vg.Goal("rate_limited", at_most=5)),
        ("refusals at most 5 with every seed", vg.Goal("rate_limited", at_most=5, over="every seed")),
        ("first result below 20.5", vg.Goal("first_result", below=20.5)),
        ("wait.p95 below 20", vg.Goal("wait.p95", below=20)),
        ("p95 wait below 20", vg.Goal("wait.p95", below=20)),
        ("efficiency at least 0.9", vg.Goal("efficiency", at_least=0.9)),
        ("beats Paced on makespan", vg.Goal("makespan", below=1, of=vg.Paced())),
        ("beats GlobalPause on goodput", vg.Goal("goodput", above=1, of=vg.GlobalPause())),
    ],
)
def test_a_text_stands_for_a_goal(text: str, same: vg.Goal) -> None:
    """And what it asks can be read again."""
    assert goal(text) == same
    assert goal(same) is same and same.words()


@pytest.mark.parametrize(
    ("asked", "numbers", "passed", "text"),
    [
        ("makespan below 70", [60, 79], True, "makespan: mean 69.5 s over 2 seeds (asked: below 70 s)"),
        ("makespan below 70", [61, 79], False, "makespan: mean 70.0 s over 2 seeds (asked: below 70 s)"),
        ("makespan at most 70", [61, 79], True, "makespan: mean 70.0 s over 2 seeds (asked: at most 70 s)"),
        ("makespan below 70", [68.2], True, "makespan: 68.2 s (asked: below 70 s)"),
        ("makespan above 70", [61, 79], False, "makespan: mean 70.0 s over 2 seeds (asked: above 70 s)"),
        ("makespan at least 70 with every seed", [71, 69], False,
         "makespan: 69.0 s with seed 1 (asked: at least 70 s)"),
        ("makespan below 70 with every seed", [61, 69], True,
         "makespan: at most 69.0 s with each of 2 seeds (asked: below 70 s)"),
        ("makespan at most 0 with every seed", [0, 0], True, "makespan: 0.0 s with each of 2 seeds (asked: 0)"),
    ],
)  # fmt: skip
def test_a_goal_says_what_was_reached(asked: str, numbers: list[float], passed: bool, text: str) -> None:
    """With the number, over how many seeds, and the bound."""
    verdict = goal(asked).judge(measured(makespan=numbers))
    assert (verdict.passed, verdict.text) == (passed, text)
    assert str(verdict) == f"{text} {'✓' if passed else '✗'}"
    assert (verdict.worst is None) == passed


def test_against_another_answer() -> None:
    """The bound is a multiple of what that gives with the same seeds."""
    half = vg.Goal("makespan", at_most=0.5, of="Paced()").judge(measured(makespan=[60, 80]))
    assert (
        half.passed
        and half.text == "makespan: mean 70.0 s over 2 seeds (asked: at most 70.0 s, 50 % of what Paced() gives)"
    )
    assert not vg.Goal("makespan", below=0.5, of="Paced()").judge(measured(makespan=[60, 80])).passed
    assert vg.Goal("makespan", below=1, of=vg.Paced()).words() == "makespan below that with Paced()"


def test_a_function_of_the_run() -> None:
    """True or False, with or without a reason; its name is its docstring."""

    def moves(run: Any) -> Any:
        """Scenes move."""
        return run["moves"] > 1, f"only {run['moves']} moved"

    assert str(goal(moves).judge(measured(moves=[2, 3]))) == "Scenes move: yes ✓"
    assert str(goal(moves).judge(measured(moves=[2, 1]))) == "Scenes move: no with seed 1, only 1 moved ✗"
    assert str(goal(lambda run: run["moves"] == 2).judge(measured(moves=[2]))) == "function: yes ✓"
    half: Any = lambda run: run["moves"] / 2  # noqa: E731
    most = vg.Goal(half, at_most=1)
    assert most.judge(measured(moves=[2, 2])).text == "function: mean 1 over 2 seeds (asked: at most 1)"


def test_a_number_that_is_missing_is_a_miss() -> None:
    """Such as the makespan of a run in which nothing was done."""
    run = vg.simulate(2, [vg.SimulatedProfile("alice")], faults=[vg.Fault("content")])
    verdict = vg.Goal("makespan", below=70).judge(Measurement(None, "mine", {0: run}, lambda _: None))  # type: ignore[arg-type,return-value]
    assert (verdict.passed, verdict.text) == (False, "makespan: none with seed 0")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"metric": "makespan"}, "exactly one of below, at_most, above, at_least, not 0"),
        ({"metric": "makespan", "below": 1, "above": 2}, "not 2"),
        ({"metric": "makespan", "below": "70"}, "below is a number, not '70'"),
        ({"metric": 70, "below": 1}, "a goal is about a metric"),
        ({"metric": "makespan", "below": 1, "over": "all"}, "'mean' or over 'every seed'"),
    ],
)
def test_what_is_wrong_with_a_goal_is_said(arguments: dict[str, Any], wrong: str) -> None:
    """As it is made."""
    with pytest.raises(vg.InputError, match=wrong):
        vg.Goal(**arguments)
