"""The latest lines of a log, which can be read while more arrive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import anywidget
import traitlets as t

__all__ = ["LinesView"]


class LinesView(anywidget.AnyWidget):
    """Plain text, the newest line first; the page inserts it as text, never as markup."""

    _esm = Path(__file__).parent / "lines.js"
    text = t.Unicode().tag(sync=True)
    caption = t.Unicode().tag(sync=True)

    def show(self, lines: Iterable[str]) -> None:
        """Show these lines, given from the oldest to the newest."""
        self.text = "\n".join(reversed(list(lines))) or "none yet"
