"""A notebook's code cells, run here: what its texts state can be asserted of the very same calls."""

from __future__ import annotations

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


def ran(name: str, *, skip: str = "never skipped") -> dict[str, Any]:
    """Run a notebook's code cells one after the other, but those with a text in them, and return their variables."""
    level = logging.getLogger("vidgen_nb").level
    names: dict[str, Any] = {"display": lambda *_, **__: None}
    try:
        for number, cell in enumerate(_cells(name, "code")):
            if skip not in cell:
                exec(compile(cell, f"{name}, code cell {number}", "exec"), names)  # noqa: S102 - our own notebook
    finally:
        logging.getLogger("vidgen_nb").setLevel(level)
    return names
