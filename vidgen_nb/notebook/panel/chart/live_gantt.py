"""The Gantt chart of a run under way: the traces of `charts.gantt`, whose arrays follow the run.

Like all widgets, it is written to on the session's loop only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from vidgen_nb.analysis.records.live_window import MAX_LIVE_ATTEMPTS, RecentData
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.layout import layout, markup
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.drawing.shapes import Rows
from vidgen_nb.charts.drawing.traces import traces
from vidgen_nb.charts.gantt.bars import BarCache
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.notebook.panel.chart.figure import LiveFigure, flat
from vidgen_nb.plaintext import clean

__all__ = ["LiveGantt"]

_EMPTY = RecentData({}, (), [], [], [], [], [], 0.0)
_BLANK = "\N{NO-BREAK SPACE}"
_MARGIN = 0.02  # of the shown time, right of the now-line


class LiveGantt:
    """Draws the latest part of a run, again and again, into one figure.

    `theme`: `"light"` or `"dark"`. `window`: run seconds to follow; None: all that `update` is given, but for older
    history. `on_follow`: is told when a hand turns `follow` on or off, and `on_shown` when a page has begun to show the
    figure, which may have missed updates and wants a `resend`; both on whichever thread the page's message comes.
    """

    def __init__(
        self,
        theme: str = "light",
        *,
        window: float | None = None,
        on_follow: Callable[[bool], None] | None = None,
        on_shown: Callable[[], None] | None = None,
    ) -> None:
        self.window = window
        self.on_follow, self.on_shown = on_follow, on_shown
        self._theme = theme_of(theme)
        self._scene: str | None = None
        self._moves = "last 20"
        self._follow = True
        self._range: tuple[float, float] = (0.0, 1.0)
        """What is shown while it follows."""
        self._seen: tuple[Any, ...] | None = None
        """The range that the page last told."""
        self._last: tuple[RunData, float | None] = (_EMPTY, 0.0)
        self._kept = BarCache()
        self._say = lru_cache(4 * MAX_LIVE_ATTEMPTS)(markup)  # most lines were in the chart before
        self._drawn: dict[str, tuple[Any, dict[str, Any]]] = {}
        """Each trace, after what it was drawn from."""
        self._traces, around = self._draw(_EMPTY, 0.0)
        self._layout = dict(flat(around))
        self.figure = LiveFigure(data=self._traces, layout=around)
        self.figure.on_msg(self._heard)
        self.figure.layout.on_change(self._moved_by_hand, "xaxis.range", "xaxis.autorange")

    # -- what is shown

    @property
    def follow(self) -> bool:
        """Whether the axis goes along with the run. A zoom by hand ends it, a double click begins it again."""
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
        """Light up one scene's whole path and dim the others; None: none is selected."""
        self._scene = scene
        self.redraw()

    @property
    def moves(self) -> str:
        """Which moves are drawn: `"last <n>"`, `"none"`, or `"selected"`."""
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

    def update(self, data: RunData, now: float | None) -> None:
        """Show a run as it is at `now`, in run seconds; None: it is over. Sends what changed, in one message."""
        self._last = (data, now)
        self.redraw()

    def redraw(self) -> None:
        """Show the same once more, as settings changed."""
        made, around = self._draw(*self._last)
        changes = [_changed(before, trace) for before, trace in zip(self._traces, made, strict=True)]
        leaves = dict(flat(around))
        moved = {name: value for name, value in leaves.items() if self._layout.get(name) != value}
        self._traces, self._layout = made, leaves
        self.figure.change(changes, moved)

    def resend(self) -> None:
        """Send all of what is shown."""
        self.figure.change([dict(flat(trace)) for trace in self._traces], self._layout)

    def _draw(self, data: RunData, now: float | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return traces and layout."""
        known = any(record.id == self._scene for record in data.scenes)
        scene = self._scene if known else None
        moves = self._moves if self._moves != "selected" else scene or "none"
        rows = build_rows(data, scene=scene, moves=moves, now=now, kept=self._kept)
        rows = replace(rows, summary=(_sentence(data),), notes=(self._note(data, rows, known) or _BLANK,))
        return traces(rows, self._theme, self._say, self._make, live=True), self._around(rows)

    def _make(self, name: str, draw: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
        """Draw a trace, unless it would be as before: then it is the same object."""
        before = self._drawn.get(name)
        if before is not None and before[0] == given:
            return before[1]
        trace = _lean(draw(*given) | {"meta": name})
        self._drawn[name] = (given, trace)
        return trace

    def _around(self, rows: Rows) -> dict[str, Any]:
        """Return the layout: that of the static chart, with an axis that follows."""
        around = layout(rows, self._theme)
        axis = around["xaxis"]
        for fixed in ("range", "minallowed", "maxallowed"):
            del axis[fixed]
        if self._follow:
            start = rows.start if self.window is None else max(rows.start, rows.end - self.window)
            margin = 0.0 if rows.now is None else (rows.end - start) * _MARGIN
            self._range = (round(start, 3), round(rows.end + margin, 3))
        # A range would overwrite a zoom by hand; autorange leaves it alone (ui.md), and is told where to go.
        axis["autorange"] = self._follow
        axis["autorangeoptions"] = {"minallowed": self._range[0], "maxallowed": self._range[1]}
        return around | {"autosize": True}

    def _note(self, data: RunData, rows: Rows, known: bool) -> str:
        """Return what is not shown."""
        notes: list[str] = []
        if isinstance(data, RecentData) and data.older:
            notes.append(
                f"The latest {len(data.attempts):,} of {data.started:,} attempts; older ones are merged (zoom out); "
                "run.gantt() shows all."
            )
        if len(rows.lanes) < len(data.profiles):
            notes.append(f"Lanes: the {len(rows.lanes)} of {len(data.profiles):,} profiles that were active last.")
        if self._scene is not None and not known:
            notes.append(f"Scene {clean(self._scene, 30)} has no attempt here.")
        return " ".join(notes)

    def _heard(self, _figure: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("rendered") and self.on_shown is not None:
            self.on_shown()

    def _moved_by_hand(self, _layout: Any, axis: Any, autorange: Any) -> None:
        """Hear that the axis changed (from whichever thread the page's message comes on): note it, and tell.

        A zoom tells a range and nothing of autorange, a double click the other way round.
        """
        told = None if axis is None else tuple(axis)
        before, self._follow = self._follow, bool(autorange) and told == self._seen
        self._seen = told
        if self._follow != before and self.on_follow is not None:
            self.on_follow(self._follow)


def _changed(before: dict[str, Any], trace: dict[str, Any]) -> dict[str, Any]:
    """Return the leaves of a trace that are not as before."""
    if trace is before:
        return {}
    known = dict(flat(before))
    return {name: value for name, value in flat(trace) if known.get(name) != value}


def _lean(trace: dict[str, Any]) -> dict[str, Any]:
    """Make a trace small to send: milliseconds will do, and what is the same for all bars is said once."""
    for name in ("base", "x"):
        if name in trace:  # times are positive, and `round` takes three times as long
            trace[name] = [None if at is None else int(at * 1000 + 0.5) / 1000 for at in trace[name]]
    if trace["type"] == "bar":
        trace["width"] = _once(trace["width"], 1.0)
        trace["marker"]["opacity"] = _once(trace["marker"]["opacity"], 1.0)
    return trace


def _once(values: list[float], default: float) -> float | list[float]:
    return values if len(set(values)) > 1 else values[0] if values else default


def _sentence(data: RunData) -> str:
    """Return how the run stands, in one line."""
    counts = data.statuses if isinstance(data, RecentData) else {}
    under_way = sum(counts.get(name, 0) for name in ("submitting", "generating", "fetching"))
    parts = [f"{counts[name]:,} {name}" for name in ("succeeded", "failed", "held", "cancelled") if counts.get(name)]
    parts += [f"{under_way:,} under way"] * bool(under_way) + [f"{counts.get('queued', 0):,} waiting"]
    if not isinstance(data, RecentData) or not sum(counts.values()):
        return "No scenes yet." if not data.scenes else " ".join(text.summary(data, data.end)[:1])
    limited = sum(count for (_profile, outcome), count in data.tallies.items() if outcome == "rate_limited")
    return (
        f"{sum(counts.values()):,} scenes: {', '.join(parts)}. {data.started:,} attempts, "
        f"{limited:,} × 429, {data.moved:,} move{'s' * (data.moved != 1)}."
    )
