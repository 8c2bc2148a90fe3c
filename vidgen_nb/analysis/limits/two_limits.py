"""Two limits at once that explain every answer, where no single one does: such as one a minute and one an hour.

Each has to accept all that was accepted. So of each kind and n only the strictest limit that does is looked at: it
refuses the most. Two of them explain everything where each 429 is refused by one of the two.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, Evidence
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["Part", "two_limits"]

MIN_429S: Final = 6
"""Of fewer, some pair explains any."""
MIN_OWN: Final = 2
"""So many 429s must be explained by each of the two alone."""
MOST_N: Final = 40
MOST_429S: Final = 150
"""Of more, it would take too long."""


class Part(NamedTuple):
    """One of the two limits."""

    kind: str
    n: int
    per: float
    """The longest that it can be."""


def two_limits(evidence: Evidence) -> tuple[Part, Part] | None:
    """Return the two with the smallest n, the faster one first; None: no two explain everything."""
    refusals = evidence.refusals
    if not MIN_429S <= len(refusals) <= MOST_429S:
        return None
    parts = [*_moving(evidence, refusals), *(_fixed(evidence, refusals) if evidence.aligned else [])]
    every = (1 << len(refusals)) - 1
    telling = [(mask, part) for mask, part in parts if mask.bit_count() >= MIN_OWN]
    best: tuple[float, Part, Part] | None = None
    for place, (mask, part) in enumerate(telling):
        for other_mask, other in telling[place + 1 :]:
            if mask | other_mask == every:
                own = min((mask & ~other_mask).bit_count(), (other_mask & ~mask).bit_count())
                cost = math.log(part.n * other.n)
                if own >= MIN_OWN and (best is None or cost < best[0]):
                    best = cost, part, other
    if best is None:
        return None
    first, second = sorted(best[1:], key=lambda each: each.per)
    return first, second


def _moving(evidence: Evidence, refusals: list[tuple[int, float]]) -> list[tuple[int, Part]]:
    """Return buckets and sliding windows, each with the 429s that it explains, as bits."""
    found, possible = [], evidence.possible
    for n in range(1, min(max(k for k, _ in refusals), MOST_N) + 1):
        window, pace = evidence.span(n), evidence.pace(n)
        if MIN_WINDOW_SECONDS < window < math.inf:
            mask = 0
            for place, (k, moment) in enumerate(refusals):
                if k >= n and moment - possible[k - n] < window:
                    mask |= 1 << place
            found.append((mask, Part("sliding_window", n, window)))
        if MIN_WINDOW_SECONDS < n * pace < math.inf:
            mask = 0
            for place, (k, moment) in enumerate(refusals):
                if k >= n and evidence.closed(n, k, moment) < pace:
                    mask |= 1 << place
            found.append((mask, Part("token_bucket", n, n * pace)))
    return found


def _fixed(evidence: Evidence, refusals: list[tuple[int, float]]) -> list[tuple[int, Part]]:
    """Return fixed windows of round lengths, each as small as what was accepted in one of them allows."""
    found, possible = [], evidence.possible
    last = max(moment for _, moment in refusals)
    lengths = {digits * power for power in (0.1, 1.0, 10.0, 100.0) for digits in range(10, 100)}
    for per in sorted(each for each in lengths if each <= last):
        n, begin = 0, 0
        while begin < len(possible):
            end = bisect_left(possible, ((possible[begin] + EDGE) // per + 1) * per - EDGE, begin)
            n, begin = max(n, end - begin), end
        mask = 0
        for place, (k, moment) in enumerate(refusals):
            if k - bisect_right(possible, (moment + EDGE) // per * per - EDGE, 0, k) >= n:
                mask |= 1 << place
        if n:
            found.append((mask, Part("fixed_window", n, per)))
    return found
