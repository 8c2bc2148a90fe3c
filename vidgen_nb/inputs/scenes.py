"""Scenes from whatever a user has: a file, lines of text, a list, a DataFrame."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import DuplicateScene, FileFormatError, InputError
from vidgen_nb.inputs.text_files import (
    Row,
    read_text,
    rows_of_csv,
    rows_of_json,
    rows_of_json_lines,
    rows_of_text,
)

__all__ = ["load_scenes"]

_ROW_READERS: Final[Mapping[str, Callable[[str, str], Iterator[Row]]]] = {
    ".txt": rows_of_text,
    ".csv": rows_of_csv,
    ".json": rows_of_json,
    ".jsonl": rows_of_json_lines,
}
_INT: Final = re.compile(r"-?(0|[1-9]\d{0,14})", re.ASCII)
_FLOAT: Final = re.compile(r"-?(0|[1-9]\d{0,14})?\.\d{1,17}(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)


def load_scenes(source: Any, *, after: int = 0) -> list[Scene]:
    r"""Return the scenes of a source, in its order.

    `source` is one of

    - a path (str or Path) to `.txt` (one prompt per line; blank lines and lines that begin with # are ignored), `.csv`
      (a column `prompt`, optionally `id`, and parameters; what looks like a number becomes one), `.json` (a list of
      prompts or objects, or an object with that list under `scenes`), `.jsonl`;
    - a text of several lines, read like a `.txt`;
    - a list of prompts, mappings and `Scene`s, or a DataFrame with the columns of a `.csv`.

    Scenes without an id are numbered by their position: s001, s002, …, counted from `after`. Raises `FileFormatError`
    with the line for a file that can't be read, `DuplicateScene` for an id that appears twice, and `InputError` for
    anything else that is wrong.

    >>> load_scenes("a lighthouse at dawn\na harbour at night\n")
    [Scene('s001', 'a lighthouse at dawn'), Scene('s002', 'a harbour at night')]
    """
    if isinstance(source, str) and "\n" in source:
        return _not_empty(_make_scenes(rows_of_text(source, ""), None, after), "the text")
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(source), after)
    if isinstance(source, Scene):
        return [source]
    if hasattr(source, "columns") and hasattr(source, "to_dict"):
        return _make_scenes(((None, _without_missing(row)) for row in source.to_dict(orient="records")), None, after)
    if isinstance(source, Iterable) and not isinstance(source, bytes | Mapping):
        return _make_scenes(((None, item) for item in source), None, after)
    raise InputError(
        f"scenes come from a path, a text of several lines, a list or a DataFrame, not from {type(source).__name__}"
    )


def _from_file(path: Path, after: int) -> list[Scene]:
    reader = _ROW_READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f'{str(path)!r} is no file of scenes ({", ".join(_ROW_READERS)}); give prompts as a list: ["a prompt"]'
        )
    return _not_empty(
        _make_scenes(reader(read_text(path), str(path)), str(path), after, numbers=reader is rows_of_csv), str(path)
    )


def _not_empty(scenes: list[Scene], what: str) -> list[Scene]:
    if not scenes:
        raise FileFormatError(what, "there are no scenes in it")
    return scenes


def _make_scenes(rows: Iterable[Row], path: str | None, after: int, *, numbers: bool = False) -> list[Scene]:
    found = list(rows)
    width = max(3, len(str(after + len(found))))
    scenes: dict[str, Scene] = {}
    for place, (line, item) in enumerate(found, start=1):
        try:
            scene = _make_scene(item, f"s{after + place:0{width}}", numbers=numbers)
        except InputError as error:
            where = f"scene {place}: " if line is None else ""
            if path is None:
                raise InputError(f"{where}{error}") from None
            raise FileFormatError(path, f"{where}{error}", line) from None
        if scene.id in scenes:
            where = "" if line is None else f", line {line}"
            raise DuplicateScene(scene.id, f"is given twice (again at {path}{where})" if path else "")
        scenes[scene.id] = scene
    return list(scenes.values())


def _make_scene(item: Any, default_id: str, *, numbers: bool) -> Scene:
    if isinstance(item, Scene):
        return item
    if isinstance(item, str):
        return Scene(default_id, item)
    if not isinstance(item, Mapping):
        raise InputError(f"a scene is a prompt or a mapping with a prompt, not {type(item).__name__}")
    params = {str(name): value for name, value in item.items()}
    if "self" in params:
        raise InputError("a parameter can't be named 'self'")
    scene_id = params.pop("id", None)
    prompt = params.pop("prompt", None)
    if prompt is None:
        raise InputError(f"it has no prompt; found: {', '.join(map(repr, item)) or 'nothing'}")
    if numbers:
        params = {name: _number_or_text(value) for name, value in params.items()}
    return Scene(default_id if scene_id is None else _id_text(scene_id), prompt, **params)


def _id_text(value: Any) -> Any:
    """Return an id as text: tables turn ids into numbers, and 1 into 1.0 if another id is missing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _number_or_text(cell: str) -> str | int | float:
    """Return the number that a cell looks like, or its text; `007` and `1e400` stay texts."""
    text = cell.strip()
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _without_missing(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a DataFrame's row without missing values, and with numpy scalars as Python numbers."""
    known: dict[str, Any] = {}
    for name, value in row.items():
        plain = value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
        missing = plain is None or type(plain).__name__ in ("NAType", "NaTType")
        if not missing and not (isinstance(plain, float) and math.isnan(plain)):
            known[str(name)] = plain
    return known
