"""What the file of a video looks like: its first bytes, its suffix, and whether it ends before its parts do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vidgen_nb.plaintext import one_line

__all__ = ["missing_bytes", "not_a_video", "suffix_of"]

_MP4_BOXES: Final = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide"})
_EBML: Final = b"\x1aE\xdf\xa3"
_SUFFIXES: Final = {"video/webm": ".webm", "video/x-matroska": ".mkv", "video/quicktime": ".mov"}
_UNSPECIFIC_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/mp4"})
_LARGE: Final = frozenset({b"mdat", b"moov", b"moof"})
"""Boxes that are looked at; what is unknown may be anything, also what some programs append."""
_KNOWN: Final = _LARGE | {b"ftyp", b"styp", b"free", b"skip", b"wide", b"uuid", b"sidx", b"meta", b"mfra"}
_MAX_BOXES: Final = 10_000


def missing_bytes(path: Path) -> int:
    """Return how many bytes the last box lacks; 0 if none, or if the file is no MP4 or can't be read."""
    try:
        with path.open("rb") as file:
            length, place = path.stat().st_size, 0
            for _ in range(_MAX_BOXES):
                file.seek(place)
                header = file.read(16)
                kind, size = header[4:8], int.from_bytes(header[:4])
                if size == 1 and len(header) == 16:  # its size stands behind its name
                    size = int.from_bytes(header[8:])
                if kind not in _KNOWN or size < 8:  # 0: up to the end of the file
                    return 0
                place += size
                if place >= length:
                    return place - length if kind in _LARGE else 0
    except OSError:
        pass
    return 0


def _bare(media_type: str | None) -> str:
    return (media_type or "").split(";")[0].strip().lower()


def not_a_video(head: bytes, media_type: str | None) -> str | None:
    """Return what is wrong with a result, or None. A known beginning is enough; else the type has to say video."""
    media_type = _bare(media_type)
    if not head:
        return "the video is empty"
    if head[4:8] in _MP4_BOXES or head.startswith(_EBML):
        return None
    what = f"the result is no video ({one_line(media_type, 80) or 'no content type'}"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"<", b"{", b"[") or all(32 <= byte < 127 or byte in b"\t\r\n" for byte in text):
        return f"{what}, it begins as text)"
    if media_type == "video/mp4":
        return f"{what}, but without the beginning of one)"
    return None if media_type.startswith("video/") or media_type in _UNSPECIFIC_TYPES else f"{what})"


def suffix_of(head: bytes, media_type: str | None) -> str:
    """Return the suffix of a video's file, by its first bytes, else by its type."""
    media_type = _bare(media_type)
    if head.startswith(_EBML):
        return ".mkv" if media_type == "video/x-matroska" else ".webm"
    if head[4:12] == b"ftypqt  ":
        return ".mov"
    return ".mp4" if head[4:8] in _MP4_BOXES else _SUFFIXES.get(media_type, ".mp4")
