"""What a sweep's chart shows, as points: a mean with its interval, the bound, and the paired difference to the best."""

from __future__ import annotations

import math
from statistics import mean
from typing import NamedTuple

from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import is_number

__all__ = ["SweepPoint", "categories_of", "points_of"]


class SweepPoint(NamedTuple):
    """One setting of a sweep, and its result."""

    x: float
    mean: float
    low: float
    """Lower end of the confidence interval."""
    high: float
    lower_bound: float | None = None
    """No schedule can beat this; None: not known."""
    label: str = ""
    """Points with the same label are one curve."""
    to_best: tuple[float, float, float] | None = None
    """Paired difference to the best point, with its interval; None: not known."""

    @property
    def as_good(self) -> bool:
        """Whether it can't be told apart from the best."""
        return self.to_best is not None and self.to_best[1] <= 0 <= self.to_best[2]


def points_of(trials: Trials, metric: Metric = "makespan", best: str | None = None) -> list[SweepPoint]:
    """Return a sweep's means with their intervals (95 %) over its first axis, a curve for each other combination.

    A single run has no interval. If that axis has values other than numbers, x is the index in `categories_of`.
    `best`: `least` or `most`, for the paired differences to the best point (`Trials.against_best`).
    """
    points: list[SweepPoint] = []
    names = categories_of(trials)
    some = any(case.mean is not None for case in trials.summary(metric))
    paired = trials.against_best(metric, most=None if best is None else best == "most") if some else []
    to_best = {
        each.case: (each.difference, each.difference_low, each.difference_high)
        for each in paired
        if each.difference is not None and each.difference_low is not None and each.difference_high is not None
    }
    for case in trials.summary(metric):
        (_, value), *rest = case.values
        x = names.index(str(value)) if names else value
        if case.mean is not None:
            bounds = [t.lower_bound for t in trials if t.case == case.case and t.lower_bound is not None]
            low, high = (case.mean if edge is None or math.isinf(edge) else edge for edge in (case.low, case.high))
            bound = mean(bounds) if bounds and metric == "makespan" else None
            label = ", ".join(f"{k}={v}" for k, v in rest)
            points.append(SweepPoint(x, case.mean, low, high, bound, label, to_best.get(case.case)))
    return points


def categories_of(trials: Trials) -> list[str]:
    """Return the values of a sweep's first axis as texts, in the order given; empty: they are all numbers."""
    values = [case.values[0][1] for case in trials.summary()]
    if all(is_number(value) for value in values):
        return []
    return list(dict.fromkeys(map(str, values)))
