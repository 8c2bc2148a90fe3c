"""The widgets of the teacher's view: numbers, lanes, legend. They are written on the kernel's loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from vidgen_nb.analysis.records.live_window import Recent
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.charts.drawing.shapes import Lane
from vidgen_nb.charts.drawing.text import short
from vidgen_nb.core.events import Event
from vidgen_nb.notebook.classroom.sources import Reading
from vidgen_nb.notebook.panel.chart import lanes
from vidgen_nb.notebook.panel.chart.legend import legend_html
from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt, Space
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.page.page_bridge import PageBridge
from vidgen_nb.notebook.panel.page.style import STYLE
from vidgen_nb.wording.numbers import count
from vidgen_nb.wording.standing import standing_counts

__all__ = ["ClassPage", "head_html"]

LANES_PIXELS, ROOMY_LANE, LEAST_LANE, LEFT = 540.0, 40.0, 15.0, 158
"""All lanes; a lane of a small class; one of a large class; the labels beside them."""
WINDOW_SECONDS = 600.0
"""Run seconds that are followed; who zooms out sees more."""
_LANES_CSS = Path(lanes.__file__).with_name("lanes.css").read_text(encoding="utf-8")
_CSS = (
    f"<style>{_LANES_CSS}</style>"
    + """<style>
.vg-class-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 14px; font-size: 14px;
  line-height: 24px; font-variant-numeric: tabular-nums; color: var(--jp-ui-font-color1, inherit); }
.vg-class-head b { font-size: 16px; }
.vg-class-head .vg-class-limit { margin-left: auto; display: inline-flex; align-items: center; gap: 8px; }
.vg-class-head progress { width: 120px; height: 12px; accent-color: #0072B2; }
.vg-class-head .vg-class-wrong { color: var(--jp-error-color1, #C62828); }
.vg-class > .vg-chart-figure { flex: 0 0 auto; width: 100%; margin: 0; }
.vg-class > .vg-chart-legend { min-height: 26px; }
</style>"""
)


class ClassPage:
    """`root` is what a page shows. `post` carries out what the page asks for; `update` shows everything afresh."""

    def __init__(self, post: Callable[[Callable[[], Any]], None], update: Callable[[], None]) -> None:
        self._recent = Recent()
        self._read = 0
        self._data: RunData | None = None
        self.bridge = PageBridge()
        self.bridge.observe(lambda _: post(self._theme_changed), names="dark")
        self._update = update
        self._gantt: LiveGantt | None = None
        self._post = post
        self.head, self.legend, self.note = w.HTML(), w.HTML(), w.HTML()
        self._figure = w.Box([])
        self._figure.add_class("vg-chart-figure")
        for widget in (self.legend, self.note):
            widget.add_class("vg-chart-below")
        self.legend.add_class("vg-chart-legend")
        self.root = w.VBox([w.HTML(STYLE + _CSS), self.head, self._figure, self.legend, self.note, self.bridge])
        self.root.add_class("vg-panel")
        self.root.add_class("vg-class")

    @property
    def gantt(self) -> LiveGantt | None:
        """The chart; None before the first reading."""
        return self._gantt

    def show(self, reading: Reading) -> None:
        """Show a class as it is now."""
        self._take(reading.events)
        self._data = data = self._recent.data()
        gantt = self._gantt or self._made(data)
        gantt.profiles = dict(data.capacities)
        gantt.update(data, reading.now)
        set_if_changed(self.head, "value", head_html(data, reading))
        set_if_changed(self.legend, "value", legend_html(gantt.rows, theme_of(gantt.theme), "✓ succeeded"))
        set_if_changed(self.note, "value", escape(gantt.note))

    def _take(self, events: Sequence[Event]) -> None:
        if len(events) < self._read:  # another run
            self._recent.clear()
            self._read = 0
        self._recent(events[self._read :])
        self._read = len(events)

    def _made(self, data: RunData) -> LiveGantt:
        """Return the chart, as high as so many accounts need."""
        many = max(1, len(data.profiles))
        space = Space(min(LANES_PIXELS, many * ROOMY_LANE), LEAST_LANE, self._label, LEFT, queue=False)
        self._gantt = gantt = LiveGantt(
            self._theme(), window=WINDOW_SECONDS, on_shown=lambda: self._post(self._resend), space=space,
        )  # fmt: skip
        receive_while_blocked(gantt.figure)
        self._figure.children = (gantt.figure,)
        return gantt

    def _label(self, lane: Lane) -> str:
        """Return a name, with how many of its scenes succeeded, and how many submits were refused."""
        tallies: Any = getattr(self._data, "tallies", {})
        marks = [
            f"{number:,}\u2009{mark}"
            for outcome, mark in (("succeeded", "✓"), ("rate_limited", "▲"))
            if (number := tallies.get((lane.profile, outcome), 0))
        ]
        return " ".join([short(lane.profile, 22 - 5 * len(marks)), *marks])

    def _theme(self) -> str:
        return "dark" if self.bridge.dark else "light"

    def _theme_changed(self) -> None:
        if self._gantt is not None:
            self._gantt.theme = self._theme()
        self._update()

    def _resend(self) -> None:
        if self._gantt is not None:
            self._gantt.resend()

    def dispose(self) -> None:
        """Remove the widgets."""
        for widget in (*self.root.children, *self._figure.children, self.root):
            widget.close()


def head_html(data: Any, reading: Reading) -> str:
    """Return the line of numbers: who has come, what became of everything, and what the common limit has left."""
    scenes = standing_counts(data.statuses)
    submitted = {owner for owner, _ in data.tallies} | {each.profile for each in data.attempts}
    tallies: Counter[str] = Counter()
    for (_owner, outcome), number in data.tallies.items():
        tallies[str(outcome)] += number
    state = "" if reading.now is not None else " · ended"
    parts = [f"<b>{len(submitted):,} of {len(data.profiles):,} have submitted{state}</b>"]
    parts += [f"<span>{number:,} {name}</span>" for name, number in scenes.items()]
    if tallies["rate_limited"]:
        parts.append(f"<span>{count(tallies['rate_limited'], 'refusal')} (429)</span>")
    if reading.unknown_keys:
        words = count(reading.unknown_keys, "request")
        parts.append(f"<span class='vg-class-wrong'>{words} with a wrong key or none</span>")
    if (left := reading.left) is not None and reading.now is not None:
        meter = f"<progress max='{left.limit:g}' value='{left.remaining:g}' aria-hidden='true'></progress>"
        parts.append(f"<span class='vg-class-limit'>{meter}{left.remaining:,} of {left.limit:,} submits left</span>")
    return f"<div class='vg-class-head'>{''.join(parts)}</div>"
