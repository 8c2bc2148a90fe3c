"""What experiments return: the records of many runs, with the charts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.experiments.trials import Trials

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Comparison", "Sweep"]


class Comparison(Trials):
    """The results of policies and modes, compared seed by seed; the first case is the baseline."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the cases' means and paired differences, with intervals; as `charts.comparisons.comparison_chart`."""
        from vidgen_nb.charts.comparisons import comparison_chart

        return comparison_chart(self, metric, **options)


class Sweep(Trials):
    """The results of all combinations of a grid's values; the first one is the baseline."""

    def __init__(self, axes: Mapping[str, Sequence[Any]], *rest: Any) -> None:
        super().__init__(*rest)
        self.axes = {name: list(values) for name, values in axes.items()}
        """What was varied, and over which values."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the means over the first axis, with intervals and the bound; as `charts.sweeps.sweep_chart`."""
        from vidgen_nb.charts.sweeps import sweep_chart

        return sweep_chart(self, metric=metric, **options)
