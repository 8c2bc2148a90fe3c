"""The accepted submits of a quota group, and which limits would admit one more.

A token bucket of `n`, one token each `x` seconds, admits a series of submits if and only if, for each of them, those
from it on are at most n + (seconds since) / x: the arrival curve of network calculus (Le Boudec and Thiran 2001).
So one more submit at time t is admitted if x is at most the smallest of (t - h[j]) / (submits since h[j] + 1 - n). Only
the points of the lower convex hull of (h[j], j) can be the smallest, and these are few.
"""

from __future__ import annotations

import math
from collections import deque

__all__ = ["MAX_HISTORY", "SubmitLog"]

MAX_HISTORY = 4096
"""Submits that are remembered; a larger window is learned as one of this size."""


class SubmitLog:
    """When submits left that were accepted, or may still be."""

    __slots__ = ("_hull", "count", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque(maxlen=MAX_HISTORY)
        self.count = 0
        """How many were added in all."""
        self._hull: list[tuple[float, int]] = []
        """Points (time, number) of the lower convex hull, in order."""

    def add(self, at: float) -> None:
        """Add a submit."""
        self.times.append(at)
        self._extend_hull(at, self.count)
        self.count += 1

    def remove(self, at: float) -> None:
        """Remove a submit that used up nothing."""
        times = list(self.times)
        for index in range(len(times) - 1, -1, -1):
            if times[index] <= at:
                del times[index]
                break
        else:
            return
        self._refill(times, self.count - len(times) - 1)

    def insert(self, at: float) -> None:
        """Add a submit that may have left before others."""
        if not self.times or at >= self.times[-1]:
            self.add(at)
        else:
            times = sorted([*self.times, at])[-MAX_HISTORY:]
            self._refill(times, self.count + 1 - len(times))

    def _refill(self, times: list[float], before: int) -> None:
        self.times, self.count, self._hull = deque(maxlen=MAX_HISTORY), before, []
        for each in times:
            self.add(each)

    def _extend_hull(self, at: float, number: int) -> None:
        hull = self._hull
        if hull and at <= hull[-1][0]:
            return  # of several at a time, the first is the lowest
        while len(hull) >= 2:
            (t1, n1), (t2, n2) = hull[-2:]
            if (n2 - n1) * (at - t2) < (number - n2) * (t2 - t1):
                break
            hull.pop()
        hull.append((at, number))

    # -- `x` is the period of a window, or the seconds between two tokens of a bucket

    def window_admits(self, n: int, at: float) -> float:
        """Return up to which x a window of `n` admits one more submit at a time."""
        return at - self.times[-n] if len(self.times) >= n else math.inf

    def window_ready(self, n: int, x: float) -> float:
        """Return when a window of `n` admits one more submit; -inf: at any time."""
        return self.times[-n] + x if len(self.times) >= n else -math.inf

    def bucket_admits(self, n: int, at: float, empty_at: float = -math.inf, before: int = 0) -> float:
        """Return up to which x a bucket of `n` admits one more submit at a time.

        `empty_at`, `before`: when it was found empty, and how many submits there had been; what was earlier is history.
        """
        least = (at - empty_at) / (self.count + 1 - before) if empty_at > -math.inf else math.inf
        more = self.count + 1 - n
        for time, number in reversed(self._hull):
            if time < empty_at:
                break
            if number < more:
                least = min(least, (at - time) / (more - number))
        return max(least, 0.0)

    def bucket_ready(self, n: int, x: float, empty_at: float = -math.inf, before: int = 0) -> float:
        """Return when a bucket of `n` admits one more submit; -inf: at any time."""
        latest = empty_at + x * (self.count + 1 - before)
        more = self.count + 1 - n
        for time, number in reversed(self._hull):
            if time < empty_at:
                break
            if number < more:
                latest = max(latest, time + x * (more - number))
        return latest
