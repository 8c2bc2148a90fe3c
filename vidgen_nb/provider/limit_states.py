"""What limits have admitted: the small mutable states behind the specs in `limits`.

Every admission is O(1) per limit without weights. No state sums up times: buckets and windows count admissions since an
anchor, so rounding errors don't grow with the run.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from vidgen_nb.core.model import record
from vidgen_nb.provider.weights import NOTHING, SLACK, WeightedLog, weight_of

__all__ = [
    "EDGE",
    "BucketState",
    "ConcurrencyState",
    "DayQuotaState",
    "LimitCause",
    "LimitRefusal",
    "LimitState",
    "SlidingLogState",
    "WeightedLogState",
    "WindowState",
]

LimitCause = Literal["rate", "concurrency", "day_quota"]

EDGE: Final = 1e-6
"""A request that comes at most this many seconds early is on time.

now + (reset - now) may round to just below reset; a microsecond is far more than that rounding (1e-10 s after ten days)
and far less than anybody measures.
"""


@record
class LimitRefusal:
    """A limit does not admit a request."""

    cause: LimitCause
    """Which limit refused. Of several, the worst: the daily quota, then concurrency, then a rate."""
    retry_after: float | None
    """Seconds until it would be admitted if nobody else came, with this refusal counted where refusals count; None if
    that depends on running jobs."""


class LimitState:
    """What a limit has admitted so far. `now` never goes back between calls."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "rate"

    def ready_at(self, now: float) -> float:
        """Return `now` if a request would be admitted, otherwise when it would be; inf: when a job ends, or never."""
        raise NotImplementedError

    def take(self, now: float) -> None:
        """Count one admission at `now`; only after `ready_at` returned `now`."""
        raise NotImplementedError

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return what `ready_at` does, for a scene with these parameters: a limit may count what it weighs."""
        return self.ready_at(now)

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission of a scene with these parameters."""
        self.take(now)

    def refuse(self, now: float, request: Mapping[str, Any] = NOTHING) -> None:
        """Count a request that was refused, by whatever; most limits don't. Only after `ready_at` at `now`."""

    def holds(self) -> bool:
        """Say whether an admission counts until `release`; for most limits it doesn't matter how long a job runs."""
        return False

    def release(self) -> None:
        """Note that an admitted job has ended."""

    def admit(self, now: float, request: Mapping[str, Any] = NOTHING) -> LimitRefusal | None:
        """Admit a request at `now` and return None, or say why not."""
        if self.ready_for(now, request) <= now:
            self.take_for(now, request)
            return None
        self.refuse(now, request)
        ready = self.ready_for(now, request)
        return LimitRefusal(self.cause, None if ready == math.inf else ready - now)


class _RateState(LimitState):
    """A limit of `n` (requests, or their weight) in `per` seconds."""

    __slots__ = ("_counts_refusals", "_weight", "n", "per")

    def __init__(self, n: int, per: float, *, counts_refusals: bool = False, weight: str | float = 1) -> None:
        self.n = n
        self.per = per
        self._counts_refusals = counts_refusals
        self._weight = weight

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request of which nothing is known will be admitted."""
        return self.ready_for(now, NOTHING)

    def take(self, now: float) -> None:
        """Count an admission of which nothing is known."""
        self.take_for(now, NOTHING)

    @property
    def counts_requests(self) -> bool:
        """Whether every request weighs 1."""
        return self._weight == 1

    def refuse(self, now: float, request: Mapping[str, Any] = NOTHING) -> None:
        """Count a refused request like an accepted one, if refusals count and it can be weighed."""
        if self._counts_refusals and weight_of(self._weight, request) < math.inf:
            self.take_for(now, request)


class BucketState(_RateState):
    """A token bucket: how many tokens were taken since it was last full; refused requests take it below zero."""

    __slots__ = ("full_at", "interval", "taken")

    def __init__(self, n: int, per: float, *, counts_refusals: bool = False, weight: str | float = 1) -> None:
        super().__init__(n, per, counts_refusals=counts_refusals, weight=weight)
        self.interval = per / n
        self.full_at = 0.0
        self.taken: float = 0

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return `now`, or when a request will be admitted."""
        weight = 1 if self._weight == 1 else weight_of(self._weight, request)
        if weight > self.n:
            return math.inf
        ready = self.full_at + (self.taken + weight - self.n) * self.interval
        return ready if ready > now + EDGE else now

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission."""
        if now - self.full_at >= self.taken * self.interval:
            self.full_at, self.taken = now, 0
        self.taken += 1 if self._weight == 1 else weight_of(self._weight, request)

    def refuse(self, now: float, request: Mapping[str, Any] = NOTHING) -> None:
        """Count a refused request, if refusals count: no further than to `n` tokens below zero."""
        super().refuse(now, request)
        if self._counts_refusals and self.full_at + (self.taken - 2 * self.n) * self.interval > now:
            self.full_at, self.taken = now, 2 * self.n


class WindowState(_RateState):
    """A fixed window: how many requests were counted in the latest one."""

    __slots__ = ("_most", "_near_end", "index", "taken")

    def __init__(self, n: int, per: float, *, counts_refusals: bool = False, weight: str | float = 1) -> None:
        super().__init__(n, per, counts_refusals=counts_refusals, weight=weight)
        self._most = n * (1 + SLACK)
        self.index = 0
        self.taken: float = 0
        self._near_end = per - 2 * EDGE
        """Before this second the window is not over."""

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return `now`, or when a request will be admitted."""
        if now >= self._near_end and (index := int((now + EDGE) // self.per)) > self.index:
            self.index, self.taken = index, 0
            self._near_end = (index + 1) * self.per - 2 * EDGE
        weight = 1 if self._weight == 1 else weight_of(self._weight, request)
        if self.taken + weight <= self._most:
            return now
        return math.inf if weight > self.n else (self.index + 1) * self.per

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission."""
        self.taken += 1 if self._weight == 1 else weight_of(self._weight, request)


class DayQuotaState(WindowState):
    """A daily quota: a fixed window of one day."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "day_quota"


class SlidingLogState(_RateState):
    """A sliding window: when the latest `n` requests were counted."""

    __slots__ = ("admitted",)

    def __init__(self, n: int, per: float, *, counts_refusals: bool = False) -> None:
        super().__init__(n, per, counts_refusals=counts_refusals)
        self.admitted: deque[float] = deque(maxlen=n)

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return `now`, or when a request will be admitted."""
        if len(self.admitted) < self.n:
            return now
        ready = self.admitted[0] + self.per
        return ready if ready > now + EDGE else now

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission."""
        self.admitted.append(now)


class WeightedLogState(_RateState):
    """A sliding window of weights."""

    __slots__ = ("_log",)

    def __init__(self, n: int, per: float, *, counts_refusals: bool = False, weight: str | float) -> None:
        super().__init__(n, per, counts_refusals=counts_refusals, weight=weight)
        self._log = WeightedLog(n, per)

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return `now`, or when a request will be admitted."""
        weight = weight_of(self._weight, request)
        ready = self._log.ready_at(now, weight) if weight <= self.n else math.inf
        return ready if ready > now + EDGE else now

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission."""
        self._log.add(now, weight_of(self._weight, request))


class ConcurrencyState(LimitState):
    """A concurrency limit: how many slots are free."""

    __slots__ = ("free",)
    cause: ClassVar[LimitCause] = "concurrency"

    def __init__(self, n: int) -> None:
        self.free = n

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request will be admitted."""
        return now if self.free > 0 else math.inf

    def take(self, now: float) -> None:
        """Count an admission."""
        self.free -= 1

    def holds(self) -> bool:
        """Say whether a slot is held until the job's end."""
        return True

    def release(self) -> None:
        """Give a slot back."""
        self.free += 1
