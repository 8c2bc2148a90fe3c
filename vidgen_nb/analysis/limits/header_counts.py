"""What rate-limit headers say: whether somebody else's submits are counted, and which limit they describe.

Between two answers what remains of a limit grows by itself, and falls by what was submitted. So where it has fallen by
more than this run can have submitted between the two decisions, something else submits, whatever the kind of limit.

Headers whose 429s say that nothing remains describe the limit that refuses. Their reset is the time until all of it is
there again, as OpenAI defines it: a bucket of n that lacks m tokens names m·per/n, a sliding window that has just
admitted one names its length, and no window names more than that.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from vidgen_nb.core.model import RateInfo

__all__ = ["Departure", "HeaderCount"]

ROUNDED: Final = 1.001
"""A reset may be rounded up to whole seconds."""
WELL_KNOWN: Final = 1.2
"""A length is told if it is known to this factor."""


class _Told(NamedTuple):
    """An answer with headers."""

    limit: int | None
    """None: the whole limit remains, whatever it is."""
    remaining: int
    decided: int
    """How many answers had surely been decided on by then, this one included."""


class Departure(NamedTuple):
    """What was known when a submit left."""

    told: _Told
    answers: int


class HeaderCount:
    """Follows the answers to one quota group's submits. `exact`: each comes at the moment of the decision."""

    __slots__ = (
        "_answers", "_bucket", "_exact", "_latest", "_limits", "_log", "_longest", "_refusals", "_unanswered", "excess",
    )  # fmt: skip

    def __init__(self, exact: bool = True) -> None:
        self.excess = 0
        """How many submits that are not this run's were counted between two answers, at least; or before the run."""
        self._exact = exact
        self._answers = self._unanswered = 0
        self._latest = _Told(None, 0, 0)
        self._limits: set[int] = set()
        self._refusals: set[bool] = set()
        """Whether 429s said that nothing remains."""
        self._longest = 0.0
        """The longest reset."""
        self._bucket, self._log = [0.0, math.inf], [math.inf, 0.0]
        """What it shows of the length if it is a bucket, or a sliding window: the least and the most."""

    def left(self) -> Departure:
        """A submit leaves; return what is known then."""
        self._unanswered += 1
        return Departure(self._latest, self._answers)

    def answered(self, departure: Departure, rate: RateInfo | None, *, accepted: bool) -> None:
        """Take in an answer, or the end of the hope for one. `departure`: of its submit."""
        self._answers += 1
        self._unanswered -= 1
        if rate is None or rate.remaining is None or rate.limit is None:
            return
        before = self._latest if self._exact else departure.told
        ours = self._answers - before.decided + (0 if self._exact else self._unanswered)
        if before.limit in (None, rate.limit):
            remained = rate.limit if before.limit is None else before.remaining
            self.excess = max(self.excess, remained - rate.remaining - ours)
        self._latest = _Told(rate.limit, rate.remaining, self._answers if self._exact else departure.answers + 1)
        self._limits.add(rate.limit)
        if not accepted:
            self._refusals.add(rate.remaining == 0)
        if rate.reset is not None:
            self._read_reset(rate.limit, rate.limit - rate.remaining, rate.reset, accepted=accepted)

    def _read_reset(self, limit: int, missing: int, reset: float, *, accepted: bool) -> None:
        self._longest = max(self._longest, reset)
        if missing > 0:
            self._bucket[0] = max(self._bucket[0], (reset - ROUNDED) * limit / missing)
        if missing > 1:
            self._bucket[1] = min(self._bucket[1], reset * limit / (missing - 1))
        if accepted:
            self._log = [min(self._log[0], reset), max(self._log[1], reset)]

    @property
    def describes(self) -> bool:
        """Whether the headers are about the limit that refuses: each 429 said that nothing remains of it."""
        return self._refusals == {True}

    def _lengths(self, kind: str) -> tuple[float, float]:
        """Return the shortest and the longest length that such a limit can have."""
        if kind == "token_bucket":
            return self._bucket[0], self._bucket[1]
        if kind == "sliding_window" and self._log[1]:
            return self._log[1] - ROUNDED, self._log[0]
        return self._longest - ROUNDED, math.inf

    def fit(self, kind: str, n: int, low: float, high: float) -> bool:
        """Say whether a limit of n, with a length between these two, could have the headers that there were."""
        least, most = self._lengths(kind)
        return n in self._limits and low <= most * (1 + 1e-6) and least <= high

    def tells(self, kind: str) -> bool:
        """Say whether the headers alone tell the length of such a limit, so that what fits them is the account's."""
        least, most = self._lengths(kind)
        return most <= least * WELL_KNOWN or kind == "fixed_window"
