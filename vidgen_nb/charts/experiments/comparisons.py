"""A comparison drawn: each case's mean with its interval, and beside it how it differs from the first, paired."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, unit_of
from vidgen_nb.analysis.experiments.power import POWER
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.charts.drawing.curves import name_labels, percent
from vidgen_nb.charts.drawing.layout import axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["comparison_chart"]

_ROW_PIXELS, _LEAST_PIXELS, _TITLE_CHARS, _LABEL_CHARS = 36.0, 150.0, 92, 34
_MIDDLE, _GAP = 0.53, 0.05
_MAX_SENTENCES = 4


def comparison_chart(
    trials: Trials,
    metric: Metric = "makespan",
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    theme: str = "light",
) -> go.Figure:
    """Draw a row for each case: on the left its mean, on the right its paired difference to the first, with intervals.

    `trials`: what `compare` or `sweep` returned. `metric`, `baseline`, `confidence`: as in `Trials.summary`. A filled
    dot means that the interval of the difference leaves out 0: the two can be told apart. The title says the same, and
    how many seeds it takes. Raises `InputError` for anything else, for an unknown name, and for an unknown theme.
    """
    if not isinstance(trials, Trials):
        raise InputError(f"comparison_chart draws what compare or sweep returned, not {trials!r}")
    look = theme_of(theme)
    found = trials.summary(metric, confidence=confidence, baseline=baseline)
    first = baseline or trials.cases[0]
    said = trials.in_words(metric, confidence=confidence, baseline=baseline).splitlines()
    more = [f"… and {len(said) - _MAX_SENTENCES} more cases."] if len(said) > _MAX_SENTENCES else []
    title = wrapped([*said[:_MAX_SENTENCES], *more], _TITLE_CHARS)
    least, most = min(each.trials for each in found), max(each.trials for each in found)
    runs = f"{most:,} seeds" if least == most else f"{least:,} to {most:,} seeds"
    notes = [
        f"Intervals: {percent(confidence)}, {runs}; filled: told apart from {one_line(first, 40)}, with the same luck.",
        f"Seeds that would show it: 4 times out of 5 (paired t, power {percent(POWER)}).",
    ]
    labels = name_labels([each.case for each in found], _LABEL_CHARS)
    left = 24 + round(7.2 * max(min(len(one_line(each.case, 200)), _LABEL_CHARS) for each in found))
    what, unit = metric_name(metric).replace("_", " "), unit_of(metric)
    heads = (f"{what} ({unit.strip()})" if unit else what, f"difference{f' ({unit.strip()})' if unit else ''}, paired")
    places = [-at for at in range(len(found))]
    traces = [
        _dots("mean", found, places, labels, look, (what, unit)),
        _dots("difference", found, places, labels, look, (what, unit)),
    ]
    height = max(_LEAST_PIXELS, _ROW_PIXELS * len(found))
    layout = frame(
        [*title, *wrapped(notes if len(found) > 1 else notes[:1])], look, height, left=left, bold=len(title), named=True
    )
    rows = {
        "range": [places[-1] - 0.6, 0.6], "tickmode": "array", "tickvals": places, "ticktext": labels,
        "showgrid": True, "gridcolor": look.grid, "zeroline": False, "fixedrange": True,
    }  # fmt: skip
    left_axis = axis(look, heads[0]) | {"domain": [0, _MIDDLE - _GAP], "rangemode": "normal", "nticks": 6}
    right_axis = axis(look, heads[1]) | {"domain": [_MIDDLE, 1], "anchor": "y", "nticks": 6}
    zero = {"type": "line", "x0": 0, "x1": 0, "xref": "x2", "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
            "line": {"color": look.muted, "width": 1.5}}  # fmt: skip
    layout |= {"xaxis": left_axis, "xaxis2": right_axis, "yaxis": rows, "shapes": [zero], "showlegend": False}
    return go.Figure(data=traces, layout=layout)


def _dots(
    kind: str, found: Sequence[CaseSummary], places: list[int], labels: list[str], look: Theme, named: tuple[str, str]
) -> dict[str, Any]:
    """Return the means, or the differences, as dots with whiskers."""
    what, unit = named
    x, less, more, hover, filled, y = [], [], [], [], [], []
    for each, place, label in zip(found, places, labels, strict=True):
        values = (
            (each.mean, each.low, each.high)
            if kind == "mean"
            else (each.difference, each.difference_low, each.difference_high)
        )
        if values[0] is None or values[1] is None or values[2] is None:
            continue
        middle, low, high = values[0], values[1], values[2]
        bounded = math.isfinite(low)
        x.append(middle)
        y.append(place)
        less.append(middle - low if bounded else 0.0)
        more.append(high - middle if bounded else 0.0)
        filled.append(bool(each.told_apart))
        sign = "" if kind == "mean" else "+"
        interval = f" [{low:{sign},.4g}, {high:{sign},.4g}]" if bounded else ""
        name = what if kind == "mean" else f"{what}, paired difference"
        hover.append(
            f"{label}<br>" + markup([f"{name}: {middle:{sign},.4g}{unit}{interval}", f"{each.trials:,} seeds"])
        )
    colour = look.lines[0]
    return {
        "type": "scatter", "mode": "markers", "meta": kind, "x": x, "y": y, "hovertext": hover, "hoverinfo": "text",
        "xaxis": "x" if kind == "mean" else "x2", "yaxis": "y", "showlegend": False,
        "error_x": {"type": "data", "symmetric": False, "array": more, "arrayminus": less, "color": colour,
                    "thickness": 2, "width": 6},
        "marker": {
            "size": 11, "color": [colour if full or kind == "mean" else look.ground for full in filled],
            "line": {"width": 2, "color": colour},
        },
    }  # fmt: skip
