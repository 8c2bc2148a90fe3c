"""Scenes that are typed, pasted or uploaded in the panel."""

from __future__ import annotations

import tempfile
from pathlib import Path

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.inputs.csv_files import looks_like_table
from vidgen_nb.plaintext import one_line

__all__ = ["from_content", "from_text"]

MAX_SUFFIX_CHARS = 9


def from_text(text: str) -> list[Scene]:
    """Return the scenes in a text: one prompt per line, or the content of a table or a JSON file."""
    start = text.lstrip()
    if start[:1] in ("[", "{"):
        lines = [line for line in text.splitlines() if line.strip()]
        one_per_line = len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines)
        return from_content("pasted.jsonl" if one_per_line else "pasted.json", text.encode())
    headings = [heading.strip().strip('"').lower() for heading in start.partition("\n")[0].split(",")]
    if "prompt" in headings or looks_like_table(text):
        return from_content("pasted.csv", text.strip("\r\n").encode())
    return load_scenes(text + "\n")


def from_content(name: str, content: bytes) -> list[Scene]:
    """Return the scenes in the content of a file; its name says how to read it."""
    with tempfile.TemporaryDirectory() as folder:
        name = Path(name.replace("\\", "/")).name
        suffix = Path(name).suffix.lower()
        path = Path(folder) / f"scenes{suffix if suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX_CHARS else ''}"
        path.write_bytes(content)
        try:
            return load_scenes(path)
        except FileFormatError as error:
            raise FileFormatError(one_line(name, 80), error.problem, error.line, error.column) from None
        except InputError as error:
            raise InputError(str(error).replace(str(path), one_line(name, 80))) from None
