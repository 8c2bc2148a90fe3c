"""The red strip with the latest errors. It lies above the chart, so that nothing moves when it comes or goes."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

import ipywidgets as w

from vidgen_nb.errors import VidgenError
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.plaintext import error_line, last_lines

__all__ = ["ErrorStrip"]

MAX_ERRORS = 5


class _Said(NamedTuple):
    text: str
    details: str
    """Such as a traceback, which is folded away."""


class ErrorStrip:
    """The latest errors, the newest first, with their text to copy, and a button that removes them."""

    def __init__(self, on_dismiss: Callable[[Any], None]) -> None:
        self._errors: deque[_Said] = deque(maxlen=MAX_ERRORS)
        self.html = w.HTML()
        self.dismiss_button = w.Button(description="Dismiss", tooltip="Remove the errors")
        self.dismiss_button.on_click(on_dismiss)
        receive_while_blocked(self.dismiss_button)
        self.root = w.HBox([self.html, self.dismiss_button], layout={"display": "none"})
        self.root.add_class("vg-errors")

    def add_error(self, error: BaseException) -> str:
        """Add an error, and return its line for the log. Errors of our own explain themselves without a traceback."""
        line = f"{type(error).__name__}: {error_line(error)}"
        if isinstance(error, VidgenError):
            self.add_text(in_panel_words(error))
        else:
            self.add_text(f"Something went wrong. {line}", "".join(traceback.format_exception(error)))
        return line

    def add_text(self, text: str, details: str = "") -> None:
        """Add an error's text, without control characters and cut if it is very long."""
        self._errors.appendleft(_Said(last_lines(text), last_lines(details)))

    def clear(self) -> None:
        """Forget the errors."""
        self._errors.clear()

    def show(self) -> None:
        """Write the strip; without errors it is hidden."""
        set_if_changed(self.html, "value", _errors_html(list(self._errors)))
        set_if_changed(self.root.layout, "display", "" if self._errors else "none")


def _errors_html(errors: list[_Said]) -> str:
    if not errors:
        return ""
    blocks = "".join(
        f"<p>{escape(text)}</p>"
        + (f"<details><summary>Details to copy</summary><pre>{escape(details)}</pre></details>" if details else "")
        for text, details in errors
    )
    return f'<div role="alert">{blocks}</div>'
