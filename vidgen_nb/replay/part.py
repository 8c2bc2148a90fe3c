"""Which part of a run a replay shows."""

from __future__ import annotations

import math

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import seconds
from vidgen_nb.errors import InputError

__all__ = ["MAX_ATTEMPTS", "attempts_within", "is_within", "window_of"]

MAX_ATTEMPTS = 10_000
"""A page stays quick, and small enough to be sent, up to here."""


def window_of(data: RunData, after: float | None, until: float | None) -> tuple[float, float]:
    """Return where a part begins and ends, in run seconds; `InputError` if nothing is left."""
    last = data.end or 1.0
    start = 0.0 if after is None else float(seconds("after", after))
    end = last if until is None else min(last, float(seconds("until", until)))
    if start >= end:
        raise InputError(f"after={start:g} and until={end:g} leave nothing: this run lasts from 0 to {last:,.1f} s")
    return start, end


def is_within(begin: float, end: float | None, start: float, stop: float) -> bool:
    """Return whether a span overlaps a part; None: it has no end."""
    return begin <= stop and (end is None or end >= start)


def attempts_within(data: RunData, start: float, end: float) -> list[int]:
    """Return the indices of the attempts that overlap a part; `InputError` if it has too many."""
    shown = [index for index, each in enumerate(data.attempts) if is_within(each.start, each.end, start, end)]
    if len(shown) > MAX_ATTEMPTS:
        raise InputError(_too_many(data, shown, start))
    return shown


def _too_many(data: RunData, shown: list[int], start: float) -> str:
    """Say how many there are, and how far a part from the same start may reach."""
    too_many = f"a replay shows at most {MAX_ATTEMPTS:,} attempts, and this run has {len(shown):,}"
    reach = math.ceil(data.attempts[shown[MAX_ATTEMPTS]].start) - 1
    if reach <= start:
        return f"{too_many} running at {start:g} s: choose another part of it with after= and until="
    part = f"until={reach}" if start == 0 else f"after={start:g}, until={reach}"
    return f"{too_many}: show a part of it, such as replay({part})"
