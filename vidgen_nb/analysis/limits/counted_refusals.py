"""Which limits explain the answers if a refused submit uses them up like an accepted one, as at OpenAI.

Fixed windows answer alike in both cases, because they refuse only once they are used up. A sliding window then holds
refused submits too, and a bucket falls below empty, to -n at most. Its level falls with the seconds that a token takes,
so those that explain an answer are an interval, and bisection finds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from vidgen_nb.analysis.limits.feasible import MIN_WINDOW_SECONDS
from vidgen_nb.analysis.limits.submit_history import SubmitHistory
from vidgen_nb.provider.limit_states import EDGE

__all__ = ["Counted", "counted_refusals"]

MOST_N: Final = 40
MOST_STEPS: Final = 200_000
"""Answers that are looked at, for all n together; what would take more is left out."""
PRECISION: Final = 1e-3
"""Relative, of the seconds that a token takes."""
LONGEST: Final = 1e5


class Counted(NamedTuple):
    """A kind of limit that counts refused submits, with the seconds per n that explain every answer."""

    kind: str
    n: int
    low: float
    high: float


class _Request(NamedTuple):
    low: float
    high: float
    accepted: bool


def counted_refusals(submits: SubmitHistory) -> list[Counted]:
    """Return the buckets and sliding windows that explain every answer if refusals count; none with answers lost."""
    if submits.in_doubt or not submits.refused:
        return []
    requests = [_Request(*each, True) for each in sorted(submits.accepted, key=lambda each: each[1])]
    for number, each in enumerate(submits.refused):
        requests.insert(each.sure + number, _Request(*each.between, False))
    first = next(i for i, each in enumerate(requests) if not each.accepted)
    found = [_sliding(requests, n) for n in range(1, min(first, MOST_N) + 1)]
    found += _buckets(requests, min(first, MOST_N))
    return [each for each in found if each]


def _sliding(requests: list[_Request], n: int) -> Counted | None:
    low, high = MIN_WINDOW_SECONDS, math.inf
    for before, each in zip(requests, requests[n:], strict=False):
        if each.accepted:
            high = min(high, each.high + EDGE - before.low)
        else:
            low = max(low, each.low + EDGE - before.high)
        if low >= high:
            return None
    return Counted("sliding_window", n, low, high)


def _buckets(requests: list[_Request], most: int) -> Iterator[Counted]:
    steps = MOST_STEPS
    for n in range(1, most + 1):
        level = _Level(requests, n)
        if found := level.explaining():
            yield found
        if (steps := steps - level.steps) < 0:
            return


class _Level:
    """The tokens of a bucket of n that counts refusals."""

    def __init__(self, requests: list[_Request], n: int) -> None:
        self._requests = requests
        self._n = n
        self.steps = 0

    def explaining(self) -> Counted | None:
        """Return the seconds per n tokens that explain every answer, if there are any."""
        low, high = MIN_WINDOW_SECONDS / self._n, LONGEST
        while high > low * (1 + PRECISION):
            middle = math.sqrt(low * high)
            if (side := self._wrong(middle)) == 0:
                return Counted(
                    "token_bucket", self._n, self._n * self._end(low, middle), self._n * self._end(high, middle)
                )
            low, high = (middle, high) if side < 0 else (low, middle)
        return None

    def _wrong(self, per_token: float) -> Literal[-1, 0, 1]:
        """Say whether a token that takes so long came too early for an answer, or too late."""
        tokens, last, n = float(self._n), 0.0, self._n
        for low, high, accepted in self._requests:
            self.steps += 1
            if accepted:
                if min(n, tokens + (high + 2 * EDGE - last) / per_token) < 1:
                    return 1
            elif min(n, tokens + (low - last) / per_token) >= 1:
                return -1
            at = max(last, (low + high) / 2)
            tokens, last = max(-n, min(n, tokens + (at - last) / per_token) - 1), at
        return 0

    def _end(self, outside: float, inside: float) -> float:
        """Return where an interval ends, between a value that may lie outside and one inside."""
        while max(outside / inside, inside / outside) > 1 + PRECISION:
            middle = math.sqrt(outside * inside)
            outside, inside = (outside, middle) if self._wrong(middle) == 0 else (middle, inside)
        return outside
