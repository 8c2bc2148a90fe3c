"""One case over its seeds: its mean, and how it differs from another, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vidgen_nb.analysis.experiments.power import seeds_needed
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import count

__all__ = ["CaseSummary"]


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One case over its seeds: a mean with its confidence interval, and how it differs from the baseline, paired."""

    case: str
    values: tuple[tuple[str, Any], ...]
    metric: str
    trials: int
    """Runs that have the number; others, such as those in which nothing succeeded, are left out."""
    mean: float | None
    low: float | None
    """Lower end of the confidence interval; -inf: there was only one run."""
    high: float | None
    difference: float | None
    """Mean of (this - baseline) over the seeds that both have; None: there are no such seeds."""
    difference_low: float | None
    difference_high: float | None
    deviation: float | None = None
    """Standard deviation of the differences; None: there are fewer than two."""
    confidence: float = 0.95
    """Of the intervals."""

    @property
    def seeds_needed(self) -> int | None:
        """With so many seeds, a difference of this size is told from 0 in four of five experiments (`power`, paired t).

        None: not known, or no number of seeds would do.
        """
        if self.difference is None or self.deviation is None:
            return None
        return seeds_needed(self.difference, self.deviation, self.confidence)

    @property
    def told_apart(self) -> bool | None:
        """Whether the interval of the difference leaves out 0; None: there is no interval."""
        if self.difference_low is None or self.difference_high is None or self.difference_low == -math.inf:
            return None
        return self.difference_low > 0 or self.difference_high < 0

    def alone(self, unit: str = "") -> str:
        """Return the mean with its interval, where there is no other case to compare it with."""
        what, runs = one_line(self.metric, 40).replace("_", " "), count(self.trials, "run")
        bounded = self.low is not None and self.high is not None and math.isfinite(self.low)
        interval = f" [{self.low:,.4g}, {self.high:,.4g}]" if bounded else ""
        return f"{one_line(self.case, 60)}: {what} {self.mean:,.4g}{unit}{interval}, the mean of {runs}."

    def in_words(self, first: str, unit: str = "") -> str:
        """Return how the case differs from `first`, its baseline, and how many seeds show it, or would (`power`).

        `unit`: of the metric, such as ` s`.
        """
        who, other, what = one_line(self.case, 60), one_line(first, 60), one_line(self.metric, 40).replace("_", " ")
        if self.difference is None:
            return f"{who} and {other} have no seed in common that has the number {what}."
        if self.told_apart is None:
            return f"{who} against {other}: {self.difference:+,.4g}{unit} {what}; one seed has no interval, give more."
        low, high = self.difference_low, self.difference_high
        if self.difference == low == high == 0:
            return f"{who} and {other} have the same {what} with every seed."
        found = f"{what} {self.difference:+,.4g}{unit} [{low:+,.4g}, {high:+,.4g}]"
        needed = self.seeds_needed
        if self.told_apart:
            fewer = "" if needed is None or needed >= self.trials else f"; {needed:,} would be enough"
            return f"{who}: {found} against {other}, as {self.trials:,} seeds show{fewer}."
        few = "" if needed is None else f"; if it is so, {needed:,} seeds would show it"
        return f"{who} can't be told apart from {other}: {found}{few}."
