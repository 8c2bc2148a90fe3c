"""Rate limits: frozen specs of what a service allows; `state()` returns an object that counts.

Limits are combined with `&`: `TokenBucket(4, per=60) & Concurrency(2)` admits what every part admits, and a refused
request uses up nothing in any part. Times are seconds since the run began, and windows are aligned to its start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from vidgen_nb.errors import InputError
from vidgen_nb.provider.limit_states import (
    BucketState,
    CombinedState,
    ConcurrencyState,
    DayQuotaState,
    LimitState,
    SlidingLogState,
    WindowState,
)

__all__ = [
    "DAY",
    "All",
    "Concurrency",
    "DailyQuota",
    "FixedWindow",
    "Limit",
    "SlidingWindow",
    "TokenBucket",
    "longest_period",
    "queues_over",
    "with_queue",
]

DAY: Final = 86_400.0
"""Seconds of a day."""


class Limit:
    """What a service allows; the base of all specs."""

    __slots__ = ()

    def state(self) -> LimitState:
        """Return a fresh state: nothing admitted yet, a bucket full."""
        raise NotImplementedError

    def __and__(self, other: Limit) -> All:
        if not isinstance(other, Limit):
            return NotImplemented
        return All((*_parts(self), *_parts(other)))


def _parts(limit: Limit) -> tuple[Limit, ...]:
    return limit.parts if isinstance(limit, All) else (limit,)


def _check(limit: Limit, n: object, per: object = 1.0) -> None:
    name = type(limit).__name__
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"{name}: n is a whole number from 1 up, not {n!r}")
    # shorter windows would drown in EDGE
    if isinstance(per, bool) or not isinstance(per, int | float) or not 1e-3 <= per < math.inf:
        raise InputError(f"{name}: per is a finite number of seconds from 0.001 up, not {per!r}")


@dataclass(frozen=True, slots=True)
class TokenBucket(Limit):
    """A bucket of `n` tokens, full at the start, that gets `n` more every `per` seconds, evenly spread.

    A busy client is admitted floor(n + t·n/per) times by time t. Raises `InputError` for n < 1 or per < 0.001.
    """

    n: int
    per: float = field(kw_only=True)

    def __post_init__(self) -> None:
        _check(self, self.n, self.per)

    def state(self) -> LimitState:
        """Return a full bucket."""
        return BucketState(self.n, self.per)


@dataclass(frozen=True, slots=True)
class FixedWindow(Limit):
    """At most `n` in each window [k·per, (k+1)·per) of the run, k = 0, 1, ….

    Raises `InputError` for n < 1 or per < 0.001.
    """

    n: int
    per: float = field(kw_only=True)

    def __post_init__(self) -> None:
        _check(self, self.n, self.per)

    def state(self) -> LimitState:
        """Return an unused window."""
        return WindowState(self.n, self.per)


@dataclass(frozen=True, slots=True)
class DailyQuota(Limit):
    """At most `n` per day; days count from the run's start. Raises `InputError` for n < 1."""

    n: int

    def __post_init__(self) -> None:
        _check(self, self.n)

    def state(self) -> LimitState:
        """Return an unused quota."""
        return DayQuotaState(self.n, DAY)


@dataclass(frozen=True, slots=True)
class SlidingWindow(Limit):
    """At most `n` in any window [t, t+per). Raises `InputError` for n < 1 or per < 0.001."""

    n: int
    per: float = field(kw_only=True)

    def __post_init__(self) -> None:
        _check(self, self.n, self.per)

    def state(self) -> LimitState:
        """Return an empty log."""
        return SlidingLogState(self.n, self.per)


@dataclass(frozen=True, slots=True)
class Concurrency(Limit):
    """At most `n` jobs at once, from admission to end. Raises `InputError` for n < 1, or an unknown `over`.

    `over`: a further job is refused (`"refuse"`), or accepted and waits for its turn, first come, first served, as at
    Runway (`"queue"`).
    """

    n: int
    over: Literal["refuse", "queue"] = field(default="refuse", kw_only=True)

    def __post_init__(self) -> None:
        _check(self, self.n)
        if self.over not in ("refuse", "queue"):
            raise InputError(f"Concurrency: over is 'refuse' or 'queue', not {self.over!r}")

    def state(self) -> LimitState:
        """Return a state with all slots free; one that queues refuses nothing."""
        return ConcurrencyState(self.n) if self.over == "refuse" else CombinedState(())


@dataclass(frozen=True, slots=True)
class All(Limit):
    """What every part admits; written `a & b`. Raises `InputError` without parts."""

    parts: tuple[Limit, ...]

    def __post_init__(self) -> None:
        if not self.parts or not all(isinstance(part, Limit) for part in self.parts):
            raise InputError(f"All takes a tuple of limits, not {self.parts!r}")

    def state(self) -> LimitState:
        """Return fresh states of all parts, which admit together."""
        return CombinedState(tuple(part.state() for part in self.parts))


def with_queue(limit: Limit) -> Limit:
    """Return the limit with jobs beyond its concurrency queued, not refused."""
    parts = tuple(replace(part, over="queue") if isinstance(part, Concurrency) else part for part in _parts(limit))
    return parts[0] if len(parts) == 1 else All(parts)


def queues_over(limit: Limit) -> int | None:
    """Return how many jobs may run before further ones queue; None if no job ever queues."""
    counts = (part.n for part in _parts(limit) if isinstance(part, Concurrency) and part.over == "queue")
    return min(counts, default=None)


def longest_period(limit: Limit) -> float:
    """Return the longest of its periods in seconds; 0 if it only counts running jobs."""
    periods = {DailyQuota: DAY, Concurrency: 0.0}
    return max(periods.get(type(part), getattr(part, "per", 0.0)) for part in _parts(limit))
