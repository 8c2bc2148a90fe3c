"""What stands around the bars of the plotly figure: sizes, title, legend, axes; as plotly's dicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

from vidgen_nb.charts.palette import Theme
from vidgen_nb.charts.shapes import Rows

__all__ = ["layout", "markup"]

_LEFT, _RIGHT, _BELOW = 172, 20, 104
_LINE = 96  # characters of a line of the title: left of the mode bar at 800 px
_FONT = "system-ui, -apple-system, Segoe UI, sans-serif"


def markup(lines: Sequence[str]) -> str:
    """Return lines for plotly, which reads a kind of HTML in every text and TeX between dollar signs."""
    return "<br>".join(escape(line).replace("$", "&#36;") for line in lines)


def layout(rows: Rows, theme: Theme) -> dict[str, Any]:
    """Return sizes, title, legend, axes and the now-line."""
    title = [line for part in (*rows.summary, *rows.notes) for line in textwrap.wrap(part, _LINE)]
    above = 12 + 17 * len(title) + 12
    height = round(rows.height) + above + _BELOW
    line = {"color": theme.text, "width": 1.5, "dash": "dot"}
    now = [{"type": "line", "x0": rows.now, "x1": rows.now, "y0": 0, "y1": 1, "yref": "paper", "line": line}]
    return {
        "template": "none",
        "paper_bgcolor": theme.ground,
        "plot_bgcolor": theme.ground,
        "font": {"family": _FONT, "size": 12, "color": theme.text},
        "height": height,
        "margin": {"l": _LEFT, "r": _RIGHT, "t": above, "b": _BELOW, "pad": 0},
        "barmode": "overlay",
        "hovermode": "closest",
        "hoverlabel": {
            "align": "left", "bgcolor": theme.ground, "bordercolor": theme.muted,
            "font": {"family": _FONT, "color": theme.text, "size": 12}, "namelength": -1,
        },
        "title": {
            "text": markup(title), "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 16},
            "y": 1 - 24 / height, "yref": "container", "yanchor": "top", "font": {"size": 13, "color": theme.text},
        },
        # A fixed distance below the axis, however many lines the width of the page breaks it into (up to three).
        "legend": {
            "orientation": "h", "x": 0.01, "xref": "container", "xanchor": "left", "y": (_BELOW - 34) / height,
            "yref": "container", "yanchor": "top", "font": {"size": 12}, "itemsizing": "trace",
            "bgcolor": "rgba(0,0,0,0)",
        },
        "xaxis": _seconds_axis(rows, theme),
        "yaxis": _lanes_axis(rows),
        # plotly's "Share chart" would upload the prompts; in a notebook, only the layout can take it away.
        "modebar": {
            "bgcolor": theme.ground, "color": theme.muted, "activecolor": theme.text,
            "remove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
        },
        "shapes": now if rows.now is not None else [],
    }  # fmt: skip


def _seconds_axis(rows: Rows, theme: Theme) -> dict[str, Any]:
    """Return the axis of seconds, on which one can zoom within the run."""
    return {
        "type": "linear",
        "range": [0, rows.end],
        "minallowed": 0,
        "maxallowed": rows.end,
        "ticksuffix": " s",
        "ticks": "outside",
        "tickcolor": theme.muted,
        "showline": True,
        "linecolor": theme.muted,
        "gridcolor": theme.grid,
        "zeroline": False,
    }


def _lanes_axis(rows: Rows) -> dict[str, Any]:
    """Return the axis of lanes, in pixels from the top, with a label for each lane."""
    ticks = [(rows.heading, f"<i>{markup(['profile · ok/429/held'])}</i>")]
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
