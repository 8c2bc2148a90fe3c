"""What the panel needs of the page that shows it: whether its theme is dark, and downloads for the reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

__all__ = ["PageBridge"]


class PageBridge(anywidget.AnyWidget):
    """Offers files for download; the page sends `{"download": name}` when the reader wants one."""

    _esm = Path(__file__).parent / "page_bridge.js"
    dark = t.Bool(None, allow_none=True).tag(sync=True)
    """Whether the page's theme is dark; None: no page has said yet."""
    files: Any = t.List().tag(sync=True)
    """(name, bytes) of each file on offer."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[str, Path] = {}

    def offer_files(self, paths: Sequence[Path]) -> None:
        """Offer these files instead of the earlier ones."""
        self._paths = {path.name: path for path in paths}
        self.files = [(path.name, path.stat().st_size) for path in paths]

    def send_file(self, name: str) -> None:
        """Send one of the files on offer to the page that asked for it."""
        self.send({"file": name}, buffers=[self._paths[name].read_bytes()])
