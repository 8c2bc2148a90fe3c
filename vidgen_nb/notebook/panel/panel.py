"""The panel: status, controls, lanes, chart and tabs, written twice a second on the session's own loop.

Nothing else writes to its widgets once it is made: a callback posts to that loop, and an observer of the run only says
that something is new. An idle panel does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import ipywidgets as w

from vidgen_nb.analysis.records.live_window import Recent, RecentData
from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt
from vidgen_nb.notebook.panel.control_binding import answer_anywhere, write
from vidgen_nb.notebook.panel.controls import Controls
from vidgen_nb.notebook.panel.error_strip import Tap, Troubles
from vidgen_nb.notebook.panel.forecast import Forecast
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.page_bridge import Page
from vidgen_nb.notebook.panel.profile_chips import Lanes
from vidgen_nb.notebook.panel.run_feed import Feed
from vidgen_nb.notebook.panel.status import State, strip
from vidgen_nb.notebook.panel.style import STYLE
from vidgen_nb.notebook.panel.tabs.tabs import Pages
from vidgen_nb.notebook.panel.ticker import AT_ONCE, PERIOD, Ticker
from vidgen_nb.plaintext import clean
from vidgen_nb.session.event_loop import HAS_THREADS

__all__ = ["Panel"]

T = TypeVar("T")
SLICE = 4_000
"""Events that are taken in at once: of a long run that went on without the panel there may be many."""
BARS = 500
"""Attempts that the chart and the table show: a browser redraws them twice a second with ease (ui.md)."""


class Panel:
    """The widgets of one controller; `root` is shown, as often as one likes."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host
        self.feed = Feed()
        self._recent = Recent(limit=BARS)
        self._data: RecentData | None = None
        """What the chart and the table show."""
        self._state = State()
        self._was_running = self._is_new = self._behind = False
        self.ticker = Ticker(host.later, (self._read, self._write, self._draw), self._goes_on, self._note_error)
        self.troubles = Troubles(lambda _: host.post(self._dismiss))
        self.controls = Controls(host, self._export)
        self.lanes = Lanes(host)
        self.forecast = Forecast(self._aside)
        self.pages = Pages(host, self.controls, self._aside)
        self.page = Page()
        self.page.observe(lambda _: host.post(self.ticker.touch), names="dark")
        self.page.on_msg(lambda _widget, content, _buffers: host.post(self._download, content))
        answer_anywhere(self.page)
        self._gantt = LiveGantt(
            theme=self._theme(),
            on_follow=lambda on: host.post(self._followed, on),
            on_shown=lambda: host.post(self._gantt.resend),
        )
        self._follow = host.view_options.follow_now
        self._make()
        self._tap = Tap(host.session.runner.loop.is_current, self.note)

    # -- making

    def _make(self) -> None:
        c = self.controls
        self.status, self.why, self.said = w.HTML(), w.HTML(), w.HTML()
        self.given = w.Accordion([w.VBox([c["prompts"], c["upload"]])], selected_index=None)
        spring = w.Box(layout=w.Layout(flex="1 1 auto"))
        wrap = w.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 10px")
        groups = [
            w.VBox([c["kind"], c["span"], c["scene"], self.given], layout=w.Layout(flex="1 1 340px")),
            w.VBox([c["mode"], c["cap"], c["policy_name"], c["cooldown_seconds"], c["honour_retry_after"]],
                   layout=w.Layout(flex="1 1 300px")),
            w.VBox([c["in_use"], c["seed"], c["speed"]], layout=w.Layout(flex="1 1 280px")),
        ]  # fmt: skip
        buttons = [c[name] for name in ("run", "paused", "retry_failed", "cancel", "restore_last_run", "export")]
        view = [c[name] for name in ("follow_now", "show_moves", "selected", "previous", "next")]
        parts = [
            w.HTML(STYLE), self.status, self.troubles.root,
            w.Box([*buttons, spring, c["stop"]], layout=wrap), self.why, self.said, self.page,
            w.Box(groups, layout=w.Layout(flex_flow="row wrap", grid_gap="4px 18px")), self.lanes.root,
            w.Box(view, layout=wrap), self._gantt.figure, self.pages.tabs,
        ]  # fmt: skip
        self.root = w.VBox(parts)
        self.root.add_class("vg-panel")

    # -- when

    def closed(self) -> None:
        """The controller is closed: show how it ended, with all controls off. Its loop is gone."""
        self._tap.close()
        self.ticker.end()

    def dispose(self) -> None:
        """Take all widgets away, on the page and here: nobody will look at this panel again."""
        self._tap.close()
        for widget in _tree(self.root):
            widget.close()

    def _goes_on(self) -> float | None:
        if self._behind:
            return AT_ONCE
        # a run that ended while it was written about is shown once more, as ended
        is_running = self._host.session.is_running or self._state.running
        return PERIOD if is_running or self._state.cooling else None

    # -- what

    def refresh(self) -> None:
        """Write everything that has changed."""
        self._read()
        self._write()
        self._draw()

    def _read(self) -> None:
        """Take in what is new."""
        session = self._host.session
        run = session.last_run
        if run is not self.feed.run:
            self._recent, self._data = Recent(limit=BARS), None
        new = self.feed.pull(run, SLICE)
        self._behind = len(new) == SLICE
        self._is_new |= len(new) > 0
        if len(new) > 0:
            self._recent(new)
            self._data = self._recent.data()
        if session.is_running and not session.paused:
            self.forecast.tick(run, session.policy, session.now)
        self._state = State(
            forecast=self.forecast.latest,
            now=session.now,
            running=session.is_running,
            paused=session.paused,
            stopping=session.is_stopping,
            closed=session.is_closed and not session.is_running,
            closing=session.is_closed and session.is_running,
            speed=self._host.run_options.speed,
            ready=len(self._host.scene_options.chosen),
            unfinished=(run is None or session.is_broken_off) and session.unfinished,
            cooling=session.cooling,
        )

    def _write(self) -> None:
        """Write the controls and all text."""
        with self.controls.writing():
            self.pages.show(self.feed, self._data, self._state.now)
            self.controls.sync()
            write(self.status, "value", strip(self.feed, self._state))
            self.troubles.show()
            reasons = self.controls.reasons()
            write(
                self.why,
                "value",
                f'<div class="vg-note">Off now – {escape(clean(reasons, 1000))}</div>' if reasons else "",
            )
            self.given.titles = (
                f"Scenes: {len(self._host.scene_options.scenes):,} loaded (type, paste or load others)",
            )
            self.lanes.show(self.feed, self._state)

    def _draw(self) -> None:
        """Bring the chart in line."""
        view, gantt, running = self._host.view_options, self._gantt, self._state.running
        if gantt.follow != self._follow:  # a zoom turned it off, and its message is still on its way
            self._followed(gantt.follow)
        elif view.follow_now != self._follow:
            self._follow = gantt.follow = view.follow_now
        if view.selected != gantt.scene:
            gantt.select(view.selected)
        if view.show_moves != gantt.moves:
            gantt.moves = view.show_moves
        if (theme := self._theme()) != gantt.theme:
            gantt.theme = theme
        if self._data is not None and (self._is_new or running or self._was_running):
            gantt.update(self._data, self._state.now if running else None)
        self._was_running, self._is_new = running, False

    def _followed(self, on: bool) -> None:
        """A zoom by hand has ended the following, or a double click begun it again."""
        self._follow = self._host.view_options.follow_now = on
        self.controls.sync()

    def _theme(self) -> str:
        chosen = self._host.view_options.theme
        return chosen if chosen != "auto" else "dark" if self.page.dark else "light"

    # -- what goes wrong, and what is said

    def fail(self, error: BaseException) -> None:
        """Show an error in the red strip, with its text."""
        self._note_error(error)
        self.ticker.touch()

    def _note_error(self, error: BaseException) -> None:
        self.feed.log.append(self.troubles.note(error))

    def note(self, text: str, trace: str, level: int) -> None:
        """Take a warning of the session that no event stands for; on its loop."""
        self.feed.log.append(text)
        if level >= logging.ERROR:
            self.troubles.add(f"{text}\n{trace}".rstrip())
        self.ticker.touch()

    def _dismiss(self) -> None:
        self.troubles.texts.clear()
        self.ticker.touch()

    # -- files

    def _aside(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do some work beside the loop, where there are threads, and the rest, with its result, on it."""
        post = self._host.post
        if not HAS_THREADS:
            post(lambda: then(work()))
            return
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda done: post(lambda: then(done.result())))

    def _export(self) -> None:
        """Write the run's files beside the loop: a page takes longer to make than a tick may."""
        self.said.value = '<div class="vg-note">Writing …</div>'

        def write_files() -> list[Path]:
            try:
                return self._host.export()
            finally:
                self._host.post(write, self.said, "value", "")

        def offer(files: list[Path]) -> None:
            self.said.value = f'<div class="vg-note">Written to {escape(str(files[0].parent))}:</div>'
            self.page.offer(files)

        self._aside(write_files, offer)

    def _download(self, content: Any) -> None:
        self.page.hand_over(self.page.read(content["download"]))


def _tree(widget: Any) -> Iterator[Any]:
    """Yield a widget and all that is below it, with their layouts and styles."""
    for child in getattr(widget, "children", ()):
        yield from _tree(child)
    yield widget
    for name in ("layout", "style"):
        if isinstance(part := getattr(widget, name, None), w.Widget):  # a figure's layout is none
            yield part
