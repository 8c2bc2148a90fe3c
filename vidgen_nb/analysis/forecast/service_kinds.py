"""Whose service times has a profile of which few are known? Those of another one, or times of its own kind.

As in a Chinese restaurant process with concentration 1, a profile is as each of the others with equal chance, and its
own kind with the chance of one more. What is known of it decides between them: the times seen, and the ages of running
jobs, which take longer. A kind of its own has a scale within a factor of about two of the others', and the prior shape
of `weibull_tail`; its chance is the likelihood at its fit times the share of the prior that fits (Laplace).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from vidgen_nb.analysis.forecast.weibull_tail import PRIOR_DEVIATION, PRIOR_SHAPE, Tail, fit_tail

__all__ = ["drawn_kind", "times_of"]

SCALE_DEVIATION: Final = 0.5
"""Standard deviation of the logarithm of a kind's scale around that of all: a factor of 1.6."""
MAX_KINDS: Final = 12
"""Of so many other profiles, drawn at random, one may be like."""
PRIOR_DRAWS: Final = 8
"""Kinds of its own that are tried for a profile without any time."""
SAMPLES: Final = 60
"""Times drawn of a kind of its own."""


def drawn_kind(
    seen: Sequence[float], ages: Sequence[float], others: Mapping[str, Tail], every: Tail, rng: Random
) -> str | Tail:
    """Return the name of the profile that one is like, or the distribution of a kind of its own.

    `seen`: its times; `ages`: of its running jobs; `others`: the fits of profiles whose times are known; `every`: the
    fit of all times. Seconds.
    """
    names = rng.sample([*others], min(len(others), MAX_KINDS))
    found: list[str | Tail] = [*names]
    chances = [others[name].drawn(rng).log_likelihood(seen, ages) for name in names]
    share = math.log(len(others) / len(names)) if names else 0.0
    chances = [chance + share for chance in chances]
    if seen:
        own = fit_tail(seen, ages)
        found.append(own.drawn(rng))
        chances.append(own.log_likelihood(seen, ages) + _log_share(own, every, has_others=bool(others)))
    else:
        for _ in range(PRIOR_DRAWS):
            own = _new_kind(every, rng)
            found.append(own)
            chances.append(own.log_likelihood(seen, ages) - math.log(PRIOR_DRAWS))
    best = max(chances)
    return rng.choices(found, [math.exp(chance - best) for chance in chances])[0]


def times_of(kind: Tail, seen: Sequence[float], rng: Random) -> list[float]:
    """Return times of an own kind: those seen, and its fit with the weight of one more (Bayesian bootstrap)."""
    weights = [rng.expovariate(1.0) for _ in range(len(seen) + 1)]
    drawn: list[float | None] = rng.choices([*seen, None], weights, k=SAMPLES)
    return [kind.beyond(0.0, rng) if each is None else each for each in drawn]


def _new_kind(every: Tail, rng: Random) -> Tail:
    """Draw a kind before anything is known of it."""
    shape = PRIOR_SHAPE * math.exp(rng.gauss(0, PRIOR_DEVIATION))
    return Tail(shape, every.scale * math.exp(rng.gauss(0, SCALE_DEVIATION)), 0)


def _log_share(own: Tail, every: Tail, *, has_others: bool) -> float:
    """Return the logarithm of the prior's share that lies about a fit: its density there times the fit's area."""
    width = SCALE_DEVIATION if has_others else 2 * SCALE_DEVIATION
    prior = _log_normal(own.scale, every.scale, width) + _log_normal(own.shape, PRIOR_SHAPE, PRIOR_DEVIATION)
    shape, scale = own.deviations
    return prior + math.log(2 * math.pi * shape * scale)


def _log_normal(value: float, middle: float, deviation: float) -> float:
    """Return the log density of a normal logarithm."""
    return -((math.log(value / middle) / deviation) ** 2) / 2 - math.log(deviation * math.sqrt(2 * math.pi))
