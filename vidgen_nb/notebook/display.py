"""How a controller is shown in a notebook: its panel, and a picture for a notebook without a kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vidgen_nb.core.events import Event, RunEnded
from vidgen_nb.notebook.panel.chart.saved_picture import HIDE_BESIDE_PANEL, picture_html
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.session import Session

if TYPE_CHECKING:
    from ipywidgets import VBox

__all__ = ["NotebookDisplay"]


class NotebookDisplay:
    """Shows the panel in one output, and a picture in a second one, hidden beside a live panel.

    In one output they would not do: of a bundle, JupyterLab shows the widget, and without a kernel an error in its
    place. The picture stays in the saved notebook.
    """

    def __init__(self, session: Session, view_options: ViewOptions) -> None:
        self._session = session
        self._view_options = view_options
        self._picture_id: str | None = None
        """The display id of the picture; None: the panel has not been shown."""

    def bundle(self, text: str, panel: VBox) -> dict[str, Any]:
        """Return panel and picture as one bundle."""
        return _panel_bundle(text, panel) | {
            "text/html": picture_html(self._session.last_run, self._view_options.theme)
        }

    def show(self, text: str, panel: VBox) -> None:
        """Show the panel, and the picture below it."""
        from IPython.display import display

        if self._picture_id is None:
            self._picture_id = f"vidgen_nb-{uuid4().hex}"
            if not self._session.is_closed:
                self._session.observe(self._update_picture)
        show: Any = display  # it is untyped
        show(_panel_bundle(text, panel), raw=True)
        show(self._picture(), raw=True, display_id=self._picture_id)

    def _update_picture(self, events: Iterable[Event]) -> None:
        """Bring the picture up to date at the end of a run (an observer)."""
        if any(isinstance(event, RunEnded) for event in events):
            from IPython.display import update_display

            update: Any = update_display  # it is untyped
            update(self._picture(), raw=True, display_id=self._picture_id)

    def _picture(self) -> dict[str, str]:
        return {
            "text/html": HIDE_BESIDE_PANEL + picture_html(self._session.last_run, self._view_options.theme),
            "text/plain": "",
        }


def _panel_bundle(text: str, panel: VBox) -> dict[str, Any]:
    return {
        "text/plain": text,
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": panel.model_id,
        },
    }
