"""Widgets whose JavaScript is large: their kernel sends it once, apart from their state.

A page that is loaded anew asks for the state of all widgets, and gives up after 4 s (JupyterLab 4.6): with plotly.js in
the state of every chart, a busy machine was too late, and the page said "model not found". And anywidget 0.11 gives up
a widget whose module takes more than 2 s to come up.
"""

from __future__ import annotations

from functools import cache
from gzip import compress
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from vidgen_nb.notebook.panel.control_binding import answer_anywhere

__all__ = ["WithModule", "loader"]

_LOADER = (Path(__file__).parent / "js_module.js").read_text(encoding="utf-8")


@cache
def _packed(source: str) -> bytes:
    return compress(source.encode())


@cache
def _name(source: str) -> str:
    return sha256(source.encode()).hexdigest()


def loader(source: str) -> str:
    """Return the small module that stands in for `source` until the page has that."""
    return f"const MODULE = {dumps(_name(source))};\n{_LOADER}"


class WithModule(anywidget.AnyWidget):
    """A widget with `module`, an ES module as anywidget takes it, and `_esm = loader(module)`."""

    module = ""
    _module_follows = t.Bool(False).tag(sync=True)

    def open(self) -> None:
        """Tell the page of this widget, and send the module after it: while a cell goes on, an answer may be late."""
        self._module_follows = True
        super().open()
        answer_anywhere(self)
        self._send_module()
        self._module_follows = False  # who asks for the state later asks for the module, too
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("module") == _name(self.module):
            self._send_module()

    def _send_module(self) -> None:
        self.send({"module": _name(self.module)}, buffers=[_packed(self.module)])
