"""The table of attempts: DataTables, which sorts, filters and pages, in the copy that itables brings along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import traitlets as t

from vidgen_nb.analysis.records.builder import AttemptRecord
from vidgen_nb.notebook.panel.js_module import WithModule, loader
from vidgen_nb.plaintext import clean

__all__ = ["AttemptsTable"]

HEADS: Final = [
    ["Scene", "scene"], ["Try", "whole"], ["Profile", "text"], ["Queued s", "number"], ["Start s", "number"],
    ["Took s", "number"], ["Outcome", "text"], ["Retry-After s", "number"], ["Reason", "text"],
]  # fmt: skip
_MARKS = {None: "… running", "succeeded": "✓ succeeded", "rate_limited": "▲ 429", "ambiguous": "? in doubt"}
_HERE, _BUNDLE = Path(__file__).parent, Path(find_spec("itables").origin or "").parent / "html"  # type: ignore[union-attr]  # importing it imports pandas


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class AttemptsTable(WithModule):
    """The latest attempts. Its page sends `{"select": id}` when a scene is pressed."""

    module = f"const SOURCE = {json.dumps(_read(_BUNDLE / 'dt_bundle.js'))};\n{_read(_HERE / 'attempts.js')}"
    _esm = loader(module)
    _css = _read(_BUNDLE / "dt_bundle.css")
    heads = t.List(HEADS).tag(sync=True)
    rows: Any = t.List().tag(sync=True)
    """A list per attempt: a value per head, and the scene's id as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[AttemptRecord, list[Any]] = {}

    def show(self, attempts: Sequence[AttemptRecord]) -> None:
        """Show these; a row is made once, and again only when its attempt has ended."""
        self._made = {each: self._made.get(each) or _row(each) for each in attempts}
        rows = list(self._made.values())
        if rows != self.rows:
            self.rows = rows


def _row(each: AttemptRecord) -> list[Any]:
    took = None if each.end is None else round(each.end - each.start, 3)
    return [  # as HEADS
        clean(each.scene, 120), each.number, clean(each.profile, 120), round(each.queued, 3), round(each.start, 3),
        took, clean(_MARKS.get(each.outcome, f"✕ {each.outcome}")), each.retry_after, clean(each.reason or "", 120),
        each.scene,
    ]  # fmt: skip
