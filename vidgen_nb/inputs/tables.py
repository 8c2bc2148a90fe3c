"""Tables as Excel, Google Sheets and pandas write them: one reading for all, so that each gives the same scenes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.plaintext import short_repr

__all__ = [
    "MISSING",
    "Row",
    "Table",
    "column_name",
    "is_missing",
    "number_or_text",
    "plain_value",
    "rows_of_columns",
    "rows_of_frame",
]

Row = tuple[int | None, Any]
"""The line where it begins (from 1; None: unknown), and a prompt or a mapping."""

_INT: Final = re.compile(r"[+-]?(0|[1-9]\d{0,19})", re.ASCII)
_FLOAT: Final = re.compile(
    r"[+-]?((0|[1-9]\d{0,14})?\.\d{1,40}|(0|[1-9]\d{0,14})\.)(e[+-]?\d{1,3})?|[+-]?\d{1,15}e[+-]?\d{1,3}",
    re.ASCII | re.IGNORECASE,
)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?(0|[1-9]\d{0,14})?,\d{1,40}(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_INFINITE: Final = re.compile(r"[+-]?inf")
"""How pandas writes what is no number of JSON."""
_WHOLE: Final = re.compile(r"(-?\d+)(\.0+)?", re.ASCII)
_BOOLEAN: Final = re.compile(r"(TRUE|True|true)|FALSE|False|false")
MISSING: Final = re.compile(r"|#N/A|#N/A N/A|#NA|<NA>|N/A|n/a|NA|NaN|nan|-NaN|-nan|NaT|NULL|null|None|-?1\.#(IND|QNAN)")
"""Cells that pandas reads as missing."""
_ERROR_VALUE: Final = re.compile(r"#[A-ZÀ-Þ][A-ZÀ-Þ/0-9_]+[!?]|#NV|#GETTING_DATA")
"""`#REF!`, `#NAME?`, `#DIV/0!`, in any language of the spreadsheet."""
_UNNAMED: Final = re.compile(r"Unnamed: \d+(\.\d+)*(_level_\d+)?")
"""What pandas calls a column without a name."""
_COPIED: Final = re.compile(r"(\.|_duplicated_)\d+\Z")
"""What pandas and polars put after the second of two equal names."""
_INVISIBLE: Final = "\ufeff\u200b"


def column_name(cell: Any) -> str:
    """Return a column's name, empty if it has none; `id` and `prompt` are recognised in any case."""
    name = "" if is_missing(cell) else str(cell).strip().strip(_INVISIBLE).strip()
    if _UNNAMED.fullmatch(name):
        return ""
    return name.lower() if name.lower() in ("id", "prompt") else name


def number_or_text(text: str, *, decimal_comma: bool = False) -> str | int | float:
    """Return the number that a cell looks like, or its text; `007` and `1e400` stay texts."""
    if match := _BOOLEAN.fullmatch(text):
        return match[1] is not None
    if _INT.fullmatch(text):
        return int(text) if -(2**63) <= int(text) < 2**64 else text
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return _without_fraction(number) if math.isfinite(number) else text


@dataclass
class Table:
    """A header, and rows of cells: texts, or what a DataFrame holds.

    `path` and `line`: of the header, if it is in a file. `decimal_comma`: whether `1,5` is a number.
    """

    header: Sequence[Any]
    rows: Sequence[tuple[int, list[Any]]]
    path: str | None = None
    line: int | None = None
    decimal_comma: bool = False

    def scenes(self) -> Iterator[Row]:
        """Yield each row that is not empty, as a mapping of the cells that are not."""
        names = [column_name(cell) for cell in self.header]
        rows = [(line, list(map(self._plain, cells))) for line, cells in self.rows]
        kept = self._columns(names, rows)
        places = {names[column]: column for column in kept}
        # in a table of prompts alone, one that is missing is a mistake: nothing else says that the row is none
        rows = [row for row in rows if len(kept) == 1 or any(row[1][place] is not None for place in kept)]
        for place in kept:
            _write_dates([cells for _, cells in rows], place)
        columns = {name: [cells[place] for _, cells in rows] for name, place in places.items()}
        whole = {name for name, cells in columns.items() if all(each is None or _is_whole(each) for each in cells)}
        self._check_seeds(columns, rows, places)
        for line, cells in rows:
            row = {name: self._value(name, cells[place], line, place) for name, place in places.items()}
            row = {name: value for name, value in row.items() if value is not None}
            for name in row.keys() & {"id", "prompt"}:
                row[name] = _number_text(row[name], name in whole)
            if "prompt" not in row and self.path is not None:
                self._fail("an empty prompt: say what to generate", line, places["prompt"])
            yield line if self.path is not None else None, row

    def _columns(self, names: list[str], rows: list[tuple[int, list[Any]]]) -> list[int]:
        """Return which columns are read: not the index that pandas writes, nor empty ones without a name."""
        if "prompt" not in names:
            found = ", ".join(short_repr(name, 40) for name in names if name) or "none"
            do = "name the column of the prompts so, in the first row"
            if len(names) == 1 and set(names[0]) & set(";\t|,"):
                do = "read it with its own delimiter, such as pandas.read_csv(path, sep=';')"
            if self.path is None:
                self._fail(f"it has no prompt; found: {found}: a column has to be named 'prompt'; {do}", None, 0)
            self._fail(f"no column is named 'prompt'; the first row has the names: {found}; {do}", self.line, 0)
        first = next(place for place, name in enumerate(names) if name)
        if names[first] in ("index", "level_0") and _counts([cells[first] for _, cells in rows]):
            first += 1
        kept: list[int] = []
        for place in range(first, len(names)):
            name = names[place]
            for line, cells in rows:
                if not name and cells[place] is not None:
                    what = f"a column without a name has a cell, {short_repr(cells[place], 40)}"
                    do = "name the column, empty it, or put a prompt that has delimiters in it in quotes"
                    self._fail(f"{what}: {do}", line, place)
            before = [names[each] for each in kept]
            for each in {name, _COPIED.sub("", name)} & set(before):
                self._fail(f"column {each!r} appears twice: rename or remove one of the two", self.line, place)
            if name:
                kept.append(place)
        return kept

    def _value(self, name: str, cell: Any, line: int | None, place: int) -> Any:
        """Return a cell's value: a text for a prompt, for a parameter the number that it looks like."""
        if isinstance(cell, str) and _ERROR_VALUE.fullmatch(cell):
            self._fail(f"{cell} is an error of the spreadsheet: mend its formula, or empty the cell", line, place)
        if name in ("id", "prompt"):
            return cell if name == "id" else _without_fraction(cell)
        if (isinstance(cell, float) and math.isinf(cell)) or (isinstance(cell, str) and _INFINITE.fullmatch(cell)):
            self._fail(f"{cell} is no number that can be sent: correct the cell, or empty it", line, place)
        return (
            number_or_text(cell, decimal_comma=self.decimal_comma) if isinstance(cell, str) else _without_fraction(cell)
        )

    def _check_seeds(
        self, columns: dict[str, list[Any]], rows: list[tuple[int, list[Any]]], places: dict[str, int]
    ) -> None:
        """Refuse whole numbers that have lost digits: with a cell missing, pandas reads a column as floats."""
        for name, cells in columns.items():
            for (line, _), cell in zip(rows, cells, strict=True):
                if None in cells and isinstance(cell, float) and 2**53 <= abs(cell) < 2**64:
                    problem = f"{cell:.0f} is a float, which has lost its last digits if it was a whole number"
                    do = f"read the column as such: dtype={{{name!r}: 'Int64'}}, or as text"
                    self._fail(f"{problem}: {do}", line, places[name])

    def _plain(self, cell: Any) -> Any:
        """Return a cell as Python's own value, None if it is missing; texts without spaces around them."""
        cell = plain_value(cell)
        if isinstance(cell, str):
            text = cell.strip()
            return None if MISSING.fullmatch(text) else text
        if is_missing(cell):
            return None
        return float(cell) if isinstance(cell, Decimal) else cell

    def _fail(self, problem: str, line: int | None, place: int) -> None:
        if self.path is None:
            raise InputError(problem if line is None else f"row {line}, column {place + 1}: {problem}")
        raise FileFormatError(self.path, problem, line, place + 1)


def rows_of_frame(frame: Any) -> Iterator[Row]:
    """Yield the rows of a DataFrame of pandas or polars, or an Arrow table; an index with names is read as columns."""
    if hasattr(frame, "schema") and hasattr(frame, "to_pylist"):
        yield from Table(frame.schema.names, _numbered(zip(*map(list, frame.columns), strict=True))).scenes()
        return
    header = list(frame.columns)
    if not hasattr(frame, "itertuples"):
        yield from Table(header, _numbered(frame.rows())).scenes()
        return
    _check_shift(frame, header)
    levels = [(level, name) for level, name in enumerate(frame.index.names) if name is not None]
    indexes = [list(frame.index.get_level_values(level)) for level, _ in levels]
    header = [name for _, name in levels] + header
    cells: Iterable[Sequence[Any]] = frame.itertuples(index=False, name=None)
    if indexes:
        cells = ((*index, *row) for index, row in zip(zip(*indexes, strict=True), cells, strict=True))
    yield from Table(header, _numbered(cells)).scenes()


def rows_of_columns(columns: Mapping[Any, Sequence[Any]]) -> Iterator[Row]:
    """Yield the rows of a mapping from names to columns."""
    lengths = sorted({len(each) for each in columns.values()})
    if len(lengths) > 1:
        raise InputError(f"the columns have from {lengths[0]} to {lengths[-1]} cells: give each the same number")
    yield from Table(list(columns), _numbered(zip(*columns.values(), strict=True))).scenes()


def _check_shift(frame: Any, header: list[Any]) -> None:
    """Refuse a frame whose prompts lack their beginning: pandas.read_csv takes a first cell too many for the index."""
    prompts = next((frame.iloc[:, place] for place, name in enumerate(header) if column_name(name) == "prompt"), None)
    if prompts is None or frame.index.nlevels > 1 or frame.index.name is not None:
        return
    for row, (label, prompt) in enumerate(zip(frame.index, prompts, strict=True), start=1):
        if isinstance(label, str) and isinstance(prompt, str) and prompt[:1] == " ":
            problem = (
                f"row {row}: the prompt {short_repr(prompt, 40)} begins with a space, and {short_repr(label, 40)} "
            )
            do = "stands in the index: put prompts with commas in quotes in the file, or reset_index(drop=True)"
            raise InputError(problem + do)


def _numbered(rows: Iterable[Sequence[Any]]) -> list[tuple[int, list[Any]]]:
    return [(place, list(row)) for place, row in enumerate(rows, start=1)]


def plain_value(value: Any) -> Any:
    """Return numpy's and Arrow's values as Python's own."""
    if hasattr(value, "as_py"):
        return value.as_py()
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "dtype") else value


def is_missing(cell: Any) -> bool:
    """Return whether a cell is None, NaN, NA or NaT."""
    return (
        cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and math.isnan(cell))
    )


def _write_dates(rows: list[list[Any]], place: int) -> None:
    """Write a column's dates as pandas does: without the time of day if none of them has one."""
    dates = [cells[place] for cells in rows if isinstance(cells[place], date)]
    days = all(not isinstance(each, datetime) or (each.tzinfo is None and each.time() == time()) for each in dates)
    for cells in rows:
        cell = cells[place]
        if isinstance(cell, date | time | timedelta):
            cells[place] = str(cell.date() if days and isinstance(cell, datetime) else cell)


def _without_fraction(value: Any) -> Any:
    """Return 4 for 4.0: a column of whole numbers has fractions as soon as a cell of it is missing."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)  # as in a file
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _is_whole(cell: Any) -> bool:
    if isinstance(cell, str):
        return _WHOLE.fullmatch(cell) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell) and cell == int(cell)


def _number_text(cell: Any, whole: bool) -> Any:
    """Return an id or a prompt as text: tables turn them into numbers, and 1 into 1.0 if another one is missing."""
    if isinstance(cell, str):
        return cell.partition(".")[0] if whole else cell
    return str(int(cell) if whole else cell) if isinstance(cell, int | float) else cell


def _counts(cells: list[Any]) -> bool:
    """Return whether cells count up in whole numbers, as an index does."""
    numbers = [int(cell) if isinstance(cell, str) and _INT.fullmatch(cell) else cell for cell in cells]
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in numbers):
        return False
    return all(later > earlier for earlier, later in pairwise(numbers))
