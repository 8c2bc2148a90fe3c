"""A run as a file of JSON lines: the header first, then every event."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidgen_nb.core.events import Event
from vidgen_nb.errors import FileFormatError
from vidgen_nb.recording.codec import decode, encode, plain

__all__ = ["FORMAT", "read_run", "write_run"]

FORMAT = 1
"""Version of the format; stands in the header as `vidgen_nb_run`."""

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def write_run(path: str | os.PathLike[str], header: dict[str, Any], events: Iterable[Event]) -> Path:
    """Write a run and return its path; an existing file is replaced only once the new one is complete."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(_line({"vidgen_nb_run": FORMAT, **plain(header)}))
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
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(name, f"not a run of vidgen_nb: no UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise FileFormatError(name, f"can't be read: {error.strerror}") from None
    try:
        header = _object(name, 1, lines[0])
    except FileFormatError as error:
        raise FileFormatError(name, "not a run of vidgen_nb: its first line is no header", 1, error.column) from None
    version = header.pop("vidgen_nb_run", None)
    if isinstance(version, bool) or not isinstance(version, int):
        raise FileFormatError(name, "not a run of vidgen_nb: its first line has no 'vidgen_nb_run'", 1)
    if version > FORMAT:
        raise FileFormatError(name, f"written by a newer vidgen_nb (format {version}, known: {FORMAT}): upgrade", 1)
    return header, [_event(name, number, line) for number, line in enumerate(lines[1:], 2) if line]


def _line(data: dict[str, Any]) -> bytes:
    """Return JSON in UTF-8; where a text has half a surrogate pair, which UTF-8 has not, with JSON's own escapes."""
    try:
        return (_JSON(data) + "\n").encode()
    except UnicodeEncodeError:
        return (_ASCII(data) + "\n").encode()


def _event(name: str, number: int, line: str) -> Event:
    data = _object(name, number, line)
    try:
        return decode(data)
    except ValueError as error:
        raise FileFormatError(name, str(error), number) from None


def _object(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        data = json.loads(line, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise FileFormatError(name, f"no JSON: {error.msg}", number, error.colno) from None
    except (ValueError, RecursionError) as error:  # NaN; a number of 5,000 digits; 100,000 brackets
        raise FileFormatError(name, f"no JSON: {error}", number) from None
    if not isinstance(data, dict):
        raise FileFormatError(name, f"a JSON object is wanted, not {type(data).__name__}", number)
    return data


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")
