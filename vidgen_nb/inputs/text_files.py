"""Text files, and the position of a mistake in them: CSV, JSON and JSON lines as rows with line numbers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from vidgen_nb.errors import FileFormatError

__all__ = ["read_text", "rows_of_csv", "rows_of_json", "rows_of_json_lines", "rows_of_text"]

Row = tuple[int | None, Any]
"""The line where it begins (from 1; None: unknown), and a prompt or a mapping."""

_DELIMITERS: Final = ",;\t"


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text, without a byte order mark; `FileFormatError` if it can't be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileFormatError(str(path), "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileFormatError(str(path), getattr(error, "strerror", None) or str(error)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise FileFormatError(str(path), problem, line, column) from None


def rows_of_text(text: str, path: str) -> Iterator[Row]:
    """Yield each line that is neither blank nor a comment (`#`) as a prompt."""
    # not splitlines(): it also breaks at characters that may be part of a prompt
    for line, prompt in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if prompt.strip() and not prompt.lstrip().startswith("#"):
            yield line, prompt.strip()


def rows_of_csv(text: str, path: str) -> Iterator[Row]:
    """Yield each row as a mapping of its non-empty cells; a `column` in an error counts cells from 1.

    The delimiter is whichever of comma, semicolon and tab gives a `prompt` column.
    """
    delimiter = next((d for d in _DELIMITERS if "prompt" in _column_names(text, d)), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _raise_malformed_csv(text, path, line, delimiter, error)
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = _header(cells, path, line)
        elif len(cells) != len(names):
            problem = f"{len(cells)} cells where the header has {len(names)}; put cells with a {delimiter!r} in quotes"
            raise FileFormatError(path, problem, line, min(len(cells), len(names)) + 1)
        else:
            row = {name: cell for name, cell in zip(names, map(str.strip, cells), strict=True) if cell}
            if "prompt" not in row:
                raise FileFormatError(path, "an empty prompt: say what to generate", line, names.index("prompt") + 1)
            yield line, row


def rows_of_json(text: str, path: str) -> Iterator[Row]:
    """Yield the items of a JSON list, or of the list under `scenes`."""
    document = _parse_json(text, path, 1)
    if isinstance(document, dict):
        if "scenes" not in document:
            raise FileFormatError(path, 'expected a list of scenes, or an object with one under "scenes"')
        document = document["scenes"]
    if not isinstance(document, list):
        raise FileFormatError(path, f"expected a list of scenes, not {type(document).__name__}")
    yield from ((None, item) for item in document)


def rows_of_json_lines(text: str, path: str) -> Iterator[Row]:
    """Yield the JSON value of each line that is not blank."""
    for line, item in enumerate(text.split("\n"), start=1):
        if item.strip():
            yield line, _parse_json(item, path, line)


def _parse_json(text: str, path: str, first: int) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise FileFormatError(path, f"{constant} is not a JSON number", first if first > 1 else None)

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"malformed JSON: {error.msg}", first + error.lineno - 1, error.colno) from None
    except FileFormatError:
        raise
    except (RecursionError, ValueError) as error:  # nested too deeply; a number with thousands of digits
        raise FileFormatError(path, f"can't be read: {error}", first if first > 1 else None) from None


def _column_names(text: str, delimiter: str) -> list[str]:
    try:
        return [_column_name(cell) for cell in next(csv.reader(io.StringIO(text.lstrip()), delimiter=delimiter), [])]
    except csv.Error:
        return []


def _column_name(cell: str) -> str:
    """Return a column's name; `id` and `prompt` are recognised in any case."""
    cell = cell.strip()
    return cell.lower() if cell.lower() in ("id", "prompt") else cell


def _header(cells: list[str], path: str, line: int) -> list[str]:
    names = [_column_name(cell) for cell in cells]
    for column, name in enumerate(names, start=1):
        if not name:
            raise FileFormatError(path, "a column without a name", line, column)
        if name in names[: column - 1]:
            raise FileFormatError(path, f"column {name!r} appears twice", line, column)
    if "prompt" not in names:
        document = ", ".join(repr(name) for name in names)
        raise FileFormatError(path, f"no column is named 'prompt'; the first row has the names: {document}", line, 1)
    return names


def _raise_malformed_csv(text: str, path: str, line: int, delimiter: str, error: csv.Error) -> NoReturn:
    """Raise with the line and the cell of a wrong quote, which the csv module doesn't report."""
    cell, state = 1, "start"
    for c in "".join(io.StringIO(text, newline="").readlines()[line - 1 :]):
        if state == "quoted":
            state = "closing" if c == '"' else state
        elif state == "closing" and c == '"':
            state = "quoted"  # two quotes stand for one
        elif c == delimiter:
            cell, state = cell + 1, "start"
        elif state == "closing" or c in "\r\n":
            break
        else:
            state = "quoted" if c == '"' and state == "start" else "plain"
    raise FileFormatError(path, f"malformed CSV: {error}", line, cell) from None
