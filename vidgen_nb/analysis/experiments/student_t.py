"""Student's t: the quantiles behind a confidence interval of a mean of few values."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["mean_interval", "t_quantile"]


def t_quantile(confidence: float, freedom: int) -> float:
    """Return t such that |T| ≤ t with probability `confidence`, for `freedom` degrees of freedom; by bisection."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """Return P(|T| ≤ t): the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    if not odd:
        return math.sin(angle) * total
    return 2 / math.pi * (angle + (math.sin(angle) * total if freedom > 1 else 0.0))


def mean_interval(values: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """Return the mean and its confidence interval (Student's t); of one value the interval is without bounds."""
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return mean, -math.inf, math.inf
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = t_quantile(confidence, count - 1) * math.sqrt(variance / count)
    return mean, mean - half, mean + half
