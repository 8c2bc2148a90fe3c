"""Other people's text (ids, prompts, reasons, error messages), made safe to show anywhere."""

from __future__ import annotations

import unicodedata
from html import escape

__all__ = ["error_line", "html_line", "last_lines", "one_line", "short_repr"]


def one_line(text: str, limit: int = 500) -> str:
    """Return one line of at most `limit` characters, without control, bidi or other invisible characters.

    It is not escaped for any markup; `html_line` does both.
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


def error_line(error: BaseException, limit: int = 500) -> str:
    """Return an error's text as one line; its type where it has none, or where its class can't tell it."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a class of the user's
        text = ""
    return one_line(text, limit) or type(error).__name__


def last_lines(text: str, lines: int = 60) -> str:
    """Return the last lines of a text such as a traceback, each cleaned and shortened, with their indentation."""
    found = text.splitlines()[-lines:]
    return "\n".join(" " * min(len(line) - len(line.lstrip(" ")), 40) + one_line(line, 2000) for line in found)


def short_repr(value: object, limit: int = 200) -> str:
    """Return the repr of a value, shortened with an ellipsis: a notebook shows a list of them in full.

    Of a value whose repr raises, such as an int of 5,000 digits, its type is named.
    """
    if isinstance(value, str) and len(value) > limit:
        return repr(value[:limit] + "…")
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - it may be anybody's class
        return f"<{type(value).__name__} without a repr>"
    return text if len(text) <= limit + 2 else text[:limit] + "…"


def html_line(text: str, limit: int = 500) -> str:
    r"""Return a cleaned line as HTML for a notebook's output.

    There, MathJax reads TeX in every text, and its `\href` makes links; but never across the edge of an element.
    """
    line = escape(one_line(text, limit))
    return line.replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")
