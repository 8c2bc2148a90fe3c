"""The Gantt chart of a running run: the traces of `charts.gantt`, whose arrays follow the run.

As with all widgets, only the session's loop writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vidgen_nb.analysis.records.live_window import MAX_LIVE_ATTEMPTS, RecentData
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.charts.drawing.layout import layout as static_layout
from vidgen_nb.charts.drawing.layout import markup
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.drawing.shapes import Lane, Rows
from vidgen_nb.charts.drawing.traces import PLOT_PIXELS
from vidgen_nb.charts.drawing.traces import traces as draw_traces
from vidgen_nb.charts.gantt.bars import BarCache
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.notebook.panel.chart.figure import LiveFigure, flattened
from vidgen_nb.plaintext import one_line

__all__ = ["LANES_PIXELS", "SIDE_PIXELS", "TOP_PIXELS", "LiveGantt", "Space"]

_NO_DATA = RecentData({}, (), [], [], [], [], [], 60.0)
"""Before the first run: an axis of a minute."""
LANES_PIXELS = 330.0
"""Height of all lanes together: with queue, axis and legend it fits a screen of 1280 by 800 below the toolbar."""
TOP_PIXELS = 6.0
SIDE_PIXELS = 14
_BELOW_PIXELS, _SCROLLING_PIXELS = 28, 390
_MARGIN_SHARE = 0.02
"""The share of the shown time that stays free right of the line for now."""


@dataclass(frozen=True)
class Space:
    """How a live chart is laid out; by default as in the panel, whose lanes have their labels in a widget beside it."""

    lanes: float = LANES_PIXELS
    """Height of all lanes together, in pixels."""
    least: float | None = None
    """Height of a lane; None: as much as a label beside it needs."""
    label: Callable[[Lane], str] | None = None
    """What stands in the chart beside a lane; None: nothing."""
    left: int = SIDE_PIXELS
    """Pixels left of the plot, for that."""
    queue: bool = True
    """Whether the number of waiting scenes is drawn above the lanes."""


class LiveGantt:
    """Draws the latest part of a run, again and again, into one figure.

    `theme`: `"light"` or `"dark"`. `window`: run seconds to follow; None: all that `update` is given, except older
    history. `on_follow` is called when a user turns `follow` on or off on the page, `on_select` with the scene of a bar
    that was clicked. `on_shown` is called when a page has begun to show the figure: it may have missed updates and
    needs a `resend`. All are called on the thread on which the page's message arrives. `space`: how it is laid out.
    """

    def __init__(
        self,
        theme: str = "light",
        *,
        window: float | None = None,
        on_follow: Callable[[bool], None] | None = None,
        on_shown: Callable[[], None] | None = None,
        on_select: Callable[[str], None] | None = None,
        space: Space | None = None,
    ) -> None:
        self.window = window
        self._space = space or Space()
        self.on_follow, self.on_shown, self.on_select = on_follow, on_shown, on_select
        self.profiles: Mapping[str, int | None] = {}
        """Profiles that have a lane even before they have done anything, with their capacities."""
        self.first: frozenset[str] = frozenset()
        """Profiles that have a lane before others, if there are too many."""
        self._theme = theme_of(theme)
        self._scene: str | None = None
        self._moves = "last 20"
        self._follow = True
        self._axis_range: tuple[float, float] = (0.0, 1.0)
        """What the axis shows while it follows."""
        self._page_range: tuple[Any, ...] | None = None
        """The range that the page last reported."""
        self._shown: tuple[RunData, float | None] = (_NO_DATA, None)
        self._bar_cache = BarCache()
        self._markup = lru_cache(4 * MAX_LIVE_ATTEMPTS)(markup)  # most lines were in the previous chart, too
        self._trace_cache: dict[str, tuple[Any, dict[str, Any]]] = {}
        """For each trace, what it was drawn from, and the trace."""
        self.rows: Rows
        """What is shown."""
        self.plot_pixels = PLOT_PIXELS
        """How wide the plot is on the page, as far as the page has told."""
        self.note = ""
        """What is left out of the chart; empty: nothing."""
        self._traces, layout = self._draw(_NO_DATA, None)
        self._layout = dict(flattened(layout))
        self.figure = LiveFigure(data=self._traces, layout=layout)
        self.figure.on_msg(self._on_message)
        self.figure.layout.on_change(self._on_axis_change, "xaxis.range", "xaxis.autorange")

    # -- what is shown

    @property
    def follow(self) -> bool:
        """Whether the axis moves along with the run. Zooming turns it off, a double click turns it on again."""
        return self._follow

    @follow.setter
    def follow(self, on: bool) -> None:
        self._follow = on
        self.redraw()

    @property
    def scene(self) -> str | None:
        """The selected scene."""
        return self._scene

    def select(self, scene: str | None) -> None:
        """Highlight one scene's whole path and dim the others; None: select none."""
        self._scene = scene
        self.redraw()

    @property
    def moves(self) -> str:
        """Which moves to draw: `"last <n>"`, `"none"`, or `"selected"`."""
        return self._moves

    @moves.setter
    def moves(self, which: str) -> None:
        self._moves = which
        self.redraw()

    @property
    def theme(self) -> str:
        """`"light"` or `"dark"`."""
        return "light" if self._theme is theme_of("light") else "dark"

    @theme.setter
    def theme(self, name: str) -> None:
        self._theme = theme_of(name)
        self.redraw()

    # -- drawing

    def update(self, data: RunData | None, now: float | None) -> None:
        """Show a run as it is at `now`, in run seconds; None: it has ended. Sends what changed, in one message."""
        self._shown = (data or _NO_DATA, now)
        self.redraw()

    def redraw(self) -> None:
        """Show the same data again, after a setting has changed."""
        traces, layout = self._draw(*self._shown)
        changes = [_changed(before, trace) for before, trace in zip(self._traces, traces, strict=True)]
        leaves = dict(flattened(layout))
        moved = {name: value for name, value in leaves.items() if self._layout.get(name) != value}
        self._traces, self._layout = traces, leaves
        self.figure.change(changes, moved)

    def resend(self) -> None:
        """Send everything that is shown."""
        self.figure.change([dict(flattened(trace)) for trace in self._traces], self._layout)

    def _draw(self, data: RunData, now: float | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return traces and layout."""
        known = any(record.id == self._scene for record in data.scenes)
        scene = self._scene if known else None
        moves = self._moves if self._moves != "selected" else scene or "none"
        fit = Fit(self._space.lanes, self.profiles, self.first, self._space.least)
        rows = self.rows = build_rows(
            data, scene=scene, moves=moves, queue=self._space.queue, now=now, kept=self._bar_cache, fit=fit, gaps=True,
            visible=self._zoomed(),
        )  # fmt: skip
        self.note = self._limits_note(data, rows, known)
        layout = self._follow_layout(rows)
        drawn = draw_traces(
            rows, self._theme, self._markup, self._cached_trace, live=True, second_pixels=self._second_pixels()
        )
        return drawn, layout

    def _second_pixels(self) -> float:
        """Return how many pixels a second of the axis takes on the page."""
        start, end = self._zoomed() or self._axis_range
        return self.plot_pixels / ((end - start) or 1.0)

    def _zoomed(self) -> tuple[float, float] | None:
        """Return what of the axis a user has zoomed to; None: it follows the run."""
        if self._follow or self._page_range is None or len(self._page_range) != 2:
            return None
        return float(self._page_range[0]), float(self._page_range[1])

    def _cached_trace(self, name: str, draw: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
        """Draw a trace, or return the same object if nothing that it is drawn from has changed."""
        before = self._trace_cache.get(name)
        if before is not None and before[0] == given:
            return before[1]
        trace = _compact(draw(*given) | {"meta": name})
        self._trace_cache[name] = (given, trace)
        return trace

    def _follow_layout(self, rows: Rows) -> dict[str, Any]:
        """Return the layout of the static chart, with an axis that follows the run, and nothing around the plot.

        What the static chart says beside and below it stands in widgets of their own here.
        """
        found = static_layout(rows, self._theme)
        found["margin"] = {"l": self._space.left, "r": SIDE_PIXELS, "t": int(TOP_PIXELS), "b": _BELOW_PIXELS, "pad": 0}
        found["title"]["text"] = ""
        found["paper_bgcolor"] = found["plot_bgcolor"] = "rgba(0,0,0,0)"  # whatever the page's ground is
        label, lanes = self._space.label, rows.lanes if self._space.label is not None else []
        found["yaxis"] |= {
            "tickvals": [(lane.top + lane.bottom) / 2 for lane in lanes],
            "ticktext": [markup([label(lane)]) for lane in lanes if label is not None],
        }
        scrolls = rows.height > _SCROLLING_PIXELS and label is None  # the lower edge is out of sight
        found["xaxis"] |= {
            "side": "top" if scrolls else "bottom",
            "ticklabelposition": f"{'in' if scrolls else 'out'}side",
        }
        axis = found["xaxis"]
        for fixed in ("range", "minallowed", "maxallowed"):
            del axis[fixed]
        if self._follow:
            start = rows.start if self.window is None else max(rows.start, rows.end - self.window)
            margin = 0.0 if rows.now is None else (rows.end - start) * _MARGIN_SHARE
            self._axis_range = (round(start, 3), round(rows.end + margin, 3))
        # Setting a range would overwrite the user's zoom. Autorange leaves a zoom alone, and has limits of its own.
        axis["autorange"] = self._follow
        axis["autorangeoptions"] = {"minallowed": self._axis_range[0], "maxallowed": self._axis_range[1]}
        height = round(TOP_PIXELS + rows.height) + _BELOW_PIXELS
        return found | {"autosize": True, "height": height, "showlegend": False}

    def _limits_note(self, data: RunData, rows: Rows, known: bool) -> str:
        """Say what is left out of the chart."""
        notes: list[str] = []
        if isinstance(data, RecentData) and data.older:
            notes.append(
                f"The latest {len(data.attempts):,} of {data.started:,} attempts; older ones are merged (zoom out); "
                "the report shows all (⋯, Export)."
            )
        profiles = len({*data.profiles, *self.profiles})
        if len(rows.lanes) < profiles:
            notes.append(f"Lanes: the {len(rows.lanes)} of {profiles:,} accounts that were active last.")
        if self._scene is not None and not known:
            notes.append(f"Scene {one_line(self._scene, 30)} has no attempt here.")
        return " ".join(notes)

    def _on_message(self, _figure: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        if content.get("rendered") and self.on_shown is not None:
            self.on_shown()
        data, place = self._shown[0], content.get("select")
        if isinstance(data, RecentData) and place in data.places and self.on_select is not None:
            self.on_select(data.attempts[data.places.index(place)].scene)

    def _on_axis_change(self, _layout: Any, axis: Any, autorange: Any) -> None:
        """Note that the page changed the axis, on the thread on which its message arrives.

        After a zoom the page reports a range and no autorange, after a double click the other way round.
        """
        reported = None if axis is None else tuple(axis)
        before, self._follow = self._follow, bool(autorange) and reported == self._page_range
        self._page_range = reported
        if self._follow != before and self.on_follow is not None:
            self.on_follow(self._follow)


def _changed(before: dict[str, Any], trace: dict[str, Any]) -> dict[str, Any]:
    """Return the leaves of a trace that have changed."""
    if trace is before:
        return {}
    known = dict(flattened(before))
    return {name: value for name, value in flattened(trace) if known.get(name) != value}


def _compact(trace: dict[str, Any]) -> dict[str, Any]:
    """Make a trace small to send: whole milliseconds, and one value for all bars where they are equal."""
    for name in ("base", "x"):
        if name in trace:  # times are positive, and `round` takes three times as long
            trace[name] = [None if at is None else int(at * 1000 + 0.5) / 1000 for at in trace[name]]
    if trace["type"] == "bar":
        trace["width"] = _one_if_equal(trace["width"], 1.0)
        trace["marker"]["opacity"] = _one_if_equal(trace["marker"]["opacity"], 1.0)
    return trace


def _one_if_equal(values: list[float], default: float) -> float | list[float]:
    return values if len(set(values)) > 1 else values[0] if values else default
