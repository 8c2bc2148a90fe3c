"""The tabs below the chart. Only the open one is written, the others when they are opened."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.controls import Controls
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.status.run_feed import MAX_LINES, RunFeed
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable
from vidgen_nb.notebook.panel.tabs.lines import LinesView
from vidgen_nb.notebook.panel.tabs.metrics_page import metrics_html
from vidgen_nb.notebook.panel.tabs.videos import Videos

__all__ = ["TITLES", "Tabs"]

LINE_TABS = ("Log", "Events")
TITLES = ("Attempts", "Metrics", "Log", "Events", "Videos")


class Tabs:
    """Attempts, metrics, log, events and videos."""

    def __init__(self, host: PanelHost, controls: Controls, run_in_background: RunInBackground) -> None:
        self._host = host
        self.attempts, self.caption = AttemptsTable(), w.HTML()
        self.attempts.on_msg(lambda _widget, content, _buffers: host.post(self._select, content))
        self.metrics = w.HTML()
        self.lines = {
            name: LinesView(caption=f"The latest {MAX_LINES} {name.lower()} lines, newest first.") for name in LINE_TABS
        }
        folder = host.session.runner.resources.videos
        self.videos = Videos(controls["video"], lambda: folder.base, run_in_background)
        self.root = w.Tab([w.VBox([self.attempts, self.caption]), self.metrics, *self.lines.values(), self.videos.root])
        self.root.titles = TITLES
        self.root.observe(lambda _: host.post(host.touch), names="selected_index")
        receive_while_blocked(self.root)

    def show(self, feed: RunFeed, now: float) -> None:
        """Write the open tab."""
        self.videos.show(feed.videos, self._host.view_options.video)
        name = TITLES[self.root.selected_index or 0]
        if name == "Attempts":
            self._show_attempts(feed.window)
        elif name == "Metrics":
            set_if_changed(self.metrics, "value", metrics_html(feed, now))
        elif name in LINE_TABS:
            self.lines[name].show(feed.log if name == "Log" else feed.events)

    def _select(self, content: Any) -> None:
        if "select" in content:
            self._host.view_options.selected = str(content["select"])

    def _show_attempts(self, window: RecentData | None) -> None:
        attempts = window.attempts if window is not None else []
        self.attempts.show(attempts)
        more = ""
        if window is not None and window.older:
            more = f"The latest {len(attempts):,} of {window.started:,} attempts; run.to_frame('attempts') has all. "
        text = escape(f"{more}Click a heading to sort, or a scene to highlight it in the chart.")
        set_if_changed(self.caption, "value", f'<div class="vg-note">{text}</div>')
