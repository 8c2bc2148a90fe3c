"""What sets one case apart from another, seed by seed: the mean, its interval, and how many seeds agree; in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.numbers import Metric, unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.plaintext import one_line

__all__ = ["PairedDifference", "found_in_words", "paired_difference"]


@dataclass(frozen=True)
class PairedDifference:
    """How much more of a number one case has than another, with the same luck: `case` − `first`, over the seeds."""

    first: str
    """The case that the other is compared with."""
    summary: CaseSummary
    """Of the other: its numbers, and its paired difference to the first."""
    unit: str
    """Of the number, such as ` s`; empty: it has none."""
    seeds: int
    """Seeds with which both have the number."""
    agree: int
    """Those of them in which the difference has the sign of its mean; with a mean of 0, those without a difference."""
    asked: int
    """All seeds."""
    uneven: int = 0
    """Those of them in which one left over more scenes than the other, so that their makespans aren't compared."""

    @property
    def case(self) -> str:
        """The case that is compared."""
        return self.summary.case

    @property
    def mean(self) -> float | None:
        """Mean of `case` − `first`; None: no seed has both."""
        return self.summary.difference

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the mean's confidence interval (Student's t, paired); None: there are fewer than two seeds."""
        low, high = self.summary.difference_low, self.summary.difference_high
        return None if low is None or high is None or low == -math.inf else (low, high)

    @property
    def told_apart(self) -> bool | None:
        """Whether the interval leaves out 0; None: there is no interval."""
        return self.summary.told_apart

    def __str__(self) -> str:
        """Return a sentence that says what was found."""
        first, other = one_line(self.first, 60), one_line(self.case, 60)
        what = one_line(self.summary.metric, 40).replace("_", " ")
        number = "makespan to compare" if what == "makespan" else f"number {what} to compare"
        if self.mean is None:
            why = "with every seed, one of them left more scenes undone" if self.uneven else "no seed gave it to both"
            return f"{first} and {other} have no {number}: {why}."
        if self.mean == 0 and self.agree == self.seeds:
            return f"{_same(what, first, other)}, {_each(self.seeds)}{self._left_out}."
        size = f"{self._shown(abs(self.mean))}{self.unit}"
        found = _found(what, -self.mean, size, self._ends, first, other)
        if self.interval is None:
            one = f"with the one seed that was compared{self._left_out}"
            return f"{_sentence(what, found)}, {one}; give more seeds for an interval."
        found += f", in {self.agree:,} of {_count(self.seeds)}{self._left_out}"
        if self.told_apart:
            return f"{_sentence(what, found)}."
        needed = self.summary.seeds_needed
        more = "" if needed is None else f"; if it is so, {needed:,} seeds would show it"
        by = "" if what == "makespan" else f" by {what}"
        return f"{first} and {other} can't be told apart{by}: {found}{more}."

    @property
    def _left_out(self) -> str:
        """Say which seeds are not compared, and why."""
        missing = self.asked - self.seeds - self.uneven
        said = [f"{_count(self.uneven)} left out: one case left more scenes undone"] if self.uneven else []
        said += [f"{_count(missing)} left out: one case has no such number"] if missing else []
        return f" ({'; '.join(said)})" if said else ""

    @property
    def _ends(self) -> str:
        """The interval, with the sign that the sentence gives to the mean."""
        if self.interval is None:
            return ""
        sign = -1.0 if (self.mean or 0.0) < 0 else 1.0
        low, high = sorted(sign * end for end in self.interval)
        return f" [{self._shown(low)}, {self._shown(high)}]"

    def _shown(self, value: float) -> str:
        """Return a number with as many places as its interval bears out; an end that is not 0 does not look like 0."""
        low, high = self.interval or (0.0, 0.0)
        error = (high - low) / 2 or abs(value) / 100 or 1.0
        places = max(0, -math.floor(math.log10(error)))
        while self.told_apart and places < 6 and round(min(abs(low), abs(high)), places) == 0:
            places += 1
        return f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−")


def paired_difference(
    trials: Trials, case: str, first: str, metric: Metric = "makespan", *, confidence: float = 0.95
) -> PairedDifference:
    """Return how a case differs from another in any number that `Trials.summary` takes.

    A run is not sooner for what it left over: makespans are compared with those seeds only in which both left over as
    many scenes.
    """
    asked = len({trial.seed for trial in trials})
    level = trials.level(case, first) if metric == "makespan" else trials
    uneven, trials = asked - len({trial.seed for trial in level}), level
    summary = next(each for each in trials.summary(metric, confidence=confidence, baseline=first) if each.case == case)
    apart = list(trials.numbers(metric, against=first)[case].values())
    mean = summary.difference or 0.0
    agree = sum(each == 0 if mean == 0 else each * mean > 0 for each in apart)
    return PairedDifference(first, summary, unit_of(metric), len(apart), agree, asked, uneven)


def found_in_words(trials: Trials, differences: Iterable[PairedDifference]) -> str:
    """Return a sentence for each difference, and what their numbers do not say: scenes left over, runs broken off."""
    broken = f"Broken off: {len(trials):,} of {trials.wanted:,} runs." if trials.partial else ""
    return " ".join(filter(None, [trials.unfinished, *map(str, differences), broken]))


def _found(what: str, more: float, size: str, interval: str, first: str, other: str) -> str:
    """Say by how much the first has more, or less, than the other."""
    if more == 0:
        return f"the mean difference is {size}{interval}"
    if what == "makespan":
        when = "sooner" if more < 0 else "later"
        return f"with {first} the scenes are done {size} {when}{interval} than with {other}"
    return f"{size} {'less' if more < 0 else 'more'}{interval} with {first} than with {other}"


def _sentence(what: str, words: str) -> str:
    """Begin with the number's name; the makespan needs none."""
    return f"W{words[1:]}" if words.startswith("with ") else f"{what}: {words}"


def _same(what: str, first: str, other: str) -> str:
    """Say that two cases have the same number."""
    if what == "makespan":
        return f"With {first} and with {other} the scenes are done at the same time"
    return f"{what}: the same with {first} and with {other}"


def _count(seeds: int) -> str:
    return f"{seeds:,} seed{'' if seeds == 1 else 's'}"


def _each(seeds: int) -> str:
    return "with the one seed that was compared" if seeds == 1 else f"with each of {seeds:,} seeds"
