"""The panel's hand in the page that shows it: which theme that has, and files for the reader to download."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

__all__ = ["Page"]


class Page(anywidget.AnyWidget):
    """Offers files for download; the page sends `{"download": name}` when one is wanted."""

    _esm = Path(__file__).parent / "page_bridge.js"
    dark = t.Bool(None, allow_none=True).tag(sync=True)
    """Whether the page's theme is dark; None: no page has told."""
    files: Any = t.List().tag(sync=True)
    """(name, bytes) of each file on offer."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[str, Path] = {}

    def offer(self, paths: Sequence[Path]) -> None:
        """Offer these files, in the place of those before."""
        self._paths = {path.name: path for path in paths}
        self.files = [(path.name, path.stat().st_size) for path in paths]

    def read(self, name: str) -> tuple[str, bytes]:
        """Return the name and the content of one of the files on offer."""
        return name, self._paths[name].read_bytes()

    def hand_over(self, file: tuple[str, bytes]) -> None:
        """Send a file to the page that asked for it."""
        self.send({"file": file[0]}, buffers=[file[1]])
