"""Paired differences in words: rounded as their interval bears out, and never more than was found."""

from __future__ import annotations

import math

import pytest

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.paired import PairedDifference
from vidgen_nb.analysis.experiments.student_t import mean_interval


def difference(values: list[float], metric: str = "makespan", unit: str = " s", asked: int = 0) -> PairedDifference:
    """Return a difference of these values, B − A."""
    mean, low, high = mean_interval(values, 0.95)
    center = math.fsum(values) / len(values)
    deviation = None if len(values) < 2 else math.sqrt(sum((each - center) ** 2 for each in values) / (len(values) - 1))
    summary = CaseSummary("B", (), metric, len(values), 1, 1, 1, mean, low, high, deviation)
    agree = sum(each == 0 if mean == 0 else each * mean > 0 for each in values)
    return PairedDifference("A", summary, unit, len(values), agree, asked or len(values))


SOONER = "With A the scenes are done {} than with B, in {} seeds."


@pytest.mark.parametrize(
    ("values", "metric", "says"),
    [
        ([40, 42, 41], "makespan", SOONER.format("41 s sooner [39, 43]", "3 of 3")),
        ([-4.1, -4.3, -4.2], "makespan", SOONER.format("4.2 s later [4.0, 4.4]", "3 of 3")),
        ([7, 7, 7], "makespan", SOONER.format("7.00 s sooner [7.00, 7.00]", "3 of 3")),
        ([0.2, 3, 6, 2, 4.3], "makespan", SOONER.format("3.1 s sooner [0.4, 5.8]", "5 of 5")),
        ([0, 0, 0], "makespan", "With A and with B the scenes are done at the same time, with each of 3 seeds."),
        ([0, 0, 0], "attempts", "attempts: the same with A and with B, with each of 3 seeds."),
        ([0.01, 0.012, 0.011], "goodput", "goodput: 0.011 s less [0.009, 0.013] with A than with B, in 3 of 3 seeds."),
    ],
)
def test_sentences(values: list[float], metric: str, says: str) -> None:
    """Rounded by the interval; an interval that leaves out 0 never shows 0 as its end."""
    assert str(difference(values, metric)) == says


def test_one_seed_has_no_interval() -> None:
    """It is told as what it is, in plain digits."""
    said = "With A the scenes are done 12,346 s sooner than with B, with the one seed that was compared; "
    assert str(difference([12345.6])) == f"{said}give more seeds for an interval."


def test_what_is_not_known_is_not_claimed() -> None:
    """Seeds without the number are counted; a difference of either sign can't be told apart."""
    some = difference([5, 6, 7], asked=5)
    assert str(some).endswith("in 3 of 3 seeds (2 seeds left out: one case has no such number).")
    apart = difference([5, -6, 7])
    assert apart.told_apart is False
    assert str(apart).startswith(
        "A and B can't be told apart: with A the scenes are done 2 s sooner [−15, 19] than with B"
    )
    even = difference([5, -5])
    assert str(even) == "A and B can't be told apart: the mean difference is 0 s [−64, 64], in 0 of 2 seeds."
