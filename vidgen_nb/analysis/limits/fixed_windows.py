"""Which fixed windows could have answered as the provider did.

Submits were accepted at d_0 ≤ d_1 ≤ …; a window admits n, and k were accepted before the moment T. Accepted at T: an
edge of windows lies in (d_{k-n}, T]; a 429 at T: none does. If windows are aligned to the run's start, edges are the
multiples of the length W. Otherwise one edge is known to lie in a gap between a 429 and an acceptance: the gap is cut
into pieces, and within each, the edge is only known to lie between two moments.

An edge in (a, b] means W in (a/i, b/i] for some i = 1, 2, …: thousands of parts where windows are short. What would
take too many of them is left open, so the lengths found may be too many, never too few.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, ROUNDING, Evidence, Interval
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["fixed_window"]

GAP_PIECES: Final = 16
MIN_PIECE_SECONDS: Final = 0.01
"""A shorter gap is one piece."""
MOST_GAPS: Final = 100
"""429s that are looked at to find a gap."""
MOST_PARTS: Final = 64
"""Parts of the lengths that are told apart, and into which a single answer may cut one of them."""
ALL_PARTS: Final = 3000
"""The same for all n together."""
ALL_STEPS: Final = 120_000
"""Parts that are looked at, for all n together."""


class Effort(NamedTuple):
    """How much is looked at for one n."""

    parts: int
    steps: int

    @classmethod
    def of(cls, evidence: Evidence) -> Effort:
        """Share it among all n."""
        most = max(1, evidence.most)
        return cls(min(MOST_PARTS, max(4, ALL_PARTS // most)), max(200, ALL_STEPS // most))


Condition = tuple[float, float, float, bool]
"""How far away, after, until: an edge lies in (after, until], or none does."""


def fixed_window(evidence: Evidence, n: int) -> list[Interval]:
    """Return the lengths of fixed windows that explain everything, as intervals in order."""
    longest = _longest(evidence, n)
    if evidence.closed_for(n, longest + 2 * EDGE) > longest + EDGE:
        return []
    possible = evidence.possible
    none = [(possible[k - n] + EDGE, moment) for k, moment in evidence.denies if k >= n]
    low = max(MIN_WINDOW_SECONDS, *(until - after for after, until in none), 0.0)
    if low > longest:
        return []
    effort = Effort.of(evidence)

    def conditions_from(origin: float) -> list[Condition]:
        return _conditions(_near(evidence, n, origin, longest, effort.steps), none, origin)

    if evidence.aligned:
        return _joined(_lengths([(low, longest)], conditions_from(0.0), (0.0, 0.0), effort)[0])
    if not len(evidence.until) > n:
        return [(low, math.inf)]
    begin, end = _gap(evidence, n, none)
    if end - begin <= 2 * EDGE:
        return []
    conditions = conditions_from((begin + end) / 2)
    found, left = _lengths([(low, longest)], conditions, (begin, end), effort)
    if not found or end - begin <= MIN_PIECE_SECONDS:
        return _joined(found)
    step, parts = (end - begin) / GAP_PIECES, []
    for i in range(GAP_PIECES):
        share = effort._replace(steps=left // (GAP_PIECES - i))
        piece, unused = _lengths(found, conditions, (begin + i * step, begin + (i + 1) * step), share)
        left -= share.steps - unused
        parts += piece
    return _coarse(_joined(parts), effort.parts)


def _longest(evidence: Evidence, n: int) -> float:
    """Return the greatest possible window: more than m·n admissions need m edges, over m-1 whole windows."""
    longest, many = math.inf, 2
    while many * n < len(evidence.sure):
        longest = min(longest, evidence.span(many * n) / (many - 1))
        many *= 2
    return longest


def _gap(evidence: Evidence, n: int, none: list[Interval]) -> Interval:
    """Return the shortest interval that certainly contains an edge."""
    sure, until = evidence.sure, evidence.until
    best = min(zip(sure, until[n:], strict=False), key=lambda each: each[1] - each[0])
    for start, end in none[:: len(none) // MOST_GAPS + 1]:
        k = bisect_right(until, end, n)
        if k < len(until) and start <= sure[k - n] + 2 * EDGE:  # closed from then on
            best = min(best, (max(sure[k - n], end), until[k]), key=lambda each: each[1] - each[0])
    return best


def _near(evidence: Evidence, n: int, origin: float, longest: float, most: int) -> list[Interval]:
    """Return from the n-th acceptance before one until that one, if less than `longest`: those closest to a moment."""
    last = max(0, min(len(evidence.sure), len(evidence.until) - n))  # fewer than n were accepted: there is none
    middle = min(bisect_right(evidence.sure, origin), last)

    def some(first: int, end: int) -> list[Interval]:
        spans = zip(evidence.sure[first:end], evidence.until[first + n : end + n], strict=True)
        return [each for each in spans if each[1] - each[0] < longest]

    reach = most
    before, after = some(max(0, middle - reach), middle), some(middle, min(last, middle + reach))
    while (len(before) < most and reach < middle) or (len(after) < most and reach < last - middle):
        reach *= 4
        before, after = some(max(0, middle - reach), middle), some(middle, min(last, middle + reach))
    return [*before[max(0, len(before) - most) :], *after[:most]]


def _conditions(near: Iterable[Interval], none: Iterable[Interval], origin: float) -> list[Condition]:
    """Return them by their distance from a moment: close to an edge, an answer cuts lengths into few parts."""
    found = [(abs(until - origin), after, until, True) for after, until in near]
    found += [(abs(until - origin), after, until, False) for after, until in none]
    found.sort()
    return found


def _lengths(
    found: list[Interval], conditions: Iterable[Condition], first: Interval, effort: Effort
) -> tuple[list[Interval], int]:
    """Return which of the lengths found explain everything if an edge lies in `first`, and the steps left."""
    begin, end = first
    parts, steps = effort
    for _, after, until, edge in conditions:
        if edge:
            after, until = after - end, until - begin
        else:
            after, until = after - begin, until - end
            if after >= until:
                continue
        if until <= 0:
            after, until = -until, -after
        if after >= until or (after < 0 and not edge):
            return [], steps
        if edge and found[-1][1] <= until - after:
            continue
        if after >= 0 or until == 0:
            keep = _with_edge if edge else _without_edge
            found = [part for each in found for part in keep(each, after, until)]
            if not found:
                break
            steps -= len(found)
            found = _coarse(found, parts)
        if (steps := steps - 1) <= 0:
            break
    return found, max(0, steps)


def _coarse(parts: list[Interval], most: int) -> list[Interval]:
    """Return intervals in order, of more than `most` those joined that are closest to each other."""
    if len(parts) <= most:
        return parts
    gaps = sorted(range(1, len(parts)), key=lambda i: parts[i - 1][1] / parts[i][0])[: most // 2]
    starts = [0, *sorted(gaps)]
    return [(parts[i][0], parts[j - 1][1]) for i, j in zip(starts, [*starts[1:], len(parts)], strict=True)]


def _joined(parts: Iterable[Interval]) -> list[Interval]:
    """Return intervals in order; those that touch are joined."""
    joined: list[Interval] = []
    for low, high in sorted(parts):
        if joined and low <= joined[-1][1] + ROUNDING:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _with_edge(lengths: Interval, after: float, until: float) -> Iterator[Interval]:
    """Yield the lengths W that have a multiple in (after, until]: W in (after/i, until/i], i = 1, 2, …."""
    low, high = lengths
    joined = 1 if after <= 0 else max(1, math.ceil(after / (until - after)))  # from here on they overlap
    i = max(1, math.floor(after / high) if high < math.inf else 1)
    last = i + MOST_PARTS
    ends = []
    while i < joined and i < last and until / i >= low:
        part = (max(low, after / i), min(high, until / i))
        if part[0] < part[1]:
            ends.append(part)
        i += 1
    if until / i >= low:
        least = low if i >= joined else max(low, after / min(joined, math.floor(until / low)))
        if least < (most := min(high, until / i)):
            ends.append((least, most))
    yield from reversed(ends)


def _without_edge(lengths: Interval, after: float, until: float) -> Iterator[Interval]:
    """Yield the lengths W that have no multiple in (after, until]: W in (until/(i+1), after/i]."""
    low, high = lengths
    ends = []
    i = math.floor(until / high) if high < math.inf else 0
    i = max(0, i - 1)
    last = i + MOST_PARTS
    while i == 0 or after / i >= low:
        if i * (until - after) >= after and i > 0:
            break
        if i >= last:
            ends.append((low, min(high, after / i)))
            break
        part = (max(low, until / (i + 1)), min(high, after / i if i else math.inf))
        if part[0] < part[1]:
            ends.append(part)
        i += 1
    yield from reversed(ends)
