"""The explorer's widget: it tells the page what to show, and does what the page asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.comparing import SlicedComparison, in_words
from vidgen_nb.notebook.explorer.exploration import Exploration
from vidgen_nb.notebook.explorer.form import besides, choices, form_of
from vidgen_nb.notebook.explorer.picture import Pictures, palette
from vidgen_nb.notebook.explorer.state import ExplorerState, differing
from vidgen_nb.notebook.explorer.tiles import Tile, tiles
from vidgen_nb.notebook.panel.control_binding import receive_while_blocked, set_if_changed
from vidgen_nb.plaintext import error_line, one_line
from vidgen_nb.run import Run
from vidgen_nb.wording.durations import duration

__all__ = ["ExplorerPage"]

_FOLDER = Path(__file__).parent
_MODULE = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("gantt.js", "explorer.js"))
MAX_WORDS = 80
SPOKEN = ("Time", "Refusals (429)", "Share of the bound")
"""The tiles that are read out once a hand rests."""


class ExplorerPage(anywidget.AnyWidget):
    """What the page shows, and what becomes of its messages (`_do`)."""

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

    def __init__(self, exploration: Exploration, settled: Callable[[], None]) -> None:
        """`settled` is called once a hand rests."""
        super().__init__()
        self._explored, self._when_settled = exploration, settled
        self._serial = 0
        self._sliced: SlicedComparison | None = None
        self._compared: tuple[ExplorerState | None, ExplorerState] | None = None
        """The settings of the latest comparison."""
        self._pictures = Pictures()
        self._measured: list[tuple[Run, Metrics]] = []
        """Of the present run and the one before: bounds, once known, stay known."""
        self.comparison = {"running": False}
        self.settled = {"serial": 0, "tiles": [], "said": ""}
        self.show()
        self._settle(self._serial)  # the first bound takes longest, and nobody moves a slider yet
        self.on_msg(self._on_message)
        receive_while_blocked(self)

    # -- to the page

    def show(self, number: str | None = None, errors: Mapping[str, str] | None = None) -> None:
        """Show the present setting, as the answer to that message or, without a number, because a cell has set it."""
        explored, state = self._explored, self._explored.state
        before = explored.previous_run
        self._serial += 1
        form = {
            "accounts": [one_line(each.name, 60) for each in state.profiles],
            "choices": choices(explored.given),
            "looks": palette(),
        }
        try:
            text = explored.state_text
        except InputError as error:
            text = f"no text: {error}"
        answer = {
            "number": number,
            "serial": self._serial,
            "errors": {name: one_line(each, 300) for name, each in (errors or {}).items()},
            "hints": self._hints(),
            "values": form_of(state),
            "picture": self._pictures.picture(
                explored.run.data,
                None if before is None else before.data,
                [each.name for each in state.profiles],
                state.outage,
            )
            | {"was": self._was()},
            "tiles": [_plain(each) for each in self._tiles(bound=False)],
            "text": text,
            "besides": besides(state, explored.fixed.options),
            "before": before is not None,
            "keeps": explored.keeps_previous,
            "compared": self._is_compared,
        }
        with self.hold_sync():
            set_if_changed(self, "form", form)
            self.answer = answer

    @property
    def _is_compared(self) -> bool:
        """Whether the latest comparison is one of the settings that are shown."""
        return self._compared == (self._explored.previous, self._explored.state)

    def _hints(self) -> dict[str, str]:
        """Return what is odd about a setting, though nothing is wrong, by control."""
        outage, end = self._explored.state.outage, self._explored.run.data.end
        if outage is None or outage.end <= end:
            return {}
        if outage.start >= end:
            return {"outage_start": f"the run is over at {duration(end)}, before the outage begins"}
        return {"outage_length": f"longer than the run, which ends at {duration(end)}"}

    def _was(self) -> str:
        """Return in a few words what differed in the setting before."""
        before = self._explored.previous
        if before is None:
            return ""
        try:
            return one_line(", ".join(was for was, _ in differing(before, self._explored.state)), MAX_WORDS)
        except InputError:  # a class of one's own has no text
            return ""

    def _settle(self, serial: int) -> None:
        """Show how far the run is from the best possible, if the page still shows that setting."""
        if serial != self._serial:
            return
        found = self._tiles(bound=True)
        said = "; ".join(f"{each.name} {each.value} {each.difference}".strip() for each in found if each.name in SPOKEN)
        self._when_settled()
        self.settled = {"serial": serial, "tiles": [_plain(each) for each in found], "said": said}

    def _tiles(self, *, bound: bool) -> list[Tile]:
        before = self._explored.previous_run
        runs = [self._explored.run] if before is None else [self._explored.run, before]
        known = {id(run): metrics for run, metrics in self._measured}
        self._measured = [(run, known.get(id(run)) or run.metrics()) for run in runs]
        metrics = [each for _, each in self._measured]
        return list(tiles(metrics[0], metrics[1] if before is not None else None, bound=bound))

    # -- from the page

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        with self._explored.lock:
            self._do(content)

    def _do(self, content: Mapping[str, Any]) -> None:
        explored = self._explored
        match content:
            case {"change": [*pairs], "number": number, "gesture": gesture}:
                self.show(number, explored.change(dict(pairs), gesture))
            case {"settle": int(serial)}:
                self._settle(serial)
            case {"paste": str(text)}:
                self._paste(text)
            case {"back": True}:
                explored.go_back()
            case {"keep": bool(keep)}:
                explored.keeps_previous = keep
            case {"compare": seeds}:
                self._compare(seeds)
            case {"go_on": int(done)} if self._sliced is not None and done == self._sliced.done:
                self._go_on()
            case {"stop": True} if self._sliced is not None:
                self._end_comparison()
            case _:
                pass

    def _paste(self, text: str) -> None:
        explored = self._explored
        try:
            explored.state = text
        except Exception as error:  # noqa: BLE001 - a policy of the user's own may fail
            self.show(None, {"text": error_line(error) if not isinstance(error, InputError) else str(error)})

    # -- many seeds

    def _compare(self, seeds: Any) -> None:
        try:
            self._sliced = SlicedComparison(*self._explored.cases(seeds))
            self._compared = self._explored.previous, self._explored.state
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
        except Exception as error:  # noqa: BLE001 - a policy of the user's own, say
            self._sliced = None
            self.comparison = {"running": False, "error": error_line(error, 400)}
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
        found = self._explored.comparison = sliced.result()
        self.comparison = {"running": False, "old": not self._is_compared, **in_words(found)}


def _plain(tile: Tile) -> dict[str, Any]:
    return {"name": tile.name, "value": tile.value, "difference": tile.difference, "better": tile.is_better,
            "meaning": tile.meaning}  # fmt: skip
