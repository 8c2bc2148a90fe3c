"""What the slots did, as stacked shares: for each profile, and for all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import plotly.graph_objects as go

from vidgen_nb.analysis.metrics.model import SlotSplit
from vidgen_nb.analysis.metrics.slot_time import SlotTime, slot_time
from vidgen_nb.analysis.metrics.summary import ONLY_IF_ANY
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import FINDING_CHARS, axis, frame, markup, names_of, wrapped
from vidgen_nb.charts.drawing.page_figure import figure
from vidgen_nb.charts.drawing.palette import Mark, Theme, theme_of
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent

__all__ = ["MAX_PROFILES", "slot_time_chart"]

MAX_PROFILES = 40
"""Profiles with a bar of their own."""
_ROW_PIXELS, _MIN_LABELLED_SHARE = (
    26.0,
    0.06,
)  # a narrower part has no room for its number


class _Part(NamedTuple):
    name: str
    label: str
    said: str
    """How a sentence goes on after its share."""
    mark: Mark
    ink: str
    """Colour of its number; empty: none, because its hatch would hide it."""


@checks_arguments()
def slot_time_chart(data: RunData, *, theme: str = "auto") -> go.Figure:
    """Draw what each profile's slots did as stacked shares of their time, from 0 to the makespan.

    A slot's time goes into an attempt that succeeded, one that was wasted or one that is queued at its provider; or the
    slot is free: then it cools, or is idle with or without scenes waiting (`analysis.metrics.slot_time`). Beyond 40
    profiles, those with the smallest share of success are shown, and the chart says so. Raise `InputError` for an
    unknown theme.
    """
    look = theme_of(theme)
    times = {name: spent for name, (spent,) in slot_time(data).items()}
    every = SlotTime()
    for spent in times.values():
        every.add(spent)
    rows = _rows(times)
    parts = [part for part in _parts(look) if part.name not in ONLY_IF_ANY or getattr(every, part.name) > 0]
    title = wrapped(_finding(every, times, parts), FINDING_CHARS)
    notes = []
    if len(times) > len(rows):
        notes.append(f"Shown: the {len(rows)} profiles with the smallest share of success, of {len(times):,}.")
    bars = [("all profiles", every), *rows]
    traces = [_trace(part, bars) for part in parts]
    tall = 12 + _ROW_PIXELS * len(bars)
    layout = frame([*title, *wrapped(notes)], look, tall, bold=len(title), named=True, legend=names_of(traces)) | {
        "barmode": "stack",
        "xaxis": axis(look, "share of slot time") | {"range": [0, 100.15], "ticksuffix": " %", "fixedrange": True},
        "yaxis": _names(bars),
    }
    layout["legend"] |= {"traceorder": "normal"}
    layout["margin"] |= {"r": 30}  # half of "100 %" lies beyond the axis
    return figure(traces, layout, look)


def _shares(spent: SlotTime) -> SlotSplit:
    """Return the parts as shares, all 0 if there is no time at all."""
    return SlotSplit.of(spent) or SlotSplit(0.0, 0.0, 0.0, 0.0, 0.0)


def _rows(times: dict[str, SlotTime]) -> list[tuple[str, SlotTime]]:
    """Return the profiles to show, in their order."""
    least = sorted(times, key=lambda name: _shares(times[name]).ok)[:MAX_PROFILES]
    shown = set(least)
    return [(name, spent) for name, spent in times.items() if name in shown]


def _parts(theme: Theme) -> list[_Part]:
    """Return the parts from left to right: time used, wasted, and free."""
    marks = theme.marks
    empty = Mark("", None, outline=theme.muted)
    return [
        _Part("ok", "succeeded", "succeeded", marks["succeeded"], "#FFFFFF"),
        _Part("running", "running", "was still running", marks["running"], ""),
        _Part("queued_at_provider", "queued at the provider", "was queued at the provider", marks["queued"], ""),
        _Part("wasted", "wasted", "was wasted", marks["limited"], ""),
        _Part("cooling", "cooling", "was cooling", marks["cooldown"], ""),
        _Part("idle_waiting", "idle while scenes waited", "was idle while scenes waited", marks["idle"], ""),
        _Part("idle_empty", "idle, none waited", "was idle with none waiting", empty, theme.text),
        _Part("off", "off: no program ran", "was off, with no program running", empty, theme.text),
    ]


def _finding(every: SlotTime, times: dict[str, SlotTime], parts: list[_Part]) -> list[str]:
    """Return what the chart shows."""
    if every.total == 0:
        return ["No slot time: nothing ran."]
    shares = _shares(every)
    lost = sorted(
        ((getattr(shares, part.name), part.said) for part in parts if part.name != "ok"),
        key=lambda each: -each[0],
    )
    others = [f"{percent(share)} {said}" for share, said in lost if share > 0]
    first = f"{percent(shares.ok)} of all slot time went into attempts that succeeded"
    said = [f"{first}; {', '.join(others)}." if others else f"{first}."]
    if len(times) > 1:
        by_ok = sorted((_shares(spent).ok, name) for name, spent in times.items() if spent.total > 0)
        (low, worst), (high, best) = by_ok[0], by_ok[-1]
        names = [one_line(name, 40) for name in (worst, best)]
        said.append(f"Success took from {percent(low)} ({names[0]}) to {percent(high)} ({names[1]}).")
    return said


def _names(bars: list[tuple[str, SlotTime]]) -> dict[str, Any]:
    """Return the axis of profiles; all of them together are at the top."""
    labels = ["<b>all profiles</b>", *(markup([text.short(name, 22)]) for name, _spent in bars[1:])]
    return {
        "range": [len(bars) - 0.4, -0.6], "fixedrange": True, "tickmode": "array", "tickvals": list(range(len(bars))),
        "ticktext": labels, "ticks": "outside", "ticklen": 8, "tickcolor": "rgba(0,0,0,0)", "showgrid": False,
        "zeroline": False,
    }  # fmt: skip


def _trace(part: _Part, bars: list[tuple[str, SlotTime]]) -> dict[str, Any]:
    """Return one part of all bars."""
    seconds = [getattr(spent, part.name) for _name, spent in bars]
    shares = [getattr(_shares(spent), part.name) for _name, spent in bars]
    mark = part.mark
    return {
        "type": "bar",
        "orientation": "h",
        "meta": part.name,
        "name": part.label,
        "x": [100 * share for share in shares],
        "y": list(range(len(bars))),
        "width": 0.76,
        "text": [percent(share) if share >= _MIN_LABELLED_SHARE and part.ink else "" for share in shares],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"color": part.ink or "rgba(0,0,0,0)", "size": 12},
        "hovertext": [
            markup([one_line(name, 60), f"{part.label}: {percent(share)} of its slot time",
                    f"{duration(spent)} of {duration(whole.total)} of all its slots"])
            for (name, whole), spent, share in zip(bars, seconds, shares, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {
            "color": mark.fill or "rgba(0,0,0,0)",
            "line": {"width": 1, "color": mark.outline or "rgba(0,0,0,0)"},
            "pattern": {"shape": mark.pattern, "fgcolor": mark.ink or None, "fillmode": "overlay", "size": 6},
        },
    }  # fmt: skip
