"""Times of day, and how long a run will still take, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot
from vidgen_nb.wording.durations import roughly, roughly_between

__all__ = ["clock_time", "done_at", "time_left"]

CLOCK_FROM = 90.0
"""Seconds left from which on a time of day is worth reading."""


def clock_time(then: datetime, now: datetime) -> str:
    """Return a time of day as people say it: `14:05`, `tomorrow 14:05`, `Thu 14:05`, `3 Mar 14:05`."""
    days = (then.date() - now.date()).days
    day = "" if not days else "tomorrow " if days == 1 else f"{then:%a} " if 0 < days < 7 else f"{then.day} {then:%b} "
    return f"{day}{then:%H:%M}"


def time_left(session: SessionSnapshot) -> str:
    """Say how long the run will take from now on, with an interval: `≈ 33 min left (31–35 min), done ≈ 14:05`."""
    end = session.prediction
    if not session.running or session.paused or session.stopping:
        return ""
    if end is None or end.low is None or end.middle is None or end.high is None:
        return "estimating …"
    low, left, high = (max(0.0, at - session.now) / session.speed for at in (end.low, end.middle, end.high))
    if not left:
        return "almost done"
    between, clock = roughly_between(low, high), _clock(session, left)
    return f"≈ {roughly(left)} left{f' ({between})' if between else ''}{f', {clock}' if clock else ''}"


def done_at(session: SessionSnapshot) -> str:
    """Say the same in short: `done ≈ 14:05`, or how long it still takes if that is soon."""
    whole = time_left(session)
    return whole.rpartition(", ")[2] if ", " in whole else whole.partition(" (")[0]


def _clock(session: SessionSnapshot, left: float) -> str:
    then = session.wall + timedelta(seconds=left)
    return f"done ≈ {clock_time(then, session.wall)}" if left >= CLOCK_FROM else ""
