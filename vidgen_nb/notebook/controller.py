"""The controller: a session with a panel. It has parts, and forwards to them what a cell may call and set."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from vidgen_nb.core.model import Scene
from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.errors import SessionError
from vidgen_nb.forwarding import forwarded, forwarded_property
from vidgen_nb.notebook.display import NotebookDisplay
from vidgen_nb.notebook.export import export
from vidgen_nb.notebook.panel_holder import PanelHolder
from vidgen_nb.notebook.rerun_cells import register_controller
from vidgen_nb.notebook.run_options import RunOptions
from vidgen_nb.notebook.scene_edits import edit_scene
from vidgen_nb.notebook.scene_options import SceneOptions
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.restore import Restorable
from vidgen_nb.session.session import Session
from vidgen_nb.session.settings import SessionState

if TYPE_CHECKING:
    from vidgen_nb.ports import Backend, Profile
    from vidgen_nb.provider.limits import Limit

__all__ = ["Controller"]

log = logging.getLogger("vidgen_nb")


class Controller(Restorable):
    """A session that shows itself in Jupyter: as a cell's last value it is the panel.

    Parameters and methods are those of `Session`, except that `journal` is the folder `runs` by default: if the kernel
    dies, no run is lost. What can be chosen in the panel can also be set here: `scenes`, `kind`, `span`, `scene`,
    `in_use`, `cap`, `cooldown_seconds` and so on. `start()` is the panel's Run.

    It has a `session`, `scene_options`, `run_options` and `view_options`, and forwards to them.
    """

    _set_speed: Callable[[float], None] | None = None
    """Makes a simulated provider follow the session's speed; None: the provider is real."""

    def __init__(
        self,
        backend: Backend,
        profiles: Iterable[Profile],
        *,
        journal: str | os.PathLike[str] | None = "runs",
        **options: Any,
    ) -> None:
        self.session = Session(backend, profiles, journal=journal, **options)
        self.runner = self.session.runner
        """What carries out requests on the session's loop."""
        self._panel_holder = PanelHolder(self, on_made=lambda: register_controller(self))
        changed = self._panel_holder.changed
        self.scene_options = SceneOptions(changed)
        self.run_options = RunOptions(self.session, changed, self._set_speed)
        self.view_options = ViewOptions(self.session.runner, changed)
        self._display = NotebookDisplay(self.session, self.view_options)
        self.session.runner.default_request = self.scene_options.request
        self.session.runner.on_change = self._session_changed

    # -- the session

    start = forwarded("session", Session.start)
    run = forwarded("session", Session.run)
    run_one = forwarded("session", Session.run_one)
    run_blocking = forwarded("session", Session.run_blocking)
    wait = forwarded("session", Session.wait)
    join = forwarded("session", Session.join)
    add = forwarded("session", Session.add)
    retry_failed = forwarded("session", Session.retry_failed)
    run_again = forwarded("session", Session.run_again)
    ask_again = forwarded("session", Session.ask_again)
    submit_again = forwarded("session", Session.submit_again)
    pause = forwarded("session", Session.pause)
    unpause = forwarded("session", Session.unpause)
    stop = forwarded("session", Session.stop)
    cancel = forwarded("session", Session.cancel)
    release_cooldown = forwarded("session", Session.release_cooldown)
    observe = forwarded("session", Session.observe)
    add_profile = forwarded("session", Session.add_profile)
    remove_profile = forwarded("session", Session.remove_profile)
    set_capacity = forwarded("session", Session.set_capacity)
    set_price = forwarded("session", Session.set_price)
    check = forwarded("session", Session.check)
    acheck = forwarded("session", Session.acheck)
    restore_last_run = forwarded("session", Session.restore_last_run)
    abandon = forwarded("session", Session.abandon)
    report = forwarded("session", Session.report)
    policy = forwarded_property("session", Session.policy)
    max_billed = forwarded_property("session", Session.max_billed)
    max_cost = forwarded_property("session", Session.max_cost)
    cost = forwarded_property("session", Session.cost)
    pause_reason = forwarded_property("session", Session.pause_reason)
    profiles = forwarded_property("session", Session.profiles)
    last_run = forwarded_property("session", Session.last_run)
    journal = forwarded_property("session", Session.journal)
    is_running = forwarded_property("session", Session.is_running)
    is_stopping = forwarded_property("session", Session.is_stopping)
    is_broken_off = forwarded_property("session", Session.is_broken_off)
    is_closed = forwarded_property("session", Session.is_closed)
    in_flight = forwarded_property("session", Session.in_flight)
    left_over = forwarded_property("session", Session.left_over)
    failed = forwarded_property("session", Session.failed)
    billed = forwarded_property("session", Session.billed)
    now = forwarded_property("session", Session.now)
    cooling = forwarded_property("session", Session.cooling)
    last_429_at = forwarded_property("session", Session.last_429_at)
    no_restore = forwarded_property("session", Session.no_restore)
    unfinished = forwarded_property("session", Session.unfinished)
    paused = forwarded_property("session", Session.paused)

    # -- what to run, how, and what is shown

    scenes = forwarded_property("scene_options", SceneOptions.scenes)
    kind = forwarded_property("scene_options", SceneOptions.kind)
    span = forwarded_property("scene_options", SceneOptions.span)
    scene = forwarded_property("scene_options", SceneOptions.scene)
    chosen = forwarded_property("scene_options", SceneOptions.chosen)
    type_scenes = forwarded("scene_options", SceneOptions.type_scenes)
    upload_scenes = forwarded("scene_options", SceneOptions.upload_scenes)
    simulated = forwarded_property("run_options", RunOptions.simulated)
    raise_cap = forwarded("run_options", RunOptions.raise_cap)
    mode = forwarded_property("run_options", RunOptions.mode)
    cap = forwarded_property("run_options", RunOptions.cap)
    in_use = forwarded_property("run_options", RunOptions.in_use)
    known_profiles = forwarded_property("run_options", RunOptions.known_profiles)
    own = forwarded_property("run_options", RunOptions.own)
    policy_name = forwarded_property("run_options", RunOptions.policy_name)
    cooldown_seconds = forwarded_property("run_options", RunOptions.cooldown_seconds)
    honour_retry_after = forwarded_property("run_options", RunOptions.honour_retry_after)
    seed = forwarded_property("run_options", RunOptions.seed)
    speed = forwarded_property("run_options", RunOptions.speed)
    follow_now = forwarded_property("view_options", ViewOptions.follow_now)
    show_moves = forwarded_property("view_options", ViewOptions.show_moves)
    selected = forwarded_property("view_options", ViewOptions.selected)
    video = forwarded_property("view_options", ViewOptions.video)
    theme = forwarded_property("view_options", ViewOptions.theme)
    step_selected = forwarded("view_options", ViewOptions.step_selected)
    notify = forwarded_property("view_options", ViewOptions.notify)
    past_runs_shown = forwarded_property("view_options", ViewOptions.past_runs_shown)
    past_run = forwarded_property("view_options", ViewOptions.past_run)
    show_past_runs = forwarded("view_options", ViewOptions.show_past_runs)
    hide_past_runs = forwarded("view_options", ViewOptions.hide_past_runs)

    @property
    def problem(self) -> str:
        """Why Run is unavailable now; empty: it is available."""
        session = self.session
        if session.is_closed:
            return "this controller is closed"
        if session.is_running:
            return "a run is running"
        if session.is_broken_off:
            return "the run was broken off; Restore last run continues it"
        if self.run_options.is_at_cap:
            return f"the spending cap is reached ({self.run_options.cap_in_use}): raise it first"
        if not session.profiles:
            return "no profile is chosen"
        if not session.left_over and not self.scene_options.chosen:
            return "there are no scenes: type, paste or load some"
        return ""

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The rate limits of profiles that are known beforehand, by name: those of a simulated provider."""
        return {}

    def edit_scene(self, scene: str, /, prompt: str | None = None, **params: Any) -> Scene:
        """Change a scene that is not running, as `Session.edit_scene`: a loaded one, or else one of the last run."""
        return edit_scene(self.session, self.scene_options, scene, prompt, params)

    def export(self, folder: str | os.PathLike[str] | None = None) -> list[Path]:
        """Write the run as a report, SVG, CSV and JSON lines, and return the paths of the files.

        `folder`: by default `exports`, beside the folder of the videos.
        """
        run, videos = self.last_run, self.session.runner.resources.videos
        if run is None or not run.events:
            raise SessionError("nothing is recorded yet: run something first")
        exports = Path(folder) if folder is not None else self.base_folder() / videos.path.parent / "exports"
        return export(run, exports, self.base_folder())

    def base_folder(self) -> Path:
        """Return what the paths of videos are relative to: a notebook may change its working directory meanwhile."""
        return self.session.runner.resources.videos.base

    @property
    def runs(self) -> PastRuns:
        """The runs that are recorded in the folder of the journals, newest first; `ctl.runs[0].load()` reads one."""
        folder = self.session.runner.resources.journals
        if folder is None:
            raise SessionError("no run is recorded: there is no folder of journals (journal=None)")
        return PastRuns(folder)

    def is_here(self) -> bool:
        """Say whether the caller is on the session's own loop."""
        return self.session.runner.loop.is_current()

    # -- the panel

    panel = forwarded_property("_panel_holder", PanelHolder.root)
    touch = forwarded("_panel_holder", PanelHolder.touch)
    post = forwarded("_panel_holder", PanelHolder.post)
    later = forwarded("_panel_holder", PanelHolder.later)

    def _session_changed(self, before: SessionState) -> None:
        self.run_options.remember(before)
        self._panel_holder.changed()

    # -- ending

    def close(self) -> None:
        """Close the session. The panel stays, with its controls disabled."""
        self.session.close()
        self._panel_holder.show_closed()

    async def aclose(self) -> None:
        """Close a session that is on the caller's loop. The panel stays, with its controls disabled."""
        await self.session.aclose()
        self._panel_holder.show_closed()

    def orphaned(self) -> None:
        """Its cell was run again, and no variable refers to it: warn if it still runs, or else remove its panel."""
        if self.is_running:
            log.warning(
                "the controller that this cell made earlier is still running %d scenes; Out has it, to call stop()",
                self.in_flight,
            )
        else:
            self._panel_holder.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.session.__exit__(kind, error, _)
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        await self.session.__aenter__()
        self._panel_holder.loop_changed()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            await self.session.__aexit__(kind, error, _)
        finally:
            await self.aclose()

    # -- showing

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return the panel, and a picture of the run for a notebook without a kernel."""
        return self._display.bundle(repr(self), self.panel)

    def _ipython_display_(self) -> None:
        """Show the panel, and below it the picture that stays in the saved notebook."""
        self._display.show(repr(self), self.panel)

    def __repr__(self) -> str:
        if not hasattr(self, "session"):  # in a traceback, say
            return "<Controller, refused before it was made>"
        return repr(self.session).replace("<Session", "<Controller", 1)
