"""What a panel needs of whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.notebook.run_options import RunOptions
from vidgen_nb.notebook.scene_options import SceneOptions
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.provider.limits import Limit
from vidgen_nb.session.session import Session

__all__ = ["PanelHost"]


class PanelHost(Protocol):
    """A session, the options that can be chosen for it, and a way to its loop, which alone writes to the widgets."""

    @property
    def session(self) -> Session:
        """What runs the scenes."""

    @property
    def scene_options(self) -> SceneOptions:
        """Which scenes Run takes."""

    @property
    def run_options(self) -> RunOptions:
        """How the session runs them."""

    @property
    def view_options(self) -> ViewOptions:
        """What the panel shows."""

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The limits of profiles that are known beforehand, by name."""

    @property
    def problem(self) -> str:
        """Why Run is unavailable now; empty: it is available."""

    @property
    def runs(self) -> PastRuns:
        """The runs that are recorded in the folder of the journals, read anew."""

    def export(self) -> list[Path]:
        """Write the run as files, and return their paths."""

    def touch(self) -> None:
        """Let the panel show what has changed; to be called on the session's loop."""

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the session's loop, from any thread, without waiting; show its error in the panel."""

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call a function on the session's loop after some wall seconds; to be called there."""
