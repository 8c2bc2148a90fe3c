"""What limits have admitted: the small mutable states behind the specs in `limits`.

Every admission is O(1) per limit. No state adds times up: bucket and windows count whole admissions since an
anchor, so rounding doesn't grow with the run.
"""

from __future__ import annotations

import math
from collections import deque
from typing import ClassVar, Final, Literal

from vidgen_nb.core.model import record

__all__ = ["EDGE", "Bucket", "LimitCause", "LimitState", "Log", "Quota", "Refusal", "Slots", "Sum", "Window"]

LimitCause = Literal["rate", "concurrency", "day_quota"]

EDGE: Final = 1e-6
"""Who comes so few seconds too early is on time.

now + (reset - now) may round to just below reset; a microsecond is far more than that rounding (1e-10 s after
ten days) and far less than anybody measures.
"""


@record
class Refusal:
    """A request that was not admitted; it used up nothing."""

    cause: LimitCause
    """Which limit refused. Of several, the gravest: the day's quota, then concurrency, then a rate."""
    retry_after: float | None
    """Seconds until it would be admitted if nobody else came, or None where that depends on running jobs."""


class LimitState:
    """What a limit has admitted so far. `now` never goes back between calls."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "rate"

    def ready_at(self, now: float) -> float:
        """Return `now` if a request would be admitted, else when it would be: inf for "when a job ends"."""
        raise NotImplementedError

    def take(self, now: float) -> None:
        """Count one admission at `now`; only after `ready_at` said so."""
        raise NotImplementedError

    def holds(self) -> bool:
        """Say whether an admission counts until `release`; most limits don't care how long a job runs."""
        return False

    def release(self) -> None:
        """Say that an admitted job has ended."""

    def admit(self, now: float) -> Refusal | None:
        """Admit a request at `now` and return None, or say why not."""
        ready = self.ready_at(now)
        if ready <= now:
            self.take(now)
            return None
        return Refusal(self.cause, None if ready == math.inf else ready - now)


class Bucket(LimitState):
    """A token bucket: how many were taken since it was last full."""

    __slots__ = ("full_at", "interval", "n", "taken")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.interval = per / n
        self.full_at = 0.0
        self.taken = 0

    def ready_at(self, now: float) -> float:
        """Return `now`, or when it will be admitted."""
        ready = self.full_at + (self.taken + 1 - self.n) * self.interval
        return ready if ready > now + EDGE else now

    def take(self, now: float) -> None:
        """Count an admission."""
        if now - self.full_at >= self.taken * self.interval:
            self.full_at, self.taken = now, 0
        self.taken += 1


class Window(LimitState):
    """A fixed window: how many were admitted in the latest one."""

    __slots__ = ("index", "n", "per", "taken")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.per = per
        self.index = 0
        self.taken = 0

    def ready_at(self, now: float) -> float:
        """Return `now`, or when it will be admitted."""
        index = int((now + EDGE) // self.per)
        if index > self.index:
            self.index, self.taken = index, 0
        return now if self.taken < self.n else (self.index + 1) * self.per

    def take(self, now: float) -> None:
        """Count an admission."""
        self.taken += 1


class Quota(Window):
    """A fixed window of a day."""

    __slots__ = ()
    cause: ClassVar[LimitCause] = "day_quota"


class Log(LimitState):
    """A sliding window: when the latest `n` were admitted."""

    __slots__ = ("admitted", "n", "per")

    def __init__(self, n: int, per: float) -> None:
        self.n = n
        self.per = per
        self.admitted: deque[float] = deque(maxlen=n)

    def ready_at(self, now: float) -> float:
        """Return `now`, or when it will be admitted."""
        if len(self.admitted) < self.n:
            return now
        ready = self.admitted[0] + self.per
        return ready if ready > now + EDGE else now

    def take(self, now: float) -> None:
        """Count an admission."""
        self.admitted.append(now)


class Slots(LimitState):
    """A concurrency limit: how many slots are free."""

    __slots__ = ("free",)
    cause: ClassVar[LimitCause] = "concurrency"

    def __init__(self, n: int) -> None:
        self.free = n

    def ready_at(self, now: float) -> float:
        """Return `now`, or when it will be admitted."""
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


_GRAVEST_FIRST: Final[tuple[LimitCause, ...]] = ("day_quota", "concurrency", "rate")


class Sum(LimitState):
    """Several limits that admit together; without any, everything is admitted."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[LimitState, ...]) -> None:
        self.parts = parts

    def ready_at(self, now: float) -> float:
        """Return `now`, or when it will be admitted."""
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

    def admit(self, now: float) -> Refusal | None:
        """Admit in all of them, or in none."""
        waits = [(part.cause, ready) for part in self.parts if (ready := part.ready_at(now)) > now]
        if not waits:
            self.take(now)
            return None
        cause = min((cause for cause, _ in waits), key=_GRAVEST_FIRST.index)
        if cause == "concurrency":
            return Refusal(cause, None)
        # a day outlives the jobs that hold slots today
        return Refusal(cause, max(ready for _, ready in waits if ready < math.inf) - now)
