"""What the panel shows: theme, selected scene, moves, video, past runs, each of which a cell can set, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from vidgen_nb.dashboard.past_runs import PastRun
from vidgen_nb.errors import InputError
from vidgen_nb.session.runner import Runner

__all__ = ["Moves", "Theme", "ViewOptions"]

Moves = Literal["none", "selected", "last 20"]
Theme = Literal["auto", "light", "dark"]


class ViewOptions:
    """What a person looks at; none of it changes the run."""

    def __init__(self, runner: Runner, changed: Callable[[], None]) -> None:
        """`changed` is called after each change."""
        self._runner = runner
        self._changed = changed
        self._follow_now = True
        self._show_moves: Moves = "last 20"
        self._selected: str | None = None
        self._video: tuple[object, str] | None = None
        """The run, and the scene in it."""
        self._theme: Theme = "auto"
        self._notify = False
        self._notify_refused = ""
        self._past_runs_shown = False
        self._past_run: PastRun | None = None

    @property
    def follow_now(self) -> bool:
        """Whether the chart keeps the current time in view; zooming into it turns this off."""
        return self._follow_now

    @follow_now.setter
    def follow_now(self, follow: bool) -> None:
        self._follow_now = bool(follow)
        self._changed()

    @property
    def show_moves(self) -> Moves:
        """Which moves the chart shows: `none`, `selected` or `last 20`."""
        return self._show_moves

    @show_moves.setter
    def show_moves(self, moves: Moves) -> None:
        if moves not in ("none", "selected", "last 20"):
            raise InputError(f"show_moves is 'none', 'selected' or 'last 20', not {moves!r}")
        self._show_moves = moves
        self._changed()

    @property
    def selected(self) -> str | None:
        """The scene whose path the chart highlights; None: no scene."""
        return self._selected

    @selected.setter
    def selected(self, scene: str | None) -> None:
        self._selected = scene or None
        self._changed()

    def step_selected(self, step: int) -> None:
        """Select the next scene of the run (1) or the previous one (-1); after the last comes the first."""
        live = self._runner.live
        ids = list(live.scheduler.scenes) if live is not None else []
        if ids:
            place = ids.index(self._selected) + step if self._selected in ids else min(step, 0)
            self.selected = ids[place % len(ids)]

    @property
    def video(self) -> str | None:
        """The scene whose finished video the panel plays; None: no video, as at the start of a new run."""
        return self._video[1] if self._video is not None and self._video[0] is self._runner.live else None

    @video.setter
    def video(self, scene: str | None) -> None:
        live = self._runner.live
        state = live.scheduler.scenes.get(scene) if live is not None and scene else None
        if scene and (state is None or state.status != "succeeded"):
            raise InputError(f"scene {scene!r} has no video: it has not succeeded in this run")
        self._video = (live, scene) if scene else None
        self._changed()

    @property
    def theme(self) -> Theme:
        """The theme of the panel's chart: `light`, `dark`, or `auto`, the theme of the page."""
        return self._theme

    @theme.setter
    def theme(self, theme: Theme) -> None:
        if theme not in ("auto", "light", "dark"):
            raise InputError(f"theme is 'auto', 'light' or 'dark', not {theme!r}")
        self._theme = theme
        self._changed()

    @property
    def notify(self) -> bool:
        """Whether the browser tells of the end of a run of more than 30 s, while the page is hidden."""
        return self._notify

    @notify.setter
    def notify(self, notify: bool) -> None:
        self._notify, self._notify_refused = bool(notify), ""
        self._changed()

    @property
    def notify_refused(self) -> str:
        """Why the browser does not let the page notify; empty: nothing is known against it."""
        return self._notify_refused

    def refuse_notify(self, why: str) -> None:
        """Switch `notify` off, because the browser does not allow it."""
        self._notify, self._notify_refused = False, why
        self._changed()

    @property
    def past_runs_shown(self) -> bool:
        """Whether the panel shows the list of past runs."""
        return self._past_runs_shown

    @property
    def past_run(self) -> PastRun | None:
        """The past run whose report the panel shows; None: none."""
        return self._past_run

    def show_past_runs(self, run: PastRun | None = None) -> None:
        """Show the list of past runs in the panel, and the report of one, such as `ctl.runs[0]`."""
        self._past_runs_shown, self._past_run = True, run
        self._changed()

    def hide_past_runs(self) -> None:
        """Close the list of past runs."""
        self._past_runs_shown, self._past_run = False, None
        self._changed()
