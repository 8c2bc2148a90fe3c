"""Which limits would explain what a quota group's server has accepted and refused.

A `Candidate` is a kind of limit with its size n, and the interval in which its one unknown time x lies. Each answer
cuts the interval at the x that would just have admitted the submit: what is left is all that is known (a version space:
Mitchell 1982). Before any answer, x is as likely in each octave up to what is usual, and ever less likely beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vidgen_nb.policies.paced.submit_log import SubmitLog

__all__ = ["Candidate", "Kind", "explaining", "unused"]

FASTEST_PACE = 20.0
"""Submits a second; no limit is expected to admit more."""
MIN_TOLD_SECONDS = 1e-3
USUAL_WINDOW_SECONDS, USUAL_TOKEN_SECONDS = 60.0, 30.0
"""Windows of up to a minute, and buckets of two tokens a minute or more, are what is usual."""
LONGEST_SECONDS = 3600.0
ROUNDING = 1e-9
"""Relative error of a time."""
ROUNDED_UP_SECONDS = 1.0
"""A told reset may be this much later than the true one."""
LENGTHENING = 2.0
"""Factor by which a fixed window may be longer than from its first submit to its told reset."""
MIN_MASS = 1e-4
"""Mass of an interval that is a point."""
SMALL_SIZES, NEAR_SIZES, SIZE_RATIO = 12, 8, 1.25
"""Sizes up to the first, and so many below the largest, are all tried; between them one in each such ratio."""

MAX_CHECKS = 256
"""Of a bucket, before the first 429."""

Kind = Literal["window", "fixed", "bucket"]


def _mass_below(x: float, usual: float) -> float:
    return math.log(x / usual) if x <= usual else (1 - (usual / x) ** 1.5) / 1.5


@dataclass(slots=True)
class Interval:
    """Where x lies: above `low`, up to `high`; `usual`: up to where it usually lies."""

    low: float
    high: float
    usual: float

    @property
    def is_empty(self) -> bool:
        """Whether no x is left."""
        return self.high <= self.low

    @property
    def mass(self) -> float:
        """How likely it was from the start that x lies here."""
        return max(_mass_below(self.high, self.usual) - _mass_below(self.low, self.usual), MIN_MASS)

    def share_up_to(self, x: float) -> float:
        """Return how likely it is that the true x is at most this."""
        if self.is_certain(x):
            return 1.0
        if x <= self.low:
            return 0.0
        return min(1.0, (_mass_below(x, self.usual) - _mass_below(self.low, self.usual)) / self.mass)

    def is_certain(self, x: float) -> bool:
        """Say whether the true x is at most this."""
        return x >= self.high * (1 - ROUNDING)

    def exclude(self) -> None:
        """Leave nothing."""
        self.high = 0.0


@dataclass(slots=True)
class Candidate(Interval):
    """A limit of `n`; x is the period of a window, or the seconds that a bucket needs for a token.

    A sliding `window` counts the latest n submits. A `fixed` one begins at times of its own: at most as early as
    `edge`, at most as late as the submit that `opened` it. The first one is assumed to begin
    with its first submit, and each to be used up before the next one. Told resets say better when they begin.
    """

    kind: Kind
    n: int
    edge: float = 0.0
    opened: float = -math.inf
    """Of a bucket: when it was found empty."""
    number: int = 0
    """How many submits were accepted before."""
    refused_at: float = -math.inf
    aligned: bool = False
    """Of fixed windows: whether a told reset says when they begin: at `opened`, and each x before and after."""

    def admits(self, log: SubmitLog, at: float) -> float:
        """Return up to which x one more submit is admitted at a time."""
        if self.kind == "bucket":
            return log.bucket_admits(self.n, at, self.opened, self.number)
        if self.kind == "window":
            return log.window_admits(self.n, at)
        if self.aligned:
            return self._aligned_admits(log, at)
        return at - self.opened if log.count - self.number >= self.n else math.inf

    def ready(self, log: SubmitLog, x: float) -> float:
        """Return when one more submit is admitted, if this is x; -inf: at any time."""
        if self.kind == "bucket":
            return log.bucket_ready(self.n, x, self.opened, self.number)
        if self.kind == "window":
            return log.window_ready(self.n, x)
        if self.aligned:
            return self._aligned_ready(log, x)
        return self.opened + x if log.count - self.number >= self.n else -math.inf

    def pace(self, x: float) -> float:
        """Return how many submits a second it admits for long, if this is x."""
        return (1 if self.kind == "bucket" else self.n) / x

    # -- fixed windows that begin at known times

    def _window_at(self, at: float, x: float) -> int:
        """Return the number of the window that a time is in; 0: the one that begins at `opened`."""
        number = (at - self.opened) / x
        return math.floor(number + ROUNDING * max(1.0, abs(number)))

    def _aligned_admits(self, log: SubmitLog, at: float) -> float:
        window = self._window_at(at, self.high)
        if window < 0:  # before the told reset
            return 0.0
        if len(log.times) < self.n or self._window_at(log.times[-self.n], self.high) < window:
            return math.inf
        return max(0.0, (at - self.opened) / (window + 1))

    def _aligned_ready(self, log: SubmitLog, x: float) -> float:
        if len(log.times) < self.n:
            return -math.inf
        return self.opened + x * max(0, self._window_at(log.times[-self.n], x) + 1)

    def _align(self, log: SubmitLog, reset: float) -> bool:
        """A window begins at a told reset; say whether that is possible.

        The latest n submits were in the window that ends then, the one before them was not. How long that window had
        been open before the first of them is not known until another reset is told.
        """
        if len(log.times) < self.n:
            return True
        least = x = reset - log.times[-self.n]
        rounded_up = min(ROUNDED_UP_SECONDS, (self.high if self.aligned else x) / 2)
        if self.aligned:
            span, shortest = reset - self.opened, max(least, self.low)
            if abs(span) <= rounded_up:  # the same reset again
                return True
            # as many windows as possible have passed since: if it is too short, that is soon refused
            x = span / max(1, math.floor(span / (shortest - rounded_up)))
            if x > LENGTHENING * self.high:
                return False
        others_are_earlier = len(log.times) == self.n or log.times[-self.n - 1] < reset - x + rounded_up
        if x < max(least - rounded_up, MIN_TOLD_SECONDS) or not others_are_earlier:
            return False
        self._begins(reset, x)
        return True

    def _begins(self, at: float, x: float) -> None:
        self.aligned, self.opened, self.edge, self.low, self.high = True, at, at, x * (1 - MIN_MASS), x

    def used(self, log: SubmitLog, now: float) -> int:
        """Return how many submits count in the fixed window of a time, if x is the highest that is left."""
        if self.aligned:
            window = self._window_at(now, self.high)
            return sum(self._window_at(each, self.high) == window for each in list(log.times)[-self.n :])
        return log.count - self.number if now < self.opened + self.high else 0

    # -- answers

    def learns(self, x: float) -> bool:
        """Say whether the acceptance of a submit that this x admits would teach something."""
        return not self.is_certain(x) or (self.kind == "fixed" and not self.aligned and x < math.inf)

    def accepted(self, at: float, number: int, x: float) -> None:
        """A submit was accepted, as no larger x than this admits; `number`: how many were accepted before."""
        if self.kind != "fixed" or self.aligned:
            self.high = 0.0 if x < self.low else min(self.high, x)
        elif x < math.inf:  # a new window; how late in the old one its first submit came is not known exactly
            self.high = min(self.high, at - self.edge)
            self.edge = max(self.edge + self.low, self.refused_at)
            self.opened, self.number = at, number

    def refused(self, log: SubmitLog, at: float) -> None:
        """A submit was refused."""
        x = self.admits(log, at)
        if self.is_certain(x):
            self.exclude()
            return
        if self.kind == "fixed":
            self.refused_at, x = at, log.window_admits(self.n, at)
        self.low = max(self.low, x)

    def told(self, log: SubmitLog, reset: float) -> bool:
        """The time of the reset was told, perhaps rounded up to seconds; say whether that is possible."""
        if self.kind == "fixed":
            return self._align(log, reset)
        x = self.admits(log, reset)
        if x == math.inf:
            return True
        self.low, self.high = max(self.low, self.admits(log, reset - ROUNDED_UP_SECONDS), x / 2), min(self.high, x)
        if self.high < self.low * (1 - ROUNDING):
            return False
        self.low = min(self.low, self.high * (1 - MIN_MASS))
        return True

    def widen(self, log: SubmitLog, at: float, factor: float) -> None:
        """A submit was refused that was certain: x is up to so many times as large."""
        x = self.admits(log, at)
        if self.kind == "bucket":  # what came before says nothing any more
            x, self.opened, self.number = self.high, at, log.count
        self.low = max(self.low, min(x, self.high))
        self.high = factor * self.low

    def correct(self, log: SubmitLog, at: float, reset: float, most: float) -> None:
        """A submit was refused that was certain: the told reset gives x, if it is at most so many times as large."""
        x = max(self.high, reset - at) if self.kind == "bucket" else log.window_admits(self.n, reset)
        if x == math.inf or x > most * self.high:
            return
        if self.kind == "fixed":
            self._begins(reset, x)
            return
        if self.kind == "bucket":
            self.opened, self.number = reset - x, log.count
        self.low, self.high = x * (1 - MIN_MASS), x

    def narrow(self, x: float, factor: float) -> None:
        """A submit was accepted that only up to this x is admitted, which was excluded."""
        if x < self.n / FASTEST_PACE:
            self.n += 1
        elif x < math.inf:
            self.low, self.high = x / factor, x


def _sizes(count: int) -> list[int]:
    sizes = {*range(1, min(count, SMALL_SIZES) + 1), *range(max(1, count - NEAR_SIZES + 1), count + 1)}
    size = float(SMALL_SIZES)
    while size < count:
        sizes.add(int(size))
        size *= SIZE_RATIO
    return sorted(sizes, reverse=True)


def unused(most: int) -> list[Candidate]:
    """Return sliding windows and buckets of up to so many, of which nothing is known."""
    token, sizes = 1 / FASTEST_PACE, _sizes(most)
    windows = [Candidate(min(1.0, n * token), LONGEST_SECONDS, USUAL_WINDOW_SECONDS, "window", n) for n in sizes]
    return windows + [
        Candidate(min(token, 1 / n), LONGEST_SECONDS, USUAL_TOKEN_SECONDS, "bucket", n) for n in sizes if n > 1
    ]


def explaining(times: Sequence[float], refused_at: float, *, told: bool) -> list[Candidate]:
    """Return the limits that accept submits at these times, and refuse one more; `times`: one or more, in order.

    `told`: the refusal tells the wait, so that nothing need be assumed.
    """
    count = len(times)
    shortest, token = (MIN_TOLD_SECONDS, MIN_TOLD_SECONDS) if told else (1.0, 1 / FASTEST_PACE)
    sizes = _sizes(count)
    buckets = [Candidate(min(token, 1 / n), LONGEST_SECONDS, USUAL_TOKEN_SECONDS, "bucket", n) for n in sizes if n > 1]
    log, step = SubmitLog(), max(1, count // MAX_CHECKS)
    for number, at in enumerate(times):
        if number % step == 0:
            for each in buckets:
                if each.n <= number:
                    each.accepted(at, number, each.admits(log, at))
            buckets = [each for each in buckets if not each.is_empty]
        log.add(at)
    found = []
    for n in sizes:
        window = Candidate(min(shortest, n * token), LONGEST_SECONDS, USUAL_WINDOW_SECONDS, "window", n)
        window.high = min((later - at for at, later in zip(times, times[n:], strict=False)), default=LONGEST_SECONDS)
        window.refused(log, refused_at)
        if not window.is_empty:
            first = count - n
            fixed = replace(window, kind="fixed", edge=times[first], opened=times[first], number=first)
            found += [window, fixed]
    for each in buckets:
        each.refused(log, refused_at)
    return found + [each for each in buckets if not each.is_empty]
