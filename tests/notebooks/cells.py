"""The code of a notebook, run without a kernel, so that a test can look at what its cells have found."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import json
import logging
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["NOTEBOOKS", "found_in", "printed_by", "text_of"]

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"


def found_in(name: str) -> dict[str, Any]:
    """Run a notebook's code cells from the top, and return what its names stand for then: once for all tests."""
    return _ran(name)[0]


def printed_by(name: str) -> list[str]:
    """Run a notebook's code cells, and return the lines that they print."""
    return _ran(name)[1]


@cache
def _ran(name: str) -> tuple[dict[str, Any], list[str]]:
    level = logging.getLogger("vidgen_nb").level
    names: dict[str, Any] = {"__name__": name, "display": lambda *_, **__: None}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            for source in _sources(name, "code"):
                awaited = eval(compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307
                if awaited is not None:
                    asyncio.run(awaited)
    finally:
        logging.getLogger("vidgen_nb").setLevel(level)
    return names, printed.getvalue().splitlines()


def text_of(name: str) -> str:
    """Return what a notebook says, as one line."""
    return " ".join(" ".join(_sources(name, "markdown")).replace("**", "").split())


def _sources(name: str, kind: str) -> list[str]:
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    return ["".join(each["source"]) for each in cells if each["cell_type"] == kind]
