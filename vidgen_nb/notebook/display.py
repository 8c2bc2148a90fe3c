"""How a controller is shown in a notebook: the panel, and a picture for when there is no kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vidgen_nb.core.events import Event, RunEnded
from vidgen_nb.notebook.panel.chart.saved_picture import SIDE, still
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.session import Session

if TYPE_CHECKING:
    from ipywidgets import VBox

__all__ = ["NotebookDisplay"]


class NotebookDisplay:
    """Two outputs, for JupyterLab takes the widget of a bundle that has one, and without a kernel shows an error.

    The second one, hidden beside a live panel, is the picture that stays in the saved notebook.
    """

    def __init__(self, session: Session, view_options: ViewOptions) -> None:
        self._session = session
        self._view_options = view_options
        self._picture_id: str | None = None
        """Of the picture below the panel, once it was shown."""

    def bundle(self, text: str, panel: VBox) -> dict[str, Any]:
        """Return panel and picture as one bundle."""
        return _panel_bundle(text, panel) | {"text/html": still(self._session.last_run, self._view_options.theme)}

    def show(self, text: str, panel: VBox) -> None:
        """Show the panel, and the picture below it."""
        from IPython.display import display

        self._picture_id = self._picture_id or f"vidgen_nb-{uuid4().hex}"
        show: Any = display  # it is untyped
        show(_panel_bundle(text, panel), raw=True)
        show(self._picture(), raw=True, display_id=self._picture_id)

    def keep_picture(self, events: Iterable[Event]) -> None:
        """Bring the picture up to date at a run's end (an observer)."""
        if self._picture_id is not None and any(isinstance(event, RunEnded) for event in events):
            from IPython.display import update_display

            update: Any = update_display  # it is untyped
            update(self._picture(), raw=True, display_id=self._picture_id)

    def _picture(self) -> dict[str, str]:
        return {"text/html": SIDE + still(self._session.last_run, self._view_options.theme), "text/plain": ""}


def _panel_bundle(text: str, panel: VBox) -> dict[str, Any]:
    return {
        "text/plain": text,
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": panel.model_id,
        },
    }
