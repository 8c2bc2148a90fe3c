"""TOML files with tables of profiles, and the position of a mistake in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from vidgen_nb.errors import FileFormatError
from vidgen_nb.inputs.decoding import read_text
from vidgen_nb.inputs.unknown_names import unknown_option

__all__ = ["profile_tables", "read_toml"]

MAX_LINE_CHARS: Final = 10_000
_TABLE_NAMES: Final = ("profile", "profiles")
_ERROR_POSITION: Final = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file; `FileFormatError` with line and column if it is malformed."""
    text = read_text(path)
    for number, content in enumerate(text.split("\n"), start=1):
        if len(content) > MAX_LINE_CHARS:  # tomllib takes minutes for a key of a hundred thousand dots
            raise FileFormatError(str(path), f"this line is longer than {MAX_LINE_CHARS:,} characters", number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # the position is an attribute from Python 3.14 on, and part of the text before that
        problem, line, column = (
            match.groups() if (match := _ERROR_POSITION.fullmatch(str(error))) else (str(error), None, None)
        )
        at_end = (text.count("\n") + 1, len(text) - text.rfind("\n"))
        place = (int(line), int(column)) if line and column else at_end
        raise FileFormatError(str(path), f"malformed TOML: {problem}", *place) from None
    except (RecursionError, ValueError):  # nested too deeply; a number with thousands of digits
        raise FileFormatError(str(path), "this TOML can't be read: nested too deeply, or too long a number") from None


def profile_tables(document: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (its name in errors, its options) for every profile."""
    for key, value in document.items():
        if key not in _TABLE_NAMES:
            raise FileFormatError(path, f"{unknown_option(key, _TABLE_NAMES)}: profiles are [[profile]] tables")
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            yield from ((f"profile {place}", item) for place, item in enumerate(value, start=1))
        elif isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
            yield from ((f"profile {name!r}", {"name": name, **item}) for name, item in value.items())
        else:
            raise FileFormatError(path, f"write [[{key}]] for each profile, or [{key}.<name>]")
