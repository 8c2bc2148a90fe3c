"""The tabs below the chart. Only the one that is open is written, the others when they are opened."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.notebook.panel.control_binding import answer_anywhere, write
from vidgen_nb.notebook.panel.controls import Controls
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.run_feed import RING, Feed
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable
from vidgen_nb.notebook.panel.tabs.lines import Lines
from vidgen_nb.notebook.panel.tabs.metrics_page import metrics_table
from vidgen_nb.notebook.panel.tabs.videos import Videos

__all__ = ["TABS", "Pages"]

RINGS = ("Log", "Events")
TABS = ("Attempts", "Metrics", "Log", "Events", "Videos")
Aside = Callable[[Callable[[], Any], Callable[[Any], None]], None]


class Pages:
    """Attempts, metrics, log, events and videos."""

    def __init__(self, host: PanelHost, controls: Controls, aside: Aside) -> None:
        self._host = host
        self.attempts, self.caption = AttemptsTable(), w.HTML()
        self.attempts.on_msg(lambda _widget, content, _buffers: host.post(self._select, content))
        self.metrics = w.HTML()
        self.lines = {name: Lines(caption=f"The latest {RING} {name.lower()} lines, newest first.") for name in RINGS}
        self.videos = Videos(controls["video"], lambda: host.session.runner.resources.videos.base, aside)
        self.tabs = w.Tab([w.VBox([self.attempts, self.caption]), self.metrics, *self.lines.values(), self.videos.root])
        self.tabs.titles = TABS
        self.tabs.observe(lambda _: host.post(host.touch), names="selected_index")
        answer_anywhere(self.tabs)

    def show(self, feed: Feed, data: RecentData | None, now: float) -> None:
        """Write the page that is open."""
        self.videos.show(feed.videos, self._host.view_options.video)
        name = TABS[self.tabs.selected_index or 0]
        if name == "Attempts":
            self._show_attempts(data)
        elif name == "Metrics":
            write(self.metrics, "value", metrics_table(feed, now))
        elif name in RINGS:
            self.lines[name].show(feed.log if name == "Log" else feed.events)

    def _select(self, content: Any) -> None:
        if "select" in content:
            self._host.view_options.selected = str(content["select"])

    def _show_attempts(self, data: RecentData | None) -> None:
        attempts = data.attempts if data is not None else []
        self.attempts.show(attempts)
        more = ""
        if data is not None and data.older:
            more = f"The latest {len(attempts):,} of {data.started:,} attempts; run.to_frame('attempts') has all. "
        text = escape(f"{more}A press on a head sorts, on a scene highlights it in the chart.")
        write(self.caption, "value", f'<div class="vg-note">{text}</div>')
