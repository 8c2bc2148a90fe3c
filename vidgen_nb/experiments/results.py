"""What experiments return: the records of many runs, with the charts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.experiments.numbers import Metric
from vidgen_nb.analysis.experiments.trials import Trials

if TYPE_CHECKING:
    from vidgen_nb.charts.drawing.engine import go

__all__ = ["Comparison", "Results", "Sweep"]


class Results(Trials):
    """Records that draw themselves; the first case is the baseline."""

    def spread_chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return every run as a dot, a row for each case; options as in `charts.experiments.spreads.spread_chart`."""
        from vidgen_nb.charts.experiments.spreads import spread_chart

        return spread_chart(self, metric, **options)

    def ranking_chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the cases by what they bring against the first; as `charts.experiments.rankings.ranking_chart`."""
        from vidgen_nb.charts.experiments.rankings import ranking_chart

        return ranking_chart(self, metric, **options)

    def table_chart(self, metrics: Sequence[Metric], **options: Any) -> go.Figure:
        """Return several metrics side by side, and which case is best; as `charts.experiments.tables.table_chart`."""
        from vidgen_nb.charts.experiments.tables import table_chart

        return table_chart(self, metrics, **options)


class Comparison(Results):
    """The results of policies and modes, compared seed by seed; the first case is the baseline."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the cases' means and paired differences, with intervals; options as in `comparison_chart`."""
        from vidgen_nb.charts.experiments.comparisons import comparison_chart

        return comparison_chart(self, metric, **options)


class Sweep(Results):
    """The results of all combinations of a grid's values; the first one is the baseline."""

    def __init__(self, axes: Mapping[str, Sequence[Any]], *rest: Any) -> None:
        super().__init__(*rest)
        self.axes = {name: list(values) for name, values in axes.items()}
        """What was varied, and over which values."""

    def chart(self, metric: Metric = "makespan", **options: Any) -> go.Figure:
        """Return the means over the first axis, with intervals and the bound; options as in `sweep_chart`."""
        from vidgen_nb.charts.experiments.sweeps import sweep_chart

        return sweep_chart(self, metric=metric, **options)
