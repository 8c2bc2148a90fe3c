"""The Gantt chart of a run as a plotly figure.

Always the same traces in the same order (`TRACES`), one per state and a few for lines and glyphs, each a dict of
arrays and looks: a live chart updates the arrays of the same traces. Bars lie on a linear axis of seconds; a date
axis is fragile and slow (plotly.js #4922).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from vidgen_nb.analysis.records import RunData
from vidgen_nb.charts.layout import layout, markup
from vidgen_nb.charts.palette import STATES, Mark, State, Theme, theme_of
from vidgen_nb.charts.rows import build_rows
from vidgen_nb.charts.shapes import Bar, Rows

__all__ = ["TRACES", "gantt", "html", "traces"]

_OUTLINED: tuple[State, ...] = ("running", "cancelled", "held")
_GLYPHS: dict[State, str] = {"limited": "triangle-up", "failed": "x", "held": "?"}
TRACES: tuple[str, ...] = (
    "lanes", "queue", *STATES, "dimmed outline", *(f"{state} outline" for state in _OUTLINED), "move", "path",
    *(f"{state} glyph" for state in _GLYPHS),
)  # fmt: skip
"""Names of the traces, in the order of drawing (trace attribute `meta`)."""
_NARROWEST = 3 / 600  # of the axis: 3 px of the plot's width on a page of 800 px
_DIM = 0.2
_DENSE = 2000  # bars of a state above which outlines are left out: they slow drawing and hide the fill


def gantt(
    data: RunData,
    *,
    scene: str | None = None,
    moves: str = "last 20",
    queue: bool = True,
    theme: str = "light",
    now: float | None = None,
) -> go.Figure:
    """Draw a run as a Gantt chart: a lane per profile, a row per slot, cooldowns below; seconds of the run across.

    `scene`: this one is selected, all others are dimmed. `moves`: `"last <n>"`, `"none"`, or a scene's id for its
    whole path. `queue`: the number of waiting scenes on top. `theme`: `"light"` or `"dark"`. `now`: run seconds of
    the present, drawn as a line, for a run that is not over. Above 10,000 attempts neighbouring bars are merged;
    the chart says so. Raise `InputError` for a scene that is not in the run and for an unknown theme.
    """
    rows = build_rows(data, scene=scene, moves=moves, queue=queue, now=now)
    look = theme_of(theme)
    return go.Figure(data=traces(rows, look), layout=layout(rows, look))


def html(figure: go.Figure, title: str = "Run") -> str:
    """Return a whole HTML page with the figure, which works without a network (about 5 MB, plotly.js included)."""
    config = {"responsive": True, "displaylogo": False, "showSendToCloud": False}
    chart = figure.to_html(include_plotlyjs=True, include_mathjax=False, full_html=False, config=config)
    ground, ink = escape(figure.layout.paper_bgcolor or "#FFFFFF"), escape(figure.layout.font.color or "#000000")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>body {{ margin: 0; background: {ground}; color: {ink}; }}</style>\n</head>\n"
        f"<body>\n{chart}\n</body>\n</html>\n"
    )


Say = Callable[[Sequence[str]], str]


def traces(rows: Rows, theme: Theme, say: Say = markup) -> list[dict[str, Any]]:
    """Return the traces of `TRACES` as plotly's dicts. `say`: makes lines ready for plotly."""
    bars = {state: rows.of(state) for state in STATES}
    outlined = {state: [bar for bar in bars[state] if not bar.dim] for state in _OUTLINED}
    dimmed = [bar for state in _OUTLINED for bar in bars[state] if bar.dim]
    faint = Mark("", None, outline=theme.grid)
    made = [
        _lane_lines(rows, theme),
        _queue(rows, theme),
        *(_bars(state, bars[state], theme.marks[state], rows, say) for state in STATES),
        _outlines(None, dimmed, faint),
        *(_outlines(state, outlined[state], theme.marks[state]) for state in _OUTLINED),
        _links(rows, theme, say, chosen=False),
        _links(rows, theme, say, chosen=True),
        *(_glyphs(state, bars[state], theme, rows, say) for state in _GLYPHS),
    ]
    return [trace | {"meta": name} for name, trace in zip(TRACES, made, strict=True)]


def _drawn(bar: Bar, rows: Rows) -> tuple[float, float]:
    """Return start and length as drawn: a 429 is often over in no time and must be seen all the same."""
    length = bar.end - bar.start
    least = (rows.end - rows.start) * _NARROWEST
    if bar.state != "limited" or length >= least:
        return bar.start, length
    return min(bar.start, rows.end - least), least


def _bars(state: State, bars: list[Bar], mark: Mark, rows: Rows, say: Say) -> dict[str, Any]:
    """Return the bars of one state."""
    drawn = [_drawn(bar, rows) for bar in bars]
    # Dashes and an open edge are beyond a bar's outline: they are traces of their own.
    # Without an outline trace (all are dimmed), the bar itself must show in the legend.
    alone = mark.dashed and all(bar.dim for bar in bars)
    edge = mark.outline if alone or (state not in _OUTLINED and len(bars) <= _DENSE) else None
    return {
        "type": "bar",
        "orientation": "h",
        "name": mark.label,
        "legendgroup": state,
        "showlegend": bool(bars) and (alone or not mark.dashed),
        "base": [start for start, _length in drawn],
        "x": [length for _start, length in drawn],
        "y": [bar.y for bar in bars],
        "width": [bar.height for bar in bars],
        "hovertext": [say(bar.lines) for bar in bars],
        "hoverinfo": "text",
        "marker": {
            "color": mark.fill or "rgba(0,0,0,0)",
            "opacity": [_DIM if bar.dim else 1.0 for bar in bars],
            "line": {"width": 1 if edge else 0, "color": edge or "rgba(0,0,0,0)"},
            "pattern": {"shape": mark.pattern, "fgcolor": mark.ink or None, "fillmode": "overlay", "size": 6},
        },
    }


def _outlines(state: State | None, bars: list[Bar], mark: Mark) -> dict[str, Any]:
    """Return the outlines of bars as one line, open at the right where the bar runs on."""
    x: list[float | None] = []
    y: list[float | None] = []
    for bar in bars:
        top, bottom = bar.y - bar.height / 2, bar.y + bar.height / 2
        x += [bar.end, bar.start, bar.start, bar.end]
        y += [top, top, bottom, bottom]
        if bar.state != "running":
            x.append(bar.end)
            y.append(top)
        x.append(None)
        y.append(None)
    line = {"color": mark.outline, "width": 1.5, "dash": "4px,3px" if mark.dashed else "solid"}
    # The legend's swatch of a dashed state: this line around its fill, for a bar's swatch knows no dashes.
    fill = {"fill": "toself", "fillcolor": mark.fill or "rgba(0,0,0,0)"} if mark.dashed else {}
    return (
        _line(x, y, line)
        | fill
        | {"name": mark.label, "legendgroup": state or "", "showlegend": bool(x) and mark.dashed}
    )


def _line(x: Sequence[float | None], y: Sequence[float | None], line: dict[str, Any]) -> dict[str, Any]:
    """Return a line that does not react to the mouse."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _glyphs(state: State, bars: list[Bar], theme: Theme, rows: Rows, say: Say) -> dict[str, Any]:
    """Return ▲, ✕ or ? on the bars of a state: what tells it apart without colour and at any width."""
    drawn = [_drawn(bar, rows) for bar in bars]
    common = {
        "type": "scatter",
        "x": [start + length / 2 for start, length in drawn],
        "y": [bar.y for bar in bars],
        "name": theme.marks[state].label,
        "legendgroup": state,
        "showlegend": False,
        "hovertext": [say(bar.lines) for bar in bars],
        "hoverinfo": "text",
    }
    if _GLYPHS[state] == "?":
        return common | {
            "mode": "text",
            "text": ["<b>?</b>"] * len(bars),
            "textfont": {"size": 13, "color": [_faded("#D55E00", bar.dim) for bar in bars]},
        }
    fill, edge = ("#FFFFFF", "#2B2B2B") if state == "failed" else ("#D55E00", theme.glyph_edge)
    marker = {
        "symbol": _GLYPHS[state],
        "size": 10,
        "color": fill,
        "opacity": [_DIM if bar.dim else 1.0 for bar in bars],
        "line": {"width": 1, "color": edge},
    }
    return common | {"mode": "markers", "marker": marker}


def _faded(colour: str, dim: bool) -> str:
    """Return a `#RRGGBB` colour, faint where dimmed: text knows no opacity of its own."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_DIM if dim else 1})"


def _links(rows: Rows, theme: Theme, say: Say, *, chosen: bool) -> dict[str, Any]:
    """Return the moves as one line with gaps, with ◆ at the head of each."""
    links = [link for link in rows.links if link.chosen == chosen]
    hover = [say(link.lines) for link in links]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "◆ move of the selected scene" if chosen else "◆ move",
        "legendgroup": "path" if chosen else "move",
        "showlegend": bool(links),
        "x": [x for link in links for x in (link.start, link.end, None)],
        "y": [y for link in links for y in (link.y_start, link.y_end, None)],
        "hovertext": [line for text in hover for line in (text, text, "")],
        "hoverinfo": "text",
        # With a scene selected, the moves of others step back like their bars.
        "opacity": _DIM if not chosen and any(bar.dim for bar in rows.bars) else 1.0,
        "line": {"color": theme.move, "width": 3 if chosen else 2},
        "marker": {
            "symbol": "diamond",
            "size": [0, 10 if chosen else 8, 0] * len(links),
            "opacity": 1,
            "color": theme.move,
            "line": {"width": 1, "color": theme.glyph_edge},
        },
    }


def _lane_lines(rows: Rows, theme: Theme) -> dict[str, Any]:
    """Return the lines between lanes."""
    edges = [lane.top for lane in rows.lanes] + [rows.height]
    x = [at for _edge in edges for at in (0.0, rows.end, None)]
    y = [at for edge in edges for at in (edge, edge, None)]
    return _line(x, y, {"color": theme.grid, "width": 1})


def _queue(rows: Rows, theme: Theme) -> dict[str, Any]:
    """Return the length of the queue as a stepped area; a point tells the length from it on."""
    x: list[float] = []
    y: list[float] = []
    hover: list[str] = []
    queue = rows.queue
    if queue is not None:
        before = 0
        for at, length in queue.steps:
            x += [at, at]
            y += [queue.y(before), queue.y(length)]
            hover += [f"{length:,} waiting from {at:.1f} s"] * 2
            before = length
        x.append(rows.end)
        y.append(queue.y(0))
        hover.append("")
    return _line(x, y, {"color": theme.queue_line, "width": 1}) | {
        "fill": "toself", "fillcolor": theme.queue, "name": "scenes waiting", "legendgroup": "queue",
        "showlegend": False, "hoverinfo": "text", "hovertext": hover, "hoveron": "points",
    }  # fmt: skip
