"""Many simulated runs as records, one per case and seed, and their summary.

Seeds are common random numbers: with the same seed a scene takes equally long in every case, so cases can be
compared pair by pair, which needs far fewer runs than comparing means.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import fields
from html import escape
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Self

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.cases import Case, Trial
from vidgen_nb.analysis.experiments.numbers import (
    NUMBERS,
    Metric,
    metric_name,
    more_is_better,
    number_of,
    unit_of,
)
from vidgen_nb.analysis.experiments.student_t import mean_interval
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.on_demand import Question
from vidgen_nb.analysis.validation import share
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import html_line, one_line

if TYPE_CHECKING:
    import pandas as pd

MAX_SENTENCES = 12
"""Sentences below a table in a notebook."""

__all__ = ["Trials"]


class Trials(Sequence[Trial]):
    """Records of many runs; `comparison[0]`, `for trial in comparison`, tables of them, and their summary."""

    def __init__(self, cases: Sequence[Case], trials: Iterable[Trial], wanted: int) -> None:
        self.cases = [case.name for case in cases]
        """Their names, in the order in which they were given."""
        self.trials = list(trials)
        alike: dict[Question, Question] = {}
        for trial in self.trials:  # the bound is the same in all cases of a seed that made the same
            if isinstance(trial.metrics, Metrics):
                trial.metrics.share(alike)
        self.wanted = wanted
        """How many there would be without an interrupt or error."""
        self.assumed: list[str] = []
        """What had to be assumed, in words, if it is about a recorded run."""
        self.values = {case.name: dict(case.values) for case in cases}
        """What sets each case apart, by name."""

    @property
    def partial(self) -> bool:
        """Whether an interrupt or an error cut it short; the runs that had finished are here."""
        return len(self.trials) < self.wanted

    @property
    def assumption(self) -> list[str]:
        """That there is something in `assumed`, as a sentence for charts; nothing, if there is not."""
        return ["Limits and service times of a live run are estimates: `assumed` says which."] if self.assumed else []

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, place: Any) -> Any:
        return self.trials[place]

    def where(self, **values: Any) -> Self:
        """Return only the cases with these values, such as `where(mode="boost")`; `InputError` if there are none."""
        kept = [case for case in self.cases if values.items() <= self.values[case].items()]
        if not kept:
            wanted = ", ".join(f"{name}={value!r}" for name, value in values.items())
            raise InputError(f"no case has {wanted}: choose among {'; '.join(self.cases)}")
        part = copy(self)
        part.cases, part.values = kept, {case: self.values[case] for case in kept}
        part.trials = [trial for trial in self.trials if trial.case in part.values]
        part.wanted = self.wanted * len(kept) // len(self.cases)
        return part

    def level(self, one: str, other: str) -> Self:
        """Return only the runs of two cases, with the seeds in which both left over as many scenes: mostly none."""
        left = {case: {trial.seed: _left_over(trial) for trial in self if trial.case == case} for case in (one, other)}
        alike = {seed for seed, scenes in left[one].items() if left[other].get(seed) == scenes}
        part = copy(self)
        part.cases = [case for case in self.cases if case in left]
        part.trials = [trial for trial in self.trials if trial.case in left and trial.seed in alike]
        return part

    @property
    def unfinished(self) -> str:
        """How many scenes succeeded in each case, in a sentence, for what the numbers do not say; empty: all did."""
        if not any(map(_left_over, self.trials)):
            return ""
        mine = {case: [trial for trial in self.trials if trial.case == case] for case in self.cases}
        said = [
            f"{fmean(trial.succeeded for trial in trials):.3g} of "
            f"{fmean(trial.succeeded + _left_over(trial) for trial in trials):.3g} with {one_line(case, 60)}"
            for case, trials in mine.items()
            if trials
        ]
        often = ", on average" if max(map(len, mine.values())) > 1 else ""
        return f"Not every scene succeeded: {', '.join(said)}{often}."

    def numbers(self, metric: Metric = "makespan", *, against: str | None = None) -> dict[str, dict[int, float]]:
        """Return each case's numbers by seed; runs without the number are left out.

        `against`: a case's name, for the difference to it with the same seed, so far as both have it. Raises
        `InputError` if unknown.
        """
        metric_name(metric)
        if against is not None and against not in self.cases:
            raise InputError(f"no case {against!r}: choose one of {', '.join(self.cases)}")
        found: dict[str, dict[int, float]] = {case: {} for case in self.cases}
        for trial in self.trials:
            if (number := _number(trial, metric)) is not None:
                found[trial.case][trial.seed] = float(number)
        if against is None:
            return found
        base = found[against]
        return {
            case: {seed: _difference(number, base[seed]) for seed, number in mine.items() if seed in base}
            for case, mine in found.items()
        }

    def summary(
        self, metric: Metric = "makespan", *, confidence: float = 0.95, baseline: str | None = None
    ) -> list[CaseSummary]:
        """Return mean, confidence interval (Student's t) and paired difference to the baseline of each case.

        `metric`: one of `numbers.NUMBERS`; a dotted name of `run.metrics()`, such as `wait.p95`, `goodput`, `split.ok`
        or `recovery.seconds`; or a function of the metrics. `baseline`: a case's name; None: the first. Raises
        `InputError` if unknown.
        """
        name, confidence = metric_name(metric), share("confidence", confidence)
        paired = self.numbers(metric, against=self.cases[0] if baseline is None else baseline)
        none = (None, None, None)
        summaries = []
        for case, numbers in self.numbers(metric).items():
            mine, differences = list(numbers.values()), list(paired[case].values())
            mean, low, high = mean_interval(mine, confidence) if mine else none
            apart, least, most = mean_interval(differences, confidence) if differences else none
            deviation = stdev(differences) if len(differences) > 1 else None
            found = CaseSummary(
                case,
                tuple(self.values[case].items()),
                name,
                len(mine),
                mean,
                low,
                high,
                apart,
                least,
                most,
                deviation,
                confidence,
            )
            summaries.append(found)
        return summaries

    def against_best(
        self, metric: Metric = "makespan", *, most: bool | None = None, confidence: float = 0.95
    ) -> list[CaseSummary]:
        """Return a summary whose baseline is the case with the best mean.

        `most`: whether more is better; None: as usual for the metric. The differences' intervals hold together with
        this confidence (Bonferroni), so that those not `told_apart` hold the truly best case as often.
        """
        high, confidence = more_is_better(metric) if most is None else most, share("confidence", confidence)
        known = [each for each in self.summary(metric) if each.mean is not None]
        if not known:
            raise InputError(f"no run has the number {metric_name(metric)}, so there is no best case")
        best = (max if high else min)(known, key=lambda each: each.mean or 0.0)
        others = max(1, len(known) - 1)
        return self.summary(metric, baseline=best.case, confidence=1 - (1 - confidence) / others)

    def in_words(self, metric: Metric = "makespan", *, confidence: float = 0.95, baseline: str | None = None) -> str:
        """Return, in a line for each case but the baseline, how it differs, and how many seeds show it, or would.

        A single case has its mean. If scenes are left over, a last line says how many succeeded in each case.
        """
        found = self.summary(metric, confidence=confidence, baseline=baseline)
        first = baseline or self.cases[0]
        lines = [each.in_words(first, unit_of(metric)) for each in found if each.case != first]
        if all(each.mean is None for each in found):
            lines = [f"No run has the number {metric_name(metric).replace('_', ' ')}{_why_none(metric)}."]
        elif len(found) == 1:
            lines = [found[0].alone(unit_of(metric))]
        return "\n".join([*lines, *filter(None, [self.unfinished])])

    def spread(
        self, metric: Metric = "makespan", *, against: str | None = None
    ) -> dict[str, tuple[float, float, float] | None]:
        """Return the 10, 50 and 90 % points of each case over its seeds, as a prediction has them; None: no run has it.

        `against`: as in `numbers`. This is how much one run may differ; the intervals of `summary` are how well the
        mean is known.
        """
        found = {case: Spread.of(dict(mine)) for case, mine in self.numbers(metric, against=against).items()}
        return {
            case: None if values is None else (values.quantile(0.1), values.p50, values.quantile(0.9))
            for case, values in found.items()
        }

    def to_frame(self, table: str = "trials", metric: Metric = "makespan") -> pd.DataFrame:
        """Return `trials` or `summary` as a pandas DataFrame, with a column for each setting varied (needs pandas)."""
        if table not in ("trials", "summary"):
            raise InputError(f"no table {table!r}: choose one of trials, summary")
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas") from error
        kind, records = (Trial, self.trials) if table == "trials" else (CaseSummary, self.summary(metric))
        columns = [each.name for each in fields(kind) if each.name not in ("values", "metrics")]
        varied = list(dict.fromkeys(name for values in self.values.values() for name in values))
        rows = [
            [record.case, *(dict(record.values).get(name) for name in varied)]
            + [getattr(record, name) for name in columns[1:]]
            for record in records
        ]
        return pd.DataFrame(rows, columns=[columns[0], *varied, *columns[1:]])

    def _repr_html_(self) -> str:
        """Return a table with a row for each case: makespan, its difference, and the means of the counts."""
        counts = ("attempts", "rate_limited", "wasted", "moves")
        means = {name: {each.case: each.mean for each in self.summary(name)} for name in counts}
        heads = ("case", "makespan [s]", "against the first", *(name.replace("_", " ") for name in counts))
        rows = ""
        for each in self.summary():
            cells = [each.case, _shown(each.mean, each.high), _shown(each.difference, each.difference_high, sign="+")]
            cells += ["–" if (mean := means[name][each.case]) is None else f"{mean:,.1f}" for name in counts]
            rows += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        head = "".join(f"<th>{escape(each)}</th>" for each in heads)
        note = f"Broken off: {len(self):,} of {self.wanted:,} runs. " if self.partial else ""
        note += "Means over the seeds, ± half a 95 % confidence interval."
        words = "".join(f"<li>{html_line(line)}</li>" for line in self.in_words().splitlines()[:MAX_SENTENCES])
        return f"<table><tr>{head}</tr>{rows}</table><p>{note}</p><ul>{words}</ul>"

    def __repr__(self) -> str:
        whole = f" of {self.wanted:,}, broken off" if self.partial else ""
        return f"<{type(self).__name__}: {len(self.cases)} cases, {len(self):,} runs{whole}>"


def _number(trial: Trial, metric: Metric) -> float | None:
    """Return one number of a trial."""
    if isinstance(metric, str) and metric in NUMBERS:
        return getattr(trial, metric)  # type: ignore[no-any-return]
    return None if trial.metrics is None else number_of(trial.metrics, metric)


def _why_none(metric: Metric) -> str:
    """Return why no run has a number, where it is known."""
    first = metric_name(metric).split(".")[0]
    if first in ("cost", "wasted_cost", "cost_per_video"):
        return ": no price is known (SimulatedProfile(price=…))"
    return ": there was no trouble with an end, or none recovered" if first == "recovery" else ""


def _left_over(trial: Trial) -> int:
    """Return how many scenes of a run did not succeed."""
    return 0 if trial.metrics is None else sum(trial.metrics.scenes.values()) - trial.succeeded


def _difference(one: float, other: float) -> float:
    """Return one - other; what is only rounding is none."""
    return 0.0 if math.isclose(one, other, rel_tol=1e-12) else one - other


def _shown(mean: float | None, high: float | None, sign: str = "") -> str:
    if mean is None or high is None:
        return "–"
    half = high - mean
    return f"{mean:{sign},.1f}" + (f" ± {half:,.1f}" if half < float("inf") else "")
