"""Errors as people see them: with their tracebacks, and the local variables of every frame."""

from __future__ import annotations

import io
import traceback

from rich.console import Console
from rich.traceback import Traceback

__all__ = ["shown"]


class Uncoloured(Traceback):
    """A traceback of rich that does not first look for the colours of each whole file."""

    @classmethod
    def _guess_lexer(cls, filename: str, code: str) -> str:
        return "text"


def shown(error: BaseException) -> list[str]:
    """Return a traceback as Python, IPython and rich show it with the local variables of all frames."""
    text = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    console = Console(file=io.StringIO(), width=400)
    console.print(
        Uncoloured.from_exception(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=2000, extra_lines=0
        )
    )
    assert isinstance(console.file, io.StringIO)
    return ["".join(text), console.file.getvalue(), repr(error), str(error), str(vars(error))]
