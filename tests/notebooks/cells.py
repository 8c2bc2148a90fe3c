"""The code of a notebook, run without a kernel, so that a test can look at what its cells have found."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["NOTEBOOKS", "found_in", "text_of"]

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"


@cache
def found_in(name: str) -> dict[str, Any]:
    """Run a notebook's code cells from the top, and return what its names stand for then: once for all tests."""
    names: dict[str, Any] = {"__name__": name}
    for source in _sources(name, "code"):
        exec(compile(source, name, "exec"), names)  # noqa: S102 - our own notebook
    return names


def text_of(name: str) -> str:
    """Return what a notebook says, as one line."""
    return " ".join(" ".join(_sources(name, "markdown")).replace("**", "").split())


def _sources(name: str, kind: str) -> list[str]:
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    return ["".join(each["source"]) for each in cells if each["cell_type"] == kind]
