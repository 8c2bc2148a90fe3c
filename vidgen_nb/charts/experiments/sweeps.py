"""Curves of a sweep: a mean with its confidence band over what was varied, and the lower bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.numbers import Metric, metric_name, more_is_better, unit_of
from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.curves import faded, line_style, name_labels
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.experiments.sweep_findings import LOADS, Wording, best_setting, changes_with_load, differences
from vidgen_nb.charts.experiments.sweep_points import (
    TOGETHER,
    SweepPoint,
    categories_of,
    differences_of,
    is_logarithmic,
    points_of,
)
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.numbers import percent

__all__ = ["SweepPoint", "categories_of", "points_of", "sweep_chart"]

_PLOT_PIXELS, _LEFT_PIXELS = 340.0, 84
IN_SECONDS = ("cooldown", "seconds", "latency")
"""Settings that are in seconds."""
_MIN_TICK_SHARE = 0.06  # share of the axis that a number needs


@checks_arguments()
def sweep_chart(
    points: Trials | Iterable[SweepPoint | Sequence[Any]],
    *,
    metric: Metric = "makespan",
    x: str | None = None,
    y: str | None = None,
    best: Literal["least", "most"] | None = None,
    log_x: bool | None = None,
    against: Mapping[str, Any] | None = None,
    theme: str = "auto",
) -> go.Figure:
    """Draw each label's means over x, with a band from low to high and the lower bound as a dotted line.

    `points`: a sweep, or (x, mean, low, high, lower bound or None, label) in any order. `metric`: which number of a
    sweep's runs, as in `Trials.summary`. Its title says which settings can't be told apart from the best (paired, 95 %
    for all together), and the points of the others are hollow. `x`, `y`: axis titles with units; a sweep has its own.
    `best`: whether the title names the least or the most; default: whichever is better. `log_x`: a logarithmic axis;
    default: if the values were chosen so. A first axis with other values than numbers has them in the given order.
    `against`: a setting of the sweep, such as `{"mode": "normal"}`: what is drawn is how the others differ from it,
    paired, with everything else the same; the intervals hold together in 95 % (Bonferroni). How much there is to do
    (`scenes`, `clients`) is no setting to choose: there the title says what it changes. Raise `InputError` for an
    unknown metric, an invalid point, two points of a label at one x, and an unknown theme.
    """
    for axis_name, title in (("x", x), ("y", y)):
        if title is not None and not isinstance(title, str):
            raise InputError(f"{axis_name} is the title of an axis, such as 'cooldown (s)', not {title!r}")
    names: list[str] = []
    trials = points if isinstance(points, Trials) else None
    if trials is None and against is not None:
        raise InputError("against names a setting of a sweep, and these are points: give their differences")
    if isinstance(points, Trials):
        x, names = x or _axis_of(points), [one_line(each, 200) for each in categories_of(points)]
        y = y or metric_name(metric).replace("_", " ") + (f" ({unit.strip()})" if (unit := unit_of(metric)) else "")
        if against is None:
            points = points_of(points, metric, best or ("most" if more_is_better(metric) else "least"))
            if x in LOADS and not names:  # nobody looks for the best of them
                points = [point._replace(to_best=None) for point in points]
        else:
            points, y = differences_of(points, metric, against), f"{y}, against {_said(against)}"
    elif metric != "makespan":
        raise InputError("metric chooses a column of a sweep, and these are points: give those of that column")
    elif not isinstance(points, Iterable):
        raise InputError(f"sweep_chart draws a sweep, or a list of points, not {points!r}")
    if log_x and names:
        raise InputError(f"a logarithmic axis takes positive numbers, and the sweep's first axis has {names[0]!r}")
    best = best or ("most" if more_is_better(metric) else "least")
    if best not in ("least", "most"):
        raise InputError(f"best is 'least' or 'most', not {best!r}")
    x, y = x or "x", y or "makespan (s)"
    theme_, curves = theme_of(theme), _curves(points, log_x=bool(log_x))
    log_x = not names and is_logarithmic([p.x for curve in curves.values() for p in curve]) if log_x is None else log_x
    wording = Wording(one_line(x, 60), one_line(y, 60), best, names)
    labels = name_labels(list(curves), 50)
    traces: list[dict[str, Any]] = []
    bounds: dict[tuple[tuple[float, float], ...], list[int]] = {}
    for number, (label, curve) in enumerate(zip(labels, curves.values(), strict=True)):
        traces += [
            _band(curve, number, theme_),
            _means(curve, label or markup([y]), number, theme_, wording, paired=against is not None),
        ]
        known = tuple((p.x, p.lower_bound) for p in curve if p.lower_bound is not None)
        if known:
            bounds.setdefault(known, []).append(number)
    for line, numbers in bounds.items():
        who = "" if len(bounds) == 1 or not labels[numbers[0]] else f": {', '.join(labels[at] for at in numbers)}"
        traces.append(_bound(line, f"lower bound{who}", None if len(bounds) == 1 else numbers[0], theme_))
    for trace in traces if names else ():
        trace["x"] = [markup([names[place]]) for place in trace["x"]]
    named = [trace["name"] for trace in traces if trace["showlegend"]]
    finding = _finding(trials, curves, wording, metric, against)
    said = wrapped(finding, FINDING_CHARS)
    notes = [] if trials is None else wrapped(_note(trials, curves, against))
    layout = frame(
        [*said, *notes], theme_, _PLOT_PIXELS, left=_LEFT_PIXELS, bold=len(said), named=True, legend=named
    ) | {
        "xaxis": axis(theme_, x) | {"rangemode": "normal"} | (_log_ticks(curves) if log_x else _categories(names)),
        "yaxis": axis(theme_, y),
    }
    return figure(sorted(traces, key=lambda trace: trace["meta"] != "band"), layout, theme_)  # bands lie below


def _finding(
    trials: Trials | None,
    curves: dict[str, list[SweepPoint]],
    wording: Wording,
    metric: Metric,
    against: Mapping[str, Any] | None,
) -> list[str]:
    """Return what the chart shows, by what was asked."""
    if trials is not None and against is not None:
        settings = dict.fromkeys(_said({name: values[name] for name in against}) for values in trials.values.values())
        others = [each for each in settings if each != _said(against)]
        what = metric_name(metric).replace("_", " ")
        return differences(curves, wording, what, (", ".join(others), _said(against)))
    several = len({point.x for curve in curves.values() for point in curve}) > 1
    if trials is not None and several and wording.across in LOADS and not wording.names:
        return changes_with_load(trials, curves, wording, metric)
    return best_setting(curves, wording)


def _note(trials: Trials, curves: Mapping[str, Sequence[SweepPoint]], against: Mapping[str, Any] | None) -> list[str]:
    """Return what the intervals are; nothing, if there is none."""
    every = [point for curve in curves.values() for point in curve]
    if not any(point.low < point.high for point in every):
        return []
    seeds = f"{len({trial.seed for trial in trials}):,} seeds"
    if against is not None:
        told = f"filled: told apart from {_said(against)}"
        return [f"Intervals: {percent(TOGETHER)} for all together, paired, {seeds}; {told}."]
    worse = (
        "; hollow: worse than the best, paired" if any(point.to_best and not point.as_good for point in every) else ""
    )
    return [f"Intervals: 95 % for each mean, {seeds}{worse}."]


def _said(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())


def _axis_of(trials: Trials) -> str:
    """Return the title of the first axis."""
    name = next((one_line(trial.values[0][0], 60) for trial in trials if trial.values), "x")
    return f"{name} (s)" if name in IN_SECONDS else name


def _curves(points: Iterable[SweepPoint | Sequence[Any]], *, log_x: bool) -> dict[str, list[SweepPoint]]:
    """Return the points of each label, by x."""
    curves: dict[str, list[SweepPoint]] = {}
    for number, given in enumerate(points, 1):
        point = _point(given, number)
        if log_x and point.x <= 0:
            raise InputError(f"point {number} has x = {point.x:g}: a logarithmic axis takes positive numbers")
        curves.setdefault(point.label, []).append(point)
    for label, curve in curves.items():
        curve.sort(key=lambda point: point.x)
        for one, other in pairwise(curve):
            if one.x == other.x:
                raise InputError(f"two points of {label!r} have x = {one.x:g}: give them different labels")
    return curves


def _point(given: SweepPoint | Sequence[Any], number: int) -> SweepPoint:
    """Return a point, checked."""
    try:
        point = SweepPoint(*given)
    except TypeError:
        raise InputError(f"point {number} is (x, mean, low, high, lower bound or None, label), not {given!r}") from None
    if not isinstance(point.label, str):
        raise InputError(f"point {number}: its label is a text, not {point.label!r}")
    for name in ("x", "mean", "low", "high", "lower_bound"):
        value = getattr(point, name)
        if name == "lower_bound" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"point {number}: {name} is a finite number, not {value!r}")
    if not point.low <= point.mean <= point.high:
        raise InputError(f"point {number}: low ≤ mean ≤ high does not hold for {point[1:4]}")
    return point


def _log_ticks(curves: dict[str, list[SweepPoint]]) -> dict[str, Any]:
    """Return a logarithmic axis with ticks at the values that were swept, unless too close."""
    values = sorted({point.x for curve in curves.values() for point in curve})
    apart = math.log(values[-1] / values[0]) * _MIN_TICK_SHARE if values else 0.0
    ticks: list[float] = []
    for value in values:
        if not ticks or math.log(value / ticks[-1]) >= apart:
            ticks.append(value)
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [f"{value:g}" for value in ticks]}


def _categories(names: list[str]) -> dict[str, Any]:
    """Return an axis of names in their order; without names, nothing."""
    if not names:
        return {}
    order = [markup([name]) for name in names]
    ticks = {"tickmode": "array", "tickvals": order, "ticktext": name_labels(names, 24)}
    return {"type": "category", "categoryorder": "array", "categoryarray": order} | ticks


def _band(curve: list[SweepPoint], number: int, theme: Theme) -> dict[str, Any]:
    """Return the confidence band of a curve."""
    return {
        "type": "scatter", "mode": "lines", "meta": "band", "fill": "toself", "hoverinfo": "skip", "showlegend": False,
        "x": [*(p.x for p in curve), *(p.x for p in reversed(curve))], "legendgroup": str(number),
        "y": [*(p.high for p in curve), *(p.low for p in reversed(curve))],
        "fillcolor": faded(line_style(theme, number).colour, 0.2), "line": {"width": 0},
    }  # fmt: skip


def _filled(point: SweepPoint, *, paired: bool) -> bool:
    """Say whether a point is filled: it can't be told from the best one; of differences: it can be told from 0."""
    if paired:
        return point.low > 0 or point.high < 0
    return point.to_best is None or point.as_good


def _means(
    curve: list[SweepPoint],
    label: str,
    number: int,
    theme: Theme,
    wording: Wording,
    *,
    paired: bool,
) -> dict[str, Any]:
    """Return the curve itself: a line through its points, each with its interval as whiskers."""
    drawn = line_style(theme, number)
    hover = [
        f"{label}<br>" + markup([
            f"{wording.across}: {wording.place(p)}",
            f"{wording.up}: {p.mean:,.4g}" + (f", interval {p.low:,.4g} to {p.high:,.4g}" if p.low < p.high else ""),
            *([f"against the best {p.to_best[0]:+,.4g} [{p.to_best[1]:+,.4g}, {p.to_best[2]:+,.4g}], paired"]
              if p.to_best is not None and math.isfinite(p.to_best[1]) else []),
            *([f"lower bound {p.lower_bound:,.4g}"] if p.lower_bound is not None else []),
        ])
        for p in curve
    ]  # fmt: skip
    return {
        "type": "scatter", "mode": "lines+markers", "meta": "mean", "name": label, "showlegend": True,
        "legendgroup": str(number), "x": [p.x for p in curve], "y": [p.mean for p in curve],
        "error_y": {
            "type": "data", "symmetric": False, "array": [p.high - p.mean for p in curve],
            "arrayminus": [p.mean - p.low for p in curve], "color": drawn.colour, "thickness": 1, "width": 3,
        },
        "line": {"color": drawn.colour, "dash": drawn.dash, "width": 2}, "hovertext": hover, "hoverinfo": "text",
        "marker": {
            "symbol": drawn.symbol, "size": 9,
            "color": [drawn.colour if _filled(p, paired=paired) else theme.ground for p in curve],
            "line": {"width": 2, "color": drawn.colour},
        },
    }  # fmt: skip


def _bound(line: tuple[tuple[float, float], ...], label: str, number: int | None, theme: Theme) -> dict[str, Any]:
    """Return a lower bound: in the colour of its curve, or the text's if it is that of all."""
    colour = theme.ink if number is None else line_style(theme, number).colour
    return {
        "type": "scatter", "mode": "lines+markers" if len(line) == 1 else "lines", "meta": "bound", "name": label,
        "showlegend": True, "x": [x for x, _bound in line], "y": [bound for _x, bound in line],
        "line": {"color": colour, "width": 1.5, "dash": "2px,3px"},
        "marker": {"symbol": "line-ew-open", "size": 16}, "hoverinfo": "skip",
    }  # fmt: skip
