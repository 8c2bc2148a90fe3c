"""Models of a limit: when will the next submit be accepted? What `Paced` learns, and learns with."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

__all__ = ["Bucket", "Model", "Trial", "Window"]

CLOSE = 1e-9
"""Tokens that may be missing, for rounding."""
SLOWEST = 1 / 86_400
"""Tokens a second: a bucket that seems to get less than one a day is tried all the same."""
LONGEST_WAIT = 90.0
"""Seconds of one wait of a `Trial`: what refuses everything for long is an outage, and may end at any time."""
ROUNDED = 4
"""Units in the last place of a time, that a time which was told may be off."""
REMEMBERED = 4096
"""Accepted submits that are remembered; a window of more is learned as one of so many."""


class Bucket:
    """`n` tokens at most, so many at a time, and the rate at which they grow."""

    __slots__ = ("at", "n", "rate", "tokens")

    def __init__(self, n: int, rate: float, tokens: float, at: float) -> None:
        self.n, self.rate = n, rate
        self.tokens, self.at = tokens, at

    def level(self, now: float) -> float:
        """Return the tokens at a time."""
        return min(self.n, self.tokens + self.pace * (now - self.at))

    def next(self, now: float) -> float:
        """Return `now`, or when there is a token."""
        missing = 1 - self.level(now)
        wait = missing / self.pace
        return now + wait if missing > CLOSE and wait > ROUNDED * math.ulp(now) else now

    def take(self, now: float) -> None:
        """Count a submit."""
        self.tokens, self.at = self.level(now) - 1, now

    @property
    def pace(self) -> float:
        """Submits a second."""
        return max(self.rate, SLOWEST)

    @pace.setter
    def pace(self, pace: float) -> None:
        self.rate = pace

    def give_back(self) -> None:
        """A submit used up nothing."""
        self.tokens += 1


class Window:
    """The latest `n` submits: the next one goes `per` seconds after the first of them.

    That is the rule of a sliding window, and safe for a fixed one.
    """

    __slots__ = ("log", "n", "per")

    def __init__(self, n: int, per: float, log: Iterable[float]) -> None:
        self.n, self.per = n, per
        self.log = deque(log, maxlen=REMEMBERED)

    def next(self, now: float) -> float:
        """Return `now`, or when the oldest of them does not count any more."""
        return max(now, self.log[-self.n] + self.per) if len(self.log) >= self.n else now

    @property
    def pace(self) -> float:
        """Submits a second."""
        return self.n / self.per

    @pace.setter
    def pace(self, pace: float) -> None:
        self.per = self.n / pace

    def take(self, now: float) -> None:
        """Count a submit."""
        self.log.append(now)

    def give_back(self) -> None:
        """A submit used up nothing."""
        if self.log:
            self.log.pop()


class Trial:
    """A limit of unknown reset: after a wait, as many as the first burst are tried, one after the other."""

    __slots__ = ("began", "gate", "known", "low", "n", "skipped", "start", "taken", "tried", "wait")

    def __init__(self, n: int, start: float, tried: float, wait: float, known: float = math.inf) -> None:
        self.n = n
        self.start = start
        """When the burst began that used the limit up."""
        self.tried = tried
        """When it was used up."""
        self.wait = wait
        self.known = known
        """So long after the burst's start was enough once."""
        self.gate = tried
        self.put_off(tried, 1.0)
        self.skipped = False
        """Whether the wait was made longer because another group's was too short."""
        self.low = 0.0
        """So long after the burst's start it was refused."""
        self.began = 0.0
        """When the first one after the wait left."""
        self.taken = 0

    def put_off(self, since: float, factor: float) -> None:
        """Wait from then on, and so many times as long as before, if that is not longer than it ever took."""
        self.wait = min(factor * self.wait, LONGEST_WAIT)
        enough = self.start + self.known
        self.gate = min(since + self.wait, enough) if enough > since else since + self.wait

    def next(self, now: float) -> float:
        """Return `now`, or the end of the wait."""
        return max(now, self.gate)

    def take(self, now: float) -> None:
        """Count a submit."""
        if not self.taken:
            self.began = now
        self.taken += 1

    def give_back(self) -> None:
        """A submit used up nothing."""
        self.taken -= 1


Model = Bucket | Window | Trial
