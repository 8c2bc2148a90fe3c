"""A run as a file of JSON lines: the header first, then every event."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidgen_nb.core.events import Event
from vidgen_nb.errors import FileFormatError
from vidgen_nb.recording.codec import decode, encode

__all__ = ["FORMAT", "read_run", "write_run"]

FORMAT = 1
"""Version of the format; stands in the header as `vidgen_nb_run`."""


def write_run(path: str | os.PathLike[str], header: dict[str, Any], events: Iterable[Event]) -> Path:
    """Write a run and return its path; an existing file is replaced only once the new one is complete."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(_line({"vidgen_nb_run": FORMAT, **header}))
            for event in events:
                file.write(_line(encode(event)))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def read_run(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[Event]]:
    """Read header and events of a run.

    Raises `FileFormatError` with the line where the file is not a run, is of a newer version, or is damaged.
    """
    name = str(path)
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(name, f"not a run of vidgen_nb: no UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise FileFormatError(name, f"can't be read: {error.strerror}") from None
    header = _object(name, 1, lines[0])
    version = header.pop("vidgen_nb_run", None)
    if not isinstance(version, int):
        raise FileFormatError(name, "not a run of vidgen_nb: its first line has no 'vidgen_nb_run'", 1)
    if version > FORMAT:
        raise FileFormatError(name, f"written by a newer vidgen_nb (format {version}, known: {FORMAT}): upgrade", 1)
    events = []
    for number, line in enumerate(lines[1:], 2):
        if line:
            try:
                events.append(decode(_object(name, number, line)))
            except ValueError as error:
                if isinstance(error, FileFormatError):
                    raise
                raise FileFormatError(name, str(error), number) from None
    return header, events


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _object(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError as error:
        column = error.colno if isinstance(error, json.JSONDecodeError) else None
        raise FileFormatError(name, f"no JSON object: {error}", number, column) from None
    if not isinstance(data, dict):
        raise FileFormatError(name, f"a JSON object is wanted, not {type(data).__name__}", number)
    return data
