"""What the panel needs of the page that shows it: its theme, downloads, menus, questions, and names for everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets as t

from vidgen_nb.notebook.panel.control_binding import receive_while_blocked

__all__ = ["PageBridge"]


class PageBridge(anywidget.AnyWidget):
    """Offers files for download; the page sends `{"download": name}` when the reader wants one.

    And `{"dismissed": true}` when the reader has seen them.

    It sends `{"opened": name}` when a menu or the drawer is opened for the first time, so that its content can be made.
    """

    _esm = Path(__file__).parent / "page_bridge.js"
    dark = t.Bool(None, allow_none=True).tag(sync=True)
    """Whether the page's theme is dark; None: no page has said yet."""
    files: Any = t.List().tag(sync=True)
    """(name, bytes) of each file on offer."""
    files_note = t.Unicode().tag(sync=True)
    """What there is to say of them."""
    controls: Any = t.Dict().tag(sync=True)
    """For the class of each control: its `label`, `why` it is disabled, what is `wrong` with what stands in it, and
    what to `ask` first."""

    notify = t.Bool(False).tag(sync=True)
    """Whether the reader wants to be told when a run ends; the page sends `{"refused": why}` if the browser doesn't."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[str, Path] = {}
        receive_while_blocked(self)

    def offer_files(self, paths: Sequence[Path], note: str = "") -> None:
        """Offer these files instead of the earlier ones."""
        self._paths = {path.name: path for path in paths}
        self.files = [(path.name, path.stat().st_size) for path in paths]
        self.files_note = note

    def withdraw_files(self, note: str = "") -> None:
        """Offer no files any more, or not yet."""
        self.offer_files((), note)

    def tell_end(self, title: str, text: str) -> None:
        """Have the browser tell of a run's end, if the page is hidden."""
        self.send({"ended": {"title": title, "text": text, "tag": uuid4().hex}})

    def send_file(self, name: str) -> None:
        """Send one of the files on offer to the page that asked for it."""
        self.send({"file": name}, buffers=[self._paths[name].read_bytes()])
