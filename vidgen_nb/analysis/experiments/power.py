"""How many seeds a difference needs to be seen: the power of a paired t-test."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

from vidgen_nb.analysis.experiments.student_t import t_quantile

__all__ = ["POWER", "power", "seeds_needed"]

POWER: Final = 0.8
"""By convention (Cohen 1988): a true difference of this size is found in four of five experiments."""
MAX_SEEDS: Final = 1_000_000
_NORMAL = NormalDist()
_STEPS = 400
_EXACT = 500
"""More seeds than that are counted by the normal approximation."""


def power(effect: float, seeds: int, confidence: float = 0.95) -> float:
    """Return the chance that the paired interval of a mean difference leaves out 0.

    `effect`: the true mean difference ÷ the standard deviation of the differences. The non-central t distribution with
    n - 1 degrees of freedom and non-centrality effect·√n, integrated over the deviation that is found (Simpson).
    """
    freedom, shift = seeds - 1, abs(effect) * math.sqrt(seeds)
    beyond = t_quantile(confidence, freedom)
    half = 10 / math.sqrt(2 * freedom)
    low, high = max(0.0, 1 - half), 1 + half
    width = (high - low) / _STEPS
    scale = (freedom / 2) * math.log(freedom / 2) - math.lgamma(freedom / 2) + math.log(2)
    total = 0.0
    for step in range(_STEPS + 1):
        s = low + step * width
        if s == 0 and freedom > 1:
            continue
        density = math.exp(scale - freedom * s * s / 2 + ((freedom - 1) * math.log(s) if freedom > 1 else 0.0))
        found = _NORMAL.cdf(shift - beyond * s) + _NORMAL.cdf(-shift - beyond * s)
        total += density * found * (1 if step in (0, _STEPS) else 4 if step % 2 else 2)
    return min(1.0, total * width / 3)


def seeds_needed(difference: float, deviation: float, confidence: float = 0.95, wanted: float = POWER) -> int | None:
    """Return the least number of seeds with which a difference of this size is told from 0 with this power.

    `deviation`: the standard deviation of the differences, seed by seed. None: no number of seeds would do (the
    difference is 0), or more than a million.
    """
    if difference == 0:
        return None
    if deviation == 0:
        return 2
    effect = abs(difference) / deviation
    beyond = _NORMAL.inv_cdf((1 + confidence) / 2)
    # the normal approximation, and what Student's t adds to it: within one of the exact number
    about = ((beyond + _NORMAL.inv_cdf(wanted)) / effect) ** 2 + beyond**2 / 2
    if about > MAX_SEEDS:
        return None
    if about > _EXACT:
        return math.ceil(about)
    seeds = max(2, int(about) - 1)
    while seeds > 2 and power(effect, seeds - 1, confidence) >= wanted:
        seeds -= 1
    while power(effect, seeds, confidence) < wanted:
        seeds += 1
    return seeds
