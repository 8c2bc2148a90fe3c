"""Limits of what requests weigh, such as tokens a minute: which of them could have answered as the provider did.

Sizes and lengths may be any numbers, so it is ranges of lengths that are tried. For each, the sizes that could explain
every answer with some length in it are an interval: what is too small would have refused what was accepted, what is too
large would have accepted what was refused. Where none is left, no length of the range explains all; other ranges are
halved, the widest first, as long as the effort allows. So what is left may be too wide, but it never lacks the limit
that there is. Windows give sizes by their sums; of a bucket, whose level depends on its size, bisection finds them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import accumulate, islice, pairwise
from typing import Final

from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.analysis.limits.weighed_reasons import Sizes, WeighedLimit, round_lengths
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["weighed_limits"]

MOST_DECISIONS: Final = 400
"""So many of the first answers are used."""
SHORTEST: Final = 0.1
"""Seconds of the shortest length that is tried, or twice the longest call: what is shorter would not show."""
LENGTH_STEP: Final = 1.3
NARROW: Final = 1.0001
"""A range of lengths is not halved further if its ends differ by less than this factor."""
MOST_RANGES: Final = 100
"""So many ranges of lengths are tried for each kind of limit, and of each that is left so many round lengths."""
ROUND_LENGTHS: Final = 12
TICK: Final = 1e-9
"""What was decided at one moment is kept in order by so many seconds each."""
ROUNDING: Final = 1e-9
CLOSE: Final = 1e-7
"""Sizes that differ by less than this share are not told apart."""
TOLERANCE: Final = 1e-4
"""Times of a run and Retry-After are rounded: sizes are known to this share at best."""
PHASES: Final = 6
"""On a real clock windows may begin at any moment: each of so many parts of a length is tried. That leaves
room: where something else uses the account, too, a window may be found that is none."""


_SizesOf = Callable[[float, float], Sizes | None]


@dataclass(slots=True)
class _Decision:
    first: float
    last: float
    weight: float
    taken: str
    """`sure`, `doubt` or `refused`."""
    wait: float | None = None


def weighed_limits(submits: SubmitHistory) -> list[WeighedLimit]:
    """Return the limits that explain every answer, trusting Retry-After as far as the answers allow. O(answers)."""
    decisions = _decisions(submits)
    refused = any(each.taken == "refused" for each in decisions)
    if not refused or not any(each.taken == "sure" for each in decisions):
        return []
    told = any(each.wait is not None for each in decisions)
    for slack in (0.002, 1.001) if told else ():
        if found := _explaining(decisions, slack, submits.exact):
            return found
    return _explaining([_untold(each) for each in decisions], 0.0, submits.exact)


def _untold(each: _Decision) -> _Decision:
    return _Decision(each.first, each.last, each.weight, each.taken)


def _decisions(submits: SubmitHistory) -> list[_Decision]:
    found = [_Decision(*span, weight, "sure") for span, weight in zip(submits.accepted, submits.weights, strict=True)]
    found += [_Decision(*span, weight, "doubt") for span, weight in zip(submits.in_doubt, submits.doubts, strict=True)]
    places = [float(place) for place in range(len(submits.accepted))] + [math.inf] * len(submits.in_doubt)
    found += [_Decision(*each.between, each.weight, "refused", each.retry_after) for each in submits.refused]
    places += [each.sure - 0.5 for each in submits.refused]
    order = sorted(range(len(found)), key=lambda k: (found[k].last, places[k] if submits.exact else 0.0))
    ordered = _telling([found[k] for k in order])[:MOST_DECISIONS]
    for place, each in enumerate(ordered):
        each.first, each.last = each.first + TICK * place, each.last + TICK * place
    return ordered


def _telling(ordered: list[_Decision]) -> list[_Decision]:
    """Leave out 429s that say less than another one since the last acceptance: a later one, or a lighter one."""
    kept: list[_Decision] = []
    latest = lightest = None
    for each in [*ordered, None]:
        if each is not None and each.taken == "refused":
            latest = each
            lightest = each if lightest is None or each.weight <= lightest.weight else lightest
            continue
        if lightest is not None and lightest is not latest:
            kept.append(lightest)
        if latest is not None:
            kept.append(latest)
        if each is not None:
            kept.append(each)
        latest = lightest = None
    return kept


def _explaining(decisions: list[_Decision], slack: float, exact: bool) -> list[WeighedLimit]:
    """Return what is left; nothing if no round length explains every answer: what would be left is too coarse."""
    sums, bucket = _Sums(decisions, slack), _Bucket(decisions, slack)
    shortest = max(SHORTEST, 2 * max(each.last - each.first for each in decisions))
    longest = max(10.0, 2 * shortest, 3 * (decisions[-1].last - decisions[0].first))
    kinds: list[tuple[str, _SizesOf]] = [("token_bucket", bucket.sizes), ("sliding_window", sums.sliding)]
    phases = [(0.0, 0.0)] if exact else [(k / PHASES, (k + 1) / PHASES) for k in range(PHASES)]
    kinds += [("fixed_window", partial(sums.fixed, phase=phase)) for phase in phases]
    limits: list[WeighedLimit] = []
    for kind, sizes in kinds:
        for (first, last), found in _lengths(sizes, shortest, longest):
            lengths = [*islice(round_lengths(first, last), ROUND_LENGTHS), last]
            per, named = next(((each, got) for each in lengths if (got := sizes(each, each))), (lengths[0], None))
            limits.append(WeighedLimit(kind, per, named and _rounded(*named), *_rounded(*found), first, last))
    return limits if any(each.sizes for each in limits) else []


def _rounded(low: float, high: float) -> Sizes:
    return low * (1 - TOLERANCE), high * (1 + TOLERANCE)


def _lengths(sizes: _SizesOf, shortest: float, longest: float) -> Iterator[tuple[tuple[float, float], Sizes]]:
    """Return ranges of lengths, with their sizes; no other length up to the longest explains every answer."""
    count = math.ceil(math.log(longest / shortest, LENGTH_STEP))
    edges = [shortest * LENGTH_STEP**k for k in range(count + 1)]
    tried = [(first, last, sizes(first, last)) for first, last in pairwise(edges)]
    left = [(first / last, first, last, found) for first, last, found in tried if found]
    heapify(left)
    while left and len(tried) < MOST_RANGES and left[0][0] * NARROW < 1:
        _, first, last, _ = heappop(left)
        middle = math.sqrt(first * last)
        for half in ((first, middle), (middle, last)):
            tried.append((*half, found := sizes(*half)))
            if found:
                heappush(left, (half[0] / half[1], *half, found))
    return ((each[1:3], each[3]) for each in sorted(left, key=lambda each: each[1]))


class _Sums:
    """What was taken in windows, at least and at most."""

    def __init__(self, decisions: list[_Decision], slack: float) -> None:
        self._decisions, self._slack = decisions, slack
        sure = [each for each in decisions if each.taken == "sure"]
        maybe = [each for each in decisions if each.taken != "refused"]
        self._sure_first, self._sure_last = _cumulated(sure, first=True), _cumulated(sure, first=False)
        self._first, self._last = _cumulated(maybe, first=True), _cumulated(maybe, first=False)

    def sliding(self, shortest: float, longest: float) -> Sizes | None:
        """Return the sizes of a sliding window."""
        return self._sizes(lambda at: (at - shortest + EDGE, at - longest))

    def fixed(self, shortest: float, longest: float, *, phase: tuple[float, float]) -> Sizes | None:
        """Return the sizes of a window; `phase`: when the first one begins, in lengths, at the earliest and latest."""
        early, late = phase

        def opened(at: float) -> tuple[float, float]:
            place = ((at + EDGE) / longest - late) // 1
            if place != ((at + EDGE) / shortest - early) // 1:
                return at, at - longest
            return (place + late) * longest - EDGE, (place + early) * shortest - EDGE

        return self._sizes(opened)

    def _sizes(self, opened: Callable[[float], tuple[float, float]]) -> Sizes | None:
        """`opened`: the latest and the earliest moment after which what was taken counts at a time."""
        low, high = 0.0, math.inf
        for each in self._decisions:
            if each.taken == "sure":
                low = max(low, self._surely(opened(each.last)[0], each.first) + each.weight)
            elif each.taken == "refused":
                at, denied = each.last, each.first
                if each.wait is not None:
                    low = max(low, self._surely(opened(at + each.wait + 2 * EDGE)[0], each.first) + each.weight)
                    denied = max(denied, each.first + each.wait - self._slack)
                high = min(high, self._possibly(opened(denied)[1], at) + each.weight)
            if low >= high * (1 + ROUNDING):
                return None
        return low, high

    def _surely(self, after: float, before: float) -> float:
        """Return the least that was taken after one moment and before another."""
        return max(0.0, _up_to(self._sure_last, before, strictly=True) - _up_to(self._sure_first, after))

    def _possibly(self, after: float, before: float) -> float:
        """Return the most that was."""
        return max(0.0, _up_to(self._first, before) - _up_to(self._last, after))


def _cumulated(taken: list[_Decision], *, first: bool) -> tuple[list[float], list[float]]:
    """Return moments and, at each place, the weight of all before it."""
    found = sorted((each.first if first else each.last, each.weight) for each in taken)
    return [at for at, _ in found], list(accumulate((weight for _, weight in found), initial=0.0))


def _up_to(cumulated: tuple[list[float], list[float]], moment: float, *, strictly: bool = False) -> float:
    return cumulated[1][bisect_right(cumulated[0], moment - TICK / 2 if strictly else moment)]


class _Bucket:
    """A bucket that was full at first, of any size."""

    def __init__(self, decisions: list[_Decision], slack: float) -> None:
        self._decisions, self._slack = decisions, slack
        self._late = max(each.last - each.first for each in decisions)
        weights = [each.weight for each in decisions if each.taken == "sure"]
        self._least, self._most = max(weights), 2 * math.fsum(weights)

    def sizes(self, shortest: float, longest: float) -> Sizes | None:
        """Return the sizes of a bucket that is filled once in a time between the two.

        The longer that takes, the less it accepts, as if it were smaller.
        """
        low, high = self._least, self._most
        if not self._refuses(low, shortest, longest):
            return None
        if not self._accepts(low, shortest):
            while True:  # between one that is too small and one that is large enough
                middle = (low + high) / 2
                accepts, refuses = self._accepts(middle, shortest), self._refuses(middle, shortest, longest)
                if accepts and refuses:
                    break
                if accepts == refuses or high - low < CLOSE * low:
                    return None
                low, high = (low, middle) if accepts else (middle, high)
            least = self._least_that(lambda size: self._accepts(size, shortest), low, middle)
        else:
            least = middle = low
        if self._refuses(self._most, shortest, longest):
            return least, math.inf
        return least, self._least_that(lambda size: not self._refuses(size, shortest, longest), middle, self._most)

    def _least_that(self, reached: Callable[[float], bool], below: float, above: float) -> float:
        """Return about the smallest size between two that reaches something, as `above` does."""
        while above - below > TOLERANCE * below / 4:
            middle = (below + above) / 2
            below, above = (below, middle) if reached(middle) else (middle, above)
        return above

    def _accepts(self, size: float, per: float) -> bool:
        """Say whether it accepts what was accepted, and what Retry-After promised."""
        pace, level, before = size / per, size, self._decisions[0].last
        spare, most = (self._late + EDGE) * pace, size * (1 + ROUNDING)
        for each in self._decisions:
            level, before = min(size, level + pace * (each.last - before)), each.last
            if each.taken == "sure":
                if each.weight > (level + spare) * (1 + ROUNDING):
                    return False
                level -= each.weight
            elif each.wait is not None and each.weight > min(most, level + pace * each.wait + spare) * (1 + ROUNDING):
                return False
        return True

    def _refuses(self, size: float, shortest: float, longest: float) -> bool:
        """Say whether it may refuse what was refused, until its Retry-After was over."""
        pace, level, before = size / longest, size, self._decisions[0].last
        spare = (self._late + EDGE) * size / shortest
        for each in self._decisions:
            level, before = min(size, level + pace * (each.last - before)), each.last
            if each.taken != "refused":
                level -= each.weight
                continue
            wait = 0.0 if each.wait is None else max(0.0, each.wait - self._slack)
            if each.weight * (1 + ROUNDING) <= min(size, level + pace * wait) - spare:
                return False
        return True
