"""What limits have admitted: the small mutable states behind the specs in `limits`.

Every admission is O(1) per limit. No state sums up times: buckets and windows count whole admissions since an anchor,
so rounding errors don't grow with the run.
"""

from __future__ import annotations

import math
from collections import deque
from typing import ClassVar, Final, Literal

from vidgen_nb.core.model import record

__all__ = [
    "EDGE",
    "BucketState",
    "CombinedState",
    "ConcurrencyState",
    "DayQuotaState",
    "LimitCause",
    "LimitRefusal",
    "LimitState",
    "SlidingLogState",
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
    """A limit does not admit a request, which uses up nothing."""

    cause: LimitCause
    """Which limit refused. Of several, the worst: the daily quota, then concurrency, then a rate."""
    retry_after: float | None
    """Seconds until it would be admitted if nobody else came; None if that depends on running jobs."""


class LimitState:
    """What a limit has admitted so far. `now` never goes back between calls."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "rate"

    def ready_at(self, now: float) -> float:
        """Return `now` if a request would be admitted, otherwise when it would be; inf: when a job ends."""
        raise NotImplementedError

    def take(self, now: float) -> None:
        """Count one admission at `now`; only after `ready_at` returned `now`."""
        raise NotImplementedError

    def holds(self) -> bool:
        """Say whether an admission counts until `release`; for most limits it doesn't matter how long a job runs."""
        return False

    def release(self) -> None:
        """Note that an admitted job has ended."""

    def admit(self, now: float) -> LimitRefusal | None:
        """Admit a request at `now` and return None, or say why not."""
        ready = self.ready_at(now)
        if ready <= now:
            self.take(now)
            return None
        return LimitRefusal(self.cause, None if ready == math.inf else ready - now)


class BucketState(LimitState):
    """A token bucket: how many tokens were taken since it was last full."""

    __slots__ = ("full_at", "interval", "n", "taken")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.interval = per / n
        self.full_at = 0.0
        self.taken = 0

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request will be admitted."""
        ready = self.full_at + (self.taken + 1 - self.n) * self.interval
        return ready if ready > now + EDGE else now

    def take(self, now: float) -> None:
        """Count an admission."""
        if now - self.full_at >= self.taken * self.interval:
            self.full_at, self.taken = now, 0
        self.taken += 1


class WindowState(LimitState):
    """A fixed window: how many requests were admitted in the latest one."""

    __slots__ = ("index", "n", "per", "taken")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.per = per
        self.index = 0
        self.taken = 0

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request will be admitted."""
        index = int((now + EDGE) // self.per)
        if index > self.index:
            self.index, self.taken = index, 0
        return now if self.taken < self.n else (self.index + 1) * self.per

    def take(self, now: float) -> None:
        """Count an admission."""
        self.taken += 1


class DayQuotaState(WindowState):
    """A daily quota: a fixed window of one day."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "day_quota"


class SlidingLogState(LimitState):
    """A sliding window: when the latest `n` requests were admitted."""

    __slots__ = ("admitted", "n", "per")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.per = per
        self.admitted: deque[float] = deque(maxlen=n)

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request will be admitted."""
        if len(self.admitted) < self.n:
            return now
        ready = self.admitted[0] + self.per
        return ready if ready > now + EDGE else now

    def take(self, now: float) -> None:
        """Count an admission."""
        self.admitted.append(now)


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


_WORST_FIRST: Final[tuple[LimitCause, ...]] = ("day_quota", "concurrency", "rate")


class CombinedState(LimitState):
    """Several limits that admit together; if there are none, everything is admitted."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[LimitState, ...]) -> None:
        self.parts = parts

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request will be admitted."""
        return max((part.ready_at(now) for part in self.parts), default=now)

    def take(self, now: float) -> None:
        """Count an admission."""
        for part in self.parts:
            part.take(now)

    def holds(self) -> bool:
        """Say whether a slot is held until the job's end."""
        return any(part.holds() for part in self.parts)

    def release(self) -> None:
        """Give a slot back."""
        for part in self.parts:
            part.release()

    def admit(self, now: float) -> LimitRefusal | None:
        """Admit in all of them, or in none."""
        waits = [(part.cause, ready) for part in self.parts if (ready := part.ready_at(now)) > now]
        if not waits:
            self.take(now)
            return None
        cause = min((cause for cause, _ in waits), key=_WORST_FIRST.index)
        if cause == "concurrency":
            return LimitRefusal(cause, None)
        # the daily quota lasts longer than the jobs that hold slots today
        return LimitRefusal(cause, max(ready for _, ready in waits if ready < math.inf) - now)
