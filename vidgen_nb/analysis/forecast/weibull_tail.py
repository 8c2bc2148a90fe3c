"""How long may what is under way still take? A Weibull tail for service times longer than all that were seen.

Its shape runs from exponential (1: any age is as good as new) to nearly constant times (large), and is fitted to those
seen and to the ages of what is under way, of which only is known that it takes longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["Tail", "fitted"]

USUAL: Final = 1.5
"""Shape before anything is known; its logarithm is taken to be normal."""
SPREAD: Final = 0.7
"""Deviation of that logarithm."""
SHAPES: Final = (-0.7, 3.7)
"""Logarithms of the smallest and the largest shape."""
MOST: Final = 200
"""Times looked at: the latest."""
GOLDEN: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Tail:
    """A Weibull distribution: P(longer than t) = exp(-(t/scale)^shape)."""

    shape: float
    scale: float
    """Seconds."""
    count: int
    """Times seen that it was fitted to."""

    def drawn(self, rng: Random) -> Tail:
        """Draw one of those that are about as plausible (deviations by Fisher's information: 1.82·count for log k)."""
        shape = self.shape * math.exp(rng.gauss(0, 1 / math.sqrt(1 / SPREAD**2 + 1.82 * self.count)))
        return Tail(shape, self.scale * math.exp(rng.gauss(0, 1) / (shape * math.sqrt(self.count))), self.count)

    def beyond(self, age: float, rng: Random) -> float:
        """Draw a time of those longer than an age, in seconds."""
        passed: float = min(1e12, (age / self.scale) ** self.shape)
        longer: float = self.scale * (passed + rng.expovariate(1.0)) ** (1 / self.shape)
        return max(age, longer)


def fitted(seen: Sequence[float], ages: Sequence[float]) -> Tail:
    """Return the most plausible tail, by golden-section search over the logarithm of its shape.

    With d times seen and all times t, seen or not over: scale^k = Σ t^k / d and
    log L = d·log k - d·log(Σ t^k / d) + (k-1)·Σ_seen log t, to which the prior of log k is added.
    """
    longest = max(*seen, *ages, 1e-6)
    ends = [max(each, 1e-6) / longest for each in seen[-MOST:]]
    all_times = [*ends, *(max(each, 1e-6) / longest for each in ages[-MOST:])]
    logs, count = math.fsum(map(math.log, ends)), len(ends)

    def power(shape: float) -> float:
        return math.fsum(each**shape for each in all_times) / count

    def plausible(log_shape: float) -> float:
        shape = math.exp(log_shape)
        prior = ((log_shape - math.log(USUAL)) / SPREAD) ** 2 / 2
        return count * (log_shape - math.log(power(shape))) + (shape - 1) * logs - prior

    low, high = SHAPES
    for _ in range(18):
        step = GOLDEN * (high - low)
        low, high = (low, low + step) if plausible(high - step) > plausible(low + step) else (high - step, high)
    shape = math.exp((low + high) / 2)
    return Tail(shape, longest * power(shape) ** (1 / shape), count)
