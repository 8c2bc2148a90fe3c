"""Limits that explain every answer, and which of them to name.

Answers say what is possible, not what is likely: a sliding window may be anything from 20 to 40 s long, and a fixed
one of exactly 30 s may explain the answers too. The prior: all kinds are equally likely, small n more likely than large
ones (1/n), and half of the lengths are uniform in their logarithm, the other half round numbers, because people set
limits. The limit to name is the one whose rate has the most probability within 10 %.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, Evidence, sliding_window, token_bucket
from vidgen_nb.analysis.limits.fixed_windows import fixed_window
from vidgen_nb.provider.limits import FixedWindow, Limit, SlidingWindow, TokenBucket

__all__ = ["LIMIT_TYPES", "Candidate", "explaining", "likeliest"]

LIMIT_TYPES: Final[dict[str, Callable[..., Limit]]] = {
    "token_bucket": TokenBucket,
    "fixed_window": FixedWindow,
    "sliding_window": SlidingWindow,
}
PARAMETER_SETS: Final = {"token_bucket": token_bucket, "fixed_window": fixed_window, "sliding_window": sliding_window}
"""Which lengths explain everything, of each kind with an n."""
RATE_TOLERANCE: Final = 0.1
"""A rate counts as right if it is off by no more than this share of the true one."""
LENGTH_STEP: Final = 0.04
"""The lengths that are tried differ by this share."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind of limit that explains every answer, for each length between `low` and `high`."""

    kind: str
    n: int
    low: float
    """Seconds per n."""
    high: float

    @property
    def per(self) -> float:
        """The middle of its lengths, or the roundest number close to it; the shortest if there is no longest."""
        return self._round((self.low + self.high) / 2 if self.high < math.inf else self.low)

    def limit(self, per: float | None = None) -> Limit:
        """Return it as a limit with the given length, or its middle one."""
        return LIMIT_TYPES[self.kind](self.n, per=max(MIN_WINDOW_SECONDS, self.per if per is None else per))

    def lengths(self) -> Iterator[float]:
        """Yield lengths from its whole interval, with all round ones."""
        yield self.per
        yield from (length for length, _ in _round_ones(self.low, self.high))
        ratio = self.high / self.low
        steps = math.ceil(math.log(ratio) / LENGTH_STEP)
        yield from (self._round(self.low * ratio ** (k / steps)) for k in range(1, steps))

    def _round(self, length: float) -> float:
        for digits in range(1, 6):
            rounded = float(f"{length:.{digits}g}")
            if max(self.low, length / 1.03) <= rounded <= min(self.high, length * 1.03):
                return rounded
        return length


def explaining(evidence: Evidence, most: int | None = None) -> tuple[Candidate, ...]:
    """Return all limits that explain every answer, with n up to `most`; None: no bound."""
    if evidence.contradictory():
        return ()
    largest = evidence.most if most is None else min(most, evidence.most)
    every = dict.fromkeys(PARAMETER_SETS, range(1, largest + 1))
    if evidence.can_be_exact(largest):
        return _explaining(evidence, every)
    evidence.is_thinned = True
    found = _explaining(evidence, every)
    evidence.is_thinned = False
    left = {kind: sorted({each.n for each in found if each.kind == kind}) for kind in PARAMETER_SETS}
    return _explaining(evidence, left) if evidence.can_be_exact(sum(map(len, left.values()))) else found


def _explaining(evidence: Evidence, numbers: Mapping[str, Iterable[int]]) -> tuple[Candidate, ...]:
    """Return which limits of these kinds and n explain everything."""
    tolerance = 1e-9
    return tuple(
        Candidate(kind, n, low * (1 - tolerance), high * (1 + tolerance))
        for kind, lengths in PARAMETER_SETS.items()
        for n in numbers[kind]
        for low, high in lengths(evidence, n)
    )


def likeliest(candidates: Iterable[Candidate]) -> tuple[Candidate, float]:
    """Return the candidate to name and its length; among equals, the one in the middle of all.

    Every candidate has a longest length. O(c log c).
    """
    given = list(candidates)
    possible = _Possible(given)
    best: tuple[float, float, float] | None = None
    found = given[0], given[0].per
    for each in given:
        for per in each.lengths():
            rate = math.log(each.n / per)
            close = possible.between(rate - math.log(1 + RATE_TOLERANCE), rate - math.log(1 - RATE_TOLERANCE))
            rank = (round(close, 6), -abs(possible.between(-math.inf, rate) - 0.5), math.log(each.high / each.low))
            if best is None or rank > best:
                best, found = rank, (each, per)
    return found


class _Possible:
    """The probability that the logarithm of the rate lies between two numbers."""

    def __init__(self, candidates: list[Candidate]) -> None:
        edges, round_ones = [], []
        for each in candidates:
            weight = 1 / each.n
            edges += [(math.log(each.n / each.high), weight), (math.log(each.n / each.low), -weight)]
            ones = _round_ones(each.low, each.high)
            round_ones += [(math.log(each.n / length), weight * mass) for length, mass in ones]
        edges.sort()
        round_ones.sort()
        self._edges = [at for at, _ in edges]
        self._density = list(accumulate(by for _, by in edges))
        """The density from each edge on."""
        areas = [(after - at) * by for (at, after), by in zip(pairwise(self._edges), self._density, strict=False)]
        self._below = list(accumulate(areas, initial=0.0))
        """The area up to each edge."""
        self._round = [at for at, _ in round_ones]
        self._round_below = list(accumulate((mass for _, mass in round_ones), initial=0.0))
        self._all = self._below[-1] + self._round_below[-1]

    def between(self, low: float, high: float) -> float:
        """Return the probability, both ends included."""
        first, last = bisect_left(self._round, low), bisect_right(self._round, high)
        return (self._up_to(high) - self._up_to(low) + self._round_below[last] - self._round_below[first]) / self._all

    def _up_to(self, at: float) -> float:
        place = bisect_right(self._edges, at) - 1
        return 0.0 if place < 0 else self._below[place] + self._density[place] * (at - self._edges[place])


def _round_ones(low: float, high: float) -> Iterator[tuple[float, float]]:
    """Yield one-digit numbers in an interval, each with the log-width of the values that are rounded to it."""
    for exponent in range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1):
        for digit in range(1, 10):
            if low <= (number := float(f"{digit}e{exponent}")) <= high:
                yield number, math.log((digit + 0.5) / (digit - (0.5 if digit > 1 else 0.05)))
