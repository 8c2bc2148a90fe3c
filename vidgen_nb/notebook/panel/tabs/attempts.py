"""The table of attempts: DataTables, which sorts, filters and pages, in the copy that comes with itables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import traitlets as t

from vidgen_nb.analysis.records.builder import AttemptRecord
from vidgen_nb.charts.drawing.text import AT_PROVIDER
from vidgen_nb.notebook.panel.page.js_module import SeparateModuleWidget, loader
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.plaintext import one_line

__all__ = ["AttemptsTable"]

HEADINGS: Final = [
    ["Scene", "scene"], ["Try", "whole"], ["Account", "text"], ["Waiting since (s)", "number"],
    ["Start (s)", "number"], ["Took (s)", "number"], ["Outcome", "text"], ["Retry-After (s)", "number"],
    ["Reason", "text"],
]  # fmt: skip
"""Heading and kind of each column."""
_OUTCOME_LABELS = {None: "… running", "succeeded": "✓ succeeded", "rate_limited": "▲ 429", "ambiguous": "? in doubt"}
_FOLDER, _ITABLES = Path(__file__).parent, Path(find_spec("itables").origin or "").parent / "html"  # type: ignore[union-attr]  # importing it imports pandas


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class AttemptsTable(SeparateModuleWidget):
    """The latest attempts. Its page sends `{"select": id}` when a scene is clicked."""

    module = f"const SOURCE = {json.dumps(_read(_ITABLES / 'dt_bundle.js'))};\n{_read(_FOLDER / 'attempts.js')}"
    _esm = loader(module)
    _css = _read(_ITABLES / "dt_bundle.css")
    headings = t.List(HEADINGS).tag(sync=True)
    rows: Any = t.List().tag(sync=True)
    """For each attempt a list: a value for each heading, and the scene's unchanged id."""

    chosen = t.Unicode("").tag(sync=True)
    """The scene that is selected in the chart; empty: none."""

    def __init__(self) -> None:
        super().__init__()
        self._row_of: dict[AttemptRecord, list[Any]] = {}

    def show(self, attempts: Sequence[AttemptRecord]) -> None:
        """Show these; each row is made once, and once more when its attempt has ended."""
        self._row_of = {each: self._row_of.get(each) or _row(each) for each in attempts}
        rows = list(self._row_of.values())
        if rows != self.rows:
            self.rows = rows


def _row(each: AttemptRecord) -> list[Any]:
    took = None if each.end is None else round(each.end - each.start, 3)
    label = f"… {AT_PROVIDER}" if each.waits_at_provider else _OUTCOME_LABELS.get(each.outcome, f"✕ {each.outcome}")
    return [  # as HEADINGS
        one_line(each.scene, 120), each.number, one_line(each.profile, 120), round(each.queued, 3),
        round(each.start, 3), took, one_line(label), each.retry_after,
        one_line(in_panel_words(each.reason or ""), 160), each.scene,
    ]  # fmt: skip
