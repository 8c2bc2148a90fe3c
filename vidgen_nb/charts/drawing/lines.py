"""Lines and glyphs of the plotly figure, as plotly's dicts: lanes, the queue, outlines, moves, ▲ ✕ ?."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.palette import Mark, State, Theme
from vidgen_nb.charts.drawing.shapes import Bar, Hand, Link, Queue

__all__ = [
    "DIM_OPACITY",
    "GLYPHS",
    "HANDS",
    "MinLength",
    "ToMarkup",
    "drawn",
    "glyphs",
    "hand_marks",
    "lane_lines",
    "link_lines",
    "outlines",
    "queue_line",
    "tail_lines",
]

GLYPHS: dict[State, str] = {"limited": "triangle-up", "failed": "x", "held": "?"}
HANDS = "changed by hand"
"""What the legend calls marks on the axis."""
DIM_OPACITY = 0.2
"""Opacity of dimmed bars, glyphs and lines."""
ToMarkup = Callable[[Sequence[str]], str]
"""Joins lines as plotly's markup."""
MinLength = tuple[float, float] | None
"""The shortest length drawn, and the end of the axis; None: lengths are drawn as they are."""


def drawn(bar: Bar, least: MinLength) -> tuple[float, float]:
    """Return start and length as drawn: a 429 is often very short and must still be visible."""
    length = bar.end - bar.start
    if least is None or length >= least[0]:
        return bar.start, length
    return min(bar.start, least[1] - least[0]), least[0]


def outlines(state: State | None, bars: list[Bar], mark: Mark) -> dict[str, Any]:
    """Return the outlines of bars as one line, open at the right if the attempt still runs."""
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
    # In the legend, a dashed state is this line around its fill: the swatch of a bar can't have dashes.
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


def glyphs(state: State, bars: list[Bar], theme: Theme, say: ToMarkup, least: MinLength) -> dict[str, Any]:
    """Return ▲, ✕ or ? on the bars of a state, which identify it without colour and at any width."""
    places = [drawn(bar, least) for bar in bars]
    common = {
        "type": "scatter",
        "x": [start + length / 2 for start, length in places],
        "y": [bar.y for bar in bars],
        "name": theme.marks[state].label,
        "legendgroup": state,
        "showlegend": False,
        "hovertext": [say(bar.lines) for bar in bars],
        "hoverinfo": "text",
        "customdata": [bar.place for bar in bars],
    }
    if GLYPHS[state] == "?":
        return common | {
            "mode": "text",
            "text": ["<b>?</b>"] * len(bars),
            "textfont": {"size": 13, "color": [_faded("#D55E00", bar.dim) for bar in bars]},
        }
    fill, edge = ("#FFFFFF", "#2B2B2B") if state == "failed" else ("#D55E00", theme.glyph_edge)
    marker = {
        "symbol": GLYPHS[state],
        "size": 10,
        "color": fill,
        "opacity": [DIM_OPACITY if bar.dim else 1.0 for bar in bars],
        "line": {"width": 1, "color": edge},
    }
    return common | {"mode": "markers", "marker": marker}


def _faded(colour: str, dim: bool) -> str:
    """Return a `#RRGGBB` colour, faint where dimmed: text has no opacity property."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{DIM_OPACITY if dim else 1})"


def link_lines(links: list[Link], theme: Theme, say: ToMarkup, chosen: bool, faint: bool) -> dict[str, Any]:
    """Return the moves as one line with gaps, with ◆ at the head of each."""
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
        # If a scene is selected, the moves of others are dimmed like their bars.
        "opacity": DIM_OPACITY if faint else 1.0,
        "line": {"color": theme.move, "width": 3 if chosen else 2},
        "marker": {
            "symbol": "diamond",
            "size": [0, 10 if chosen else 8, 0] * len(links),
            "opacity": 1,
            "color": theme.move,
            "line": {"width": 1, "color": theme.glyph_edge},
        },
    }


def lane_lines(edges: list[float], end: float, theme: Theme) -> dict[str, Any]:
    """Return the lines between lanes."""
    x = [at for _edge in edges for at in (0.0, end, None)]
    y = [at for edge in edges for at in (edge, edge, None)]
    return _line(x, y, {"color": theme.grid, "width": 1})


def tail_lines(bars: list[Bar], mark: Mark) -> dict[str, Any]:
    """Return downloads as one thick line with gaps: as bars, they would double the cost of drawing."""
    x = [at for bar in bars for at in (bar.start, bar.end, None)]
    y = [at for bar in bars for at in (bar.y, bar.y, None)]
    width = bars[0].height if bars else 1.0
    return _line(x, y, {"color": mark.fill, "width": width}) | {
        "name": mark.label, "legendgroup": "download", "showlegend": bool(bars),
        "opacity": DIM_OPACITY if any(bar.dim for bar in bars) else 1.0,
    }  # fmt: skip


def hand_marks(hands: Sequence[Hand], bottom: float, theme: Theme, say: ToMarkup) -> dict[str, Any]:
    """Return what a hand did, as marks on the axis of time."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [hand.at for hand in hands],
        "y": [bottom] * len(hands),
        "hovertext": [say(hand.lines) for hand in hands],
        "hoverinfo": "text",
        "name": HANDS,
        "legendgroup": "hands",
        "showlegend": bool(hands),
        "cliponaxis": False,
        "marker": {
            "symbol": "diamond-tall", "size": 12, "opacity": 1, "color": theme.ink,
            "line": {"width": 1, "color": theme.glyph_edge},
        },
    }  # fmt: skip


def queue_line(queue: Queue | None, end: float, theme: Theme) -> dict[str, Any]:
    """Return the length of the queue as a stepped area; a point has the length from its time on."""
    x: list[float] = []
    y: list[float] = []
    hover: list[str] = []
    if queue is not None:
        x = [queue.steps[0][0], *(at for at, _length in queue.steps), end]
        y = [queue.bottom, *(round(queue.y(length), 1) for _at, length in queue.steps), queue.bottom]
        times = queue.times or tuple(at for at, _length in queue.steps)
        said = (f"{step[1]:,} waiting from {text.seconds(at)}" for at, step in zip(times, queue.steps, strict=True))
        hover = ["", *said, ""]
    return _line(x, y, {"color": theme.queue_line, "width": 1, "shape": "hv"}) | {
        "fill": "toself", "fillcolor": theme.queue, "name": "scenes waiting", "legendgroup": "queue",
        "showlegend": False, "hoverinfo": "text", "hovertext": hover, "hoveron": "points",
    }  # fmt: skip
