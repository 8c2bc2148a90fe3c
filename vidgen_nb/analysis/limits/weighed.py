"""Limits of what requests weigh, such as tokens a minute: which of them could have answered as the provider did.

The size of such a limit may be any number, so it is the length that is tried: whole seconds up to a minute, round
numbers, and a grid between them. For each length, the sizes that explain every answer are an interval: what is too
small would have refused what was accepted, what is too large would have accepted what was refused. Windows give it by
their sums; of a bucket, whose level depends on its size, bisection finds both ends.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["WeighedLimit", "weighed_limits"]

MOST_DECISIONS: Final = 400
"""So many of the first answers are used."""
LENGTH_STEP: Final = 1.05
BISECTIONS: Final = 24
TICK: Final = 1e-9
"""What was decided at one moment is kept in order by so many seconds each."""
ROUNDING: Final = 1e-9
TOLERANCE: Final = 1e-4
"""Times of a run and Retry-After are rounded: sizes are known to this share at best."""
PHASES: Final = 6
"""On a real clock windows may begin at any moment: each of so many parts of a length is tried."""


@dataclass(frozen=True, slots=True)
class WeighedLimit:
    """Limits of one kind and length that explain every answer, for each size between `low` and `high`."""

    kind: str
    per: float
    low: float
    high: float


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
        if found := list(_explaining(decisions, slack, submits.exact)):
            return found
    return list(_explaining([_untold(each) for each in decisions], 0.0, submits.exact))


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


def _explaining(decisions: list[_Decision], slack: float, exact: bool) -> Iterator[WeighedLimit]:
    sums, bucket = _Sums(decisions, slack), _Bucket(decisions, slack)
    kinds: list[tuple[str, Callable[[float], tuple[float, float] | None]]] = [("token_bucket", bucket.sizes)]
    kinds += [("fixed_window", sums.fixed if exact else sums.fixed_somewhere), ("sliding_window", sums.sliding)]
    for per in _lengths(decisions[-1].last - decisions[0].first):
        for kind, sizes in kinds:
            if (found := sizes(per)) is not None:
                yield WeighedLimit(kind, per, found[0] * (1 - TOLERANCE), found[1] * (1 + TOLERANCE))


def _lengths(duration: float) -> list[float]:
    longest = max(10.0, 3 * duration)
    powers = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
    found = {digit * power for power in powers for digit in range(1, 10)} | {120.0, 900.0, 1800.0, 3600.0}
    found |= {float(second) for second in range(1, 61)}
    length = 1.0
    while length < longest:
        found.add(length)
        length *= LENGTH_STEP
    return sorted(each for each in found if each <= longest)


class _Sums:
    """What was taken in windows, at least and at most."""

    def __init__(self, decisions: list[_Decision], slack: float) -> None:
        self._decisions, self._slack = decisions, slack
        sure = [each for each in decisions if each.taken == "sure"]
        maybe = [each for each in decisions if each.taken != "refused"]
        self._sure_first, self._sure_last = _cumulated(sure, first=True), _cumulated(sure, first=False)
        self._first, self._last = _cumulated(maybe, first=True), _cumulated(maybe, first=False)

    def sliding(self, per: float) -> tuple[float, float] | None:
        """Return the sizes of a sliding window."""
        return self._sizes(lambda at: (at - per + EDGE, at - per))

    def fixed(self, per: float) -> tuple[float, float] | None:
        """Return the sizes of a window that begins with the run."""
        return self._sizes(lambda at: ((at + EDGE) // per * per - EDGE,) * 2)

    def fixed_somewhere(self, per: float) -> tuple[float, float] | None:
        """Return the sizes of a window that begins at some moment; of round lengths only, which people set."""
        if per != round(per):
            return None
        found = []
        for place in range(PHASES):
            first, last = place * per / PHASES, (place + 1) * per / PHASES

            def opened(at: float, first: float = first, last: float = last) -> tuple[float, float]:
                if (at - first) // per != (at - last) // per:
                    return at, at - per
                return (at - last) // per * per + last, (at - first) // per * per + first - EDGE

            if (sizes := self._sizes(opened)) is not None:
                found.append(sizes)
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    def _sizes(self, opened: Callable[[float], tuple[float, float]]) -> tuple[float, float] | None:
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

    def sizes(self, per: float) -> tuple[float, float] | None:
        """Return the sizes of a bucket that is filled once in so many seconds."""
        accepts, refuses = self._fits(self._least, per)
        if not refuses:
            return None
        below, low = self._least, self._least if accepts else self._most
        for _ in range(0 if accepts else BISECTIONS):
            middle = (below + low) / 2
            accepts, refuses = self._fits(middle, per)
            if not accepts and not refuses:
                return None
            below, low = (below, middle) if accepts else (middle, low)
        if not all(self._fits(low, per)):
            return None
        high, above = low, self._most
        if self._fits(above, per)[1]:
            return low, math.inf
        for _ in range(BISECTIONS):
            middle = (high + above) / 2
            high, above = (middle, above) if self._fits(middle, per)[1] else (high, middle)
        return low, above

    def _fits(self, size: float, per: float) -> tuple[bool, bool]:
        """Say whether it accepts what was accepted, and refuses what was refused."""
        pace = size / per
        late, most = self._late * pace, size * (1 + ROUNDING)
        sure = maybe = size
        before, accepts, refuses = self._decisions[0].last, True, True
        for each in self._decisions:
            gained, before, weight = pace * (each.last - before), each.last, each.weight
            sure, maybe = min(size, sure + gained), min(size, maybe + gained)
            if each.taken == "refused":
                later = maybe
                if each.wait is not None:
                    again = min(most, sure + pace * (each.wait + EDGE) + late)
                    accepts = accepts and weight <= again * (1 + ROUNDING)
                    later = min(size, maybe + pace * max(0.0, each.wait - self._slack))
                refuses = refuses and weight * (1 + ROUNDING) > later - late - pace * EDGE
            else:
                if each.taken == "sure":
                    accepts = accepts and weight <= (sure + late + pace * EDGE) * (1 + ROUNDING)
                    sure -= weight
                maybe -= weight
        return accepts, refuses
