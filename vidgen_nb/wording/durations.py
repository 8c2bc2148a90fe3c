"""How long something took or takes, for reading: in seconds below a minute, and above it in the two largest units."""

from __future__ import annotations

import math

__all__ = ["countdown", "duration", "roughly", "roughly_between"]

_UNITS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
"""Seconds and name of a unit, and of the next smaller one."""
_STEPS = ((90.0, 5.0), (600.0, 30.0), (5_400.0, 60.0), (36_000.0, 600.0), (172_800.0, 3_600.0), (math.inf, 86_400.0))
"""A forecast below the first number is rounded to the second one."""
_NOTHING = 1e-8
"""Seconds that a subtraction leaves of 0."""


def duration(seconds: float) -> str:
    """Return what was measured: `4.2 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`; inf means that no end is known."""
    if math.isinf(seconds):
        return "no end known"
    if seconds < -_NOTHING:
        return f"-{duration(-seconds)}"
    if round(seconds, 1) >= 60:
        return _whole(seconds)
    return f"{seconds:.1f} s" if seconds >= 0.05 else "<0.1 s" if seconds > _NOTHING else "0 s"


def countdown(seconds: float) -> str:
    """Return how long something still takes, in whole seconds: `16 s`, and `0 s` only when it is over."""
    return _whole(math.ceil(max(0.0, seconds)))


def roughly(seconds: float) -> str:
    """Return a forecast, rounded to what can be known of it: `45 s`, `1 min 30 s`, `33 min`, `2 h 10 min`, `3 d`."""
    seconds = max(0.0, seconds)
    step = next(step for below, step in _STEPS if seconds < below)
    return _whole(max(1, round(seconds / step)) * step)


def roughly_between(low: float, high: float) -> str:
    """Return an interval of a forecast, with its unit once: `31–35 min`; empty if both ends read the same."""
    first, last = roughly(low), roughly(high)
    if first == last:
        return ""
    number, _, unit = first.partition(" ")
    return f"{number if ' ' not in unit and last.partition(' ')[2] == unit else first}–{last}"


def _whole(seconds: float) -> str:
    for size, name, part, less in _UNITS:
        if round(seconds / part) * part >= size:
            number, rest = divmod(round(seconds / part), size // part)
            return f"{number:,} {name} {rest} {less}" if rest else f"{number:,} {name}"
    return f"{round(seconds)} s"
