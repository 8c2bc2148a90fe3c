"""The panel: status, controls, lanes, chart and tabs, written twice a second on the session's own loop.

Nothing else writes to its widgets once it is made: a callback posts to that loop, and an observer of the run only says
that something is new. An idle panel does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
import weakref
from collections import deque
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from vidgen_nb.analysis.recent import Recent, RecentData
from vidgen_nb.errors import VidgenError
from vidgen_nb.recording.runlog import clean
from vidgen_nb.widgets import tables
from vidgen_nb.widgets.bound import answer_anywhere
from vidgen_nb.widgets.controls import Controls
from vidgen_nb.widgets.feed import Feed, Lane
from vidgen_nb.widgets.live_gantt import LiveGantt
from vidgen_nb.widgets.look import STYLE
from vidgen_nb.widgets.status import State, chip, error_strip, strip

if TYPE_CHECKING:
    from vidgen_nb.controller import Controller

__all__ = ["Panel"]

PERIOD = 0.5
"""Wall seconds between two updates."""
AT_ONCE = 0.03
"""Wall seconds until an idle panel shows a change: what comes together is shown together."""
ERRORS = 5
TABS = ("Attempts", "Metrics", "Log", "Events")


class Panel:
    """The widgets of one controller; `root` is shown, as often as one likes."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.feed = Feed()
        self.errors: deque[str] = deque(maxlen=ERRORS)
        self._recent = Recent(limit=500)
        self._attempts = tables.AttemptsTable()
        self._data: RecentData | None = None
        """What the chart and the table show."""
        self._was_running = False
        self._armed = False
        self._generation = 0
        self._dirty = True
        self.controls = Controls(controller, self._export)
        self._gantt = LiveGantt(theme=controller.theme)
        self._follow = controller.follow_now
        self._make()
        self._tap = _Tap(self)
        logging.getLogger("vidgen_nb").addFilter(self._tap)

    # -- making

    def _make(self) -> None:
        c = self.controls
        self.status, self.strip, self.why, self.said = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        self.dismiss = w.Button(description="Dismiss", tooltip="Take the errors away")
        self.dismiss.on_click(lambda _: self._controller.post(self._dismiss))
        answer_anywhere(self.dismiss)
        self.red = w.VBox([self.strip, self.dismiss])
        self.red.layout.display = "none"
        self.lanes = w.Box(layout=w.Layout(flex_flow="row wrap", grid_gap="6px"))
        self._lanes: dict[str, tuple[Any, Any]] = {}
        self.filter = w.Text(description="Filter", placeholder="scene, profile or outcome", continuous_update=False)
        self.filter.observe(lambda _: self._controller.post(self.touch), names="value")
        answer_anywhere(self.filter)
        self.pages = {name: w.HTML() for name in TABS}
        self.tabs = w.Tab([w.VBox([self.filter, self.pages["Attempts"]]), *(self.pages[name] for name in TABS[1:])])
        self.tabs.titles = TABS
        self.tabs.observe(lambda _: self._controller.post(self.touch), names="selected_index")
        answer_anywhere(self.tabs)
        self.given = w.Accordion([w.VBox([c["prompts"], c["upload"]])], selected_index=None)
        spring = w.Box(layout=w.Layout(flex="1 1 auto"))
        wrap = w.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 10px")
        groups = [
            w.VBox([c["kind"], c["span"], c["scene"], self.given], layout=w.Layout(flex="1 1 340px")),
            w.VBox([c["mode"], c["cap"], c["policy_name"], c["cooldown_seconds"], c["honour_retry_after"]],
                   layout=w.Layout(flex="1 1 300px")),
            w.VBox([c["in_use"], c["seed"], c["speed"]], layout=w.Layout(flex="1 1 280px")),
        ]  # fmt: skip
        buttons = [c[name] for name in ("run", "paused", "retry_failed", "cancel", "export")]
        view = [c[name] for name in ("follow_now", "show_moves", "selected", "previous", "next")]
        parts = [
            w.HTML(STYLE), self.status, self.red,
            w.Box([*buttons, spring, c["stop"]], layout=wrap), self.why, self.said,
            w.Box(groups, layout=w.Layout(flex_flow="row wrap", grid_gap="4px 18px")), self.lanes,
            w.Box(view, layout=wrap), self._gantt.figure, self.tabs,
        ]  # fmt: skip
        self.root = w.VBox(parts)
        self.root.add_class("vg-panel")

    # -- when

    def touch(self) -> None:
        """Say that something is new; on the session's loop."""
        self._dirty = True
        if not self._armed:
            self._arm(AT_ONCE)

    def moved(self) -> None:
        """The session lives on another loop now."""
        self._generation += 1
        self._armed = False
        self.touch()

    def closed(self) -> None:
        """The controller is closed: show how it ended, with all controls off. Its loop is gone."""
        logging.getLogger("vidgen_nb").removeFilter(self._tap)
        self._generation += 1
        self.refresh()

    def _arm(self, seconds: float) -> None:
        self._armed = True
        self._controller.later(seconds, partial(self._tick, self._generation))

    def _tick(self, generation: int) -> None:
        if generation != self._generation:
            return
        self._armed = self._dirty = False
        try:
            self.refresh()
        except Exception as error:  # noqa: BLE001 - the panel must not end silently
            self._note_error(error)
        if self._dirty or self._controller.is_running or self._state.cooling:
            self._arm(PERIOD)

    # -- what

    def refresh(self) -> None:
        """Write everything that has changed."""
        ctl = self._controller
        run = ctl.last_run
        if run is not self.feed.run:
            self._recent, self._data = Recent(limit=500), None
        new = self.feed.pull(run)
        is_new = len(new) > 0
        if is_new:
            self._recent(new)
            self._data = self._recent.data()
        self._state = state = State(
            now=ctl.now,
            running=ctl.is_running,
            paused=ctl.paused,
            stopping=ctl.is_stopping,
            closed=ctl.is_closed,
            speed=ctl.speed,
            ready=len(ctl.chosen),
            cooling=ctl.cooling,
        )
        self.controls.sync()
        with self.controls.writing():
            _set(self.status, strip(self.feed, state))
            self._show_errors()
            reasons = self.controls.reasons()
            _set(self.why, f'<div class="vg-note">Off now – {escape(reasons)}</div>' if reasons else "")
            count = len(ctl.scenes)
            self.given.titles = (f"Scenes: {count:,} loaded (type, paste or load others)",)
            self._show_lanes(state)
            self._show_page()
        self._draw(state, is_new=is_new)

    def _show_errors(self) -> None:
        _set(self.strip, error_strip(list(self.errors)))
        self.red.layout.display = "" if self.errors else "none"

    def _show_lanes(self, state: State) -> None:
        ctl = self._controller
        profiles = {name: each for name, each in ctl.known_profiles.items() if name in ctl.in_use}
        if list(self._lanes) != list(profiles):
            old, self._lanes = self._lanes, {name: self._lane(name) for name in profiles}
            self.lanes.children = [w.HBox(pair) for pair in self._lanes.values()]
            for pair in old.values():
                for each in pair:
                    each.close()
        for name, (html, release) in self._lanes.items():
            _set(html, chip(name, self.feed.lanes.get(name, Lane()), state, profiles[name].capacity))
            release.disabled = state.closed or name not in (state.cooling or {})

    def _lane(self, name: str) -> tuple[Any, Any]:
        ctl = self._controller
        release = w.Button(
            description="Release", tooltip=f"End the cooldown of {clean(name)}; off while it does not cool"
        )
        release.on_click(lambda _: ctl.post(ctl.release_cooldown, name))
        answer_anywhere(release)
        return w.HTML(), release

    def _show_page(self) -> None:
        """Write the tab that is open; the others when they are opened."""
        name = TABS[self.tabs.selected_index or 0]
        feed = self.feed
        if name == "Attempts":
            attempts = self._data.attempts if self._data is not None else []
            text = self._attempts.html(attempts, feed.attempts, self.filter.value)
        elif name == "Metrics":
            text = tables.metrics_table(feed, self._state.now)
        else:
            text = tables.lines(feed.log if name == "Log" else feed.events, f"{name.lower()} lines")
        _set(self.pages[name], text)

    def _draw(self, state: State, *, is_new: bool) -> None:
        ctl, gantt = self._controller, self._gantt
        if gantt.follow != self._follow:  # a zoom turned it off
            ctl.follow_now = gantt.follow
        elif ctl.follow_now != self._follow:
            gantt.follow = ctl.follow_now
        self._follow = gantt.follow
        if ctl.selected != gantt.scene:
            gantt.select(ctl.selected)
        if ctl.show_moves != gantt.moves:
            gantt.moves = ctl.show_moves
        if self._data is not None and (is_new or state.running or self._was_running):
            gantt.update(self._data, state.now if state.running else None)
        self._was_running = state.running

    # -- what goes wrong, and what is said

    def fail(self, error: BaseException) -> None:
        """Show an error in the red strip, with its text."""
        self._note_error(error)
        if self._controller.is_closed:
            self._show_errors()
        else:
            self.touch()

    def _note_error(self, error: BaseException) -> None:
        own = isinstance(error, VidgenError)
        self.errors.append(f"{type(error).__name__}: {error}" if own else "".join(traceback.format_exception(error)))
        self.feed.log.append(clean(f"{type(error).__name__}: {error}"))

    def note(self, record: logging.LogRecord) -> None:
        """Take a warning of the session that no event stands for; on its loop."""
        text = clean(record.getMessage())
        self.feed.log.append(text)
        if record.levelno >= logging.ERROR:
            self.errors.append(text)
        self.touch()

    def is_here(self) -> bool:
        """Whether this thread runs the session's loop."""
        return self._controller.is_here()

    def _dismiss(self) -> None:
        self.errors.clear()
        self.touch()

    def _export(self) -> None:
        """Write the run's files beside the loop: a page takes longer to make than a tick may."""
        self.said.value = '<div class="vg-note">Writing …</div>'
        future = asyncio.get_running_loop().run_in_executor(None, self._controller.export)
        future.add_done_callback(lambda done: self._controller.post(self._exported, done))

    def _exported(self, done: asyncio.Future[list[Path]]) -> None:
        self.said.value = ""
        files = done.result()
        said = f"Written to {files[0].parent}: {', '.join(file.name for file in files)}"
        self.said.value = f'<div class="vg-note">{escape(said)}</div>'


class _Tap(logging.Filter):
    """Sees what the session logs; no handler, for with one the logging module's last resort would fall silent."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = weakref.ref(panel)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass."""
        panel = self._panel()
        # the run's own lines come from its events; other sessions log on other loops
        if panel is not None and record.levelno >= logging.WARNING and record.module != "runlog" and panel.is_here():
            panel.note(record)
        return True


def _set(widget: Any, value: str) -> None:
    if widget.value != value:
        widget.value = value
