"""A session with a panel: as a cell's last value it shows itself, and each control of the panel is one call to it.

ipywidgets is imported when the panel is first asked for, not before. The panel lives on the session's own loop: that
is its one writer, and callbacks, which come from any thread, only post to it (ui.md).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from uuid import uuid4

from vidgen_nb.core.events import Event, RunEnded
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.notebook.export import export
from vidgen_nb.notebook.panel.chart.saved_picture import SIDE, still
from vidgen_nb.notebook.rerun_cells import made
from vidgen_nb.notebook.run_options import Choices

if TYPE_CHECKING:
    from ipywidgets import VBox

    from vidgen_nb.notebook.panel.panel import Panel
    from vidgen_nb.ports import Backend, Profile
    from vidgen_nb.session.live_run import LiveRun

__all__ = ["Controller"]

Moves = Literal["none", "selected", "last 20"]
Theme = Literal["auto", "light", "dark"]

log = logging.getLogger("vidgen_nb")


class Controller(Choices):
    """A session that shows itself in Jupyter: as a cell's last value it is the panel.

    Parameters and methods are those of `Session`, but that its runs are written down in the folder `runs` unless told
    otherwise: a kernel that dies loses none. What a hand can choose in the panel, a cell can set here: `scenes`,
    `kind`, `span`, `scene`, `in_use`, `cap`, `cooldown_seconds` and so on; `start()` is the panel's Run.
    """

    def __init__(
        self,
        backend: Backend,
        profiles: Iterable[Profile],
        *,
        journal: str | os.PathLike[str] | None = "runs",
        **options: Any,
    ) -> None:
        super().__init__(backend, profiles, journal=journal, **options)

    _panel: Panel | None = None
    _making: ClassVar = threading.RLock()
    _show_moves: Moves = "last 20"
    _follow_now = True
    _selected: str | None = None
    _video: str | None = None
    _theme: Theme = "auto"
    _still_id: str | None = None
    """Of the picture that stands below the panel, once it was shown."""

    # -- while it runs

    @property
    def paused(self) -> bool:
        """Whether new work is held back; setting it is `pause()` or `unpause()`."""
        return self._settings.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        (self.pause if paused else self.unpause)()

    @property
    def follow_now(self) -> bool:
        """Whether the chart moves along; zooming into it ends that."""
        return self._follow_now

    @follow_now.setter
    def follow_now(self, follow: bool) -> None:
        self._follow_now = bool(follow)
        self._touched()

    @property
    def show_moves(self) -> Moves:
        """Which moves the chart shows: `none`, `selected` or `last 20`."""
        return self._show_moves

    @show_moves.setter
    def show_moves(self, moves: Moves) -> None:
        if moves not in ("none", "selected", "last 20"):
            raise InputError(f"show_moves is 'none', 'selected' or 'last 20', not {moves!r}")
        self._show_moves = moves
        self._touched()

    @property
    def selected(self) -> str | None:
        """The scene whose path stands out in the chart; None: none does."""
        return self._selected

    @selected.setter
    def selected(self, scene: str | None) -> None:
        self._selected = scene or None
        self._touched()

    @property
    def video(self) -> str | None:
        """The scene whose finished video the panel plays; None: none."""
        return self._video

    @video.setter
    def video(self, scene: str | None) -> None:
        state = self._live.scheduler.scenes.get(scene) if self._live is not None and scene else None
        if scene and (state is None or state.status != "succeeded"):
            raise InputError(f"scene {scene!r} has no video: it has not succeeded in this run")
        self._video = scene or None
        self._touched()

    @property
    def theme(self) -> Theme:
        """Of the panel's chart: `light`, `dark`, or `auto`, which is that of the page."""
        return self._theme

    @theme.setter
    def theme(self, theme: Theme) -> None:
        if theme not in ("auto", "light", "dark"):
            raise InputError(f"theme is 'auto', 'light' or 'dark', not {theme!r}")
        self._theme = theme
        self._touched()

    @property
    def now(self) -> float:
        """Seconds of the run that is under way, or that the last one took; 0: there was none."""
        live = self._live
        if live is None or live.is_over:
            events = live.scheduler.events if live is not None else []
            return events[-1].at if events else 0.0
        return live.now

    @property
    def is_stopping(self) -> bool:
        """Whether the run ends with what is under way."""
        live = self._live
        return live is not None and live.scheduler.stopped and not live.is_over

    def export(self, folder: str | os.PathLike[str] | None = None) -> list[Path]:
        """Write the run as HTML, SVG, CSV and JSON lines, and return the files.

        `folder`: default `exports` beside the folder of the videos.
        """
        run = self.last_run
        if run is None or not run.events:
            raise SessionError("nothing is recorded yet: run something first")
        return export(
            run,
            Path(folder) if folder is not None else self.base_folder() / self._settings.folder.path.parent / "exports",
        )

    def base_folder(self) -> Path:
        """Return what the paths of videos are relative to: a notebook may go elsewhere meanwhile."""
        return self._settings.folder.base

    def step_selected(self, step: int) -> None:
        """Select the next scene of the run (1), or the one before (-1); round and round."""
        ids = list(self._live.scheduler.scenes) if self._live is not None else []
        if ids:
            place = ids.index(self._selected) + step if self._selected in ids else min(step, 0)
            self.selected = ids[place % len(ids)]

    @property
    def failed(self) -> int:
        """How many scenes of the last run have failed."""
        return 0 if self._live is None else sum(s.status == "failed" for s in self._live.scheduler.scenes.values())

    # -- the panel

    def touch(self) -> None:
        """Let the panel show what has changed; on the session's own loop."""
        if self._panel is not None:
            self._panel.ticker.touch()

    def is_here(self) -> bool:
        """Say whether the caller runs on the session's own loop."""
        return self._home.here()

    @property
    def panel(self) -> VBox:
        """The panel, a widget. It is made once; shown twice, it is the same one."""
        with self._making:
            panel, is_new = self._panel, self._panel is None
            if panel is None:
                from vidgen_nb.notebook.panel.panel import Panel

                panel = self._panel = Panel(self)
                made(self)
        if is_new and not self._closed:  # the loop is waited for without the lock
            self.observe(lambda _: self.touch())
            self.observe(self._keep_still)
            self._touched()
        elif is_new:
            panel.closed()
        return panel.root

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the session's own loop, from whichever thread, and don't wait for it.

        What it raises is shown in the panel's red strip.
        """

        def carry_out() -> None:
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - a callback's error must not end in the void
                self._failed(error)

        try:
            self._home.loop.call_soon_threadsafe(carry_out)
        except (SessionError, RuntimeError):  # it is gone, and with it whoever else wrote; tabs and such still work
            with self._making:
                carry_out()

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call a function on the session's own loop in so many wall seconds; to be called there."""
        self._home.loop.call_later(seconds, function)

    def _failed(self, error: Exception) -> None:
        if self._panel is None:
            log.error("a callback failed: %s", error, exc_info=error)
        else:
            self._panel.fail(error)

    def _new_run(self, old: LiveRun | None) -> LiveRun:
        self._video = None
        return super()._new_run(old)

    def _touched(self) -> None:
        if self._panel is not None and not self._closed:
            self.post(self._panel.ticker.touch)

    def close(self) -> None:
        """As `Session.close`; the panel stays, with its controls off."""
        super().close()
        if self._panel is not None:
            self._panel.closed()

    async def aclose(self) -> None:
        """As `close`, on the caller's loop."""
        await super().aclose()
        if self._panel is not None:
            self._panel.closed()

    def orphaned(self) -> None:
        """Its cell was run again, and no variable has it any more: say so if it still runs, or take its panel away."""
        if self.is_running:
            log.warning(
                "the controller that this cell made before has %d scenes under way and goes on: Out has it, for stop()",
                self.in_flight,
            )
        else:
            self._forget_panel()

    def _forget_panel(self) -> None:
        """Take the widgets away: each reload of a page asks for all that there are. Shown again, there are new ones."""
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.dispose()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self._panel is not None:  # its timer was on the loop that it leaves
            self._panel.ticker.moved()
        return self

    # -- looking

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return the panel, and for a notebook without a kernel a picture of the run."""
        return self._view() | {"text/html": still(self.last_run, self._theme)}

    def _view(self) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.panel.model_id,
            },
        }

    def _ipython_display_(self) -> None:
        """Show the panel, and below it, hidden beside a live one, the picture that stays in the saved notebook.

        Two outputs, for JupyterLab takes the widget of a bundle that has one, and without a kernel shows an error.
        """
        from IPython.display import display

        self._still_id = self._still_id or f"vidgen_nb-{uuid4().hex}"
        show: Any = display  # it is untyped
        show(self._view(), raw=True)
        show(self._picture(), raw=True, display_id=self._still_id)

    def _keep_still(self, events: Iterable[Event]) -> None:
        """Bring the picture below the panel up to date at a run's end (an observer)."""
        if self._still_id is not None and any(isinstance(event, RunEnded) for event in events):
            from IPython.display import update_display

            update: Any = update_display  # it is untyped
            update(self._picture(), raw=True, display_id=self._still_id)

    def _picture(self) -> dict[str, str]:
        return {"text/html": SIDE + still(self.last_run, self._theme), "text/plain": ""}

    def __repr__(self) -> str:
        return super().__repr__().replace("<Session", "<Controller", 1)
