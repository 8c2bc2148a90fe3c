"""The labels of the live chart's lanes, which are controls: a column beside the figure, with the same heights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed

__all__ = ["LaneColumn"]

_FOLDER = Path(__file__).parent


class LaneColumn(anywidget.AnyWidget):
    """A label for each lane. The page sends `{"use": name, "on": bool}`, `{"release": name}` or `{"select": null}`."""

    _esm = _FOLDER / "lanes.js"
    _css = _FOLDER / "lanes.css"
    lanes: Any = t.List().tag(sync=True)
    """For each lane what `lane_facts` returns, with its `top` and `height` in pixels."""
    height = t.Int(0).tag(sync=True)
    """Of the whole column, in pixels."""
    queue: Any = t.Dict().tag(sync=True)
    """The label of the queue: its `text`, `top` and `height`; empty: there is no queue."""
    running = t.Bool(False).tag(sync=True)
    """Whether a run goes on; otherwise gauges stand still."""
    closed = t.Bool(False).tag(sync=True)
    """Whether nothing can be changed any more."""

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self.on_msg(lambda _widget, content, _buffers: on_message(content) if isinstance(content, dict) else None)
        receive_while_blocked(self)

    def show(self, **values: Any) -> None:
        """Set what has changed."""
        with self.hold_sync():
            for name, value in values.items():
                set_if_changed(self, name, value)
