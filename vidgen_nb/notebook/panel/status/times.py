"""Durations and times of day in words, rounded to what is known of them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from vidgen_nb.notebook.panel.status.session_snapshot import SessionSnapshot

__all__ = ["about", "clock_time", "done_at", "time_left"]

CLOCK_FROM = 90.0
"""Seconds left from which on a time of day is worth reading."""
_STEPS = ((90.0, 5.0), (600.0, 30.0), (5_400.0, 60.0), (36_000.0, 600.0), (math.inf, 3_600.0))
"""A time below the first number is rounded to the second one."""


def about(seconds: float) -> str:
    """Return a rounded duration: `5 s`, `45 s`, `33 min`, `2 h 10 min`, `3 d`."""
    seconds = max(0.0, seconds)
    step = next(step for below, step in _STEPS if seconds < below)
    whole = max(int(step), round(seconds / step) * int(step))
    if whole <= CLOCK_FROM:
        return f"{whole} s"
    if whole < 600 and whole % 60:
        return f"{whole // 60}½ min"
    if whole < 5_400:
        return f"{whole // 60} min"
    if whole < 172_800:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86_400} d"


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
    between, clock = _between(low, high), _clock(session, left)
    return f"≈ {about(left)} left{f' ({between})' if between else ''}{f', {clock}' if clock else ''}"


def done_at(session: SessionSnapshot) -> str:
    """Say the same in short: `done ≈ 14:05`, or how long it still takes if that is soon."""
    whole = time_left(session)
    return whole.rpartition(", ")[2] if ", " in whole else whole.partition(" (")[0]


def _clock(session: SessionSnapshot, left: float) -> str:
    then = session.wall + timedelta(seconds=left)
    return f"done ≈ {clock_time(then, session.wall)}" if left >= CLOCK_FROM else ""


def _between(low: float, high: float) -> str:
    """Return an interval, with its unit once: `31–35 min`; empty if both ends read the same."""
    first, last = about(low), about(high)
    if first == last:
        return ""
    number, _, unit = first.rpartition(" ")
    return f"{number if unit == last.rpartition(' ')[2] and ' ' not in number else first}–{last}"
