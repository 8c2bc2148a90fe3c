"""Models of a limit, which `Paced` learns: they say when the next submit will be accepted."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

__all__ = ["BucketModel", "LimitModel", "ProbeModel", "WindowModel"]

ROUNDING_TOKENS = 1e-9
"""Tokens that may be missing because of rounding."""
MIN_TOKENS_PER_SECOND = 1 / 86_400
"""A bucket that seems to get less than one token a day is tried anyway."""
MAX_WAIT_SECONDS = 90.0
"""The longest wait of a `ProbeModel`: if everything is refused for longer, it is an outage, which may end any time."""
ROUNDING_ULPS = 4
"""How far a told time may be off, in units in the last place."""
MAX_HISTORY = 4096
"""Accepted submits that are remembered; a larger window is learned as one of this size."""


class BucketModel:
    """A token bucket: at most `n` tokens, how many there were at a time, and the rate at which they grow."""

    __slots__ = ("at", "n", "rate", "tokens")

    def __init__(self, n: int, rate: float, tokens: float, at: float) -> None:
        self.n, self.rate = n, rate
        self.tokens, self.at = tokens, at

    def level(self, now: float) -> float:
        """Return the number of tokens."""
        return min(self.n, self.tokens + self.pace * (now - self.at))

    def next(self, now: float) -> float:
        """Return `now`, or when there is a token."""
        missing = 1 - self.level(now)
        wait = missing / self.pace
        return now + wait if missing > ROUNDING_TOKENS and wait > ROUNDING_ULPS * math.ulp(now) else now

    def take(self, now: float) -> None:
        """Count a submit."""
        self.tokens, self.at = self.level(now) - 1, now

    @property
    def pace(self) -> float:
        """Submits per second."""
        return max(self.rate, MIN_TOKENS_PER_SECOND)

    @pace.setter
    def pace(self, pace: float) -> None:
        self.rate = pace

    def give_back(self) -> None:
        """Undo the latest `take`: its submit used up nothing."""
        self.tokens += 1


class WindowModel:
    """A window: the next submit may go `per` seconds after the first of the latest `n`.

    This is the rule of a sliding window, and safe for a fixed one.
    """

    __slots__ = ("log", "n", "per")

    def __init__(self, n: int, per: float, log: Iterable[float]) -> None:
        self.n, self.per = n, per
        self.log = deque(log, maxlen=MAX_HISTORY)

    def next(self, now: float) -> float:
        """Return `now`, or when the oldest of them no longer counts."""
        return max(now, self.log[-self.n] + self.per) if len(self.log) >= self.n else now

    @property
    def pace(self) -> float:
        """Submits per second."""
        return self.n / self.per

    @pace.setter
    def pace(self, pace: float) -> None:
        self.per = self.n / pace

    def take(self, now: float) -> None:
        """Count a submit."""
        self.log.append(now)

    def give_back(self) -> None:
        """Undo the latest `take`: its submit used up nothing."""
        if self.log:
            self.log.pop()


class ProbeModel:
    """A limit of unknown reset: after a wait, as many submits as in the first burst are tried, one by one."""

    __slots__ = (
        "enough",
        "lengthened",
        "n",
        "probed_at",
        "retry_at",
        "start",
        "taken",
        "too_short",
        "used_up_at",
        "wait",
    )

    def __init__(self, n: int, start: float, used_up_at: float, wait: float, enough: float = math.inf) -> None:
        self.n = n
        self.start = start
        """When the burst that used the limit up began."""
        self.used_up_at = used_up_at
        """When it was used up."""
        self.wait = wait
        self.enough = enough
        """Seconds after the burst's start that were enough once."""
        self.retry_at = used_up_at
        self.wait_longer(used_up_at, 1.0)
        self.lengthened = False
        """Whether the wait was lengthened because another group's was too short."""
        self.too_short = 0.0
        """Seconds after the burst's start that were not enough."""
        self.probed_at = 0.0
        """When the first submit after the wait left."""
        self.taken = 0

    def wait_longer(self, since: float, factor: float) -> None:
        """Wait `factor` times as long as before, from `since` on, but no longer than was enough once."""
        self.wait = min(factor * self.wait, MAX_WAIT_SECONDS)
        enough = self.start + self.enough
        self.retry_at = min(since + self.wait, enough) if enough > since else since + self.wait

    def next(self, now: float) -> float:
        """Return `now`, or the end of the wait."""
        return max(now, self.retry_at)

    def take(self, now: float) -> None:
        """Count a submit."""
        if not self.taken:
            self.probed_at = now
        self.taken += 1

    def give_back(self) -> None:
        """Undo the latest `take`: its submit used up nothing."""
        self.taken -= 1


LimitModel = BucketModel | WindowModel | ProbeModel
