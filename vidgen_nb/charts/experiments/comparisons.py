"""A comparison drawn: each case's mean with its interval, and beside it how it differs from the first, paired."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.case_summary import CaseSummary
from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, unit_of
from vidgen_nb.analysis.experiments.power import POWER
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import name_labels
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.rows import LABEL_CHARS, label_pixels, row_axis
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import percent

__all__ = ["comparison_chart"]

_ROW_PIXELS, _LEAST_PIXELS = 36.0, 150.0
_MIDDLE, _GAP = 0.53, 0.05
_MAX_SENTENCES = 4


@checks_arguments()
def comparison_chart(
    trials: Trials,
    metric: Metric = "makespan",
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    theme: str = "auto",
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
    left = [trials.unfinished] if trials.unfinished else []
    said = trials.in_words(metric, confidence=confidence, baseline=baseline).splitlines()
    said = said[: len(said) - len(left)]
    more = [f"… and {len(said) - _MAX_SENTENCES} more cases."] if len(said) > _MAX_SENTENCES else []
    bounds = _bounds(trials) if metric == "makespan" else {}
    title = wrapped([*left, *said[:_MAX_SENTENCES], *more, *_against_bound(found, bounds)], FINDING_CHARS)
    least, most = min(each.trials for each in found), max(each.trials for each in found)
    runs = f"{most:,} seeds" if least == most else f"{least:,} to {most:,} seeds"
    told = f"filled: told apart from {one_line(first, 40)}, with the same luck."
    notes = [
        f"Intervals: {percent(confidence)}{' each' if len(found) > 2 else ''}, {runs}"
        f"{f'; {told}' if len(found) > 1 else '.'}{' A tick: the lower bound.' if bounds else ''}",
        f"Seeds that are enough, or would show it: 4 times out of 5 (paired t, power {percent(POWER)}).",
    ]
    labels = name_labels([each.case for each in found], LABEL_CHARS)
    what, unit = metric_name(metric).replace("_", " "), unit_of(metric)
    heads = (f"{what} ({unit.strip()})" if unit else what, f"difference{f' ({unit.strip()})' if unit else ''}, paired")
    places = [-at for at in range(len(found))]
    traces = [
        _dots("mean", found, places, labels, look, (what, unit)),
        _dots("difference", found, places, labels, look, (what, unit)),
    ]
    if bounds:
        traces.append(_ticks([case.case for case in found], bounds, look))
    height = max(_LEAST_PIXELS, _ROW_PIXELS * len(found))
    compared = sum(each.mean is not None for each in found)
    layout = frame(
        [*title, *wrapped([*notes[: min(compared, 2)], *trials.assumption])],
        look,
        height,
        left=label_pixels([each.case for each in found]),
        bold=len(title),
        named=True,
        legend=None,
    )
    left_axis = axis(look, heads[0]) | {"domain": [0, _MIDDLE - _GAP], "rangemode": "normal", "nticks": 6}
    right_axis = axis(look, heads[1]) | {"domain": [_MIDDLE, 1], "anchor": "y", "rangemode": "normal", "nticks": 6}
    zero = {"type": "line", "x0": 0, "x1": 0, "xref": "x2", "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
            "line": {"color": look.muted, "width": 1.5}}  # fmt: skip
    layout |= {
        "xaxis": left_axis,
        "xaxis2": right_axis,
        "yaxis": row_axis(labels, look),
        "shapes": [zero],
        "showlegend": False,
    }
    return figure(traces, layout, look)


def _bounds(trials: Trials) -> dict[str, float]:
    """Return each case's mean lower bound; nothing if one of them has none."""
    found = {case: list(mine.values()) for case, mine in trials.numbers("lower_bound").items()}
    return {case: fmean(mine) for case, mine in found.items()} if all(found.values()) else {}


def _against_bound(found: Sequence[CaseSummary], bounds: dict[str, float]) -> list[str]:
    """Return how far the cases are from what no schedule beats."""
    known = [each for each in found if each.mean is not None and bounds.get(each.case)]
    if not known:
        return []
    said = [f"{one_line(each.case, 60)} {(each.mean or 0.0) / bounds[each.case]:.2f} ×" for each in known]
    few = said[:_MAX_SENTENCES] + ([f"and {len(said) - _MAX_SENTENCES} more"] if len(said) > _MAX_SENTENCES else [])
    return [f"Of the lower bound, which no schedule beats: {', '.join(few)}."]


def _ticks(cases: Sequence[str], bounds: dict[str, float], look: Theme) -> dict[str, Any]:
    """Return the lower bounds, as ticks beside the means."""
    return {
        "type": "scatter", "mode": "markers", "meta": "bound", "x": [bounds[case] for case in cases],
        "y": [-row for row in range(len(cases))], "xaxis": "x", "yaxis": "y", "showlegend": False,
        "hovertext": [
            markup([one_line(case, 60), f"lower bound {bounds[case]:,.4g} s: no schedule beats it"]) for case in cases
        ],
        "hoverinfo": "text",
        "marker": {"symbol": "line-ns-open", "size": 20, "color": look.ink, "line": {"width": 2, "color": look.ink}},
    }  # fmt: skip


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
