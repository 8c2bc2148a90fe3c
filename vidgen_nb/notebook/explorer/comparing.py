"""Two settings with many seeds, in slices: between two slices the kernel answers other messages, without a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from vidgen_nb.analysis.experiments.cases import Case, Trial, run_trials
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.experiments.paired import found_in_words, paired_difference
from vidgen_nb.clock import Clock
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.notebook.explorer.state import ExplorerState, Fixed, differing
from vidgen_nb.plaintext import one_line

__all__ = ["SlicedComparison", "cases_of", "compared", "in_words"]

SLICE_SECONDS = 0.08
"""A page waits no longer than this for another answer."""
MAX_NAME = 80
METRICS = ("makespan", "rate_limited", "wasted_share", "wait.p50")
"""What a comparison says on the page."""


def cases_of(before: ExplorerState, now: ExplorerState, fixed: Fixed) -> list[Case]:
    """Return both settings as cases, named by what differs; the seeds are those of the comparison."""
    if before.changed(seed=0) == now.changed(seed=0):
        raise InputError("both settings are the same but for the seed, so with many seeds they do not differ")
    names = _names(before, now)
    return [
        Case(name, (("setting", name),), state.simulation(fixed))
        for name, state in zip(names, (before, now), strict=True)
    ]


def _names(before: ExplorerState, now: ExplorerState) -> tuple[str, str]:
    try:
        parts = list(differing(before.changed(seed=0), now.changed(seed=0)))
    except InputError:  # a class of one's own has no text
        parts = []
    said = [", ".join(each) for each in zip(*parts, strict=True)] or ["", ""]
    one, other = (one_line(each, MAX_NAME) for each in said)
    return (one, other) if one != other else ("before", "now")


def compared(cases: Sequence[Case], seeds: Sequence[int], executor: Submitter | None, *, progress: bool) -> Comparison:
    """Run both at once, and return them compared."""
    return run_cases(cases, seeds, executor, progress=progress, into=partial(Comparison, cases))


class SlicedComparison:
    """A comparison that goes on a little each time it is asked to."""

    def __init__(self, cases: Sequence[Case], seeds: Sequence[int], now: Callable[[], float] | None = None) -> None:
        """`now`: wall seconds, for tests."""
        self._cases, self._now = cases, now or Clock().now
        self._left = iter([(case, seed) for seed in seeds for case in cases])
        self._done: list[Trial] = []
        self.wanted = len(cases) * len(seeds)

    @property
    def done(self) -> int:
        """How many runs are done."""
        return len(self._done)

    @property
    def is_done(self) -> bool:
        """Whether all are."""
        return self.done == self.wanted

    def go_on(self, seconds: float = SLICE_SECONDS) -> None:
        """Make runs for about so long; at least one for each setting."""
        end = self._now() + seconds
        while pair := list(islice(self._left, len(self._cases))):
            for case, seed in pair:
                self._done += run_trials(case, [seed])
            if self._now() >= end:
                return

    def result(self) -> Comparison:
        """Return what there is by now."""
        order = {case.name: number for number, case in enumerate(self._cases)}
        trials = sorted(self._done, key=lambda each: order[each.case])
        return Comparison(self._cases, trials, self.wanted)


def in_words(found: Comparison) -> dict[str, Any]:
    """Return a comparison as rows for the page: number, both means, the paired difference; and what it says."""
    one, other = found.cases
    rows = []
    for metric in METRICS:
        before, now = found.summary(metric)
        rows.append([_LABELS[metric], _text(metric, before.mean), _text(metric, now.mean),
                     _interval(metric, now.difference, now.difference_low, now.difference_high)])  # fmt: skip
    words = found_in_words(found, [paired_difference(found, one, other)])  # of the present one, against the one before
    return {"rows": rows, "words": words, "names": [one, other]}


_LABELS = {"makespan": "Time", "rate_limited": "Refusals (429)", "wasted_share": "Wasted", "wait.p50": "Median wait"}


def _text(metric: str, value: float | None, sign: str = "") -> str:
    if value is None:
        return "–"
    if metric == "wasted_share":
        return f"{100 * value:{sign}.1f}" + ("" if sign else " %")
    return f"{value:{sign},.1f}" + (" s" if metric != "rate_limited" and not sign else "")


def _interval(metric: str, mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None or low is None or high is None:
        return "–"
    if mean == low == high == 0:
        return "the same with every seed"
    unit = {"wasted_share": " points", "rate_limited": ""}.get(metric, " s")
    bounds = "" if low == float("-inf") else f" [{_text(metric, low, '+')}, {_text(metric, high, '+')}]"
    return (_text(metric, mean, "+") + unit + bounds).replace("-", "\N{MINUS SIGN}")
