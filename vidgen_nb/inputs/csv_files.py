"""CSV as programs write it, and the position of a mistake in it."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from typing import Final, NoReturn

from vidgen_nb.errors import FileFormatError
from vidgen_nb.inputs.tables import Row, Table, column_name

__all__ = ["looks_like_table", "rows_of_csv"]

_DELIMITERS: Final = ",;\t|"
_DELIMITER_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?[ ,;\t]*(\r\n|\r|\n)', re.IGNORECASE)
"""Excel's first line, which names the delimiter."""
_MAX_HEADING_CHARS: Final = 40
_one_reader = threading.Lock()
"""The csv module's limit of a cell's size is one for the whole process."""


def looks_like_table(text: str) -> bool:
    """Return whether a text begins with a table's header: short names, one of them `prompt`, or that alone."""
    if _SEPARATOR_LINE.match(text):
        return True
    if column_name(re.split(r"[\r\n]", text.strip(), maxsplit=1)[0].strip('"')) == "prompt":
        return True
    for delimiter in _DELIMITERS:
        names = _first_names(text, delimiter)
        if len(names) > 1 and "prompt" in names and all(len(name) <= _MAX_HEADING_CHARS for name in names):
            return True
    return False


def rows_of_csv(text: str, path: str) -> Iterator[Row]:
    """Yield each row as a mapping of its cells that are not empty; a `column` in an error counts cells from 1.

    The delimiter is the one that Excel's line `sep=;` names, or else whichever gives a `prompt` column. A header of
    that column alone has none: then it is one that leaves every row whole. Where the rows do not fit otherwise, spaces
    before a quote are left out.
    """
    named = _SEPARATOR_LINE.match(text)
    if named:
        text = "\n" + text[named.end() :]  # the numbers of the lines stay those of the file
    likely = [named[1]] if named else [each for each in _DELIMITERS if "prompt" in _first_names(text, each)] or [","]
    problem: FileFormatError | None = None
    for delimiter, spaced in [(each, False) for each in likely] + [(each, True) for each in likely]:
        try:
            rows = list(_table(text, path, delimiter, spaced=spaced))
        except FileFormatError as error:
            problem = problem or error
        else:
            yield from rows
            return
    assert problem is not None  # noqa: S101 - for mypy: there is a delimiter
    raise problem


def _table(text: str, path: str, delimiter: str, *, spaced: bool) -> Iterator[Row]:
    lines = _cells(text, path, delimiter, spaced=spaced)
    header = next(lines, None)
    if header is None:
        return
    line, names = header
    found = list(lines)
    counted = [str(place) for place in range(len(found))]
    if (
        found
        and [cells[0] for _, cells in found] == counted
        and all(len(cells) == len(names) + 1 for _, cells in found)
    ):
        names = ["", *names]  # pandas' index, for which to_csv(index_label=False) writes no name
    named = max(place for place, name in enumerate(names, start=1) if name.strip())
    rows: list[tuple[int, list[str]]] = []
    # a header without prompts is the mistake that is said first
    for at, cells in found if "prompt" in map(column_name, names) else ():
        cells += [""] * (len(names) - len(cells) if len(cells) >= named else 0)
        wanted, extra = cells[: len(names)], cells[len(names) :]
        if len(wanted) < len(names) or any(cell.strip() for cell in extra):
            values = f"{len(cells)} value{'' if len(cells) == 1 else 's'}"
            columns = f"{len(names)} column{'' if len(names) == 1 else 's'}"
            do = f"Quote prompts that contain {_DELIMITER_NAMES.get(delimiter, repr(delimiter))}."
            raise FileFormatError(
                path, f"has {values}; the header has {columns}. {do}", at, min(len(cells), len(names)) + 1
            )
        rows.append((at, wanted))
    yield from Table(names, rows, path, line, decimal_comma=delimiter != ",").scenes()


def _cells(text: str, path: str, delimiter: str, *, spaced: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each row that is not blank, however long its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=spaced)
    while True:
        line = reader.line_num + 1
        try:
            with _one_reader:
                usual = csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
                try:
                    cells = next(reader, None)
                finally:
                    csv.field_size_limit(usual)
        except csv.Error as error:
            _raise_malformed_csv(text, path, line, delimiter, error)
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _first_names(text: str, delimiter: str) -> list[str]:
    """Return the names of the first row that has any."""
    try:
        for cells in csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter):
            if any(cell.strip(_DELIMITERS + " ") for cell in cells):
                return [column_name(cell) for cell in cells]
    except csv.Error:
        pass
    return []


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
