"""What a sweep's chart shows, as points: a mean with its interval, the bound, and the paired difference to the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import mean
from typing import Any, Final, NamedTuple

from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import check_texts, is_number
from vidgen_nb.errors import InputError

__all__ = ["TOGETHER", "SweepPoint", "categories_of", "differences_of", "is_logarithmic", "points_of"]

TOGETHER: Final = 0.95
"""Confidence of intervals that hold together."""
_WIDE: Final = 8
"""Values are spread over a logarithmic axis only if the greatest is so many times the least."""


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


def differences_of(trials: Trials, metric: Metric, against: Mapping[str, Any]) -> list[SweepPoint]:
    """Return how the other settings differ from one, paired, with everything else the same, over the first axis.

    `against`: the baseline's values, such as `{"mode": "normal"}`. The intervals hold together in 95 % (Bonferroni),
    since those that leave out 0 are picked from all. Raises `InputError` if no case has them, or if the first axis is
    among them.
    """
    names, points = categories_of(trials), list[SweepPoint]()
    axis = next(iter(trials.values[trials.cases[0]]))
    if not isinstance(against, Mapping) or not against or axis in against:
        raise InputError(f"against is a setting beside {axis!r}, such as {{'mode': 'normal'}}, not {against!r}")
    check_texts("against", against)
    bases = trials.where(**against).cases
    each_one = 1 - (1 - TOGETHER) / max(1, len(trials.cases) - len(bases))
    for base in bases:
        rest = {name: value for name, value in trials.values[base].items() if name not in against}
        for each in trials.where(**rest).summary(metric, baseline=base, confidence=each_one):
            if each.case == base or each.difference is None:
                continue
            value = rest[axis]
            x = names.index(str(value)) if names else value
            edges = (each.difference_low, each.difference_high)
            low, high = (each.difference if edge is None or math.isinf(edge) else edge for edge in edges)
            label = ", ".join(f"{name}={value}" for name, value in rest.items() if name != axis)
            if len(trials.where(**rest).cases) > 2:
                own = ", ".join(f"{name}={trials.values[each.case][name]}" for name in against)
                label = f"{own}, {label}" if label else own
            points.append(SweepPoint(x, each.difference, low, high, None, label))
    return points


def is_logarithmic(values: Iterable[float]) -> bool:
    """Say whether values were chosen by their ratios: over a wide range, more evenly so than by their differences."""
    ordered = sorted(set(values))
    if len(ordered) < 3 or ordered[0] <= 0 or ordered[-1] < _WIDE * ordered[0]:
        return False
    gaps = [(b - a, math.log(b / a)) for a, b in pairwise(ordered)]
    linear, logarithmic = zip(*gaps, strict=True)
    return bool(max(logarithmic) / min(logarithmic) < max(linear) / min(linear))
