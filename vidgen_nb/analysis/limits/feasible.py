"""Which limits could have answered as the provider did: exact sets of parameters, without a grid.

Submits were accepted at d_0 ≤ d_1 ≤ …; a limit admits n at once, and k were accepted before the moment T.

- Token bucket with a token every τ: it is ready again at max over j ≤ k-n of d_j + (k-j-n+1)·τ. So an acceptance at T
  means τ ≤ min_j (T-d_j)/(k-j-n+1), and a 429 at T means τ > that. The minimum is the tangent from the point (k-n+1, T)
  to the upper hull of the points (j, d_j).
- Sliding window of W: ready at d_{k-n} + W. Accepted: W ≤ T-d_{k-n}; a 429: W > T-d_{k-n}.
- Fixed windows of W: accepted: an edge lies in (d_{k-n}, T]; a 429: none does. If windows
  are aligned to the run's start, edges are the multiples of W. Otherwise one edge is known to lie in a gap between a
  429 and an acceptance: the gap is cut into pieces, and within each, the edge is only known to lie between two moments.

A true Retry-After counts as a 429 until the moment it names, and as an acceptance then. If a decision is only known to
lie between two moments, each condition uses the moments that make it weaker.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["MIN_WINDOW_SECONDS", "Evidence", "fixed_window", "sliding_window", "token_bucket"]

MIN_WINDOW_SECONDS = 1e-3
"""No window is shorter."""
ROUNDING = 1e-6
GAP_PIECES = 16
MIN_PIECE_SECONDS = 0.01
"""A shorter gap is one piece."""
Interval = tuple[float, float]


class Evidence:
    """What one quota group's submits show, prepared for any n.

    `slack`: seconds by which a Retry-After may exceed the true reset, because it was rounded up; None: it is not used.
    """

    def __init__(self, submits: SubmitHistory, slack: float | None) -> None:
        self.aligned = submits.exact
        """Whether fixed windows begin with the run."""
        sure = submits.accepted
        possible = [*sure, *submits.in_doubt]
        self.sure = sorted(low for low, _ in sure)
        """Earliest moments of the accepted submits, in order."""
        self.possible = sorted(high for _, high in possible)
        """Latest moments of what was or may have been accepted."""
        answered = sorted(high for _, high in sure)
        left = sorted(low for low, _ in possible)
        admits = {k: high + EDGE for k, high in enumerate(answered)}
        denies: dict[int, float] = {}
        self.refusals: list[tuple[int, float]] = []
        """(k, T): a 429 at T, with no more than k accepted before."""
        for refused in submits.refused:
            low, high = refused.between
            most = refused.possible if submits.exact else bisect_right(left, high)
            wait, until = refused.retry_after, low + (EDGE if submits.exact else 0.0)
            self.refusals.append((most, low))
            if slack is not None and wait is not None:
                until = max(until, low + wait - slack)
                least = refused.sure if submits.exact else bisect_right(answered, low)
                admits[least] = min(admits.get(least, math.inf), high + wait + ROUNDING)
            denies[most] = max(denies.get(most, -math.inf), until)
        self.admits = sorted(admits.items())
        """(k, T): with k accepted before, one more was, or would have been, by T; the earliest T of each k."""
        self.denies = sorted(denies.items())
        """(k, T): with no more than k accepted before, none was until T; the latest T of each k."""

    @property
    def most(self) -> int:
        """Return the largest n that could have refused."""
        return min((k for k, _ in self.denies), default=0)


def token_bucket(evidence: Evidence, n: int) -> list[Interval]:
    """Return the seconds per n tokens that explain everything, as at most one interval."""
    high = min(_slopes(evidence.sure, evidence.admits, n), default=math.inf)
    low = 0.0
    for slope in _slopes(evidence.possible, evidence.denies, n):
        low = max(low, slope)
        if low >= high:
            return []
    return [(max(n * low, MIN_WINDOW_SECONDS), n * high)] if n * high >= MIN_WINDOW_SECONDS else []


def _slopes(times: list[float], queries: Iterable[tuple[int, float]], n: int) -> Iterator[float]:
    """Yield min over j ≤ k-n of (T-times[j])/(k-j-n+1) for each query (k, T) that has such j; k ascends."""
    xs: list[int] = []
    ys: list[float] = []
    pushed = 0
    for k, moment in queries:
        while pushed <= k - n:
            y = times[pushed]
            while len(xs) > 1 and (ys[-1] - ys[-2]) * (pushed - xs[-1]) <= (y - ys[-1]) * (xs[-1] - xs[-2]):
                xs.pop()
                ys.pop()
            xs.append(pushed)
            ys.append(y)
            pushed += 1
        if not xs:
            continue
        x, place = k - n + 1, len(xs) - 1
        best = (moment - ys[place]) / (x - xs[place])
        while place > 0 and (slope := (moment - ys[place - 1]) / (x - xs[place - 1])) <= best:
            best, place = slope, place - 1
        yield best


def sliding_window(evidence: Evidence, n: int) -> list[Interval]:
    """Return the lengths of a sliding window that explain everything, as at most one interval."""
    high = min((moment - evidence.sure[k - n] for k, moment in evidence.admits if k >= n), default=math.inf)
    low = max((moment - evidence.possible[k - n] for k, moment in evidence.denies if k >= n), default=0.0)
    low = max(low, MIN_WINDOW_SECONDS)
    return [(low, high)] if low < high else []


def fixed_window(evidence: Evidence, n: int) -> list[Interval]:
    """Return the lengths of fixed windows that explain everything, as intervals in order."""
    edges = [(evidence.sure[k - n], moment) for k, moment in evidence.admits if k >= n]
    none = [(evidence.possible[k - n] + EDGE, moment) for k, moment in evidence.denies if k >= n]
    longest = _longest(evidence, n)
    if evidence.aligned:
        return _joined(_lengths(edges, none, (0.0, 0.0), longest))
    if not edges:
        return [(max(MIN_WINDOW_SECONDS, *(until - after for after, until in none)), math.inf)]
    low, high = _gap(edges, none)
    if high - low <= 2 * EDGE:
        return []
    pieces = 1 if high - low <= MIN_PIECE_SECONDS else GAP_PIECES
    step = (high - low) / pieces
    found = (_lengths(edges, none, (low + i * step, low + (i + 1) * step), longest) for i in range(pieces))
    return _joined(part for each in found for part in each)


def _longest(evidence: Evidence, n: int) -> float:
    """Return the greatest possible window: more than m·n admissions need m edges, over m-1 whole windows."""
    longest, many = math.inf, 2
    while many * n < len(evidence.sure):
        spans = (moment - evidence.sure[k - many * n] for k, moment in evidence.admits if k >= many * n)
        longest = min(longest, min(spans) / (many - 1))
        many *= 2
    return longest


def _gap(edges: list[Interval], none: list[Interval]) -> Interval:
    """Return the shortest interval that certainly contains an edge."""
    best = (0.0, math.inf)
    ends = sorted((end, start) for start, end in none)
    for after, until in edges:
        low, place = after, bisect_left(ends, (until, -math.inf)) - 1
        if place >= 0 and ends[place][1] <= after + 2 * EDGE:  # closed from then on
            low = max(low, ends[place][0])
        if until - low < best[1] - best[0]:
            best = (low, until)
    return best


def _lengths(edges: list[Interval], none: list[Interval], first: Interval, longest: float) -> list[Interval]:
    """Return the lengths, up to the longest, that explain everything if an edge lies in `first`."""
    begin, end = first
    conditions = [(after - end, until - begin, True) for after, until in edges]
    conditions += [(after - begin, until - end, False) for after, until in none if after - begin < until - end]
    conditions.sort(key=lambda each: abs(each[1]))
    low = max((until - after for after, until, edge in conditions if not edge), default=0.0)
    low = max(low, MIN_WINDOW_SECONDS)
    found = [(low, longest)] if low <= longest else []
    for after, until, edge in conditions:
        if until <= 0:
            after, until = -until, -after
        if after >= until or (after < 0 and not edge):
            return []
        if after >= 0 or until == 0:
            keep = _with_edge if edge else _without_edge
            found = [part for each in found for part in keep(each, after, until)]
        if not found:
            break
    return found


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
    joined = 1 if after <= 0 else max(1, math.ceil(after / (until - after)))
    i = max(1, math.floor(after / high) if high < math.inf else 1)
    ends = []
    while i < joined and until / i >= low:
        part = (max(low, after / i), min(high, until / i))
        if part[0] < part[1]:
            ends.append(part)
        i += 1
    if i >= joined and until / joined >= low:  # from here on they overlap
        ends.append((low, min(high, until / joined)))
    yield from reversed(ends)


def _without_edge(lengths: Interval, after: float, until: float) -> Iterator[Interval]:
    """Yield the lengths W that have no multiple in (after, until]: W in (until/(i+1), after/i]."""
    low, high = lengths
    ends = []
    i = math.floor(until / high) if high < math.inf else 0
    i = max(0, i - 1)
    while i == 0 or after / i >= low:
        part = (max(low, until / (i + 1)), min(high, after / i if i else math.inf))
        if i * (until - after) >= after and i > 0:
            break
        if part[0] < part[1]:
            ends.append(part)
        i += 1
    yield from reversed(ends)
