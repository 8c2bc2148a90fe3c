"""Runs, one Gantt above the other over one axis of seconds, with their lanes in the same order and one cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.results import makespan
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments, data_of
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.fold import MAX_BARS
from vidgen_nb.charts.drawing.layout import (
    FINDING_CHARS,
    LANES_KEY,
    frame,
    lanes_axis,
    legend_names,
    markup,
    seconds_axis,
    wrapped,
)
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.charts.drawing.shapes import Rows
from vidgen_nb.charts.drawing.traces import PLOT_PIXELS, traces
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent

__all__ = ["TimeMark", "aligned", "aligned_chart"]

_HEADING_PIXELS, _LOW_HEADING_PIXELS = 34, 26  # pixels above each Gantt for its name
_MARK_PIXELS = 18  # pixels above all Gantts for the words at a mark
_MARK_CHARS = 90
_BOLD_PIXELS, _TEXT_PIXELS = 7.8, 6.6  # of a character
_MIN_NAME_CHARS = 20  # of a name above a Gantt
_NARROW_PLOT_PIXELS = 480.0  # of a cell's output on a page 800 px wide


@dataclass(frozen=True)
class TimeMark:
    """A line through all Gantts, with a few words above it."""

    at: float
    label: str
    details: tuple[str, ...] = ()
    """What the hover of the words says."""


@checks_arguments()
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
    names, both = [one_line(str(name), 60) for name in runs], [data_of("each of the two", run) for run in runs.values()]
    return aligned(names, both, [_finding(names, both)], moves=moves, queue=queue, theme=theme)


def aligned(
    names: Sequence[str],
    runs: Sequence[RunData],
    title: Sequence[str],
    notes: Sequence[str] = (),
    mark: TimeMark | None = None,
    *,
    moves: str = "last 20",
    queue: bool = True,
    theme: str = "auto",
    lanes_height: float | None = None,
) -> go.Figure:
    """Draw runs as Gantt charts below each other; where the pointer is, a line goes through all of them.

    `names`: of the runs, each one clean line. `title`: sentences, of what was found. `notes`: further ones.
    `lanes_height`: pixels of each run's lanes; None: as much as their rows need.
    """
    look = theme_of(theme)
    profiles = list(dict.fromkeys(name for data in runs for name in data.profiles))
    few = sum(len(data.attempts) for data in runs) <= MAX_BARS
    most = MAX_BARS if few else MAX_BARS // len(runs)
    fit = None if lanes_height is None else Fit(lanes_height, _capacities(runs))
    rows = [_rows(data, profiles, moves, queue, most, fit) for data in runs]
    end = max(each.end for each in rows)
    rows = [replace(each, end=end) for each in rows]
    bold = wrapped(title, FINDING_CHARS)
    left_out = [f"{name}: {note}" for name, each in zip(names, rows, strict=True) for note in each.notes]
    above = _MARK_PIXELS if mark is not None else 0
    heading, room = (_HEADING_PIXELS, PLOT_PIXELS) if fit is None else (_LOW_HEADING_PIXELS, _NARROW_PLOT_PIXELS)
    tall = sum(each.height for each in rows) + len(rows) * heading + above
    states = list(dict.fromkeys(name for each in rows for name in legend_names(each, look)))
    layout = frame([*bold, *wrapped([*notes, *left_out])], look, tall, bold=len(bold), legend=states)
    layout |= {"barmode": "overlay"}
    layout |= {"xaxis": _time_axis(end, len(rows), look), "shapes": [], "annotations": [], "spikedistance": -1}
    top = tall - above
    for number, (name, each, data) in enumerate(zip(names, rows, runs, strict=True)):
        top -= heading
        domain = [max(0.0, (top - each.height) / tall), top / tall]
        layout[f"yaxis{_place(number)}"] = lanes_axis(each, heading=fit is None) | {"domain": domain}
        band, words = _later(runs, number, look)
        layout["annotations"] += [
            _heading(name, words, each, domain[1], look, room),
            *_key(domain[1], look) * (fit is not None),
        ]
        layout["shapes"] += [*band, *_finish(data, number, look)]
        top -= each.height
    if mark is not None:
        layout["shapes"].append(_mark_line(mark, 1 - above / tall, look))
        layout["annotations"].append(_mark_words(mark, end, look))
    return figure(_traces(rows, look), layout, look)


def _place(number: int) -> str:
    """Return the number of an axis, as plotly counts them."""
    return str(number + 1) if number else ""


def _capacities(runs: Sequence[RunData]) -> dict[str, int | None]:
    """Return the slots of each profile's lane: the same in all runs."""
    found: dict[str, int | None] = {}
    for data in runs:
        for name, capacity in data.capacities.items():
            found[name] = capacity if found.get(name) is None else max(found[name] or 0, capacity or 0)
    return found


def _time_axis(end: float, count: int, theme: Theme) -> dict[str, Any]:
    """Return the common axis, with a line at the pointer through all Gantts."""
    cursor = {
        "showspikes": True, "spikemode": "across", "spikesnap": "cursor", "spikecolor": theme.muted,
        "spikethickness": 1, "spikedash": "solid",
    }  # fmt: skip
    return seconds_axis(end, theme) | cursor | {"anchor": f"y{_place(count - 1)}"}


def _rows(data: RunData, profiles: list[str], moves: str, queue: bool, most: int, fit: Fit | None) -> Rows:
    """Return the rows of one run, with a lane for each profile of all."""
    rows = build_rows(replace(data, profiles=profiles), moves=moves, queue=queue, most=most, fit=fit)
    absent = set(profiles) - set(data.profiles)
    lanes = [replace(lane, label=f"{text.short(lane.profile, 14)} · not in it") if lane.profile in absent else lane
             for lane in rows.lanes]  # fmt: skip
    spans = [(lane.top, lane.bottom) for lane in rows.lanes if lane.profile in absent]
    # A profile that was never there was not idle.
    bars = [bar for bar in rows.bars if bar.state == "off" or not any(top <= bar.y < bottom for top, bottom in spans)]
    return replace(rows, lanes=lanes, bars=bars)


def _traces(rows: list[Rows], theme: Theme) -> list[dict[str, Any]]:
    """Return the traces of all runs; each kind is in the legend once."""
    found: list[dict[str, Any]] = []
    named: set[str] = set()
    for number, each in enumerate(rows):
        for trace in traces(each, theme):
            shown = trace["showlegend"] and trace["legendgroup"] not in named
            if shown:
                named.add(trace["legendgroup"])
            place = {"xaxis": "x", "yaxis": f"y{_place(number)}", "showlegend": shown}
            found.append(trace | place | {"meta": f"{number} {trace['meta']}"})
    return found


def _finding(names: list[str], both: list[RunData]) -> str:
    """Return how the makespans differ."""
    one, other = (makespan(data) for data in both)
    if one is None or other is None:
        without = " and ".join(name for name, made in zip(names, (one, other), strict=True) if made is None)
        return f"No scene succeeded in {without}, so there is no makespan to compare."
    if one == other:
        return f"Both took {duration(one)} to the last success."
    (fast, quick), (slow, long) = sorted(zip((one, other), names, strict=True))
    return (
        f"{quick} took {duration(fast)} to the last success, {duration(slow - fast)} "
        f"({percent((slow - fast) / slow)}) less than {long} with {duration(slow)}."
    )


def _heading(name: str, later: str, rows: Rows, at: float, theme: Theme, room: float) -> dict[str, Any]:
    """Return a run's name, how much later it was, and totals, above its Gantt: as many as have room, in pixels.

    The name and the first total are always there.
    """
    totals = rows.summary[1].rstrip(".").split("; ")
    room -= len(later) * _TEXT_PIXELS
    while len(totals) > 1 and len(name) * _BOLD_PIXELS + len("; ".join(totals)) * _TEXT_PIXELS > room:
        del totals[-1]
    chars = int((room - len("; ".join(totals)) * _TEXT_PIXELS) / _BOLD_PIXELS)
    shown = markup([text.short(name, max(chars, _MIN_NAME_CHARS))])
    return {
        "text": f"<b>{shown}</b>{markup([later])}  {markup(['; '.join(totals)])}", "showarrow": False, "x": 0,
        "xref": "paper", "xanchor": "left", "y": at, "yref": "paper", "yanchor": "bottom", "yshift": 2,
        "align": "left", "font": {"size": 12, "color": theme.text}, "bgcolor": theme.ground,
    }  # fmt: skip


def _key(at: float, theme: Theme) -> tuple[dict[str, Any]]:
    """Return what the numbers beside the lanes are, where the axis has no room for that."""
    return ({
        "text": f"<i>{markup([LANES_KEY])}</i>", "showarrow": False, "x": 0, "xref": "paper", "xanchor": "right",
        "xshift": -8, "y": at, "yref": "paper", "yanchor": "bottom", "yshift": 2,
        "font": {"size": 12, "color": theme.text},
    },)  # fmt: skip


def _later(runs: Sequence[RunData], number: int, theme: Theme) -> tuple[list[dict[str, Any]], str]:
    """Return the band from the first run's end, of all that succeeded, to this one's, if later, and words for it.

    The words stand in the heading: within the chart they would hide the bars that end last.
    """
    mine, done = makespan(runs[number]), [made for data in runs if (made := makespan(data)) is not None]
    if mine is None or mine <= min(done):
        return [], ""
    band = {
        "type": "rect", "x0": min(done), "x1": mine, "y0": 0, "y1": 1, "yref": f"y{_place(number)} domain",
        "layer": "below", "line": {"width": 0}, "fillcolor": theme.queue,
    }  # fmt: skip
    return [band], f" ({duration(mine - min(done))} later)"


def _finish(data: RunData, number: int, theme: Theme) -> list[dict[str, Any]]:
    """Return the line at a run's last success."""
    made = makespan(data)
    line = {"color": theme.ink, "width": 1.5, "dash": "dot"}
    axis = f"y{_place(number)} domain"
    return (
        [] if made is None else [{"type": "line", "x0": made, "x1": made, "y0": 0, "y1": 1, "yref": axis, "line": line}]
    )


def _mark_line(mark: TimeMark, top: float, theme: Theme) -> dict[str, Any]:
    """Return the line of a mark, through all Gantts."""
    return {
        "type": "line", "name": "mark", "x0": mark.at, "x1": mark.at, "y0": 0, "y1": top, "yref": "paper",
        "line": {"color": theme.move, "width": 2, "dash": "dash"},
    }  # fmt: skip


def _mark_words(mark: TimeMark, end: float, theme: Theme) -> dict[str, Any]:
    """Return the words of a mark, on that side of it where there is room."""
    left = mark.at > end / 2
    return {
        "text": f"<b>{markup([one_line(mark.label, _MARK_CHARS)])}</b>", "name": "mark", "showarrow": False,
        "x": mark.at, "xref": "x", "xanchor": "right" if left else "left", "y": 1, "yref": "paper", "yanchor": "top",
        "font": {"size": 12, "color": theme.text}, "hovertext": markup(mark.details) if mark.details else None,
    }  # fmt: skip
