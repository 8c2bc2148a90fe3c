"""Refusals in a row that tell no reset: a limit slower than expected refuses a few, an outage refuses everything.

Refused although certain: the belief in the limit is corrected by the first two. After that, single submits go out at
growing intervals, and once one is accepted, what was believed before the refusals holds again: an outage says nothing
about the limit.
"""

from __future__ import annotations

__all__ = ["Outage"]

MAX_EXPLAINED_REFUSALS = 2
"""Refusals in a row that a wrong belief can explain."""
INTERVAL_GROWTH = 2.0
"""The factor between one interval and the next."""
MAX_INTERVAL_SECONDS = 60.0
"""Between two single submits, unless the limit itself is slower."""


class Outage:
    """How many refusals came in a row, and when the next submit may try."""

    __slots__ = ("pace_before", "refusals", "retry_at")

    def __init__(self) -> None:
        self.refusals = 0
        self.retry_at = 0.0
        self.pace_before = 0.0
        """The believed pace before the second refusal, in submits per second."""

    @property
    def lasts(self) -> bool:
        """Whether this looks like an outage."""
        return self.refusals > MAX_EXPLAINED_REFUSALS

    def wait(self, spacing: float) -> float:
        """Return how many seconds to wait now; `spacing`: seconds between submits that the limit admits."""
        doublings = min(max(0, self.refusals - MAX_EXPLAINED_REFUSALS), 64)
        return min(spacing * INTERVAL_GROWTH**doublings, max(MAX_INTERVAL_SECONDS, spacing))

    def refused(self, now: float, pace: float) -> None:
        """Count a refusal; `pace`: the one believed, in submits per second."""
        self.refusals += 1
        if self.refusals == MAX_EXPLAINED_REFUSALS:
            self.pace_before = pace
        if self.lasts:
            self.retry_at = now + self.wait(1 / self.pace_before)
