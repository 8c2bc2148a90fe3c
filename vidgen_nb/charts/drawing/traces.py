"""The traces of the plotly figure: one per state and a few for lines and glyphs, each a dict of arrays and styles.

They are always the same ones in the same order (`TRACES`; `LIVE_TRACES`): a live chart changes the arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.charts.drawing.layout import markup
from vidgen_nb.charts.drawing.lines import (
    DIM_OPACITY,
    GLYPHS,
    MinLength,
    ToMarkup,
    drawn,
    glyphs,
    lane_lines,
    link_lines,
    outlines,
    queue_line,
)
from vidgen_nb.charts.drawing.palette import STATES, Mark, State, Theme
from vidgen_nb.charts.drawing.shapes import Bar, Rows

__all__ = ["LIVE_TRACES", "TRACES", "TraceMaker", "traces"]

_OUTLINED: tuple[State, ...] = ("running", "cancelled", "held")
_MERGED: tuple[State, ...] = ("cooldown", "succeeded", "cancelled", "held", "failed", "limited")
_LIVE_PARTS, _PART_BARS = 8, 64  # traces that share the succeeded bars, and how many neighbours go together
_ABOVE = (
    "dimmed outline", *(f"{state} outline" for state in _OUTLINED), "move", "path",
    *(f"{state} glyph" for state in GLYPHS),
)  # fmt: skip
TRACES: tuple[str, ...] = ("lanes", "queue", *STATES, *_ABOVE)
"""Names of the traces, in the order of drawing (trace attribute `meta`)."""
LIVE_TRACES: tuple[str, ...] = (
    "lanes", "queue", "off", *(f"merged {state}" for state in _MERGED), "idle", "cooldown",
    "queued", *(f"succeeded {part}" for part in range(_LIVE_PARTS)), *STATES[STATES.index("succeeded") + 1 :], *_ABOVE,
)  # fmt: skip
"""Those of a live chart: older history below as merged bars, and succeeded bars in parts, so that only the parts that
have changed are sent again."""
_MIN_WIDTH_SHARE = 3 / 600  # share of the axis: 3 px of the plot on a page 800 px wide
_MAX_OUTLINED_BARS = 2000  # with more bars of a state, outlines are left out: they slow down drawing and hide the fill
_MERGED_OPACITY = 0.55  # opacity of merged bars

TraceMaker = Callable[..., dict[str, Any]]
Drawing = tuple[Any, ...]
"""A function that returns a trace, and its arguments."""


def _draw_now(name: str, draw: TraceMaker, *given: Any) -> dict[str, Any]:
    return draw(*given) | {"meta": name}


def traces(
    rows: Rows, theme: Theme, say: ToMarkup = markup, make: TraceMaker = _draw_now, *, live: bool = False
) -> list[dict[str, Any]]:
    """Return the traces of `TRACES`, or of `LIVE_TRACES`, as plotly's dicts.

    `say`: joins lines as plotly's markup. `make`: is called with a trace's name, the function that draws it, and its
    arguments; a live chart draws again only what has changed.
    """
    bars: dict[State, list[Bar]] = {state: [] for state in STATES}
    for bar in rows.bars:
        bars[bar.state].append(bar)
    narrowest = (rows.end - rows.start) * _MIN_WIDTH_SHARE
    narrow = any(bar.end - bar.start < narrowest for bar in bars["limited"])
    least: MinLength = (narrowest, rows.end) if narrow else None
    drawings: dict[str, Drawing] = {
        "lanes": (lane_lines, [*(lane.top for lane in rows.lanes), rows.height], rows.end, theme),
        "queue": (queue_line, rows.queue, rows.end, theme),
        **(_merged(rows, theme, say) if live else {}),
        **{state: (_bars, state, bars[state], theme.marks[state], say) for state in STATES},
        "limited": (_bars, "limited", bars["limited"], theme.marks["limited"], say, least),
        **(_parts(bars["succeeded"], theme.marks["succeeded"], say) if live else {}),
        **_above(rows, bars, theme, say),
        **{
            f"{state} glyph": (glyphs, state, [bar for bar in bars[state] if bar.glyph], theme, say, None)
            for state in GLYPHS
        },
        "limited glyph": (glyphs, "limited", bars["limited"], theme, say, least),
    }
    return [make(name, *drawings[name]) for name in (LIVE_TRACES if live else TRACES)]


def _above(rows: Rows, bars: dict[State, list[Bar]], theme: Theme, say: ToMarkup) -> dict[str, Drawing]:
    """Return outlines and moves: the lines above the bars."""
    faint = Mark("", None, outline=theme.grid)
    dimmed = [bar for state in _OUTLINED for bar in bars[state] if bar.dim]
    others, path = ([link for link in rows.links if link.chosen == chosen] for chosen in (False, True))
    found: dict[str, Drawing] = {
        "dimmed outline": (outlines, None, dimmed, faint),
        # If a scene is selected, the moves of others are dimmed like their bars.
        "move": (link_lines, others, theme, say, False, any(bar.dim for bar in rows.bars)),
        "path": (link_lines, path, theme, say, True, False),
    }
    for state in _OUTLINED:
        clear = [bar for bar in bars[state] if not bar.dim]
        found[f"{state} outline"] = (outlines, state, clear, theme.marks[state])
    return found


def _merged(rows: Rows, theme: Theme, say: ToMarkup) -> dict[str, Drawing]:
    """Return the traces of older history."""
    return {
        f"merged {state}": (
            _merged_bars,
            state,
            [bar for bar in rows.merged if bar.state == state],
            theme.marks[state],
            say,
        )
        for state in _MERGED
    }


def _parts(bars: list[Bar], mark: Mark, say: ToMarkup) -> dict[str, Drawing]:
    """Divide succeeded bars among the parts: neighbours in time go together."""
    parts: list[list[Bar]] = [[] for _ in range(_LIVE_PARTS)]
    for bar in bars:
        parts[bar.place // _PART_BARS % _LIVE_PARTS].append(bar)
    first = next((at for at, some in enumerate(parts) if some), 0)
    return {f"succeeded {at}": (_part, some, mark, say, at == first) for at, some in enumerate(parts)}


def _part(bars: list[Bar], mark: Mark, say: ToMarkup, first: bool) -> dict[str, Any]:
    """Return the bars of one part; the first one with bars is in the legend for all."""
    return _bars("succeeded", bars, mark, say) | {"showlegend": bool(bars) and first}


def _merged_bars(state: State, bars: list[Bar], mark: Mark, say: ToMarkup) -> dict[str, Any]:
    """Return merged bars: paler than others, and not in the legend."""
    trace = _bars(state, bars, mark, say) | {"showlegend": False, "opacity": _MERGED_OPACITY}
    trace["marker"]["line"] = {"width": 1, "color": mark.outline or "rgba(0,0,0,0)"}
    return trace


def _bars(state: State, bars: list[Bar], mark: Mark, say: ToMarkup, least: MinLength = None) -> dict[str, Any]:
    """Return the bars of one state."""
    places = [drawn(bar, least) for bar in bars]
    # A bar's outline can't have dashes or an open edge, so these are traces of their own.
    # Without an outline trace (all are dimmed), the bar itself must show in the legend.
    alone = mark.dashed and all(bar.dim for bar in bars)
    edge = mark.outline if alone or (state not in _OUTLINED and len(bars) <= _MAX_OUTLINED_BARS) else None
    return {
        "type": "bar",
        "orientation": "h",
        "name": mark.label,
        "legendgroup": state,
        "showlegend": bool(bars) and (alone or not mark.dashed),
        "base": [start for start, _length in places],
        "x": [length for _start, length in places],
        "y": [bar.y for bar in bars],
        "width": [bar.height for bar in bars],
        "hovertext": [say(bar.lines) for bar in bars],
        "hoverinfo": "text",
        "marker": {
            "color": mark.fill or "rgba(0,0,0,0)",
            "opacity": [DIM_OPACITY if bar.dim else 1.0 for bar in bars],
            "line": {"width": 1 if edge else 0, "color": edge or "rgba(0,0,0,0)"},
            "pattern": {"shape": mark.pattern, "fgcolor": mark.ink or None, "fillmode": "overlay", "size": 6},
        },
    }
