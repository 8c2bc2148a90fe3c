"""The traces of the plotly figure: one per state and a few for lines and glyphs, each a dict of arrays and styles.

They are always the same ones in the same order (`TRACES`; `LIVE_TRACES`): a live chart changes the arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import markup
from vidgen_nb.charts.drawing.lines import (
    DIM_OPACITY,
    GLYPHS,
    MinLength,
    ToMarkup,
    drawn,
    glyphs,
    hand_marks,
    lane_lines,
    link_lines,
    outlines,
    queue_line,
    tail_lines,
)
from vidgen_nb.charts.drawing.palette import STATES, Mark, State, Theme
from vidgen_nb.charts.drawing.shapes import Bar, Rows

__all__ = ["LIVE_TRACES", "PLOT_PIXELS", "TRACES", "TraceMaker", "traces"]

_NAMED = ("queued", "succeeded", "running", "cancelled", "held", "failed")
_OUTLINED: tuple[State, ...] = ("running", "cancelled", "held")
_MERGED: tuple[State, ...] = ("cooldown", "succeeded", "cancelled", "held", "failed", "limited")
_LIVE_PARTS, _PART_BARS = 8, 64  # traces that share the succeeded bars, and how many neighbours go together
_ABOVE = (
    "dimmed outline", *(f"{state} outline" for state in _OUTLINED), "move", "path",
    *(f"{state} glyph" for state in GLYPHS), "hands",
)  # fmt: skip
TRACES: tuple[str, ...] = ("lanes", "queue", *STATES, *_ABOVE)
"""Names of the traces, in the order of drawing (trace attribute `meta`)."""
LIVE_TRACES: tuple[str, ...] = (
    "lanes", "queue", "off", *(f"merged {state}" for state in _MERGED), "idle", "cooldown", "out", "queued", "download",
    *(f"succeeded {part}" for part in range(_LIVE_PARTS)), *STATES[STATES.index("succeeded") + 1 :], *_ABOVE,
)  # fmt: skip
"""Those of a live chart: older history below as merged bars, and succeeded bars in parts, so that only the parts that
have changed are sent again."""
_MIN_WIDTH_SHARE = 3 / 600  # share of the axis: 3 px of the plot on a page 800 px wide
_MAX_OUTLINED_BARS = 2000  # with more bars of a state, outlines are left out: they slow down drawing and hide the fill
_MERGED_OPACITY = 0.55  # opacity of merged bars

PLOT_PIXELS = 600.0
"""Width of a plot on a page 800 px wide."""
_NAME_PIXELS, _NAME_CHARS = 11, 24  # size of a scene's id inside its bar, and the characters of the longest
_LEAST_NAMED_PIXELS, _CHAR_PIXELS = 40.0, 6.7  # a narrower bar has none; and what a character takes
_NAME_INK = {"succeeded": "#FFFFFF", "running": "#10222E", "failed": "#FFFFFF", "held": "#A84A00"}
_NAME_HALO = {"running": ", ".join(["0 0 3px #56B4E9"] * 4)}  # keeps the hatch off the letters

TraceMaker = Callable[..., dict[str, Any]]
Drawing = tuple[Any, ...]
"""A function that returns a trace, and its arguments."""


class _Named(NamedTuple):
    """Which bars carry the id of their scene, and whether a page is told which attempt a bar is."""

    pixel: float
    """Seconds."""
    ink: str
    """Of bars without a fill."""
    live: bool

    def leaves(self, state: State, bars: list[Bar]) -> dict[str, Any]:
        """Return the ids inside the bars, where they fit, and behind them."""
        found: dict[str, Any] = {"customdata": [bar.place for bar in bars]} if self.live else {}
        if state in _NAMED:
            names = [self._name(bar) for bar in bars]
            found["text"] = names if any(names) else ""
            found |= {
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",  # in a small bar, plotly would make it tiny
                "insidetextfont": {
                    "color": _NAME_INK.get(state, self.ink),
                    "size": _NAME_PIXELS,
                    "shadow": _NAME_HALO.get(state, "none"),
                },
            }
        return found

    def _name(self, bar: Bar) -> str:
        """Return the id that a bar carries; empty: it does not fit, or another scene is selected."""
        length = bar.end - bar.start
        if bar.scene is None or bar.dim or bar.height <= _NAME_PIXELS or length < self.pixel * _LEAST_NAMED_PIXELS:
            return ""
        name = text.short(bar.scene, _NAME_CHARS)
        return markup([name]) if length >= self.pixel * (len(name) * _CHAR_PIXELS + 8) else ""


def _rounded_up(seconds: float) -> float:
    """Return the next of few values: names must not change with every update of a live chart."""
    step = 1.25
    return step ** math.ceil(math.log(max(seconds, 1e-6), step) - 1e-9)


def _draw_now(name: str, draw: TraceMaker, *given: Any) -> dict[str, Any]:
    return draw(*given) | {"meta": name}


def traces(
    rows: Rows,
    theme: Theme,
    say: ToMarkup = markup,
    make: TraceMaker = _draw_now,
    *,
    live: bool = False,
    second_pixels: float | None = None,
) -> list[dict[str, Any]]:
    """Return the traces of `TRACES`, or of `LIVE_TRACES`, as plotly's dicts.

    `say`: joins lines as plotly's markup. `make`: is called with a trace's name, the function that draws it, and its
    arguments; a live chart draws again only what has changed. `second_pixels`: how
    many pixels a second takes; by default those of a whole chart on a page 800 px wide.
    """
    bars: dict[State, list[Bar]] = {state: [] for state in STATES}
    for bar in rows.bars:
        bars[bar.state].append(bar)
    narrowest = (rows.end - rows.start) * _MIN_WIDTH_SHARE
    narrow = any(bar.end - bar.start < narrowest for bar in bars["limited"])
    least: MinLength = (narrowest, rows.end) if narrow else None
    scale = second_pixels or PLOT_PIXELS / (rows.end - rows.start)
    named = _Named(_rounded_up(1 / scale), theme.text, live)
    drawings: dict[str, Drawing] = {
        "lanes": (lane_lines, [*(lane.top for lane in rows.lanes), rows.height], rows.end, theme),
        "queue": (queue_line, rows.queue, rows.end, theme),
        **(_merged(rows, theme, say) if live else {}),
        **{state: (_bars, state, bars[state], theme.marks[state], say, None, named) for state in STATES},
        "limited": (_bars, "limited", bars["limited"], theme.marks["limited"], say, least, named),
        "download": (tail_lines, bars["download"], theme.marks["download"]),
        **(_parts(bars["succeeded"], theme.marks["succeeded"], say, named) if live else {}),
        **_above(rows, bars, theme, say),
        **{
            f"{state} glyph": (glyphs, state, [bar for bar in bars[state] if bar.glyph], theme, say, None)
            for state in GLYPHS
        },
        "limited glyph": (glyphs, "limited", bars["limited"], theme, say, least),
        "hands": (hand_marks, rows.hands, rows.height, theme, say),
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


def _parts(bars: list[Bar], mark: Mark, say: ToMarkup, named: _Named) -> dict[str, Drawing]:
    """Divide succeeded bars among the parts: neighbours in time go together."""
    parts: list[list[Bar]] = [[] for _ in range(_LIVE_PARTS)]
    for bar in bars:
        parts[bar.place // _PART_BARS % _LIVE_PARTS].append(bar)
    first = next((at for at, some in enumerate(parts) if some), 0)
    return {f"succeeded {at}": (_part, some, mark, say, named, at == first) for at, some in enumerate(parts)}


def _part(bars: list[Bar], mark: Mark, say: ToMarkup, named: _Named, first: bool) -> dict[str, Any]:
    """Return the bars of one part; the first one with bars is in the legend for all."""
    return _bars("succeeded", bars, mark, say, None, named) | {"showlegend": bool(bars) and first}


def _merged_bars(state: State, bars: list[Bar], mark: Mark, say: ToMarkup) -> dict[str, Any]:
    """Return merged bars: paler than others, and not in the legend."""
    trace = _bars(state, bars, mark, say) | {"showlegend": False, "opacity": _MERGED_OPACITY}
    trace["marker"]["line"] = {"width": 1, "color": mark.outline or "rgba(0,0,0,0)"}
    return trace


def _bars(
    state: State,
    bars: list[Bar],
    mark: Mark,
    say: ToMarkup,
    least: MinLength = None,
    named: _Named | None = None,
) -> dict[str, Any]:
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
        **({} if named is None else named.leaves(state, bars)),
    }
