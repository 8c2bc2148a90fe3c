"""Offered load against goodput, as a path through the windows of a run: up, and down again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.offered_load import LoadWindow, load_by_window, returns
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.errors import InputError

__all__ = ["load_chart"]

_PLOT_PIXELS, _LEFT_PIXELS = 340.0, 84
_MAX_NAMED, _MAX_LABELS = 2, 30


@checks_arguments()
def load_chart(data: RunData, *, window: float, theme: str = "auto") -> go.Figure:
    """Draw each window's goodput over the load that was offered in it, joined in the order of time.

    `window`: seconds, such as those for which the load stays the same. The title says whether a load that comes back
    after a greater one comes through as before; if not, the path down lies below the path up: hysteresis. Raise
    `InputError` for a window that is no number of seconds or longer than the run, and for an unknown theme.
    """
    look, windows = theme_of(theme), load_by_window(data, window)
    if not windows and data.end:
        raise InputError(f"window is at most as long as the run, which ended at {data.end:g} s, not {window!r}")
    title = wrapped(_finding(windows), FINDING_CHARS)
    notes = [f"A point is {window:g} s, numbered in their order; on the dotted line, all that comes is done."]
    highest = max([1e-9, *(each.offered for each in windows), *(each.goodput for each in windows)]) * 1.1
    ideal = {
        "type": "scatter", "mode": "lines", "meta": "ideal", "name": "all comes through", "showlegend": True,
        "x": [0, highest], "y": [0, highest], "hoverinfo": "skip",
        "line": {"color": look.muted, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    top = max(range(len(windows)), key=lambda at: windows[at].came, default=0)
    ways = [("up", windows[: top + 1], 0, 0), ("down", windows[top:], top, 1)]
    traces = [ideal, *(_path(name, part, first, style, look) for name, part, first, style in ways if part)]
    layout = frame(
        [*title, *wrapped(notes)],
        look,
        _PLOT_PIXELS,
        left=_LEFT_PIXELS,
        bold=len(title),
        named=True,
        legend=names_of(traces),
    ) | {
        "xaxis": axis(look, "offered: scenes per second") | {"range": [0, highest]},
        "yaxis": axis(look, "goodput: results per second") | {"range": [-0.03 * highest, highest]},
    }
    return figure(traces, layout, look)


def _path(name: str, windows: Sequence[LoadWindow], first: int, style: int, look: Theme) -> dict[str, Any]:
    """Return one way of the path; its points are numbered."""
    few = len(windows) <= _MAX_LABELS
    return {
        "type": "scatter", "mode": "lines+markers+text" if few else "lines+markers", "meta": name, "showlegend": True,
        "name": "up to the greatest load" if name == "up" else "and down again",
        "x": [each.offered for each in windows], "y": [each.goodput for each in windows],
        "text": _labels(windows, first, begins=name == "up"), "hoverinfo": "text",
        "textposition": "top left" if name == "up" else "top right",
        "textfont": {"color": look.text, "size": 12},
        "hovertext": [
            markup([f"{each.start:g} to {each.end:g} s", f"{each.came:,} came, {each.offered:,.3g} a second",
                    f"{each.made:,} results, {each.goodput:,.3g} a second"])
            for each in windows
        ],
        "line": {"color": look.lines[style], "width": 2.5, "dash": ("solid", "dash")[style]},
        "marker": {"symbol": ("circle", "square")[style], "size": 9, "color": look.lines[style]},
    }  # fmt: skip


def _labels(windows: Sequence[LoadWindow], first: int, *, begins: bool) -> list[str]:
    """Return each point's number; points that lie on each other have one label, such as "3–6", at the first of them.

    Where a way does not begin the path, its first point has the label of the way before.
    """
    places: dict[tuple[float, float], list[int]] = {}
    for at, each in enumerate(windows):
        if at or begins:
            places.setdefault((round(each.offered, 3), round(each.goodput, 3)), []).append(at)
    labels = [""] * len(windows)
    for here in places.values():
        runs: list[list[int]] = []
        for at in here:
            if runs and runs[-1][-1] == at - 1:
                runs[-1].append(at)
            else:
                runs.append([at])
        numbers = [(run[0] + first + 1, run[-1] + first + 1) for run in runs]
        labels[here[0]] = ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in numbers)
    return labels


def _finding(windows: Sequence[LoadWindow]) -> list[str]:
    """Return whether the same load came through as before."""
    found = returns(windows)
    if not found:
        return ["No load came back after a greater one, so nothing shows whether it would come through as before."]
    apart = [each for each in found if each.worse]
    shown = apart or found
    said = [
        f"At {each.before.offered:.3g} a second, {each.before.goodput:.3g} came through on the way up and "
        f"{each.after.goodput:.3g} on the way down."
        for each in shown[:_MAX_NAMED]
    ]
    if not apart:
        return ["Goodput comes back with the load: there is no hysteresis.", *said]
    return ["Hysteresis: the same load does not come through as it did before the overload.", *said]
