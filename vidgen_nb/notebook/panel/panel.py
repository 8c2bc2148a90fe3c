"""The panel: status, controls, profiles, chart and tabs, written twice a second on the session's loop.

Once it is made, nothing else writes to its widgets: a callback posts to that loop, and an observer of the run only says
that something is new. An idle panel does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as w

from vidgen_nb.notebook.panel.background import Background
from vidgen_nb.notebook.panel.chart.chart import Chart
from vidgen_nb.notebook.panel.control_binding import set_if_changed
from vidgen_nb.notebook.panel.controls import Controls
from vidgen_nb.notebook.panel.forecast import Forecast, at_pace
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.layout import Rows
from vidgen_nb.notebook.panel.page.page_bridge import PageBridge
from vidgen_nb.notebook.panel.page.style import STYLE
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.notebook.panel.past_runs import PastRunsPicker
from vidgen_nb.notebook.panel.status.end_notice import EndNotice
from vidgen_nb.notebook.panel.status.error_strip import ErrorStrip
from vidgen_nb.notebook.panel.status.log_listener import LogListener
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.notebook.panel.status.sentences import is_at_cap
from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.notebook.panel.status.status_strip import progress_html, sentence_html, spoken, state_html
from vidgen_nb.notebook.panel.tabs.tabs import Tabs
from vidgen_nb.notebook.panel.ticker import TOUCH_DELAY_SECONDS, UPDATE_INTERVAL_SECONDS, Ticker
from vidgen_nb.plaintext import one_line

__all__ = ["Panel"]

MAX_EVENTS_PER_UPDATE = 4_000
"""Events read at once: a long run that went on without the panel may have many more."""


class Panel:
    """The widgets of one host; `root` can be shown any number of times."""

    def __init__(self, host: PanelHost) -> None:
        self._host = host
        self.feed = RunFeed()
        self._snapshot = SessionSnapshot()
        self._end_notice = EndNotice()
        self._was_running = False
        """In the previous update."""
        self._has_new_events = self._has_more_events = False
        steps = (self._read, self._write, self._draw)
        self.ticker = Ticker(host.later, steps, self._next_interval, self._note_error)
        background = Background(host)
        self._run_in_background = background
        self.page = PageBridge()
        self.page.observe(lambda _: host.post(self.ticker.touch), names="dark")
        self.page.on_msg(lambda _widget, content, _buffers: host.post(self._on_page_message, content))
        # First, because the page takes a second to read the chart's code, and may do so while the rest is made here.
        self.chart = Chart(host, self._theme(), self._set_follow)
        self.errors = ErrorStrip(lambda _: host.post(self._dismiss_errors))
        self.controls = Controls(host, self._export)
        self.forecast = Forecast(background)
        self.tabs = Tabs(host, self.controls, background)
        self.past_runs = PastRunsPicker(host, background)
        self._follow = host.view_options.follow_now
        self.rows = Rows(self.controls)
        self.root = self._arranged()
        self._log_listener = LogListener(host.session.runner.loop.is_current, self.note_warning)

    def _arranged(self) -> Any:
        """Return all widgets in one box. What comes and goes lies above the chart, so that nothing else moves."""
        above = w.VBox([w.VBox([self.errors.root, self.page])])
        above.add_class("vg-above")
        root = w.VBox([
            w.HTML(STYLE), self.rows.root, above, self.chart.view, self.tabs.root, self.past_runs.root,
        ])  # fmt: skip
        root.add_class("vg-panel")
        return root

    # -- how it ends

    def show_closed(self) -> None:
        """Show how the run ended, with all controls disabled. The session is closed, and its loop is gone."""
        self._log_listener.close()
        self.ticker.loop_ended()

    def dispose(self) -> None:
        """Remove all widgets, on the page and here: nobody will look at this panel again."""
        self._log_listener.close()
        for widget in _with_descendants(self.root):
            widget.close()

    # -- updates, on the session's loop

    def _next_interval(self) -> float | None:
        if self._has_more_events:
            return TOUCH_DELAY_SECONDS
        # A run that ended between reading and writing is shown once more, as ended.
        is_running = self._host.session.is_running or self._snapshot.running
        return UPDATE_INTERVAL_SECONDS if is_running or self._snapshot.cooling else None

    def _read(self) -> None:
        """Read what is new."""
        session = self._host.session
        run, cost = session.last_run, session.cost
        new = self.feed.pull(run, MAX_EVENTS_PER_UPDATE)
        self._has_more_events = len(new) == MAX_EVENTS_PER_UPDATE
        self._has_new_events |= len(new) > 0
        self.chart.read(run, new)
        if session.is_running and not session.paused:
            now = session.now
            self.forecast.tick(run, session.policy, now, lambda: at_pace(self.feed, now))
        self._snapshot = SessionSnapshot(
            now=session.now,
            running=session.is_running,
            paused=session.paused,
            stopping=session.is_stopping,
            closed=session.is_closed and not session.is_running,
            closing=session.is_closed and session.is_running,
            speed=self._host.run_options.speed,
            chosen=len(self._host.scene_options.chosen),
            left_over=session.left_over,
            cap=session.max_billed,
            billed=session.billed,
            at_max_cost=cost.of_cap if session.is_at_max_cost else "",
            cost=cost if cost.currency else None,
            pause_reason=session.pause_reason,
            restorable=(run is None or session.is_broken_off) and session.unfinished,
            cooling=session.cooling,
            prediction=self.forecast.shown,
        )

    def _write(self) -> None:
        """Write the controls and all text."""
        self.errors.show()
        with self.controls.own_writes():
            self.tabs.show(self.feed, self._snapshot.now)
            self.past_runs.show()
            self.controls.sync()
            self._write_rows()
        if not self._has_more_events:
            self._tell_end()

    def _write_rows(self) -> None:
        """Write what is said of the run, and what the page says of the controls."""
        rows, feed, session = self.rows, self.feed, self._snapshot
        set_if_changed(rows.state, "value", state_html(feed, session))
        set_if_changed(rows.progress, "value", progress_html(feed))
        set_if_changed(rows.sentence, "value", sentence_html(feed, session))
        set_if_changed(rows.spoken, "value", spoken(feed, session))
        rows.at_cap(shown=is_at_cap(session))
        set_if_changed(self.page, "controls", self.controls.for_page())

    def _tell_end(self) -> None:
        """Let the page tell of the end of a run, to whoever wants to be told."""
        said = self._end_notice.of(self.feed, self._snapshot)
        set_if_changed(self.page, "notify", self._host.view_options.notify)
        if said is not None and self.page.notify:
            self.page.tell_end(**said)

    def _draw(self) -> None:
        """Bring the chart up to date."""
        view, gantt, running = self._host.view_options, self.chart.gantt, self._snapshot.running
        if gantt.follow != self._follow:  # a zoom turned it off, and its message is still on its way
            self._set_follow(gantt.follow)
        elif view.follow_now != self._follow:
            self._follow = gantt.follow = view.follow_now
        if view.selected != gantt.scene:
            gantt.select(view.selected)
        if view.show_moves != gantt.moves:
            gantt.moves = view.show_moves
        if (theme := self._theme()) != gantt.theme:
            gantt.theme = theme
        changed = self._has_new_events or running or self._was_running
        self.chart.draw(self.feed.window, self._snapshot.now if running else None, changed=changed)
        self.chart.show(self.feed, self._snapshot)
        self._was_running, self._has_new_events = running, False

    def _set_follow(self, on: bool) -> None:
        """Keep what the user did on the page: zooming turned following off, a double click turned it on again."""
        self._follow = self._host.view_options.follow_now = on
        self.controls.sync()

    def _theme(self) -> str:
        chosen = self._host.view_options.theme
        return chosen if chosen != "auto" else "dark" if self.page.dark else "light"

    # -- errors and warnings, on the session's loop

    def show_error(self, error: BaseException) -> None:
        """Show an error in the red strip, with its text."""
        self._note_error(error)
        self.ticker.touch()

    def _note_error(self, error: BaseException) -> None:
        self.feed.log.append(self.errors.add_error(error))

    def note_warning(self, text: str, trace: str, level: int) -> None:
        """Add a warning of the session that has no event to the log; show an error in the red strip, too."""
        said = in_panel_words(text)
        self.feed.log.append(said)
        if level >= logging.ERROR:
            self.errors.add_text(said[:1].upper() + said[1:], trace)
        self.ticker.touch()

    def _dismiss_errors(self) -> None:
        self.errors.clear()
        self.ticker.touch()

    # -- files

    def _export(self) -> None:
        """Write the run's files in the background: an HTML page takes longer to make than an update may."""
        self.page.withdraw_files("Writing …")

        def write_files() -> list[Path]:
            try:
                return self._host.export()
            except BaseException:
                self._host.post(self.page.withdraw_files)
                raise

        def offer(files: list[Path]) -> None:
            folder, base = files[0].parent, self._host.session.runner.resources.videos.base
            shown = folder.relative_to(base) if folder.is_relative_to(base) else folder
            self.page.offer_files(files, f"Written to {one_line(str(shown), 100)}:")

        self._run_in_background(write_files, offer)

    # -- the page

    def _on_page_message(self, content: Any) -> None:
        if "download" in content:
            self.page.send_file(content["download"])
        elif "dismissed" in content:
            self.page.withdraw_files()
        elif "refused" in content:
            self._host.view_options.refuse_notify(str(content["refused"]))
            self.ticker.touch()
        elif "opened" in content:
            self.rows.fill(content["opened"])
            self.ticker.touch()


def _with_descendants(widget: Any) -> Iterator[Any]:
    """Yield a widget and all below it, with their layouts and styles."""
    for child in getattr(widget, "children", ()):
        yield from _with_descendants(child)
    yield widget
    for name in ("layout", "style"):
        if isinstance(part := getattr(widget, name, None), w.Widget):  # a figure's layout is not a widget
            yield part
