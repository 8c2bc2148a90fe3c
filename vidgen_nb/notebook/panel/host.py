"""What a panel needs of the one that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from vidgen_nb.notebook.run_options import RunOptions, SceneOptions
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.session import Session

__all__ = ["PanelHost"]


class PanelHost(Protocol):
    """A session, what can be chosen for it, and a way to its loop, which is the one writer of the panel's widgets."""

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
    def problem(self) -> str:
        """Why Run can't be pressed now; empty: it can."""

    def export(self) -> list[Path]:
        """Write the run as files, and return them."""

    def touch(self) -> None:
        """Let the panel show what has changed; on the session's own loop."""

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function on the session's own loop, from whichever thread, and don't wait for it."""

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call a function on the session's own loop in this many wall seconds; to be called there."""
