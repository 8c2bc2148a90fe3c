"""A replay in a notebook: a small anywidget. The run is sent once, compressed; frames are drawn in the page."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import anywidget
import traitlets as t

from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError
from vidgen_nb.replay.file import packed
from vidgen_nb.replay.page import widget_module, widget_style

__all__ = ["Replay"]

MAX_DRAWN_ATTEMPTS = 1_000
"""A notebook keeps no picture of more: it would make the file heavy."""


class Replay(anywidget.AnyWidget):
    """A recorded run that plays in the page, with or without a kernel behind it.

    `time`, `playing`, `speed` and `selected` go both ways: set them in a cell, or read what a hand has done; `observe`
    tells of changes. While it plays, `time` is brought up to date a few times a second.
    """

    _esm = widget_module()
    _css = widget_style()
    _run = t.Bytes().tag(sync=True)
    time = t.Float(0.0, help="Run seconds.").tag(sync=True)
    playing = t.Bool(False, help="Whether it plays.").tag(sync=True)
    speed = t.Float(1.0, help="Run seconds per second.").tag(sync=True)
    selected = t.Unicode(None, allow_none=True, help="The id of the scene whose path is lit; None: none.").tag(
        sync=True
    )

    def __init__(
        self, columns: Mapping[str, Any], *, speed: float | None = None, picture: Callable[[], str] | None = None
    ) -> None:
        """`picture`: makes the SVG that stays in a saved notebook, for readers without a kernel."""
        self._scenes = dict.fromkeys(columns["scenes"]["id"])
        self._first: float = columns["start"] / columns["scale"]
        self._last: float = columns["end"] / columns["scale"]
        self._picture = picture if len(columns["attempts"]["start"]) <= MAX_DRAWN_ATTEMPTS else None
        self._text = f"<Replay of {columns['title']}: {' '.join(columns['summary'])}>"
        chosen = columns["speed"] if speed is None else speed
        if not is_number(chosen):
            raise _wrong_speed(chosen)
        super().__init__(_run=packed(columns), time=self._first, speed=chosen)

    @t.validate("time")
    def _valid_time(self, proposal: Any) -> float:
        """Keep within the run."""
        if math.isnan(proposal["value"]):
            raise InputError("time is a number of run seconds, not nan")
        return min(self._last, max(self._first, float(proposal["value"])))

    @t.validate("speed")
    def _valid_speed(self, proposal: Any) -> float:
        """Refuse what would not play."""
        if not 0 < proposal["value"] < math.inf:
            raise _wrong_speed(proposal["value"])
        return float(proposal["value"])

    @t.validate("selected")
    def _valid_selected(self, proposal: Any) -> str | None:
        """Refuse a scene that is not there."""
        wanted: str | None = proposal["value"]
        if wanted is not None and wanted not in self._scenes:
            raise InputError(f"no scene {wanted!r} in this run; run.scenes lists them")
        return wanted

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show the widget; where there is none, such as on GitHub, a picture of the run."""
        found = super()._repr_mimebundle_(**options)
        if found is not None and self._picture is not None:
            source = b64encode(self._picture().encode()).decode()
            data = found[0] if isinstance(found, tuple) else found
            data["text/html"] = f'<img alt="{escape(self._text)}" src="data:image/svg+xml;base64,{source}">'
        return found

    def __repr__(self) -> str:
        return self._text


def _wrong_speed(speed: Any) -> InputError:
    return InputError(f"speed is a number of run seconds per second, above 0, not {speed!r}")
