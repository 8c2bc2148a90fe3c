"""Giving a finished file its name, on disks with and without hard links."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["claim"]


def claim(part: Path, target: Path) -> bool:
    """Give a file its name in one step, or return False if the name is taken; another process may want it too."""
    if not hasattr(os, "link"):  # in a browser
        return _replace_reserved(part, target)
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # no hard links on this disk: reserve the name first, then replace it
        return _replace_reserved(part, target)
    with suppress(PermissionError):  # Windows: a scanner looks at it; it is swept later
        part.unlink()
    return True


def _replace_reserved(part: Path, target: Path) -> bool:
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    try:
        part.replace(target)
    except OSError:
        with suppress(OSError):
            target.unlink()  # an empty file with a video's name would be taken for it
        raise
    return True
