"""Somebody else's text (ids, prompts, reasons, error messages), made fit to be shown anywhere."""

from __future__ import annotations

import unicodedata

__all__ = ["clean"]


def clean(text: str, limit: int = 500) -> str:
    """Return one line of at most `limit` characters: no control, bidi or other invisible character in it.

    It is not escaped for any markup.
    """
    kept: list[str] = []
    start = text[: 4 * limit]
    if start.isascii() and start.isprintable():
        kept.append(start)
        start = ""
    for char in start:
        kind = unicodedata.category(char)
        if kind in ("Zs", "Zl", "Zp") or char in "\t\n\r":
            kept.append(" ")
        elif not kind.startswith("C"):
            kept.append(char)
    line = " ".join("".join(kept).split())
    cut = len(line) > limit or len(text) > 4 * limit
    return line[: limit - 1].rstrip() + "…" if cut else line
