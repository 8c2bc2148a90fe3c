"""Widgets with a lot of JavaScript: their kernel sends it once, apart from their state.

A page that is reloaded asks for the state of all widgets and gives up after 4 s (JupyterLab 4.6). With plotly.js in the
state of every chart, a busy machine was too late, and the page said "model not found". Besides, anywidget 0.11 gives up
a widget whose module takes more than 2 s to load.
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

from vidgen_nb.machine.browser import in_browser
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked

__all__ = ["SeparateModuleWidget", "loader"]

_LOADER = (Path(__file__).parent / "js_module.js").read_text(encoding="utf-8")


@cache
def _compressed(source: str) -> bytes:
    # in a browser it goes no further than to the page, and packing plotly.js takes longer than all else there
    return compress(source.encode(), 0 if in_browser() else 9)


@cache
def _module_id(source: str) -> str:
    return sha256(source.encode()).hexdigest()


def loader(source: str) -> str:
    """Return a small module that stands in for `source` until the page has received it."""
    return f"const MODULE = {dumps(_module_id(source))};\n{_LOADER}"


class SeparateModuleWidget(anywidget.AnyWidget):
    """A widget with `module`, an ES module as anywidget takes it, and `_esm = loader(module)`."""

    module = ""
    _module_follows = t.Bool(False).tag(sync=True)
    """The kernel sends the module without being asked."""

    def open(self) -> None:
        """Announce this widget to the page, then send the module: while a cell runs, an answer might come late."""
        self._module_follows = True
        super().open()
        receive_while_blocked(self)
        self._send_module()
        self._module_follows = False  # a page that asks for the state later asks for the module, too
        self.on_msg(self._on_message)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("module") == _module_id(self.module):
            self._send_module()

    def _send_module(self) -> None:
        self.send({"module": _module_id(self.module)}, buffers=[_compressed(self.module)])
