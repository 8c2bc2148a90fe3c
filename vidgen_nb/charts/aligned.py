"""Two runs, one Gantt above the other over one axis of seconds, with their lanes in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.results import makespan
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import data_of
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import percent
from vidgen_nb.charts.drawing.fold import MAX_BARS
from vidgen_nb.charts.drawing.layout import frame, lanes_axis, markup, seconds_axis, wrapped
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.shapes import Rows
from vidgen_nb.charts.drawing.traces import traces
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["aligned_chart"]

_HEADING_PIXELS, _TITLE_CHARS = 34, 92  # pixels above each Gantt for its name


def aligned_chart(
    runs: Mapping[str, RunData], *, moves: str = "last 20", queue: bool = True, theme: str = "auto"
) -> go.Figure:
    """Draw two runs as Gantt charts, one above the other, with a common axis of seconds.

    `runs`: two runs by name, the first above. A profile that only one of them has keeps an empty lane in the other. A
    dotted line marks the last success of each, and a band by how much one was later. `moves`, `queue`: as in `gantt`.
    With more than 10,000 attempts in both together, bars are merged, and the chart says so. Raise `InputError` for
    another number of runs, or an unknown theme.
    """
    if not isinstance(runs, Mapping) or len(runs) != 2:
        given = len(runs) if isinstance(runs, Mapping) else repr(runs)
        raise InputError(f"aligned_chart compares two runs, each by its own name; it was given {given}")
    look = theme_of(theme)
    names, both = [one_line(str(name), 60) for name in runs], [data_of("each of the two", run) for run in runs.values()]
    profiles = list(dict.fromkeys(name for data in both for name in data.profiles))
    most = MAX_BARS if sum(len(data.attempts) for data in both) <= MAX_BARS else MAX_BARS // 2
    rows = [_rows(data, profiles, moves, queue, most) for data in both]
    end = max(each.end for each in rows)
    rows = [replace(each, end=end) for each in rows]
    title = wrapped([_finding(names, both)], _TITLE_CHARS)
    notes = [f"{name}: {note}" for name, each in zip(names, rows, strict=True) for note in each.notes]
    tall = sum(each.height for each in rows) + 2 * _HEADING_PIXELS
    layout = frame([*title, *wrapped(notes)], look, tall, bold=len(title)) | {"barmode": "overlay"}
    layout |= {"xaxis": seconds_axis(end, look) | {"anchor": "y2"}, "shapes": [], "annotations": []}
    top = tall
    for number, (name, each, data) in enumerate(zip(names, rows, both, strict=True)):
        top -= _HEADING_PIXELS
        domain = [max(0.0, (top - each.height) / tall), top / tall]
        layout["yaxis2" if number else "yaxis"] = lanes_axis(each) | {"domain": domain}
        layout["annotations"].append(_heading(name, each, domain[1], look))
        layout["shapes"] += [*_later(both, number, look), *_finish(data, number, look)]
        top -= each.height
    return go.Figure(data=_traces(rows, look), layout=layout)


def _rows(data: RunData, profiles: list[str], moves: str, queue: bool, most: int) -> Rows:
    """Return the rows of one run, with a lane for each profile of both."""
    rows = build_rows(replace(data, profiles=profiles), moves=moves, queue=queue, most=most)
    absent = set(profiles) - set(data.profiles)
    lanes = [replace(lane, label=f"{text.short(lane.profile, 14)} · not in it") if lane.profile in absent else lane
             for lane in rows.lanes]  # fmt: skip
    spans = [(lane.top, lane.bottom) for lane in rows.lanes if lane.profile in absent]
    # A profile that was never there was not idle.
    bars = [bar for bar in rows.bars if bar.state == "off" or not any(top <= bar.y < bottom for top, bottom in spans)]
    return replace(rows, lanes=lanes, bars=bars)


def _traces(rows: list[Rows], theme: Theme) -> list[dict[str, Any]]:
    """Return the traces of both runs; each kind is in the legend once."""
    found: list[dict[str, Any]] = []
    named: set[str] = set()
    for number, each in enumerate(rows):
        for trace in traces(each, theme):
            shown = trace["showlegend"] and trace["legendgroup"] not in named
            if shown:
                named.add(trace["legendgroup"])
            place = {"xaxis": "x", "yaxis": "y2" if number else "y", "showlegend": shown}
            found.append(trace | place | {"meta": f"{number} {trace['meta']}"})
    return found


def _finding(names: list[str], both: list[RunData]) -> str:
    """Return how the makespans differ."""
    one, other = (makespan(data) for data in both)
    if one is None or other is None:
        without = " and ".join(name for name, made in zip(names, (one, other), strict=True) if made is None)
        return f"No scene succeeded in {without}, so there is no makespan to compare."
    if one == other:
        return f"Both took {text.seconds(one)} to the last success."
    (fast, quick), (slow, long) = sorted(zip((one, other), names, strict=True))
    return (
        f"{quick} took {text.seconds(fast)} to the last success, {text.seconds(slow - fast)} "
        f"({percent((slow - fast) / slow)}) less than {long} with {text.seconds(slow)}."
    )


def _heading(name: str, rows: Rows, at: float, theme: Theme) -> dict[str, Any]:
    """Return a run's name and totals, above its Gantt."""
    return {
        "text": f"<b>{markup([name])}</b>  {markup([rows.summary[1]])}", "showarrow": False, "x": 0, "xref": "paper",
        "xanchor": "left", "y": at, "yref": "paper", "yanchor": "bottom", "yshift": 2, "align": "left",
        "font": {"size": 12, "color": theme.text},
    }  # fmt: skip


def _later(both: list[RunData], number: int, theme: Theme) -> list[dict[str, Any]]:
    """Return the band from the other run's last success to this one's, if this one was later."""
    mine, other = makespan(both[number]), makespan(both[1 - number])
    if mine is None or other is None or mine <= other:
        return []
    later = f"{text.seconds(mine - other)} later"
    label = {"text": markup([later]), "textposition": "top center", "font": {"size": 12, "color": theme.text}}
    return [{
        "type": "rect", "x0": other, "x1": mine, "y0": 0, "y1": 1, "yref": "y2 domain" if number else "y domain",
        "layer": "below", "line": {"width": 0}, "fillcolor": theme.queue, "label": label,
    }]  # fmt: skip


def _finish(data: RunData, number: int, theme: Theme) -> list[dict[str, Any]]:
    """Return the line at a run's last success."""
    made = makespan(data)
    line = {"color": theme.text, "width": 1.5, "dash": "dot"}
    axis = "y2 domain" if number else "y domain"
    return (
        [] if made is None else [{"type": "line", "x0": made, "x1": made, "y0": 0, "y1": 1, "yref": axis, "line": line}]
    )
