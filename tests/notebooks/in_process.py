"""A notebook's code cells, run here: what its texts state can be asserted of the very same calls."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
from pathlib import Path
from typing import Any

__all__ = ["markdown_of", "ran"]

ROOT = Path(__file__).parent.parent.parent / "notebooks"


def _cells(name: str, kind: str) -> list[str]:
    book = json.loads((ROOT / f"{name}.ipynb").read_text())
    return ["".join(each["source"]) for each in book["cells"] if each["cell_type"] == kind]


def markdown_of(name: str) -> str:
    """Return the texts of a notebook in one line, as they are read."""
    return " ".join(" ".join(_cells(name, "markdown")).split())


def ran(name: str) -> dict[str, Any]:
    """Run a notebook's code cells one after the other, and return their variables."""
    level = logging.getLogger("vidgen_nb").level
    names: dict[str, Any] = {"display": lambda *_, **__: None}
    try:
        for number, cell in enumerate(_cells(name, "code")):
            code = compile(cell, f"{name}, code cell {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            awaited = eval(code, names)  # noqa: S307 - our own notebook
            if awaited is not None:
                asyncio.run(awaited)
    finally:
        logging.getLogger("vidgen_nb").setLevel(level)
    return names
