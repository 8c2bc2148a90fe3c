"""The explorer's widget: it tells the page what to show, and does what the page asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets as t

from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.notebook.explorer.comparing import SlicedComparison, in_words
from vidgen_nb.notebook.explorer.form import besides, choices, form_of
from vidgen_nb.notebook.explorer.picture import palette, picture
from vidgen_nb.notebook.explorer.tiles import Tile, tiles
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.plaintext import one_line

if TYPE_CHECKING:
    from vidgen_nb.notebook.explorer.explorer import Explorer

__all__ = ["ExplorerPage"]

_FOLDER = Path(__file__).parent
_MODULE = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("gantt.js", "explorer.js"))
SPOKEN = ("Time", "Refusals (429)", "Share of the bound")
"""The tiles that are read out once a hand rests."""


class ExplorerPage(anywidget.AnyWidget):
    """What the page shows. It sends, one at a time: `change`, `settle`, `paste`, `back`, `keep`, `compare`, `go_on`, `stop`."""

    _esm = _MODULE
    _css = _FOLDER / "explorer.css"
    form: Any = t.Dict().tag(sync=True)
    """The accounts' names, what can be chosen, and the looks of bars."""
    answer: Any = t.Dict().tag(sync=True)
    """What there is to see of the present setting; its `number` is that of the message it answers, None: a cell's."""
    settled: Any = t.Dict().tag(sync=True)
    """The tiles once more, with the bound, which takes longer."""
    comparison: Any = t.Dict().tag(sync=True)
    """How far a comparison is, and what it has found."""

    def __init__(self, explorer: Explorer) -> None:
        super().__init__()
        self._explorer = explorer
        self._serial = 0
        self._sliced: SlicedComparison | None = None
        self.comparison = {"running": False}
        self.show()
        self.on_msg(self._on_message)
        receive_while_blocked(self)

    # -- to the page

    def show(self, number: int | None = None, errors: Mapping[str, str] | None = None) -> None:
        """Show the present setting, as the answer to that message or, without a number, because a cell has set it."""
        explorer, state = self._explorer, self._explorer.state
        before, metrics = explorer.previous_run, explorer.run.metrics()
        self._serial += 1
        form = {
            "accounts": [one_line(each.name, 60) for each in state.profiles],
            "choices": choices(explorer.given),
            "looks": palette(),
        }
        try:
            text = explorer.state_text
        except InputError as error:
            text = f"no text: {error}"
        answer = {
            "number": number,
            "serial": self._serial,
            "errors": {name: one_line(each, 300) for name, each in (errors or {}).items()},
            "values": form_of(state),
            "picture": picture(
                explorer.run.data,
                None if before is None else before.data,
                [each.name for each in state.profiles],
                state.outage,
            ),
            "tiles": _plain(tiles(metrics, None if before is None else before.metrics(), bound=False)),
            "text": text,
            "besides": besides(state, explorer.fixed.options),
            "before": before is not None,
            "keeps": explorer.keeps_previous,
        }
        with self.hold_sync():
            set_if_changed(self, "form", form)
            self.answer = answer

    def _settle(self, serial: int) -> None:
        """Show how far the run is from the best possible, if the page still shows that setting."""
        if serial != self._serial:
            return
        explorer = self._explorer
        before = explorer.previous_run
        found = list(tiles(explorer.run.metrics(), None if before is None else before.metrics(), bound=True))
        self.settled = {"serial": serial, "tiles": _plain(iter(found)), "said": _spoken(found)}

    # -- from the page

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        with self._explorer.lock:
            self._do(content)

    def _do(self, content: Mapping[str, Any]) -> None:
        explorer = self._explorer
        match content:
            case {"change": [*pairs], "number": number, "gesture": gesture}:
                self.show(number, explorer.change(dict(pairs), gesture))
            case {"settle": int(serial)}:
                self._settle(serial)
            case {"paste": str(text)}:
                self._paste(text)
            case {"back": True}:
                explorer.go_back()
            case {"keep": bool(keep)}:
                explorer.keeps_previous = keep
            case {"compare": seeds}:
                self._compare(seeds)
            case {"go_on": int(done)} if self._sliced is not None and done == self._sliced.done:
                self._go_on()
            case {"stop": True} if self._sliced is not None:
                self._end_comparison()
            case _:
                pass

    def _paste(self, text: str) -> None:
        explorer = self._explorer
        try:
            explorer.state = text
        except InputError as error:
            self.show(None, {"text": str(error)})

    # -- many seeds

    def _compare(self, seeds: Any) -> None:
        try:
            self._sliced = SlicedComparison(*self._explorer.cases(seeds))
        except InputError as error:
            self.comparison = {"running": False, "error": one_line(str(error), 400)}
            return
        self.comparison = {"running": True, "done": 0, "wanted": self._sliced.wanted}

    def _go_on(self) -> None:
        sliced = self._sliced
        if sliced is None:
            return
        try:
            sliced.go_on()
        except VidgenError as error:
            self._sliced = None
            self.comparison = {"running": False, "error": one_line(str(error), 400)}
            return
        if sliced.is_done:
            self._end_comparison()
        else:
            self.comparison = {"running": True, "done": sliced.done, "wanted": sliced.wanted}

    def _end_comparison(self) -> None:
        """Show what there is by now, and keep it for the cells."""
        sliced, self._sliced = self._sliced, None
        if sliced is None or not sliced.done:
            self.comparison = {"running": False}
            return
        found = self._explorer.comparison = sliced.result()
        words = in_words(found)
        self.comparison = {"running": False, "rows": words["rows"], "words": words["said"], "names": words["names"]}


def _plain(found: Any) -> list[dict[str, Any]]:
    return [_tile(each) for each in found]


def _tile(each: Tile) -> dict[str, Any]:
    return {"name": each.name, "value": each.value, "difference": each.difference, "better": each.is_better,
            "meaning": each.meaning}  # fmt: skip


def _spoken(found: list[Tile]) -> str:
    """Return what a screen reader says once a hand rests."""
    return "; ".join(f"{each.name} {each.value} {each.difference}".strip() for each in found if each.name in SPOKEN)

