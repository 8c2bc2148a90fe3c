"""The rows of the table of scenes: those of the run, and before them those that are loaded and have not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nb.analysis.records.model import SceneRecord
from vidgen_nb.core.model import Scene
from vidgen_nb.notebook.panel.panel_words import in_panel_words
from vidgen_nb.notebook.panel.status.scene_list import SceneList
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.standing import standing

__all__ = ["Change", "SceneRows"]

MAX_PROMPT_CHARS = 1000
"""Of a prompt in a tooltip; the editor has all of it."""
Row = dict[str, Any]
Change = tuple[list[Row], list[str], bool]
"""Rows to send, keys to remove, and whether all others are gone."""


class SceneRows:
    """Keeps the rows that a page has, so that only differences are sent."""

    def __init__(self) -> None:
        self._scenes: SceneList | None = None
        self._rows: dict[str, Row] = {}
        self._loaded: dict[str, Scene] = {}
        """Scenes that have not run, by key."""
        self._loaded_version: object = None

    def all(self) -> list[Row]:
        """Return all rows."""
        return list(self._rows.values())

    def video(self, key: str) -> str:
        """Return the file of a finished video; empty: there is none."""
        return (self._rows.get(key) or {}).get("video") or ""

    def scene(self, key: str) -> tuple[Scene, bool] | None:
        """Return the scene of a row, and whether it is one of the run; None: there is no such row."""
        if (loaded := self._loaded.get(key)) is not None:
            return loaded, False
        given = self._scenes.given.get(key[2:]) if self._scenes is not None and key.startswith("r:") else None
        return None if given is None else (given, True)

    def update(self, scenes: SceneList, version: int, not_run: Any, unwritten: Mapping[str, str]) -> Change:
        """Bring the rows up to date, and return what has changed.

        `not_run(given)`: the loaded scenes that have not run, asked for only if `version` or the run's scenes have
        changed. `unwritten`: why videos can't be saved.
        """
        reset = scenes is not self._scenes
        changed: Sequence[SceneRecord] = scenes.take_changed()
        if reset:
            self._scenes, self._rows, self._loaded, self._loaded_version = scenes, {}, {}, None
            changed = scenes.all()
        new: list[Row] = []
        for record in changed:
            self._put(self._run_row(record, scenes.cost(record.id), unwritten), new)
        removed: list[str] = []
        if (version, scenes.edits) != self._loaded_version:
            self._loaded_version = version, scenes.edits
            removed = self._update_loaded(not_run(scenes.given), new)
        return new, removed, reset

    def _put(self, row: Row, new: list[Row]) -> None:
        before = self._rows.get(row["key"])
        row["place"] = row.get("place", before["place"] if before is not None else len(self._rows))
        if row != before:
            self._rows[row["key"]] = row
            new.append(row)

    def _update_loaded(self, scenes: Sequence[Scene], new: list[Row]) -> list[str]:
        before, self._loaded = self._loaded, {f"l:{scene.id}": scene for scene in scenes}
        for index, (key, scene) in enumerate(self._loaded.items()):
            self._put({**_row(key, scene.id, scene.prompt, "not run yet"), "place": index - len(scenes)}, new)
        removed = [key for key in before if key not in self._loaded]
        for key in removed:
            del self._rows[key]
        return removed

    def _run_row(self, record: SceneRecord, cost: str | None, unwritten: Mapping[str, str]) -> Row:
        return {
            **_row(f"r:{record.id}", record.id, record.prompt, standing(record.status)),
            "account": one_line(record.profile or "", 60),
            "tries": record.attempts,
            "cost": cost,
            "note": one_line(in_panel_words(unwritten.get(record.id) or record.error or ""), 300),
            "video": record.path if record.status == "succeeded" else None,
        }


def _row(key: str, scene: str, prompt: str, status: str) -> Row:
    return {
        "key": key, "scene": scene, "id": one_line(scene, 120), "prompt": one_line(prompt, MAX_PROMPT_CHARS),
        "status": status, "account": "", "tries": 0, "cost": None, "note": "", "video": None,
    }  # fmt: skip
