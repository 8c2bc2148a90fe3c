"""How long scenes waited: the share that waited at most so long (ECDF), of several runs in one plot; of one, who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.results import flow_and_wait, succeeded_before
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.timeline import seconds_of
from vidgen_nb.analysis.validation import checks_arguments, data_of
from vidgen_nb.charts import longest_waits as who_waits
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import line_style, name_labels, stair, step_trace, thin_rising
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Theme, theme_of
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent

__all__ = ["wait_chart"]

_PLOT_PIXELS, _LEFT_PIXELS = 320.0, 76
_GAP_PIXELS = 70.0  # the title of the axis between


@checks_arguments()
def wait_chart(runs: RunData | Mapping[str, RunData], *, theme: str = "auto") -> go.Figure:
    """Draw which share of the scenes that succeeded waited at most x seconds; of one run, also who waited.

    `runs`: one run, or several by name, to be compared. One has, below, each scene's wait by its place in the order in
    which they joined the queue, and the ten longest by name. Scenes that did not succeed have no wait;
    the chart says how many, and how many of those had succeeded before they were run again. The waits, and their
    quantiles in the title, are `run.metrics().wait`. Raise `InputError` for no runs, for anything that is not a run,
    for a name that is not a text, and for an unknown theme.
    """
    drawn = theme_of(theme)
    given = runs if isinstance(runs, Mapping) else {"this run": runs}
    if not given:
        raise InputError("wait_chart needs a run, or a mapping of names to runs; the mapping is empty")
    named = {name: data_of(f"wait_chart: {name!r}", run) for name, run in given.items()}
    labels = name_labels(list(named))
    found = [flow_and_wait(data)[1] for data in named.values()]
    end = max((wait.max for wait in found if wait is not None), default=0.0) * 1.04 or 1.0
    traces, notes = [], []
    for number, (name, label, wait) in enumerate(zip(named, labels, found, strict=True)):
        values = () if wait is None else wait.ordered
        trace, said = _trace(values, end, label, number, drawn)
        traces.append(trace)
        notes += [said] if said else []
        if (without := len(named[name].scenes) - len(values)) > 0:
            earlier = succeeded_before(named[name])
            but = f"; {earlier:,} of them had succeeded earlier, and were run again" if earlier else ""
            notes.append(f"Not in it: {without:,} scenes of {one_line(name, 40)} that did not succeed{but}.")
        if named[name].off:
            off = duration(seconds_of(named[name].off))
            notes.append(f"Left out of {one_line(name, 40)}: {off} in which no program ran.")
    title = wrapped(_finding(list(named), found), FINDING_CHARS)
    who, tall, share = list[who_waits.Place](), _PLOT_PIXELS, 0.0
    if len(named) == 1 and found[0] is not None:  # of one run, who it was
        (data,) = named.values()
        who = who_waits.places(data, found[0])
        more, said = who_waits.traces(who, drawn)
        traces += more
        notes += [said] if said else []
        title += wrapped([who_waits.longest_in_words(who, len(data.scenes))], FINDING_CHARS)
        tall += _GAP_PIXELS + who_waits.WHO_PIXELS
        share = who_waits.WHO_PIXELS / tall
    legend = labels if len(named) > 1 else None
    layout = frame(
        [*title, *wrapped(notes)], drawn, tall, left=_LEFT_PIXELS, bold=len(title), named=True, legend=legend
    ) | {
        "xaxis": axis(drawn, "wait until the attempt that succeeded") | {"range": [0, end], "ticksuffix": " s"},
        "yaxis": axis(drawn, "share of the scenes") | {"range": [0, 103], "ticksuffix": " %", "fixedrange": True},
    }
    if who:
        layout["yaxis"]["domain"] = [share + _GAP_PIXELS / tall, 1]
        layout |= who_waits.axes(who, share, drawn)
    layout["showlegend"] = len(named) > 1
    return figure(traces, layout, drawn)


def _trace(values: Sequence[float], end: float, label: str, number: int, theme: Theme) -> tuple[dict[str, Any], str]:
    """Return the curve of one run, and a note on it."""
    steps = [(0.0, 0.0)] if values else []
    for at, value in enumerate(values, 1):
        if at == len(values) or values[at] != value:
            steps.append((value, 100 * at / len(values)))
    kept, said = thin_rising(steps, end)
    x, y = stair(kept, end)
    hover = [markup([f"{percent(share / 100)} waited at most {duration(at)}"]) for at, share in zip(x, y, strict=True)]
    more = {"meta": "wait", "hovertext": [f"{label}<br>{each}" for each in hover], "hoverinfo": "text"}
    return step_trace(x, y, label, line_style(theme, number), **more), said


def _finding(names: list[str], found: list[Spread | None]) -> list[str]:
    """Return what the chart shows: median, 95 % and longest wait of each run."""
    said: list[str] = []
    for name, wait in zip(names, found, strict=True):
        who = f"{text.short(name, 30)}: median wait" if len(names) > 1 else "Median wait"
        if wait is None:
            said.append(f"{text.short(name, 30)}: no scene succeeded." if len(names) > 1 else "No scene succeeded.")
            continue
        half, most, worst = map(duration, (wait.p50, wait.p95, wait.max))
        said.append(f"{who} {half}, 95 % of the scenes at most {most}, the longest {worst}.")
    return said[:4] + ([f"… and {len(said) - 4} more runs."] if len(said) > 4 else [])
