"""Every run of an experiment as a dot, a row for each case: how much one run may differ from the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, more_is_better, unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import name_labels
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.rows import label_pixels, row_axis
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["spread_chart"]

_ROW_PIXELS, _LEAST_PIXELS, _MAX_SENTENCES = 46.0, 110.0, 4


@checks_arguments()
def spread_chart(
    trials: Trials, metric: Metric = "makespan", *, paired: bool = False, theme: str = "auto"
) -> go.Figure:
    """Draw each run's number as a dot, in a row for each case, with the median and the middle 80 % behind them.

    `trials`: what `compare`, `sweep` or `one_more` returned. `paired`: draw the differences to the first case instead,
    seed by seed. The width of a row is what one run may do; that of an interval, how well a mean is known
    (`comparison_chart`). Raises `InputError` for anything else, if no run has the number, and for an unknown theme.
    """
    if not isinstance(trials, Trials):
        raise InputError(f"spread_chart draws what compare or sweep returned, not {trials!r}")
    look, first = theme_of(theme), trials.cases[0]
    if paired and len(trials.cases) < 2:
        raise InputError("there is only one case, so there are no differences: leave paired= out")
    against = first if paired else None
    numbers = {case: mine for case, mine in trials.numbers(metric, against=against).items() if mine}
    numbers = {case: mine for case, mine in numbers.items() if case != against}
    if not numbers:
        raise InputError(f"no run has the number {metric_name(metric)}")
    spreads = trials.spread(metric, against=against)
    what, unit, sign = metric_name(metric).replace("_", " "), unit_of(metric), "+" if paired else ""
    said = [
        _said(case, mine, spreads[case], (what, unit), None if against is None else more_is_better(metric))
        for case, mine in numbers.items()
    ]
    if len(numbers) == 1 and not paired:
        said = [text.split(": ", 1)[1][:1].upper() + text.split(": ", 1)[1][1:] for text in said]
    more = [f"… and {len(said) - _MAX_SENTENCES} more cases."] if len(said) > _MAX_SENTENCES else []
    title = wrapped([*said[:_MAX_SENTENCES], *more], FINDING_CHARS)
    dot = f"a seed: its run minus {one_line(first, 40)}, with the same luck" if paired else "a run"
    notes = [f"A dot is {dot}; the bar holds the middle 80 % of them, the line is the median."]
    labels = name_labels(list(numbers), 34)
    height = max(_LEAST_PIXELS, _ROW_PIXELS * len(numbers))
    head = f"{what}{', paired difference' if paired else ''}{f' ({unit.strip()})' if unit else ''}"
    layout = frame(
        [*title, *wrapped([*notes, *trials.assumption])],
        look,
        height,
        left=label_pixels(list(numbers)),
        bold=len(title),
        named=True,
        legend=None,
    ) | {"xaxis": axis(look, head) | {"rangemode": "normal"}, "yaxis": row_axis(labels, look), "showlegend": False}
    layout["shapes"] = [shape for row, case in enumerate(numbers) for shape in _middle(-row, spreads[case], look)]
    if paired:
        layout["shapes"].append(
            {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
             "line": {"color": look.muted, "width": 1.5}}
        )  # fmt: skip
        layout["xaxis"]["rangemode"] = "tozero"
    traces = [
        _dots(mine, -row, label, (what, unit, sign), look)
        for row, (label, mine) in enumerate(zip(labels, numbers.values(), strict=True))
    ]
    return figure(traces, layout, look)


def _said(
    case: str,
    mine: Mapping[int, float],
    spread: tuple[float, float, float] | None,
    named: tuple[str, str],
    more_is_better_: bool | None,
) -> str:
    """Return a case in words; the last is None where nothing is compared."""
    what, unit = named
    low, half, high = spread or (0.0, 0.0, 0.0)
    sign = "" if more_is_better_ is None else "+"
    runs = f"{len(mine):,} runs"
    if len(mine) == 1:
        return f"{one_line(case, 60)}: {what} {half:{sign},.4g}{unit} in one run; give more seeds for a spread."
    text = (
        f"{one_line(case, 60)}: {what} {half:{sign},.4g}{unit} in the median, {low:{sign},.4g} to "
        f"{high:{sign},.4g}{unit} in 80 % of {runs}"
    )
    if more_is_better_ is not None:
        better = sum((each > 0) if more_is_better_ else (each < 0) for each in mine.values())
        text += f"; better in {better:,} of {len(mine):,}"
    return text + "."


def _middle(row: int, spread: tuple[float, float, float] | None, look: Theme) -> list[dict[str, Any]]:
    """Return the bar from the 10 to the 90 % point, and the line at the median."""
    if spread is None:
        return []
    low, half, high = spread
    return [
        {"type": "rect", "x0": low, "x1": high, "y0": row - 0.3, "y1": row + 0.3, "layer": "below",
         "line": {"width": 0}, "fillcolor": look.queue},
        {"type": "line", "x0": half, "x1": half, "y0": row - 0.36, "y1": row + 0.36,
         "line": {"color": look.ink, "width": 2}},
    ]  # fmt: skip


def _dots(mine: Mapping[int, float], row: int, label: str, named: tuple[str, str, str], look: Theme) -> dict[str, Any]:
    """Return one case's runs, a little above and below their row, so that equal ones are seen as several."""
    what, unit, sign = named
    colour = look.lines[0]
    return {
        "type": "scatter", "mode": "markers", "meta": "run", "name": label, "x": list(mine.values()),
        "y": [row + 0.18 * (at % 5 - 2) / 2 for at in range(len(mine))], "showlegend": False,
        "hovertext": [f"{label}<br>" + markup([f"{what} {value:{sign},.4g}{unit}", f"seed {seed}"])
                      for seed, value in mine.items()],
        "hoverinfo": "text",
        "marker": {"size": 8, "color": colour, "opacity": 0.75, "line": {"width": 1, "color": look.ground}},
    }  # fmt: skip
