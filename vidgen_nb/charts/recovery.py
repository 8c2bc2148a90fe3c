"""Goodput before, during and after trouble, beside that of a control: the same luck without the trouble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.experiments.trials import Trials
from vidgen_nb.analysis.metrics.measure import measure
from vidgen_nb.analysis.metrics.recovery import control_of, outage
from vidgen_nb.analysis.metrics.results import successes
from vidgen_nb.analysis.metrics.summary import recovery_in_words
from vidgen_nb.analysis.records.bounded_series import thin
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import checks_arguments, data_of
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.curves import MAX_POINTS, LineStyle, stair, step_trace
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, seconds_axis, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.flow import goodput_steps
from vidgen_nb.errors import InputError
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import count

__all__ = ["recovery_chart"]

_PLOT_PIXELS, _LEFT_PIXELS = 300.0, 76


@checks_arguments()
def recovery_chart(
    data: RunData,
    *,
    trouble: tuple[float, float] | None = None,
    window: float = 60.0,
    control: Any = None,
    over: Trials | None = None,
    theme: str = "auto",
) -> go.Figure:
    """Draw the goodput of the last `window` seconds, that of the control beside it, and the trouble as a band.

    `trouble`, `window`, `control`: as in `run.metrics()`, whose `recovery` the title says; a simulated run knows its
    own trouble and makes its own control. A line marks when the goodput was back. `over`: runs of the same with other
    luck, for what the title says beside this one. Raises `InputError` if the trouble is not known, and for an unknown
    theme.
    """
    look = theme_of(theme)
    span = trouble if trouble is not None else outage((data.header.get("backend") or {}).get("faults", ()))
    if span is None:
        raise InputError("this run knows of no trouble: say when it was, such as trouble=(60, 90)")
    beside = control_of(data, span) if control is None else data_of("control", control)
    found = measure(data, trouble=span, window=window, control=beside).recovery
    assert found is not None  # noqa: S101 - the trouble is given
    end = max(data.end, 0.0 if beside is None else beside.end) or 1.0
    mine, theirs = LineStyle(look.lines[0], "solid", "circle"), LineStyle(look.lines[1], "dash", "square")
    traces = [_line("run", "this run", data, window, end, mine)]
    if beside is not None:
        traces.append(_line("control", "the same luck without the trouble", beside, window, end, theirs))
    said = [_capital(recovery_in_words(found)) + "."]
    title = wrapped(said if over is None else [f"This run: {recovery_in_words(found)}.", _over(over)], FINDING_CHARS)
    note = (
        f"Goodput: successes in the last {window:g} s, as a rate per minute; so the line shows only up to {window:g} s "
        "later that it is back."
    )
    layout = frame(
        [*title, *wrapped([note])], look, _PLOT_PIXELS, left=_LEFT_PIXELS, bold=len(title), legend=names_of(traces)
    ) | {
        "xaxis": seconds_axis(end, look) | {"title": {"text": ""}},
        "yaxis": axis(look, "successes per minute") | {"range": [0, _room(traces)]},
    }
    layout["shapes"] = [_band(*span, look.queue)]
    layout["annotations"] = [_said("trouble", span[0], look.text)]
    if found.seconds:
        back = found.end + found.seconds
        layout["shapes"].append(
            {"type": "line", "x0": back, "x1": back, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": look.ink, "width": 1.5, "dash": "dot"}},
        )  # fmt: skip
        layout["annotations"].append(_said("goodput back", back, look.text))
    return figure(traces, layout, look)


def _room(traces: Sequence[dict[str, Any]]) -> float:
    """Return the top of the axis: above the lines there is room for the words."""
    return 1.15 * max([1.0, *(float(rate) for each in traces for rate in each["y"])])


def _over(trials: Trials) -> str:
    """Return how runs with other luck recovered, and what the trouble cost them on average."""
    if len(trials) < 2:
        return "One seed has no interval; give more."
    spread, (lost,) = trials.spread("recovery.seconds")[trials.cases[0]], trials.summary("recovery.lost")
    back = len(next(iter(trials.numbers("recovery.seconds").values())))
    said = f"{count(len(trials), 'seed')}: "
    if spread is not None:
        low, half, high = map(duration, spread)
        said += f"back after {half} in the median, {low} to {high} in 80 %"
    never = len(trials) - back
    if never:
        said += f"{', ' if back else ''}not recovered with {never:,}"
    if lost.mean is not None and lost.low is not None and lost.high is not None and lost.trials > 1:
        said += f"; makespan {lost.mean:+,.4g} s"
        said += f" [{lost.low:+,.4g}, {lost.high:+,.4g}] on average"
    return f"{said}."


def _line(meta: str, name: str, data: RunData, window: float, end: float, drawn: LineStyle) -> dict[str, Any]:
    """Return the goodput of one run."""
    ends = [each.end for each in successes(data) if each.end is not None]
    found: Sequence[tuple[float, int]] = goodput_steps(ends, window, end)
    if len(found) > MAX_POINTS:
        found = thin(list(found), 2 * end / MAX_POINTS)
    x, y = stair([(at, number * 60 / window) for at, number in found], end)
    hover = [
        markup([name, f"{rate:.3g} successes per minute from {text.seconds(since)}"])
        for since, rate in zip(x, y, strict=True)
    ]
    return step_trace(x, y, markup([name]), drawn, meta=meta, hovertext=hover, hoverinfo="text")


def _band(start: float, end: float, colour: str) -> dict[str, Any]:
    return {
        "type": "rect", "x0": start, "x1": end, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
        "line": {"width": 0}, "fillcolor": colour,
    }  # fmt: skip


def _said(word: str, at: float, colour: str) -> dict[str, Any]:
    """Return a word at the top of the plot."""
    return {
        "text": markup([word]), "x": at, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top",
        "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
