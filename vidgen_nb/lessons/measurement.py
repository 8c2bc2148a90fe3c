"""What an answer gave: its runs, one for each seed, and numbers of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from statistics import fmean
from typing import Any, Final

from vidgen_nb.analysis.experiments.client_metrics import ClientMetrics
from vidgen_nb.analysis.experiments.numbers import NUMBERS, Metric, metric_name, number_of, unit_of
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.clients import ClientRuns
from vidgen_nb.errors import InputError
from vidgen_nb.run import Run

__all__ = ["ALIASES", "WORDS", "Measurement", "number_in", "said", "scenes_left", "words_of"]

ALIASES: Final = {"refusals": "rate_limited", "calls": "attempts", "p95 wait": "wait.p95", "time": "makespan"}
"""What people call some numbers of a run."""
WORDS: Final = {"rate_limited": "refusals", "attempts": "calls", "wait.p95": "p95 wait", "first_result": "first result"}
"""What the numbers of a run are called in a sentence."""


def number_in(measured: Any, metric: Metric, metrics: Callable[[], Metrics]) -> float | None:
    """Return one number of what was measured: a run, the runs of clients, or numbers by name.

    `metric`: as in `Trials.summary`, or a function of what was measured. `metrics`: gives those of a run. None: it
    doesn't have it.
    """
    if callable(metric):
        value = metric(measured)
        if value is not None and not isinstance(value, bool) and not is_number(value):
            raise InputError(f"{metric_name(metric)} returned {value!r}, which is no number")
        return None if value is None else float(value)
    name = ALIASES.get(metric, metric)
    if isinstance(measured, Mapping):
        if name not in measured:
            raise InputError(f"there is no number {metric!r}: choose one of {', '.join(map(str, measured))}")
        return float(measured[name])
    if isinstance(measured, ClientRuns):
        together = ClientMetrics.of([run.metrics() for run in measured])
        value = number_of(together, "scenes.succeeded" if name == "succeeded" else name)
    elif isinstance(measured, Run):
        known = NUMBERS.get(name)
        value = number_of(metrics(), name) if known is None else known(metrics(), measured.data)
    else:
        raise InputError(f"a goal about {metric!r} needs a run, not {measured!r}")
    return None if value is None else float(value)


def scenes_left(measured: Any) -> tuple[int, int]:
    """Return how many scenes are not done, and of how many, of a run or of clients; (0, 0) for anything else."""
    if not isinstance(measured, Run | ClientRuns):
        return 0, 0
    runs = [measured] if isinstance(measured, Run) else measured
    statuses = [scene.status for run in runs for scene in run.scenes]
    return sum(status != "succeeded" for status in statuses), len(statuses)


def words_of(metric: Metric) -> str:
    """Return what a metric is called in a sentence."""
    if callable(metric):
        return (metric.__doc__ or metric_name(metric)).strip().splitlines()[0].rstrip(".").replace("_", " ")
    name = ALIASES.get(metric, metric)
    return WORDS.get(name, name.replace("_", " "))


def said(value: float, metric: Metric) -> str:
    """Return a number with its unit."""
    unit = unit_of(ALIASES.get(metric, metric) if isinstance(metric, str) else metric)
    if unit:
        return f"{value:,.1f}{unit}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}" if abs(value) >= 1 else f"{value:.3g}"


class Measurement:
    """What one answer gave with each seed; `of` tries another one in the same way."""

    def __init__(
        self, answer: Any, words: str, runs: Mapping[int, Any], try_with: Callable[[Any], Measurement]
    ) -> None:
        self.answer = answer
        """As it was read."""
        self.words = words
        self.runs = runs
        """By seed."""
        self.of = try_with
        """Returns what another answer gives, with the same seeds."""
        self._metrics: dict[int, Metrics] = {}

    def numbers(self, metric: Metric) -> dict[int, float | None]:
        """Return a metric by seed; there is no makespan where scenes are not done."""
        is_makespan = isinstance(metric, str) and ALIASES.get(metric, metric) == "makespan"
        return {
            seed: None
            if is_makespan and scenes_left(run)[0]
            else number_in(run, metric, partial(self._metrics_of, seed))
            for seed, run in self.runs.items()
        }

    def _metrics_of(self, seed: int) -> Metrics:
        if seed not in self._metrics:
            self._metrics[seed] = self.runs[seed].metrics()
        return self._metrics[seed]

    def mean(self, metric: Metric) -> float | None:
        """Return the mean of a metric over the seeds; None: a run doesn't have it."""
        values = list(self.numbers(metric).values())
        known = [each for each in values if each is not None]
        return fmean(known) if known and len(known) == len(values) else None
