"""What each slot of each profile did, second by second: the slot-time split of analysis.md.

At every moment of [0, M] a profile has c slots, each of which does one thing: an attempt that succeeded, one that was
wasted, or none, and then it cools, or stands idle with or without a queue. A busy slot is busy also while cooling.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate

from vidgen_nb.analysis.kinds import AttemptRecord, RunData
from vidgen_nb.core import events as ev

__all__ = ["SlotTime", "slot_time"]

Span = tuple[float, float]
Change = tuple[float, str, int]
"""At a time, a count changes by so much."""


@dataclass(frozen=True, slots=True)
class SlotTime:
    """Slot time of one profile, or of several, in slot seconds: it adds up to the slots' time in the run."""

    ok: float = 0.0
    """Attempts that succeeded."""
    wasted: float = 0.0
    """Attempts that ended in another way."""
    running: float = 0.0
    """Attempts that still run; 0 in a run that is over."""
    cooling: float = 0.0
    """Free slots of a profile in cooldown."""
    idle_empty: float = 0.0
    """Free slots while no scene waited."""
    idle_waiting: float = 0.0
    """Free slots while scenes waited."""

    def parts(self) -> tuple[float, ...]:
        """Return all parts, in the order of the fields."""
        return astuple(self)

    @property
    def total(self) -> float:
        """All of it."""
        return math.fsum(self.parts())

    def shares(self) -> SlotTime:
        """Return each part as a share of the whole, 0 to 1; all 0 if there is no time at all."""
        whole = self.total
        return SlotTime(*(part / whole for part in self.parts())) if whole > 0 else SlotTime()

    def __add__(self, other: SlotTime) -> SlotTime:
        return SlotTime(*(one + more for one, more in zip(self.parts(), other.parts(), strict=True)))


def slot_time(data: RunData, waiting: Sequence[Span]) -> dict[str, SlotTime]:
    """Return each profile's slot time from 0 to the makespan (the run's end, if nothing succeeded).

    `waiting`: when scenes waited, sorted and disjoint. Slots are the profile's capacity, or without one the most
    attempts that it had at once; more, while more attempts run than its capacity. O(n log n) in attempts.
    """
    ends = [a.end for a in data.attempts if a.outcome == "succeeded" and a.end is not None]
    end = max(ends, default=data.end)
    queue = _Measure(waiting)
    changes = _changes(data, end)
    return {name: _split(sorted(changes[name]), end, queue) for name in data.profiles}


class _Measure:
    """How much of [0, t] scenes waited."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._starts = [start for start, _end in spans]
        self._before = [0.0, *accumulate(end - start for start, end in spans)]

    def until(self, at: float) -> float:
        """Return the length of the spans' part before a time."""
        found = bisect_right(self._starts, at)
        if not found:
            return 0.0
        start, end = self._spans[found - 1]
        return self._before[found - 1] + min(at, end) - start


def _changes(data: RunData, end: float) -> dict[str, list[Change]]:
    """Return what changes on each profile, and when; its capacity from its events."""
    changes: dict[str, list[Change]] = defaultdict(list)
    for attempt in data.attempts:
        stop = end if attempt.end is None else attempt.end
        changes[attempt.profile] += _span(_kind(attempt), attempt.start, stop, end)
    for window in data.cooldowns:
        changes[window.profile] += _span("cooling", window.start, window.end, end)
    for name, bounds in _capacities(data).items():
        most = _most(changes[name]) if any(slots is None for _at, slots in bounds) else 0
        before = 0
        for at, slots in bounds:
            now = most if slots is None else slots
            if at <= end:
                changes[name].append((at, "slots", now - before))
            before = now
    return changes


def _capacities(data: RunData) -> dict[str, list[tuple[float, int | None]]]:
    """Return each profile's capacity from when on; 0: it was not part of the session."""
    told: dict[str, list[tuple[float, int | None]]] = defaultdict(list)
    for event in data.events:
        if isinstance(event, ev.ProfileAdded | ev.ProfileChanged):
            told[event.profile].append((event.at, event.capacity))
        elif isinstance(event, ev.ProfileRemoved):
            told[event.profile].append((event.at, 0))
    return {name: told.get(name) or [(0.0, data.capacities.get(name))] for name in data.profiles}


def _span(kind: str, start: float, stop: float, end: float) -> list[Change]:
    stop = min(stop, end)
    return [(start, kind, 1), (stop, kind, -1)] if stop > start else []


def _kind(attempt: AttemptRecord) -> str:
    if attempt.end is None:
        return "running"
    return "ok" if attempt.outcome == "succeeded" else "wasted"


def _most(changes: list[Change]) -> int:
    """Return the most attempts at once; one that begins as another ends takes its slot."""
    steps = sorted((at, by) for at, kind, by in changes if kind != "cooling")
    return max(accumulate(by for _at, by in steps), default=0)


def _split(changes: list[Change], end: float, queue: _Measure) -> SlotTime:
    """Add up the stretches between changes."""
    counts = {"ok": 0, "wasted": 0, "running": 0, "cooling": 0, "slots": 0}
    parts: dict[str, list[float]] = defaultdict(list)
    since = 0.0
    for at, kind, by in [*changes, (end, "slots", 0)]:
        if at > since:
            _stretch(counts, since, at, queue, parts)
            since = at
        counts[kind] += by
    return SlotTime(**{name: math.fsum(values) for name, values in parts.items()})


def _stretch(counts: dict[str, int], start: float, stop: float, queue: _Measure, parts: dict[str, list[float]]) -> None:
    length = stop - start
    for kind in ("ok", "wasted", "running"):
        if counts[kind]:
            parts[kind].append(counts[kind] * length)
    free = counts["slots"] - counts["ok"] - counts["wasted"] - counts["running"]
    if free <= 0:
        return
    if counts["cooling"]:
        parts["cooling"].append(free * length)
        return
    waited = min(length, max(0.0, queue.until(stop) - queue.until(start)))
    parts["idle_waiting"].append(free * waited)
    parts["idle_empty"].append(free * (length - waited))
