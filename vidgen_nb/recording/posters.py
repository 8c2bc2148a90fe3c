"""Small still pictures of finished videos, each in a hidden folder beside its video.

A page that can play the video draws its poster, and the kernel keeps it here; a report made later finds it.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["MAX_POSTER_BYTES", "read_poster", "write_poster"]

FOLDER: Final = ".posters"
MAX_POSTER_BYTES: Final = 40_000
_JPEG: Final = b"\xff\xd8\xff"


def read_poster(video: Path) -> bytes | None:
    """Return the poster of a video as JPEG; None: there is none."""
    try:
        with _path(video).open("rb") as file:
            content = file.read(MAX_POSTER_BYTES + 1)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return content if is_poster(content) else None


def write_poster(video: Path, content: bytes) -> bool:
    """Keep a video's poster, and say whether it was kept: not if it is no small JPEG, or can't be written."""
    if not is_poster(content) or not video.is_file():
        return False
    path = _path(video)
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True


def is_poster(content: bytes) -> bool:
    """Say whether this can be a poster: a small JPEG, by its first bytes."""
    return content.startswith(_JPEG) and len(content) <= MAX_POSTER_BYTES


def _path(video: Path) -> Path:
    return video.parent / FOLDER / f"{video.name}.jpg"
