"""How long a run needs to recover after trouble, such as an outage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import Steps, goodput, merged, queue, value_at
from vidgen_nb.errors import InputError

__all__ = ["Recovery", "outage", "recovery"]

RECOVERED_SHARE = 0.9
"""The share of the goodput before that counts as recovered."""
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a run recovered after trouble. Times in run seconds."""

    start: float
    """When the trouble began."""
    end: float
    """When it was over."""
    window: float
    """Seconds over which goodput is taken, and for which it must hold."""
    before: float
    """Results per second in the window before the trouble."""
    seconds: float | None
    """From the end of the trouble until goodput was at least 0.9 of before and the queue no longer than before, for at
    least a window; None: not recovered."""


def recovery(data: RunData, start: float, end: float, window: float = 60.0) -> Recovery:
    """Return how long the run needed after trouble from `start` to `end`.

    Raises `InputError` if the end is before the start, or the window is not a positive number.
    """
    if not 0 <= start <= end < inf:
        raise InputError(f"trouble starts at 0 s or later and ends after that, not {start!r} to {end!r}")
    rate, waiting = goodput(data, window), queue(data)
    before, length = value_at(rate, start), value_at(_until(waiting, start), start)
    enough = RECOVERED_SHARE * before * (1 - ROUNDING)
    since: float | None = None
    for at, (now, waits) in (*merged(rate, waiting), (inf, (0.0, 0.0))):
        if since is not None and min(at, data.end) - since >= window:
            return Recovery(start, end, window, before, since - end)
        good = now >= enough and waits <= length
        if not good:
            since = None
        elif since is None:
            since = max(at, end)
    return Recovery(start, end, window, before, None)


def _until(steps: Steps, t: float) -> Steps:
    """Return the steps before a time: a scene that bounced at that moment was not in the queue before."""
    return [step for step in steps if step[0] < t]


def outage(faults: Iterable[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Return start and end of the faults in a run's header that have an end, or None."""
    spans = [(fault.get("start", 0.0), fault.get("end")) for fault in faults]
    ended = [(start, end) for start, end in spans if isinstance(end, int | float) and end < inf]
    return (min(start for start, _ in ended), max(end for _, end in ended)) if ended else None
