"""The table of scenes: a widget that shows rows, and hands over what is asked of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from gzip import compress
from pathlib import Path
from typing import Any

import traitlets as t

from vidgen_nb.notebook.panel.page.js_module import SeparateModuleWidget, loader

__all__ = ["Answer", "ScenesTable"]

Answer = Callable[..., None]
"""Answers a page's request: `answer({"ok": True})`, and `buffers=` where there are some."""
_FOLDER = Path(__file__).parent
_PARTS = ("scene_stills.js", "scene_editor.js", "scene_actions.js", "scenes.js")
MIN_BYTES_TO_COMPRESS = 10_000


def _source() -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _PARTS)


class ScenesTable(SeparateModuleWidget):
    """Rows by key. They are no state of the widget: a page asks for all once, and is sent what changes since.

    Ten thousand rows are megabytes, and a trait would send all of them at each change.
    """

    module = _source()
    _esm = loader(module)
    _css = _FOLDER / "scenes.css"
    highlighted = t.Unicode().tag(sync=True)
    """The id of the scene that the chart highlights; empty: none."""
    alert = t.Unicode().tag(sync=True)
    """What is wrong with what was to be loaded."""
    disabled = t.Unicode().tag(sync=True)
    """Why nothing can be asked of scenes; empty: it can."""

    def __init__(self, request: Callable[[dict[str, Any], list[Any], Answer], None]) -> None:
        """`request` is called, on any thread, with what a page asks, its buffers, and how to answer it."""
        super().__init__()
        self.has_page = False
        """A page has asked for the rows."""
        self.on_msg(lambda _widget, content, buffers: request(content, buffers or [], self._answer_to(content)))

    def send_rows(self, rows: Iterable[dict[str, Any]], removed: Iterable[str] = (), *, reset: bool = False) -> None:
        """Send rows that are new or have changed, and the keys of those that are gone; `reset`: forget all others."""
        found, gone = list(rows), list(removed)
        if not (found or gone or reset):
            return
        text = json.dumps(found, ensure_ascii=True, separators=(",", ":"))
        message: dict[str, Any] = {"what": "rows", "removed": gone, "reset": reset}
        if len(text) < MIN_BYTES_TO_COMPRESS:
            self.send({**message, "rows": found})
        else:
            self.send(message, buffers=[compress(text.encode(), 4)])

    def _answer_to(self, content: dict[str, Any]) -> Answer:
        def answer(found: dict[str, Any], buffers: list[bytes] | None = None) -> None:
            self.send({**found, "answer": content.get("request")}, buffers=buffers or [])

        return answer
