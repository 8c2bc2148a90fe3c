"""The text of a file: UTF-8, or what programs for tables write instead; or else where it is none, and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from vidgen_nb.errors import FileFormatError

__all__ = ["WORKBOOKS", "decode", "read_text", "workbook_advice"]

WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers", ".gsheet", ".parquet")
"""Tables that are no text."""
_WORKBOOK_STARTS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1")
_BYTE_ORDER_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_WESTERN: Final = re.compile(r"[À-ÖØ-öø-ÿŒœ€‘’“”‚„–—…«»©®°·¿¡½¼¾²µ£\u00a0]{1,2}|[\x00-\x7f]+")
"""Windows-1252 as people write it: other code pages and Chinese or Cyrillic text read as it have odd or long runs."""
_MISREAD: Final = re.compile(r"[A-Za-zÀ-ÿ][²µ©®°¿¡½¼¾£][A-Za-zÀ-ÿ]|[²¿¡½¼¾£][a-z]")


def workbook_advice(name: str) -> str:
    """Return what to do with a workbook."""
    reader = "read_parquet" if name.lower().endswith(".parquet") else "read_excel"
    return f"save it as CSV (in Excel: 'CSV UTF-8'), or pass the table itself: load_scenes(pandas.{reader}({name!r}))"


def read_text(path: Path, *, of_tables: bool = False) -> str:
    """Return a file's text, without a byte order mark; `FileFormatError` if it can't be read.

    It is UTF-8, or UTF-16 with a mark; `of_tables` takes Windows-1252, too, which Excel writes as plain CSV.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileFormatError(str(path), "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileFormatError(str(path), getattr(error, "strerror", None) or str(error)) from None
    return decode(data, str(path), of_tables=of_tables)


def decode(data: bytes, path: str, *, of_tables: bool = False) -> str:
    """Return the text of a file's content, as `read_text` does. What DOS puts at the end of a file is left out."""
    if of_tables and data.startswith(_WORKBOOK_STARTS):
        raise FileFormatError(path, f"this is a workbook and no text: {workbook_advice(path)}")
    encoding = _encoding(data)
    try:
        return data.decode(encoding).rstrip("\0\x1a")
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise FileFormatError(path, f"this is not {encoding.upper()}; save the file as UTF-8") from None
        western = _western(data) if of_tables else None
        if western is not None:
            return western
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise FileFormatError(path, problem, line, column) from None


def _encoding(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    first = data[:4]
    if first[1::2] == b"\0\0" and first.count(0) == 2:  # without a mark, by the first two letters
        return "utf-16-le"
    return "utf-16-be" if first[::2] == b"\0\0" and first.count(0) == 2 else "utf-8-sig"


def _western(data: bytes) -> str | None:
    """Return the text as Windows-1252, or None if that would be a guess: a wrong letter in a prompt costs money."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    lone = all(len(run) <= 2 for run in re.findall(r"[^\x00-\x7f]+", text))
    return text if lone and re.fullmatch(f"(?:{_WESTERN.pattern})*", text) and not _MISREAD.search(text) else None
