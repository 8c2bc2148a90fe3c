"""What a run is called, when it began, and how a report's file is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vidgen_nb.plaintext import one_line

__all__ = ["began", "date_and_time", "default_name", "title_of"]

_FILE_CHARS = re.compile(r"[^\w.-]+")


def title_of(header: Mapping[str, Any]) -> str:
    """Return what a run is called where nobody has given it a title."""
    return f"Run {one_line(str(header.get('run') or 'without a name'), 80)}"


def began(header: Mapping[str, Any]) -> datetime | None:
    """Return when a run began, in this machine's time zone; None: its header does not say."""
    try:
        found = datetime.fromisoformat(str(header.get("started")))
    except ValueError:
        return None
    try:
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone()
    except (OverflowError, OSError):  # a year that no time zone has
        return None


def date_and_time(moment: datetime | None) -> str:
    """Return a moment as people read it, with its time zone: `2026-05-04 12:11 CEST`; None: nothing."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M %Z}"


def default_name(header: Mapping[str, Any], title: str) -> str:
    """Return the name of a report's file: the date, and the title or the run's name."""
    date = began(header)
    name = _FILE_CHARS.sub("-", one_line(title or title_of(header), 60)).strip("-.") or "run"
    return f"{date:%Y-%m-%d} {name}.html" if date is not None and title else f"{name}.html"
