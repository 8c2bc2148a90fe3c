"""Scenes from whatever a user has: a file, lines of text, a list, a DataFrame."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import DuplicateScene, FileFormatError, InputError
from vidgen_nb.inputs.csv_files import rows_of_csv
from vidgen_nb.inputs.decoding import WORKBOOKS, decode, read_text, workbook_advice
from vidgen_nb.inputs.tables import Row, column_name, is_missing, plain_value, rows_of_columns, rows_of_frame
from vidgen_nb.inputs.text_files import rows_of_json, rows_of_json_lines, rows_of_text

__all__ = ["LoadedScenes", "load_scenes", "read_scenes"]

_ROW_READERS: Final[Mapping[str, Callable[[str, str], Iterator[Row]]]] = {
    ".txt": rows_of_text,
    ".csv": rows_of_csv,
    ".tsv": rows_of_csv,
    ".json": rows_of_json,
    ".jsonl": rows_of_json_lines,
    ".ndjson": rows_of_json_lines,
}


@dataclass(frozen=True)
class LoadedScenes:
    """The scenes of a source, in its order."""

    scenes: list[Scene]
    counted: frozenset[str] = frozenset()
    """The ids that are no scene's own: its place has given them."""


def load_scenes(source: Any, *, after: int = 0) -> list[Scene]:
    r"""Return the scenes of a source, in its order.

    `source` is one of

    - a path (str or Path) to `.txt` (one prompt per line; blank lines and lines that begin with # are ignored), `.csv`
      or `.tsv` (a column `prompt`, optionally `id`, and parameters; what looks like a number becomes one), `.json` (a
      list of prompts or objects, or an object with that list under `scenes`), `.jsonl`; or such a file that is open;
    - a text of several lines, read like a `.txt`; one that is a table or JSON is read as such;
    - a list of prompts, mappings and `Scene`s, or a DataFrame (pandas, polars, an Arrow table, a mapping of columns),
      which gives the same scenes as a `.csv` of it.

    Tables are taken as Excel, Google Sheets and pandas write them: with commas, semicolons or tabs, in UTF-8, UTF-16 or
    Windows-1252, with the index of pandas (which is not read), empty rows and columns, `1,5` between semicolons.

    Scenes without an id are numbered by their position: s001, s002, …, counted from `after`. Raises `FileFormatError`
    with the line for a file that can't be read, `DuplicateScene` for an id that appears twice, and `InputError` for
    anything else that is wrong.

    >>> load_scenes("a lighthouse at dawn\na harbour at night\n")
    [Scene('s001', 'a lighthouse at dawn'), Scene('s002', 'a harbour at night')]
    """
    return read_scenes(source, after=after).scenes


def read_scenes(source: Any, *, after: int = 0) -> LoadedScenes:
    """Return the scenes of a source, as `load_scenes` does, and which of them had no id."""
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        return _not_empty(_make_scenes(rows_of_text(source, "the text"), None, after), "the text")
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(source), after)
    if isinstance(source, Scene):
        return LoadedScenes([source])
    if hasattr(source, "read"):
        return _not_empty(_make_scenes(_rows_of_open_file(source), None, after), "the file")
    rows = _rows_of_object(source)
    if rows is None:
        do = ": put a single scene in a list" if isinstance(source, Mapping) else ""
        do = ": collect() it first" if hasattr(source, "collect") else do
        raise InputError(
            "scenes come from a path, a text of several lines, a list or a DataFrame, not from "
            f"{type(source).__name__}{do}"
        )
    return _make_scenes(rows, None, after)


def _rows_of_object(source: Any) -> Iterable[Row] | None:
    """Return the rows of what is in memory, or None for what has none."""
    if hasattr(source, "columns") and any(hasattr(source, name) for name in ("itertuples", "rows", "to_pylist")):
        return rows_of_frame(source)
    if isinstance(source, Mapping):
        columns = {name: list(each) for name, each in source.items() if _is_column(each)}
        return rows_of_columns(columns) if source and len(columns) == len(source) else None
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return ((None, item) for item in source)
    return None


def _is_column(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _rows_of_open_file(file: Any) -> Iterator[Row]:
    """Return the rows of an open file, which is read as its name says, or else as a text."""
    content, name = file.read(), getattr(file, "name", None)
    path = name if isinstance(name, str) else "the file"
    reader = _ROW_READERS.get(Path(path).suffix.lower(), rows_of_text)
    text = content if isinstance(content, str) else decode(bytes(content), path, of_tables=reader is rows_of_csv)
    return reader(text.removeprefix("\ufeff"), path)


def _from_file(path: Path, after: int) -> LoadedScenes:
    reader = _ROW_READERS.get(path.suffix.lower())
    if path.suffix.lower() in WORKBOOKS:
        raise InputError(f"{str(path)!r} is a workbook and no text: {workbook_advice(str(path))}")
    if reader is None:
        raise InputError(
            f'{str(path)!r} is no file of scenes ({", ".join(_ROW_READERS)}); give prompts as a list: ["a prompt"]'
        )
    text = read_text(path, of_tables=reader is rows_of_csv)
    return _not_empty(_make_scenes(reader(text, str(path)), str(path), after), str(path))


def _not_empty(loaded: LoadedScenes, what: str) -> LoadedScenes:
    if not loaded.scenes:
        raise FileFormatError(what, "there are no scenes in it")
    return loaded


def _make_scenes(rows: Iterable[Row], path: str | None, after: int) -> LoadedScenes:
    found = list(rows)
    width = max(3, len(str(after + len(found))))
    scenes: dict[str, Scene] = {}
    counted: set[str] = set()
    for place, (line, item) in enumerate(found, start=1):
        try:
            scene, has_own_id = _make_scene(item, f"s{after + place:0{width}}")
        except InputError as error:
            where = f"scene {place}: " if line is None else ""
            if path is None:
                raise InputError(f"{where}{error}") from None
            raise FileFormatError(path, f"{where}{error}", line) from None
        if scene.id in scenes:
            where = "" if line is None else f", line {line}"
            raise DuplicateScene(scene.id, f"is given twice (again at {path}{where})" if path else "")
        scenes[scene.id] = scene
        if not has_own_id:
            counted.add(scene.id)
    return LoadedScenes(list(scenes.values()), frozenset(counted))


def _make_scene(item: Any, default_id: str) -> tuple[Scene, bool]:
    """Return the scene that an item is, and whether it has an id of its own."""
    item = plain_value(item)
    if isinstance(item, Scene):
        return item, True
    if isinstance(item, str):
        return Scene(default_id, str(item)), False
    if not isinstance(item, Mapping):
        raise InputError(f"a scene is a prompt or a mapping with a prompt, not {type(item).__name__}")
    params = _params(item)
    if "self" in params:
        raise InputError("a parameter can't be named 'self'")
    scene_id = params.pop("id", None)
    prompt = params.pop("prompt", None)
    if prompt is None:
        raise InputError(f"it has no prompt; found: {', '.join(map(repr, item)) or 'nothing'}")
    return Scene(default_id if scene_id is None else _id_text(scene_id), prompt, **params), scene_id is not None


def _params(item: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a mapping's parameters by name: a row of a table, too, whose `Prompt` is one, and whose index is none."""
    params: dict[str, Any] = {}
    for key, value in item.items():
        if key is None:  # csv.DictReader puts there what is too much
            raise InputError("a row has more cells than the header has names")
        name, plain = column_name(key), plain_value(value)
        if not name or (plain is not None and is_missing(plain)):
            continue
        if name in params:
            raise InputError(f"it has {name!r} twice, in capitals and in small letters")
        params[name if name in ("id", "prompt") else str(key)] = plain
    return params


def _id_text(value: Any) -> Any:
    """Return an id as text, also one that is a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
