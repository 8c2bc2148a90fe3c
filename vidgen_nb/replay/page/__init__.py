"""The JavaScript and style of a replay: one module for the widget, one for a page of its own, from the same parts.

`model.js` answers what was so at a time, `player.js` is the clock, `picture.js` draws on canvases, `lanes.js` writes
the labels, `view.js` is what a person presses; `widget.js` and `file.js` put them together. The parts are joined as
text, so that a page needs no other file and makes no request.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["file_script", "file_style", "widget_module", "widget_style"]

_FOLDER = Path(__file__).parent
_PARTS = ("model.js", "player.js", "picture.js", "lanes.js", "view.js")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def widget_module() -> str:
    """Return the ES module of the widget."""
    return "\n".join(map(_read, (*_PARTS, "widget.js")))


@cache
def file_script() -> str:
    """Return the script of a page of its own."""
    return "\n".join(map(_read, (*_PARTS, "file.js")))


def widget_style() -> str:
    """Return the style of a replay."""
    return _read("replay.css")


def file_style() -> str:
    """Return the style of a replay, and of the page around it."""
    return _read("replay.css") + _read("file.css")
