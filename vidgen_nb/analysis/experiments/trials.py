"""Many simulated runs as records, one per case and seed, and their summary.

Seeds are common random numbers: with the same seed a scene takes equally long in every case, so cases can be
compared pair by pair, which needs far fewer runs than comparing means.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

from vidgen_nb.analysis.experiments.student_t import mean_interval
from vidgen_nb.analysis.metrics.measure import Metrics, measure
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NUMBERS", "Case", "CaseSummary", "Trial", "Trials", "checked_seeds", "run_trials"]


@dataclass(frozen=True)
class Case:
    """One setting: a simulation, to be run with several seeds."""

    name: str
    values: tuple[tuple[str, Any], ...]
    """What sets it apart, such as (("policy", "GlobalPause"), ("mode", "boost"))."""
    simulation: Simulation


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of one run. Times in run seconds."""

    case: str
    values: tuple[tuple[str, Any], ...]
    """What sets the case apart; columns of their own in a frame."""
    seed: int
    makespan: float | None
    """None: nothing succeeded."""
    succeeded: int
    """Scenes."""
    attempts: int
    rate_limited: int
    wasted: int
    """Attempts that ended without success."""
    moves: int
    lower_bound: float | None
    """No schedule is faster than this; None: not known."""
    efficiency: float | None
    """Lower bound ÷ makespan."""


NUMBERS: Final[Mapping[str, Callable[[Metrics, RunData], Any]]] = {
    "makespan": lambda metrics, data: metrics.makespan,
    "succeeded": lambda metrics, data: metrics.scenes.get("succeeded", 0),
    "attempts": lambda metrics, data: metrics.attempts,
    "rate_limited": lambda metrics, data: metrics.rate_limited,
    "wasted": lambda metrics, data: sum(each.outcome not in (None, "succeeded") for each in data.attempts),
    "moves": lambda metrics, data: metrics.moves,
    "lower_bound": lambda metrics, data: getattr(metrics, "lower_bound", None),
    "efficiency": lambda metrics, data: getattr(metrics, "efficiency", None),
}
"""The numbers of a trial. One more is a field of `Trial` and a line here."""


def run_trials(case: Case, seeds: Sequence[int]) -> list[Trial]:
    """Run one case with these seeds; in any process."""
    trials = []
    for seed in seeds:
        try:
            data = build(*replace(case.simulation, seed=seed).run())
        except Exception as error:
            with suppress(Exception):  # it may be frozen
                error.add_note(f"in the run of case {case.name!r} with seed {seed}")
            raise
        metrics = measure(data)
        numbers = {name: number(metrics, data) for name, number in NUMBERS.items()}
        trials.append(Trial(case.name, case.values, seed, **numbers))
    return trials


def checked_seeds(seeds: Iterable[int]) -> list[int]:
    """Return the seeds as a list; `InputError` for none, a repeated one, or one that is not a whole number."""
    given: Any = list(seeds) if isinstance(seeds, Iterable) else seeds
    whole = isinstance(given, list) and all(isinstance(each, Integral) and not isinstance(each, bool) for each in given)
    if not whole or not given or len(set(given)) < len(given):
        raise InputError(f"seeds are different whole numbers, at least one, such as range(20): not {given!r}")
    return [int(each) for each in given]


def check_sendable(cases: Iterable[Case]) -> None:
    """Raise `InputError` for a case that can't be sent to another process."""
    for case in cases:
        try:
            pickle.dumps(case)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"case {case.name!r} can't be sent to another process ({error}): define its functions and classes at "
                "the top of a module, without lambda, or leave executor= out"
            ) from None


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


class Trials(Sequence[Trial]):
    """Records of many runs; `comparison[0]`, `for trial in comparison`, tables of them, and their summary."""

    def __init__(self, cases: Sequence[Case], trials: Iterable[Trial], wanted: int) -> None:
        self.cases = [case.name for case in cases]
        """Their names, in the order in which they were given."""
        self.trials = list(trials)
        self.wanted = wanted
        """How many there would be without an interrupt or error."""
        self._values = {case.name: case.values for case in cases}

    @property
    def partial(self) -> bool:
        """Whether an interrupt or an error cut it short; the runs that had finished are here."""
        return len(self.trials) < self.wanted

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, place: Any) -> Any:
        return self.trials[place]

    def summary(
        self, metric: str = "makespan", *, confidence: float = 0.95, baseline: str | None = None
    ) -> list[CaseSummary]:
        """Return mean, confidence interval (Student's t) and paired difference to the baseline of each case.

        `metric`: one of `NUMBERS`. `baseline`: a case's name; None: the first. Raises `InputError` if unknown.
        """
        if metric not in NUMBERS:
            raise InputError(f"no metric {metric!r}: choose one of {', '.join(NUMBERS)}")
        if not 0 < confidence < 1:
            raise InputError(f"confidence lies between 0 and 1, such as 0.95, not {confidence!r}")
        if baseline is not None and baseline not in self._values:
            raise InputError(f"no case {baseline!r}: choose one of {', '.join(self.cases)}")
        numbers: dict[str, dict[int, float]] = {name: {} for name in self.cases}
        for trial in self.trials:
            if (number := getattr(trial, metric)) is not None:
                numbers[trial.case][trial.seed] = float(number)
        base = numbers[baseline or self.cases[0]]
        none = (None, None, None)
        summaries = []
        for name, mine in numbers.items():
            differences = [number - base[seed] for seed, number in mine.items() if seed in base]
            mean = mean_interval(list(mine.values()), confidence) if mine else none
            difference = mean_interval(differences, confidence) if differences else none
            summaries.append(CaseSummary(name, self._values[name], metric, len(mine), *mean, *difference))
        return summaries

    def to_frame(self, table: str = "trials", metric: str = "makespan") -> pd.DataFrame:
        """Return `trials` or `summary` as a pandas DataFrame, with a column for each setting varied (needs pandas)."""
        if table not in ("trials", "summary"):
            raise InputError(f"no table {table!r}: choose one of trials, summary")
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas") from error
        kind, records = (Trial, self.trials) if table == "trials" else (CaseSummary, self.summary(metric))
        columns = [each.name for each in fields(kind) if each.name != "values"]
        varied = list(dict.fromkeys(name for values in self._values.values() for name, _ in values))
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
        return f"<table><tr>{head}</tr>{rows}</table><p>{note}</p>"

    def __repr__(self) -> str:
        whole = f" of {self.wanted:,}, broken off" if self.partial else ""
        return f"<{type(self).__name__}: {len(self.cases)} cases, {len(self):,} runs{whole}>"


def _shown(mean: float | None, high: float | None, sign: str = "") -> str:
    if mean is None or high is None:
        return "–"
    half = high - mean
    return f"{mean:{sign},.1f}" + (f" ± {half:,.1f}" if half < float("inf") else "")
