"""Refusals in a row that tell no reset: a limit slower than was thought refuses a few, an outage refuses everything.

The first two are the model's to learn from. Then single submits go out, at growing intervals, and the model stays as
it was: an outage says nothing about the limit. Once one is accepted the model holds again as it was before them; if it
is refused again soon it was wrong, and `Learner` learns anew.
"""

from __future__ import annotations

__all__ = ["Outage"]

FEW = 2
"""Refusals in a row that a wrong model explains."""
GROWTH = 2.0
"""By what the interval grows."""
LONGEST = 60.0
"""Seconds between two single submits, if the limit itself is not slower."""
SOON = 6
"""Submits; a model that is refused after fewer is refused again soon."""


class Outage:
    """How many refusals came one after another, and when the next submit may try."""

    __slots__ = ("before", "count", "doubted", "until")

    def __init__(self) -> None:
        self.count = 0
        self.until = 0.0
        self.before = 0.0
        """The model's pace before the second refusal, in submits a second."""
        self.doubted = False
        """Whether the model has yet to show that it is still right."""

    @property
    def lasts(self) -> bool:
        """Say whether it is one, as far as can be told."""
        return self.count > FEW

    def wait(self, spacing: float) -> float:
        """Return for how many seconds to wait now; `spacing`: between submits that the limit admits."""
        return min(spacing * GROWTH ** min(max(0, self.count - FEW), 64), max(LONGEST, spacing))

    def refused(self, now: float, pace: float) -> None:
        """One more was refused; `pace`: the model's, in submits a second."""
        self.count += 1
        if self.count == FEW:
            self.before = pace
        if self.lasts:
            self.until = now + self.wait(1 / self.before)
