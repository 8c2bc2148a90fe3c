"""Text files, and the position of a mistake in them: lines, JSON and JSON lines as rows with line numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from vidgen_nb.errors import FileFormatError
from vidgen_nb.inputs.csv_files import looks_like_table, rows_of_csv
from vidgen_nb.inputs.decoding import read_text
from vidgen_nb.inputs.tables import Row, rows_of_columns

__all__ = ["read_text", "rows_of_csv", "rows_of_json", "rows_of_json_lines", "rows_of_text"]


def rows_of_text(text: str, path: str) -> Iterator[Row]:
    """Yield each line that is neither blank nor a comment (`#`) as a prompt; a table or JSON is read as such.

    Excel's "Unicode text" is a `.txt`, and what is copied from a table or read from a file is text, too.
    """
    if looks_like_table(text):
        yield from rows_of_csv(text, path)
        return
    reader = _json_reader(text, path)
    if reader is not None:
        yield from reader(text, path)
        return
    # not splitlines(): it also breaks at characters that may be part of a prompt
    for line, prompt in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if prompt.strip() and not prompt.lstrip().startswith("#"):
            yield line, prompt.strip()


def rows_of_json(text: str, path: str) -> Iterator[Row]:
    """Yield the items of a JSON list, or of the list under `scenes`; or the rows of an object of columns."""
    document = _parse_json(text, path, 1)
    if isinstance(document, dict) and "scenes" not in document:
        if not document or not all(isinstance(each, list) for each in document.values()):
            raise FileFormatError(path, 'expected a list of scenes, or an object with one under "scenes"')
        yield from rows_of_columns(document)
        return
    if isinstance(document, dict):
        document = document["scenes"]
    if not isinstance(document, list):
        raise FileFormatError(path, f"expected a list of scenes, not {type(document).__name__}")
    yield from ((None, item) for item in document)


def rows_of_json_lines(text: str, path: str) -> Iterator[Row]:
    """Yield the JSON value of each line that is not blank."""
    for line, item in enumerate(text.split("\n"), start=1):
        if item.strip():
            yield line, _parse_json(item, path, line)


def _json_reader(text: str, path: str) -> Callable[[str, str], Iterator[Row]] | None:
    """Return what reads a text that is JSON, whole or by the line; None for one prompt a line, which may be JSON."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or lines[0].lstrip()[0] not in "[{":
        return None
    whole = _json_or_none(text)
    if isinstance(whole, list) or (isinstance(whole, dict) and "scenes" in whole):
        return rows_of_json
    if isinstance(whole, dict) and len(lines) > 1:
        do = 'for one prompt give a list, [text]; several scenes are a list, or stand under "scenes"'
        raise FileFormatError(path, f"this is one object of JSON in {len(lines)} lines: {do}")
    items = map(_json_or_none, lines)
    by_line = all(isinstance(each, dict) and any(str(name).lower() == "prompt" for name in each) for each in items)
    return rows_of_json_lines if by_line else None


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parse_json(text: str, path: str, first: int) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise FileFormatError(path, f"{constant} is not a JSON number", first if first > 1 else None)

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        more = " (one value a line is a .jsonl file)" if error.msg == "Extra data" else ""
        raise FileFormatError(
            path, f"malformed JSON: {error.msg}{more}", first + error.lineno - 1, error.colno
        ) from None
    except FileFormatError:
        raise
    except (RecursionError, ValueError) as error:  # nested too deeply; a number with thousands of digits
        raise FileFormatError(path, f"can't be read: {error}", first if first > 1 else None) from None
