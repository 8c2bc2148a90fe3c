"""An error in somebody's first policy, told so that they find the line."""

from __future__ import annotations

import dataclasses
import linecache
import traceback
from pathlib import Path

from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import error_line, one_line

__all__ = ["told"]

_PACKAGE = str(Path(__file__).parent.parent)
_OURS = (_PACKAGE, dataclasses.__file__)
"""Where lines are not the student's: dataclasses make copies of what an answer changes."""


def told(error: BaseException) -> str:
    """Return what went wrong, and in which line of the student's code, if it was there."""
    what = error_line(error)
    if not isinstance(error, InputError):
        name = type(error).__name__
        what = what if what == name else f"{name}: {what}"
    place = _place(error)
    return f"{what}{place}" if place else what


def _place(error: BaseException) -> str:
    """Return the last line of the traceback that is not of this package, and where it is; empty: there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        # a dataclass's own __init__ has no lines
        if frame.filename.startswith(_OURS) or (frame.filename, frame.name) == ("<string>", "__init__"):
            continue
        line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
        code = f": {one_line(line, 100)}" if line else ""
        return f" (in {one_line(frame.name, 60)}, line {frame.lineno}{code})"
    return ""
