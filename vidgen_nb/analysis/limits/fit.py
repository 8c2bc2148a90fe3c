"""Does what was found deserve belief? Limits that explain every answer may do so by chance, or beside the point.

An interval is the set of all limits that explain every answer. Where the model is right, the truth is in it. Where it
is wrong (something else uses the account, several limits hold at once, 429s at random), hardly any limit explains
everything, and the few that do make a narrow interval around a wrong value. So a narrow set needs evidence: each 429 at
a limit in use may rule out all but one in twenty of what was possible before (`surprise`), and what was seen once must
have been seen again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from vidgen_nb.analysis.limits.candidates import Candidate
from vidgen_nb.analysis.limits.counted_refusals import Counted
from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS, Evidence
from vidgen_nb.analysis.limits.submit_history import SubmitHistory

__all__ = [
    "LENGTHS_RANGE",
    "broken_promises",
    "episodes",
    "jobs_at_once",
    "log_chance",
    "most_jobs",
    "partly",
    "possible",
    "surprise",
    "tells_resets",
    "too_good",
    "unexplained",
]

LENGTHS_RANGE: Final = math.log(1e4)
"""Lengths from 0.1 to 1000 s are all as likely, in their logarithm."""
LONGEST_WINDOW_SECONDS: Final = 1000.0
SURPRISE_PER_429: Final = 3.0
"""How much one 429 at a limit in use may reveal: all but e⁻³, one in twenty, of what was possible."""
SURPRISE_AT_ONCE: Final = 2.0
MOST_429S: Final = 5
"""So many 429s may reveal all that can be measured without a Retry-After, four digits of a length."""
MOST_N: Final = 40
"""Up to this n, the limit that explains most is looked for."""
SURE_SHARE: Final = 0.8
"""A job was certainly under way for this share of the time until a poll found it ended."""


def possible(limits: Iterable[Candidate | Counted]) -> float:
    """Return how much of the prior these limits have: that of `candidates`, without its round numbers."""
    widths = ((math.log(each.high / each.low), each.n) for each in limits if each.low < each.high < math.inf)
    return math.fsum(width / n for width, n in widths)


def surprise(candidates: Iterable[Candidate], most: int) -> float:
    """Return minus the logarithm of the share that is left of all limits with n up to `most`."""
    left = possible(candidates)
    every = 3 * LENGTHS_RANGE * math.fsum(1 / n for n in range(1, max(1, most) + 1))
    return math.log(every / left) if left > 0 else math.inf


def too_good(candidates: Iterable[Candidate], most: int, met: int) -> bool:
    """Say whether so few limits are left that these 429s, without a Retry-After, can't have ruled out the others."""
    return surprise(candidates, most) > SURPRISE_AT_ONCE + SURPRISE_PER_429 * min(met, MOST_429S)


def episodes(submits: SubmitHistory) -> int:
    """Count how often a 429 came after an acceptance: how often the limit was reached."""
    return len({each.sure for each in submits.refused if each.sure})


def tells_resets(submits: SubmitHistory) -> bool:
    """Say whether its Retry-Afters differ: a server that always says the same says nothing with it."""
    return len({math.ceil(each.retry_after) for each in submits.refused if each.retry_after is not None}) > 1


def broken_promises(submits: SubmitHistory) -> int:
    """Count 429s that came after the time that a Retry-After named, with nothing accepted in between."""
    if not tells_resets(submits):
        return 0
    count, promised, at = 0, math.inf, -1
    for each in submits.refused:
        low, high = each.between
        if each.sure + each.possible != at:
            promised, at = math.inf, each.sure + each.possible
        count += low > promised + 1.0
        if each.retry_after is not None:
            promised = min(promised, high + each.retry_after)
    return count


def jobs_at_once(submits: SubmitHistory) -> int | None:
    """Return the number of jobs at once that would explain every answer as well; None: no number does."""
    most_accepted, least_refused = _jobs_at_answers(submits)
    return most_accepted if 0 < most_accepted <= least_refused < math.inf else None


def most_jobs(submits: SubmitHistory) -> int:
    """Return how many jobs certainly were under way at once."""
    return _jobs_at_answers(submits)[0]


def _jobs_at_answers(submits: SubmitHistory) -> tuple[int, float]:
    """Return the most jobs that certainly were under way after an acceptance, and the fewest possible at a 429."""
    changes: list[tuple[float, int, int]] = []
    for job in submits.jobs:
        end = math.inf if job.end is None else job.end
        sure = end if end == math.inf else job.start + SURE_SHARE * (end - job.start)
        changes += [(job.start, 1, 1), (sure, 0, -1), (end, -1, 0)]
    changes += [(each.between[1], 2, 0) for each in submits.refused]
    changes.sort(key=lambda each: each[0])
    most_accepted, least_refused, possible, sure_ones = 0, math.inf, 0, 0
    for _, known, certain in changes:
        if known == 2:
            least_refused = min(least_refused, possible)
            continue
        possible += known
        sure_ones += certain
        if known == 1:
            most_accepted = max(most_accepted, sure_ones)
    return most_accepted, least_refused


def unexplained(evidence: Evidence) -> tuple[str, int, float, int]:
    """Return the limit that explains most 429s, of those that accept all that was accepted: kind, n, per, 429s left."""
    left, kind, n, per = min(_closest(evidence), default=(len(evidence.refusals), "token_bucket", 1, 0.0))
    return kind, n, per, left


def _closest(evidence: Evidence) -> list[tuple[int, str, int, float]]:
    """Return the limits that accept all that was accepted, with the 429s that each leaves unexplained.

    Each is the strictest one for its n: with a longer `per` it would have refused what was accepted.
    """
    found = []
    for n in range(1, min(max(k for k, _ in evidence.refusals), MOST_N) + 1):
        window, pace = evidence.span(n), evidence.pace(n)
        if n <= len(evidence.until) and MIN_WINDOW_SECONDS < window < math.inf:
            left = sum(k < n or moment - evidence.possible[k - n] >= window for k, moment in evidence.refusals)
            found.append((left, "sliding_window", n, window))
        if MIN_WINDOW_SECONDS < n * pace < math.inf:
            left = sum(k < n or evidence.closed(n, k, moment) >= pace for k, moment in evidence.refusals)
            found.append((left, "token_bucket", n, n * pace))
    return [each for each in found if each[0] < len(evidence.refusals)]


def partly(evidence: Evidence) -> list[tuple[int, str, int, float, float]]:
    """Return all limits that accept all that was accepted, with the 429s that each leaves unexplained, if not all.

    In pieces: 429s left, kind, n, and the shortest and longest `per` for which it is so.
    """
    found: list[tuple[int, str, int, float, float]] = []
    count = len(evidence.refusals)
    for n in range(1, min(max(k for k, _ in evidence.refusals), MOST_N) + 1):
        met = [(k, moment) for k, moment in evidence.refusals if k >= n]
        if n <= len(evidence.until):
            waits = sorted(moment - evidence.possible[k - n] for k, moment in met)
            found += _pieces("sliding_window", n, waits, evidence.span(n), count)
        waits = sorted(n * evidence.closed(n, k, moment) for k, moment in met)
        found += _pieces("token_bucket", n, waits, n * evidence.pace(n), count)
    return found


def _pieces(
    kind: str, n: int, waits: Sequence[float], strictest: float, count: int
) -> Iterator[tuple[int, str, int, float, float]]:
    """Yield what `partly` returns of one n: a limit explains the 429s whose wait is shorter than its `per`."""
    for explained, (low, high) in enumerate(pairwise((*waits, math.inf)), start=1):
        low, high = max(low, MIN_WINDOW_SECONDS), min(high, strictest, LONGEST_WINDOW_SECONDS)
        if low < high:
            yield count - explained, kind, n, low, high


def log_chance(first: int, second: int) -> float:
    """Return the log chance of a sequence with so many of two outcomes, whose odds are not known (beta prior of ½)."""
    return math.lgamma(first + 0.5) + math.lgamma(second + 0.5) - math.lgamma(first + second + 1) - math.log(math.pi)
