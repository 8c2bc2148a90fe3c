"""How long may a running job still take? A Weibull tail for service times longer than all that were seen.

Its shape runs from exponential (1: any age is as good as new) to nearly constant times (large). It is fitted to the
times seen and to the ages of running jobs, of which we only know that they take longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["Tail", "fit_tail"]

PRIOR_SHAPE: Final = 1.5
"""The shape assumed before anything is known; its logarithm has a normal distribution."""
PRIOR_DEVIATION: Final = 0.7
"""Standard deviation of that logarithm."""
LOG_SHAPE_RANGE: Final = (-0.7, 3.7)
"""Logarithms of the smallest and the largest shape that are tried."""
MAX_TIMES: Final = 200
"""Only this many of the latest times are used."""
GOLDEN_RATIO: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Tail:
    """A Weibull distribution: P(longer than t) = exp(-(t/scale)^shape)."""

    shape: float
    scale: float
    """Seconds."""
    count: int
    """How many times seen it was fitted to."""

    @property
    def deviations(self) -> tuple[float, float]:
        """Standard deviations of the logarithms of shape and scale (Fisher's information: 1.82·count for log k)."""
        return 1 / math.sqrt(1 / PRIOR_DEVIATION**2 + 1.82 * self.count), 1 / (self.shape * math.sqrt(self.count))

    def drawn(self, rng: Random) -> Tail:
        """Draw a tail that is about as likely."""
        shape = self.shape * math.exp(rng.gauss(0, self.deviations[0]))
        return Tail(shape, self.scale * math.exp(rng.gauss(0, 1) / (shape * math.sqrt(self.count))), self.count)

    def log_likelihood(self, seen: Sequence[float], ages: Sequence[float]) -> float:
        """Return the log density of times seen and of running jobs' ages, in seconds."""
        ratios = [max(each, 1e-6) / self.scale for each in seen]
        passed = math.fsum(min(1e12, ratio**self.shape) for ratio in (*ratios, *(age / self.scale for age in ages)))
        density = math.fsum((self.shape - 1) * math.log(ratio) for ratio in ratios)
        return density + len(ratios) * math.log(self.shape / self.scale) - passed

    def beyond(self, age: float, rng: Random) -> float:
        """Draw a time longer than an age, in seconds."""
        passed: float = min(1e12, (age / self.scale) ** self.shape)
        longer: float = self.scale * (passed + rng.expovariate(1.0)) ** (1 / self.shape)
        return max(age, longer)


def fit_tail(seen: Sequence[float], ages: Sequence[float]) -> Tail:
    """Return the most likely tail, by golden-section search over the logarithm of its shape.

    With d times seen, and t all times, the ages of running jobs among them: scale^k = Σ t^k / d and
    log L = d·log k - d·log(Σ t^k / d) + (k-1)·Σ_seen log t, plus the prior of log k.
    """
    longest = max(*seen, *ages, 1e-6)
    ends = [max(each, 1e-6) / longest for each in seen[-MAX_TIMES:]]
    all_times = [*ends, *(max(each, 1e-6) / longest for each in ages[-MAX_TIMES:])]
    logs, count = math.fsum(map(math.log, ends)), len(ends)

    def power(shape: float) -> float:
        return math.fsum(each**shape for each in all_times) / count

    def log_likelihood(log_shape: float) -> float:
        shape = math.exp(log_shape)
        prior = ((log_shape - math.log(PRIOR_SHAPE)) / PRIOR_DEVIATION) ** 2 / 2
        return count * (log_shape - math.log(power(shape))) + (shape - 1) * logs - prior

    low, high = LOG_SHAPE_RANGE
    for _ in range(18):
        step = GOLDEN_RATIO * (high - low)
        low, high = (
            (low, low + step) if log_likelihood(high - step) > log_likelihood(low + step) else (high - step, high)
        )
    shape = math.exp((low + high) / 2)
    return Tail(shape, longest * power(shape) ** (1 / shape), count)
