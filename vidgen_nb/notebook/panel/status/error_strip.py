"""The red strip with the latest errors."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from vidgen_nb.errors import VidgenError
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.plaintext import error_line, last_lines

__all__ = ["ErrorStrip"]

MAX_ERRORS = 5


class ErrorStrip:
    """The latest errors with their text to copy, and a button that removes them."""

    def __init__(self, on_dismiss: Callable[[Any], None]) -> None:
        self.texts: deque[str] = deque(maxlen=MAX_ERRORS)
        self.html = w.HTML()
        self.dismiss_button = w.Button(description="Dismiss", tooltip="Remove the errors")
        self.dismiss_button.on_click(on_dismiss)
        receive_while_blocked(self.dismiss_button)
        self.root = w.VBox([self.html, self.dismiss_button], layout={"display": "none"})

    def add_error(self, error: BaseException) -> str:
        """Add an error, and return its line for the log. Errors of our own explain themselves without a traceback."""
        is_ours = isinstance(error, VidgenError)
        line = f"{type(error).__name__}: {error_line(error)}"
        self.add_text(f"{type(error).__name__}: {error}" if is_ours else "".join(traceback.format_exception(error)))
        return line

    def add_text(self, text: str) -> None:
        """Add an error's text, without control characters and cut if it is very long."""
        self.texts.append(last_lines(text))

    def clear(self) -> None:
        """Forget the errors."""
        self.texts.clear()

    def show(self) -> None:
        """Write the strip; without errors it is hidden."""
        set_if_changed(self.html, "value", _errors_html(list(self.texts)))
        set_if_changed(self.root.layout, "display", "" if self.texts else "none")


def _errors_html(texts: list[str]) -> str:
    if not texts:
        return ""
    blocks = "".join(f"<pre>{escape(text)}</pre>" for text in texts)
    return f'<div class="vg-errors" role="alert"><b>Something went wrong; this is the text to copy:</b>{blocks}</div>'
