"""Which limits could have answered as the provider did: exact sets of parameters, without a grid.

Submits were accepted at d_0 ≤ d_1 ≤ …; a limit admits n at once, and k were accepted before the moment T.

- Token bucket with a token every τ: it is ready again at max over j ≤ k-n of d_j + (k-j-n+1)·τ. So an acceptance at T
  means τ ≤ min_j (T-d_j)/(k-j-n+1), and a 429 at T means τ > that. Of all acceptances together, only the shortest time
  in which each number of them came matters; for a 429 the minimum is the tangent from the point (k-n+1, T) to the upper
  hull of the points (j, d_j), which one pass finds for all prefixes (Andrew's monotone chain, 1979).
- Sliding window of W: ready at d_{k-n} + W. Accepted: W ≤ T-d_{k-n}; a 429: W > T-d_{k-n}.
- Fixed windows: `fixed_windows`.

A true Retry-After counts as a 429 until the moment it names, and as an acceptance then. If a decision is only known to
lie between two moments, each condition uses the moments that make it weaker.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate, count
from operator import sub, truediv
from typing import Final

from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["MIN_WINDOW_SECONDS", "Evidence", "Interval", "sliding_window", "token_bucket"]

MIN_WINDOW_SECONDS: Final = 1e-3
"""No window is shorter."""
ROUNDING: Final = 1e-6
MOST_SPANS: Final = 4_000_000
"""Pairs of acceptances that are looked at for buckets: all of them up to 2000 acceptances."""
EXACT_SPANS: Final = 2_000_000
"""Up to so many acceptances × n, all are looked at for each n; beyond, the places where they came fast tell first."""
SPANS_PER_ACCEPTANCE: Final = 40
"""The same for each acceptance of a long run."""
MIN_PLACES: Final = 400
"""At least so many of these."""
FEW_DENIALS: Final = 40
"""So many of them are looked at first: mostly, one of them shows that an n explains nothing."""
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
        until = [high + EDGE for high in answered]
        denies: dict[int, float] = {}
        self.refusals: list[tuple[int, float]] = []
        """(k, T): a 429 at T, with no more than k accepted before."""
        for refused in submits.refused:
            low, high = refused.between
            most = refused.possible if submits.exact else bisect_right(left, high)
            wait, denied = refused.retry_after, low + (EDGE if submits.exact else 0.0)
            self.refusals.append((most, low))
            if slack is not None and wait is not None:
                denied = max(denied, low + wait - slack)
                least = refused.sure if submits.exact else bisect_right(answered, low)
                admitted = high + wait + ROUNDING
                if least == len(until):
                    until.append(admitted)
                until[least] = min(until[least], admitted)
            denies[most] = max(denies.get(most, -math.inf), denied)
        self.until = until
        """At k: with k accepted before, one more was, or would have been, by this moment."""
        self.denies = sorted(denies.items())
        """(k, T): with no more than k accepted before, none was until T; the latest T of each k."""
        self.is_thinned = False
        """Whether `span` looks at the fastest places only: then it may be too long, and explain too much, never too
        little."""
        self._places: list[int] = []
        self._spans: dict[tuple[int, bool], float] = {}
        self._numbers: list[int] = []
        self._every: list[float] = []
        self._hull: list[int] = []

    @property
    def most(self) -> int:
        """Return the largest n that could have refused."""
        return self.denies[0][0] if self.denies else 0

    def contradictory(self) -> bool:
        """Say whether a 429 came after a time by which, with as many accepted or more, one was possible."""
        soonest = list(accumulate(reversed(self.until), min))[::-1]
        return any(k < len(soonest) and moment > soonest[k] + EDGE for k, moment in self.denies)

    def can_be_exact(self, numbers: int) -> bool:
        """Say whether there is time to look at all acceptances for so many n."""
        many = len(self.until)
        return numbers * many <= max(EXACT_SPANS, SPANS_PER_ACCEPTANCE * many)

    def span(self, n: int) -> float:
        """Return the shortest time from an acceptance to the n-th after it; inf: so many there were not."""
        found = self._spans.get((n, self.is_thinned))
        if found is None:
            until, sure = self.until, self.sure
            if self.is_thinned:
                last = min(len(until) - n, len(sure))
                spans = (until[k + n] - sure[k] for k in self._fastest() if k < last)
                found = min(spans, default=math.inf)
            else:
                found = min(map(sub, until[n:], sure), default=math.inf)
            self._spans[n, self.is_thinned] = found
        return found

    def _fastest(self) -> list[int]:
        """Return places from which acceptances came fast: 1, 2, 4, … of them, in each of equal parts of the run."""
        if not self._places:
            until, sure, places = self.until, self.sure, set()
            steps = [1 << k for k in range(len(until).bit_length())]
            count = max(MIN_PLACES, SPANS_PER_ACCEPTANCE * len(until) // max(1, self.most))
            part = max(1, len(until) * len(steps) // count)
            for n in steps:
                spans = list(map(sub, until[n:], sure))
                for start in range(0, len(spans), part):
                    places.add(spans.index(min(spans[start : start + part]), start))
            self._places = sorted(places)
        return self._places

    def pace(self, n: int) -> float:
        """Return the longest time a token can have taken in a bucket of n; inf: nothing says."""
        numbers = self._all_numbers()
        if len(numbers) == len(self.until):
            return min(map(truediv, self._every[n:], count(1)), default=math.inf)
        first = bisect_left(numbers, n)
        longer = zip(numbers[first:], self._every[first:], strict=True)
        return min((span / (m - n + 1) for m, span in longer), default=math.inf)

    def _all_numbers(self) -> list[int]:
        """Return the numbers of acceptances in whose shortest times `pace` looks: all of them if they are not many."""
        if not self._numbers and self.until:
            m, ratio = 0, 0.0
            most = max(40, MOST_SPANS // len(self.until))
            if most < len(self.until):
                ratio = len(self.until) ** (1 / most) - 1
            while m < len(self.until):
                self._numbers.append(m)
                m += max(1, round(m * ratio))
            self._every = [min(map(sub, self.until[m:], self.sure), default=math.inf) for m in self._numbers]
        return self._numbers

    def closed_for(self, n: int, enough: float = math.inf) -> float:
        """Return how long a window of n was closed at least: to a 429 from the n-th acceptance before it.

        It ends early once that is `enough`. 0.0: no 429 says.
        """
        denies, possible, longest = self.denies, self.possible, 0.0
        first = bisect_left(denies, (n, -math.inf))
        step = (len(denies) - first) // FEW_DENIALS + 1
        for part in (denies[first::step], denies[first:] if step > 1 else ()):
            longest = max((moment - possible[k - n] for k, moment in part), default=longest)
            if longest >= enough:
                break
        return longest

    def closed(self, n: int, k: int, moment: float) -> float:
        """Return the time that a token takes at least in a bucket of n, empty at a moment with k accepted before."""
        times, hull = self.possible, self._prefix_hulls()
        x, j = k - n + 1, k - n
        best = (moment - times[j]) / (x - j)
        while (j := hull[j]) >= 0 and (slope := (moment - times[j]) / (x - j)) <= best:
            best = slope
        return best

    def _prefix_hulls(self) -> list[int]:
        """Return for each j the point before it on the upper hull of the points (i, possible[i]), i ≤ j; -1: none."""
        if not self._hull:
            times, before = self.possible, self._hull
            for j, y in enumerate(times):
                i = j - 1
                while i >= 0 and (h := before[i]) >= 0 and (times[i] - times[h]) * (j - i) <= (y - times[i]) * (i - h):
                    i = h
                before.append(i)
        return self._hull


def token_bucket(evidence: Evidence, n: int) -> list[Interval]:
    """Return the seconds per n tokens that explain everything, as at most one interval."""
    high = n * evidence.pace(n)
    low = MIN_WINDOW_SECONDS
    if high < low:
        return []
    for k, moment in reversed(evidence.denies):
        if k >= n and (low := max(low, n * evidence.closed(n, k, moment))) >= high:
            return []
    return [(low, high)]


def sliding_window(evidence: Evidence, n: int) -> list[Interval]:
    """Return the lengths of a sliding window that explain everything, as at most one interval."""
    high = evidence.span(n)
    if high < MIN_WINDOW_SECONDS:
        return []
    low = max(evidence.closed_for(n, high), MIN_WINDOW_SECONDS)
    return [(low, high)] if low < high else []
