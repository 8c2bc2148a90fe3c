"""What surrounds the plot of a plotly figure: sizes, title, legend, axes; as plotly's dicts."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from html import escape, unescape
from typing import Any

from vidgen_nb.charts.drawing.lines import HANDS
from vidgen_nb.charts.drawing.palette import Theme
from vidgen_nb.charts.drawing.shapes import Rows

__all__ = [
    "FINDING_CHARS",
    "LANES_KEY",
    "LEFT",
    "axis",
    "frame",
    "lanes_axis",
    "layout",
    "legend_names",
    "markup",
    "names_of",
    "seconds_axis",
    "wrapped",
]

LEFT = 172
"""Pixels beside the plot: labels of lanes."""
LANES_KEY = "profile · ✓/429/held"
"""What the labels of lanes say."""
FINDING_CHARS = 76
"""Characters of a title in bold that fit beside a notebook's prompts in a window of 800 pixels."""
_RIGHT_PIXELS, _LEGEND_PAD_PIXELS = 20, 13
_TITLE_CHARS = 84
_NO_BREAK = "\u00a0"
_KEPT = re.compile(
    r"(?<=\d) (?=(?:s|min|h|d|ms|results?|seeds?|runs?)\b|[%×→])|(?<=min) (?=\d)|(?<=\bh) (?=\d)|(?<=→) (?=\d)"
    r"|(?<=\w) (?== )|(?<= =) (?=\S)|(?<=,) (?=[^\[\],]*\])"
)
"""Spaces where no line ends: in a number with its unit, in a duration, a setting, an interval."""
_FONT = "system-ui, -apple-system, Segoe UI, sans-serif"


def markup(lines: Sequence[str]) -> str:
    """Return lines for plotly, which reads a kind of HTML in every text and TeX between dollar signs."""
    return "<br>".join(escape(line).replace("$", "&#36;") for line in lines)


def layout(rows: Rows, theme: Theme) -> dict[str, Any]:
    """Return sizes, title, legend, axes and the now-line."""
    line = {"color": theme.ink, "width": 1.5, "dash": "dot"}
    now = [{"type": "line", "x0": rows.now, "x1": rows.now, "y0": 0, "y1": 1, "yref": "paper", "line": line}]
    title = wrapped([*rows.summary, *rows.notes])
    return frame(title, theme, rows.height, legend=legend_names(rows, theme)) | {
        "barmode": "overlay",
        "xaxis": seconds_axis(rows.end, theme) | _ticks(rows),
        "yaxis": lanes_axis(rows),
        "shapes": now if rows.now is not None else [],
    }


def legend_names(rows: Rows, theme: Theme) -> list[str]:
    """Return what stands in the legend of a chart."""
    states = {bar.state for bar in (*rows.bars, *rows.merged)}
    moves = {"◆ move of the selected scene" if link.chosen else "◆ move" for link in rows.links}
    hands = [HANDS] if rows.hands else []
    return [mark.label for state, mark in theme.marks.items() if state in states] + sorted(moves) + hands


def names_of(traces: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names that traces put into the legend."""
    return [each["name"] for each in traces if each.get("showlegend", True)]


def wrapped(parts: Sequence[str], width: int = _TITLE_CHARS) -> list[str]:
    """Return sentences as lines that fit a title, each on a new line; a number stays with its unit, and an interval."""
    kept = [_KEPT.sub(_NO_BREAK, part) for part in parts]
    return [line.replace(_NO_BREAK, " ") for part in kept for line in textwrap.wrap(part, width)]


def frame(
    title: Sequence[str],
    theme: Theme,
    tall: float,
    *,
    left: int = LEFT,
    bold: int = 0,
    named: bool = False,
    legend: Sequence[str] | None = (),
) -> dict[str, Any]:
    """Return what all charts share: sizes, title, legend, colours.

    `title`: lines of plain text, of which the first `bold` ones are the finding. `tall`: pixels of the plot itself.
    `left`: pixels beside it. `named`: the axis below it has a title. `legend`: its names, which have room for as many
    lines as they take at 800 px; None: there is none.
    """
    above = 12 + 17 * (max(2, len(title)) if title else 0) + 12
    axis = 34 + (18 if named else 0)
    below = axis + (12 if legend is None else _LEGEND_PAD_PIXELS + 19 * max(1, _legend_lines(legend)))
    height = round(tall) + above + below
    lines = [f"<b>{markup([line])}</b>" if at < bold else markup([line]) for at, line in enumerate(title)]
    return {
        "template": "none",
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.ground,
        "font": {"family": _FONT, "size": 12, "color": theme.text},
        "height": height,
        "margin": {"l": left, "r": _RIGHT_PIXELS, "t": above, "b": below, "pad": 0},
        "hovermode": "closest",
        "hoverlabel": {
            "align": "left", "bgcolor": theme.card[0], "bordercolor": theme.muted,
            "font": {"family": _FONT, "color": theme.card[1], "size": 12}, "namelength": -1,
        },
        "title": {
            "text": "<br>".join(lines), "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 16},
            "y": 1 - 24 / height, "yref": "container", "yanchor": "top", "font": {"size": 13, "color": theme.text},
        },
        "legend": _legend((below - axis) / height),
        "modebar": _modebar(theme),
    }  # fmt: skip


def _legend(at: float) -> dict[str, Any]:
    """Return a legend a fixed distance below the axis, however many lines the page's width breaks it into."""
    return {
        "orientation": "h", "x": 0.01, "xref": "container", "xanchor": "left", "y": at,
        "yref": "container", "yanchor": "top", "font": {"size": 12}, "itemsizing": "trace",
        "tracegroupgap": 0, "bgcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def _modebar(theme: Theme) -> dict[str, Any]:
    """Return the buttons without "Share chart", which would upload the prompts.

    In a notebook, only the layout can remove it.
    """
    return {
        "bgcolor": theme.ground, "color": theme.muted, "activecolor": theme.ink,
        "remove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
    }  # fmt: skip


def _legend_lines(names: Sequence[str]) -> int:
    """Return about how many lines plotly breaks a legend into at 800 px: its columns are as wide as the widest name."""
    widest = max((len(unescape(name)) for name in names), default=0) * 7.5 + 50
    return math.ceil(len(names) / max(1, int(760 / widest)))


def axis(theme: Theme, title: str = "") -> dict[str, Any]:
    """Return an axis of numbers from 0 up; its title is plain text."""
    return {
        "type": "linear",
        "rangemode": "tozero",
        "title": {"text": markup([title]), "standoff": 12, "font": {"size": 12, "color": theme.muted}},
        "ticks": "outside",
        "tickcolor": theme.muted,
        "showline": True,
        "linecolor": theme.muted,
        "gridcolor": theme.grid,
        "zeroline": False,
    }


def seconds_axis(end: float, theme: Theme) -> dict[str, Any]:
    """Return the axis of seconds; it zooms within the run."""
    return {
        "type": "linear",
        "range": [0, end],
        "minallowed": 0,
        "maxallowed": end,
        "ticksuffix": " s",
        "ticks": "outside",
        "tickcolor": theme.muted,
        "showline": True,
        "linecolor": theme.muted,
        "gridcolor": theme.grid,
        "zeroline": False,
    }


def _ticks(rows: Rows) -> dict[str, Any]:
    """Return the ticks of an axis with gaps."""
    if not rows.ticks:
        return {}
    return {
        "tickmode": "array",
        "tickvals": [at for at, _label in rows.ticks],
        "ticktext": [label for _at, label in rows.ticks],
    }


def lanes_axis(rows: Rows, *, heading: bool = True) -> dict[str, Any]:
    """Return the axis of lanes, in pixels from the top, with a label for each lane, and `heading` for what it says."""
    ticks = [(rows.heading, f"<i>{markup([LANES_KEY])}</i>")] if heading else []
    ticks += [
        ((lane.top + lane.bottom) / 2, markup([lane.label, lane.remark] if lane.remark else [lane.label]))
        for lane in rows.lanes
    ]
    if rows.queue is not None:
        ticks.append(((rows.queue.top + rows.queue.bottom) / 2, f"waiting (peak {rows.queue.longest:,})"))
    return {
        "range": [rows.height, 0],
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": [at for at, _label in ticks],
        "ticktext": [label for _at, label in ticks],
        # Invisible ticks keep the labels off the bars.
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": "rgba(0,0,0,0)",
        "showgrid": False,
        "zeroline": False,
    }
