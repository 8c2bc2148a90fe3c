"""The tabs below the chart. One is made when it is first opened, and only the open one is written."""

from __future__ import annotations

from functools import cached_property
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
from vidgen_nb.notebook.panel.tabs.metrics_page import MetricsPage
from vidgen_nb.notebook.panel.tabs.scenes import Scenes
from vidgen_nb.notebook.panel.tabs.videos import Videos

__all__ = ["TITLES", "Tabs"]

TITLES = ("Scenes", "Attempts", "Metrics", "Log", "Videos")


class Tabs:
    """Scenes, attempts, metrics, log and videos."""

    def __init__(self, host: PanelHost, controls: Controls, run_in_background: RunInBackground) -> None:
        self._host, self._run_in_background = host, run_in_background
        self.metrics = MetricsPage(run_in_background)
        folder = host.session.runner.resources.videos
        self.videos = Videos(controls["video"], lambda: folder.base, run_in_background)
        children = [w.VBox(), w.VBox(), w.VBox([self.metrics.html]), w.VBox(), self.videos.root]
        self.root = w.Tab(children, selected_index=0)
        self.root.titles = TITLES
        self.root.observe(lambda _: host.post(host.touch), names="selected_index")
        receive_while_blocked(self.root)

    @cached_property
    def scenes(self) -> Scenes:
        """The table of scenes."""
        return Scenes(self._host, self._run_in_background, self._play)

    @cached_property
    def attempts(self) -> AttemptsTable:
        """The table of attempts."""
        table = AttemptsTable()
        table.on_msg(lambda _widget, content, _buffers: self._host.post(self._select, content))
        return table

    @cached_property
    def caption(self) -> Any:
        """What stands below the table of attempts."""
        return w.HTML()

    @cached_property
    def log(self) -> LinesView:
        """The latest lines of the log."""
        return LinesView(caption=f"The latest {MAX_LINES} lines of the log, newest first.")

    def show(self, feed: RunFeed, now: float) -> None:
        """Write the open tab."""
        self.videos.show(feed.videos, self._host.view_options.video)
        index = self.root.selected_index or 0
        parts: tuple[Any, ...] = ()
        match TITLES[index]:
            case "Scenes":
                parts = (self.scenes.table,)
                self.scenes.show(feed)
            case "Attempts":
                parts = (self.attempts, self.caption)
                self._show_attempts(feed.window)
            case "Metrics":
                self.metrics.show(feed, now)
            case "Log":
                parts = (self.log,)
                self.log.show(feed.log)
        if parts and not self.root.children[index].children:
            self.root.children[index].children = parts

    def open(self, title: str) -> None:
        """Open the tab with that title."""
        self.root.selected_index = TITLES.index(title)

    def _play(self, scene: str) -> None:
        self._host.view_options.video = scene
        self.open("Videos")

    def _select(self, content: Any) -> None:
        if "select" in content:
            self._host.view_options.selected = str(content["select"])

    def _show_attempts(self, window: RecentData | None) -> None:
        attempts = window.attempts if window is not None else []
        self.attempts.show(attempts)
        set_if_changed(self.attempts, "chosen", self._host.view_options.selected or "")
        more = ""
        if window is not None and window.older:
            more = f"The latest {len(attempts):,} of {window.started:,} attempts; Export (under ⋯) writes all. "
        text = escape(f"{more}Click a heading to sort, a scene to highlight it.")
        set_if_changed(self.caption, "value", f'<div class="vg-note">{text}</div>')
