"""Errors about an unknown name, with the known one that was probably meant."""

from __future__ import annotations

import difflib

__all__ = ["suggestion", "unknown_option"]


def unknown_option(name: str, known: tuple[str, ...]) -> str:
    """Return an error about an unknown option of a file; it quotes the name only if it is close to a known one.

    Anything else may be an API key in the wrong place.
    """
    close = difflib.get_close_matches(name, known, n=1)
    if close and len(name) <= len(close[0]) + 2:
        return f"unknown key {name!r}{suggestion(name, known)}"
    return f"an unknown option, not shown as it may be an API key (known: {', '.join(known)})"


def suggestion(name: str, known: tuple[str, ...]) -> str:
    """Return the end of an error about an unknown name: the nearest known one, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
