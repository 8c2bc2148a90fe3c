"""Rate limits: frozen specs of what a service allows; `state()` returns an object that counts.

Limits are combined with `&`: `TokenBucket(4, per=60) & Concurrency(2)` admits what every part admits. Times are seconds
since the run began, and windows are aligned to its start. All but `Concurrency` have two options:

`count_refusals`: a refused request uses the limit up as an accepted one does, whatever refused it, as at OpenAI
("unsuccessful requests contribute to your per-minute limit", developers' guide, "Rate limits"); so who retries too soon
stays out. A fixed window counts all requests that come in it; a sliding window lets a request in when fewer than `n`
came in the `per` seconds before; a bucket falls below empty, to -`n` at most. So a storm is forgotten one `per` after
its end. Default: a refused request uses up nothing. `estimate_limits` takes refusals to be free.

`weight`: what the limit counts of each request: the name of a scene's parameter (1 for a scene without it), or one
number for all. `TokenBucket(60, per=60) & TokenBucket(10_000, per=60, weight="tokens")` are requests and tokens a
minute together. A request that weighs more than `n` is refused for good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from vidgen_nb.errors import InputError
from vidgen_nb.provider.combined_limits import CombinedState
from vidgen_nb.provider.limit_states import (
    BucketState,
    ConcurrencyState,
    DayQuotaState,
    LimitState,
    SlidingLogState,
    WeightedLogState,
    WindowState,
)
from vidgen_nb.provider.weights import weight_of

__all__ = [
    "DAY",
    "All",
    "Concurrency",
    "DailyQuota",
    "FixedWindow",
    "Limit",
    "SlidingWindow",
    "TokenBucket",
    "given_fields",
    "longest_period",
    "queues_over",
    "too_heavy",
    "weights_of",
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given_fields(self).items())})"


def given_fields(limit: Limit) -> dict[str, Any]:
    """Return what a limit was made with; `count_refusals` and `weight` only if they are not as by default."""
    values = {each.name: (getattr(limit, each.name), each.default) for each in fields(limit)}  # type: ignore[arg-type]
    optional = ("count_refusals", "weight")
    return {name: value for name, (value, default) in values.items() if name not in optional or value != default}


def _parts(limit: Limit) -> tuple[Limit, ...]:
    return limit.parts if isinstance(limit, All) else (limit,)


def _check(limit: Limit, n: object, per: object = 1.0, *, count_refusals: object = False, weight: Any = 1) -> None:
    name = type(limit).__name__
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"{name}: n is a whole number from 1 up, not {n!r}")
    # shorter windows would drown in EDGE
    if isinstance(per, bool) or not isinstance(per, int | float) or not 1e-3 <= per < math.inf:
        raise InputError(f"{name}: per is a finite number of seconds from 0.001 up, not {per!r}")
    if not isinstance(count_refusals, bool):
        raise InputError(f"{name}: count_refusals is True or False, not {count_refusals!r}")
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not (number and 0 < weight <= n) and not (isinstance(weight, str) and weight.strip()):
        raise InputError(
            f"{name}: weight is the name of a scene's parameter, such as 'tokens', or a number above 0 and up to n, "
            f"not {weight!r}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class TokenBucket(Limit):
    """A bucket of `n` tokens, full at the start, that gets `n` more every `per` seconds, evenly spread.

    A busy client is admitted floor(n + t·n/per) times by time t. Raises `InputError` for n < 1 or per < 0.001.
    """

    n: int
    per: float = field(kw_only=True)
    count_refusals: bool = field(default=False, kw_only=True)
    """Whether a refused request uses the limit up like an accepted one."""
    weight: str | float = field(default=1, kw_only=True)
    """What is counted of each request: a scene's parameter such as "tokens", or a number."""

    def __post_init__(self) -> None:
        _check(self, self.n, self.per, count_refusals=self.count_refusals, weight=self.weight)

    def state(self) -> LimitState:
        """Return a full bucket."""
        return BucketState(self.n, self.per, counts_refusals=self.count_refusals, weight=self.weight)


@dataclass(frozen=True, slots=True, repr=False)
class FixedWindow(Limit):
    """At most `n` in each window [k·per, (k+1)·per) of the run, k = 0, 1, ….

    Raises `InputError` for n < 1 or per < 0.001.
    """

    n: int
    per: float = field(kw_only=True)
    count_refusals: bool = field(default=False, kw_only=True)
    """Whether a refused request uses the limit up like an accepted one."""
    weight: str | float = field(default=1, kw_only=True)
    """What is counted of each request: a scene's parameter such as "tokens", or a number."""

    def __post_init__(self) -> None:
        _check(self, self.n, self.per, count_refusals=self.count_refusals, weight=self.weight)

    def state(self) -> LimitState:
        """Return an unused window."""
        return WindowState(self.n, self.per, counts_refusals=self.count_refusals, weight=self.weight)


@dataclass(frozen=True, slots=True, repr=False)
class DailyQuota(Limit):
    """At most `n` per day; days count from the run's start. Raises `InputError` for n < 1."""

    n: int
    count_refusals: bool = field(default=False, kw_only=True)
    """Whether a refused request uses the limit up like an accepted one."""
    weight: str | float = field(default=1, kw_only=True)
    """What is counted of each request: a scene's parameter such as "tokens", or a number."""

    def __post_init__(self) -> None:
        _check(self, self.n, count_refusals=self.count_refusals, weight=self.weight)

    def state(self) -> LimitState:
        """Return an unused quota."""
        return DayQuotaState(self.n, DAY, counts_refusals=self.count_refusals, weight=self.weight)


@dataclass(frozen=True, slots=True, repr=False)
class SlidingWindow(Limit):
    """At most `n` in any window [t, t+per). Raises `InputError` for n < 1 or per < 0.001."""

    n: int
    per: float = field(kw_only=True)
    count_refusals: bool = field(default=False, kw_only=True)
    """Whether a refused request uses the limit up like an accepted one."""
    weight: str | float = field(default=1, kw_only=True)
    """What is counted of each request: a scene's parameter such as "tokens", or a number."""

    def __post_init__(self) -> None:
        _check(self, self.n, self.per, count_refusals=self.count_refusals, weight=self.weight)

    def state(self) -> LimitState:
        """Return an empty log."""
        if self.weight == 1:
            return SlidingLogState(self.n, self.per, counts_refusals=self.count_refusals)
        return WeightedLogState(self.n, self.per, counts_refusals=self.count_refusals, weight=self.weight)


@dataclass(frozen=True, slots=True, repr=False)
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


def weights_of(limit: Limit) -> list[str]:
    """Return the names of the scenes' parameters that it counts."""
    return [part.weight for part in _parts(limit) if isinstance(getattr(part, "weight", 1), str)]  # type: ignore[attr-defined]


def too_heavy(limit: Limit, request: Mapping[str, Any]) -> str:
    """Return why a limit can never admit a request with these parameters; empty: it can."""
    for part in _parts(limit):
        name = getattr(part, "weight", 1)
        if isinstance(name, str) and (weight := weight_of(name, request)) > part.n:  # type: ignore[attr-defined]
            given = request.get(name)
            if weight == math.inf:
                return f"its {name} must be a number, 0 or more, not {given!r:.60}"
            return f"its {name} are {given}, more than {part} ever admits at once"
    return ""
