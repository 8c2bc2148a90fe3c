"""How work flowed: the queue's length and the goodput over time, and between them a strip of cooldowns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.results import (
    cooling_on,
    goodput,
    makespan,
    on_seconds,
    status_counts,
    successes,
)
from vidgen_nb.analysis.records.bounded_series import Span, thin
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.timeline import Steps, queue_steps, seconds_of, steps
from vidgen_nb.analysis.validation import checks_arguments, is_number, listed, seconds
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import MAX_POINTS, faded, next_round_number
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, seconds_axis, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.errors import InputError
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import a_minute, count, percent

__all__ = ["goodput_steps", "queue_chart"]

_PLOT_PIXELS, _GAP_SHARE = 360.0, 0.09
_LEFT_PIXELS = 76
_STRIP_PIXELS = 9.0


@checks_arguments()
def queue_chart(
    data: RunData, *, window: float | None = None, outages: Sequence[Span] = (), theme: str = "auto"
) -> go.Figure:
    """Draw how many scenes waited, and below it the goodput, over one axis of seconds.

    Goodput at t is the number of successes in (t - window, t], as a rate per minute; until t = window it only fills.
    `window`: seconds; default: a round number that holds about five successes. `outages`: (start, end) of each, marked
    with lines, as is the time in which no program ran the run. A strip between them: how many profiles were cooling.
    Raise `InputError` for an invalid window or outage, and for an unknown theme.
    """
    look = theme_of(theme)
    end = data.end or 1.0
    _check(window, outages)
    ends = [each.end for each in successes(data) if each.end is not None]
    on = on_seconds(data, end) or end
    width = window or next_round_number(min(on, max(on / 20, 5 * on / max(1, len(ends)))))
    waiting, flow = queue_steps(data, end), goodput_steps(ends, width, end)
    cooling = _cooling(data, end)
    title = wrapped(_finding(data, waiting, cooling, end), FINDING_CHARS)
    notes = [
        f"Goodput: successes in the last {width:g} s, as a rate per minute; it only fills in the first {width:g} s."
    ]
    if len(ends) != (scenes := status_counts(data)["succeeded"]):
        notes.append(f"{len(ends):,} attempts succeeded, for {scenes:,} scenes: one run again by hand counts again.")
    if data.off:
        notes.append(f"No program ran for {duration(seconds_of(data.off))}: rates and shares above leave it out.")
    if max(len(waiting), len(flow), len(cooling)) > MAX_POINTS:
        column = 2 * end / MAX_POINTS
        notes.append(
            f"Thinned: of each {text.seconds(column)} the highest and the last value are drawn, of up to "
            f"{max(len(waiting), len(flow), len(cooling)):,}."
        )
        waiting, flow, cooling = (thin(each, column) for each in (waiting, flow, cooling))
    longest = max(length for _at, length in waiting)
    fastest = max(number for _at, number in flow) * 60 / width
    tops = (longest * 1.15 or 1.0, fastest * 1.15 or 1.0)
    traces = [
        _strip(cooling, len(data.profiles), look),
        _area("queue", waiting, 1.0, "scenes waiting", look.queue_line, look, ""),
        _area("goodput", flow, 60 / width, "successes per minute", look.lines[0], look, "2"),
    ]
    if any(number for _at, number in cooling):
        traces.append(_swatch(look))
    layout = frame(
        [*title, *wrapped(notes)], look, _PLOT_PIXELS, left=_LEFT_PIXELS, bold=len(title), legend=names_of(traces)
    ) | _axes(end, tops, look)
    layout["shapes"] = [
        *(_marked(start, stop, "no program ran", look) for start, stop in data.off),
        *(_marked(start, stop, "outage", look) for start, stop in outages),
    ]
    return figure(traces, layout, look)


def goodput_steps(ends: Sequence[float], window: float, end: float) -> list[tuple[float, int]]:
    """Return how many of the times `ends` lie in (t - window, t], as steps (from when on, number) up to `end`."""
    return _until(steps(ends, [at + window for at in ends]), end)


def _until(found: Steps, end: float) -> list[tuple[float, int]]:
    """Return steps as whole numbers up to `end`, with a last one there."""
    known = [(at, int(number)) for at, number in found if at <= end]
    return [*known, (end, known[-1][1])]


def _check(window: float | None, outages: Sequence[Span]) -> None:
    if window is not None:
        seconds("window", window, zero=False)
    for each in listed("outages", outages, "(start, end) pairs"):
        span = each if isinstance(each, tuple | list) and len(each) == 2 and all(map(is_number, each)) else (1, 0)
        if not 0 <= span[0] <= span[1] < math.inf:
            raise InputError(f"an outage is (start, end) in run seconds, start first, not {each!r}")


def _cooling(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return how many profiles cooled, as steps; a profile in two cooldowns at once counts as one."""
    spans = [span for each in cooling_on(data, end).values() for span in each]
    return _until(steps((start for start, _stop in spans), (stop for _start, stop in spans)), end)


def _finding(
    data: RunData, waiting: list[tuple[float, int]], cooling: list[tuple[float, int]], end: float
) -> list[str]:
    """Return what the chart shows, with makespan and goodput of `run.metrics()`."""
    if not data.attempts:
        return ["Nothing ran."]
    at, longest = max(waiting, key=lambda step: (step[1], -step[0]))
    when = f"at {text.seconds(at)}" if round(at, 1) else "at the start"
    queue = f"Up to {count(longest, 'scene')} waited ({when})" if longest else "No scene waited"
    made, rate = makespan(data), goodput(data)
    if made is None or rate is None:
        done = "none succeeded"
    else:
        scenes = status_counts(data)["succeeded"]
        done = f"{scenes:,} succeeded in {duration(made)}, {a_minute(rate)}"
    some = sum(after - start for (start, n), (after, _n) in pairwise(cooling) if n) / (on_seconds(data, end) or 1.0)
    most = max(number for _at, number in cooling)
    cooled = (
        f"At least one profile was cooling for {percent(some)} of the time, up to {most:,} of {len(data.profiles):,}."
    )
    return [f"{queue}; {done}.", cooled if most else "No profile was cooling."]


def _axes(end: float, tops: tuple[float, float], theme: Theme) -> dict[str, Any]:
    """Return one axis of seconds and two of numbers."""
    middle, half = (1 + _GAP_SHARE) / 2, _STRIP_PIXELS / _PLOT_PIXELS / 2
    strip = {
        "domain": [0.5 - half, 0.5 + half], "range": [0, 1], "fixedrange": True, "tickmode": "array",
        "tickvals": [0.5], "ticktext": ["cooling"], "showgrid": False, "zeroline": False,
    }  # fmt: skip
    upper, lower = (
        axis(theme, name) | {"range": [0, top], "fixedrange": True, "showgrid": False, "nticks": 5}
        for name, top in zip(("scenes waiting", "successes per minute"), tops, strict=True)
    )
    return {
        "xaxis": seconds_axis(end, theme) | {"anchor": "y2", "title": {"text": ""}, "showgrid": False},
        "yaxis": upper | {"domain": [middle, 1], "tickformat": ",d" if tops[0] > 5 else ""},
        "yaxis2": lower | {"domain": [0, middle - _GAP_SHARE]},
        "yaxis3": strip,
        "hovermode": "x",
    }


def _area(
    meta: str, steps: list[tuple[float, int]], unit: float, label: str, colour: str, theme: Theme, row: str
) -> dict[str, Any]:
    """Return steps as a line with its area."""
    return {
        "type": "scatter", "mode": "lines", "meta": meta, "name": label, "showlegend": False,
        "x": [at for at, _number in steps], "y": [number * unit for _at, number in steps],
        "xaxis": "x", "yaxis": f"y{row}",
        "line": {"color": colour, "width": 1.5, "shape": "hv"}, "fill": "tozeroy", "fillcolor": theme.queue,
        "hovertext": [f"{number * unit:,.3g} {label} from {text.seconds(at)}" for at, number in steps],
        "hoverinfo": "text",
    }  # fmt: skip


def _strip(steps: list[tuple[float, int]], profiles: int, theme: Theme) -> dict[str, Any]:
    """Return how many profiles cooled, as a thin strip: the more, the darker."""
    fill = theme.marks["cooldown"].fill or ""
    counts = [number for _at, number in steps[:-1]]
    hover = [
        markup([f"{number:,} of {count(profiles, 'profile')} cooling", f"{text.seconds(at)} to {text.seconds(to)}"])
        for (at, number), (to, _) in pairwise(steps)
    ]
    return {
        "type": "heatmap", "meta": "cooling", "showscale": False, "showlegend": False,
        "x": [at for at, _number in steps], "y": [0, 1], "z": [counts], "hovertext": [hover], "hoverinfo": "text",
        "xaxis": "x", "yaxis": "y3", "zmin": 0, "zmax": max(1, profiles),
        "colorscale": [[0, faded(fill, 0.0)], [1e-6, faded(fill, 0.25)], [1, faded(fill, 1.0)]],
    }  # fmt: skip


def _swatch(theme: Theme) -> dict[str, Any]:
    """Return the legend's swatch of the strip."""
    mark = theme.marks["cooldown"]
    marker = {
        "symbol": "square",
        "size": 12,
        "color": mark.fill,
        "line": {"width": 1, "color": mark.outline},
    }
    return {
        "type": "scatter", "mode": "markers", "meta": "swatch", "x": [None], "y": [None], "hoverinfo": "skip",
        "name": "profiles cooling: the more, the darker", "showlegend": True, "marker": marker,
    }  # fmt: skip


def _marked(start: float, stop: float, what: str, theme: Theme) -> dict[str, Any]:
    """Return the mark of an outage, or of time off, through both rows."""
    return {
        "type": "rect", "x0": start, "x1": stop, "y0": 0, "y1": 1, "yref": "paper", "layer": "above",
        "line": {"color": theme.ink, "width": 1.5, "dash": "dash"}, "fillcolor": "rgba(0,0,0,0)",
        "label": {"text": markup([what]), "textposition": "top left", "font": {"size": 12, "color": theme.text}},
    }  # fmt: skip
