"""What was offered and what came through, window by window: whether a load that comes again is served as before.

A system that is stable gives the same goodput at the same load, whatever came in between. Where retries or wasted work
sustain an overload, it does not: hysteresis. N. Bronson et al., "Metastable Failures in Distributed Systems" (2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vidgen_nb.analysis.metrics.results import successes
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import releases
from vidgen_nb.analysis.validation import seconds

__all__ = ["LoadWindow", "Return", "load_by_window", "returns"]

ALIKE: Final = 0.1
"""Two windows have the same load if it differs by no more than this share."""
DEVIATIONS: Final = 3.0
"""Counts differ if they do so by more standard deviations than this, as if each result came by chance (Poisson)."""


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """Scenes that came, and results, in one window. Times in run seconds."""

    start: float
    end: float
    came: int
    made: int

    @property
    def offered(self) -> float:
        """Scenes that came, per second."""
        return self.came / (self.end - self.start)

    @property
    def goodput(self) -> float:
        """Results per second."""
        return self.made / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Return:
    """The first and the last window with one load, and a greater load between them."""

    before: LoadWindow
    after: LoadWindow

    @property
    def worse(self) -> bool:
        """Whether less came through afterwards, by more than chance. More is what had been left over, caught up."""
        return self.before.made - self.after.made > DEVIATIONS * math.sqrt(self.before.made + self.after.made)


def load_by_window(data: RunData, window: float) -> list[LoadWindow]:
    """Return the windows of so many seconds from the start to the run's last event, the last one if it is whole.

    A scene came when it was added, the last time. Raises `InputError` for a window that is no number of seconds.
    """
    length = seconds("window", window, zero=False)
    count = math.floor(data.end / length + 1e-9)
    came, made = [0] * count, [0] * count
    for at in releases(data).values():
        if at < count * length:
            came[int(at // length)] += 1
    for each in successes(data):
        if each.end is not None and each.end < count * length:
            made[int(each.end // length)] += 1
    return [LoadWindow(k * length, (k + 1) * length, came[k], made[k]) for k in range(count)]


def returns(windows: Sequence[LoadWindow]) -> list[Return]:
    """Return the loads that came back after a greater one, the least first."""
    found: dict[int, Return] = {}
    for at, before in enumerate(windows):
        for place in range(len(windows) - 1, at + 1, -1):
            after = windows[place]
            greater = max(each.came for each in windows[at + 1 : place])
            if before.came and abs(before.came - after.came) <= ALIKE * before.came < greater - before.came:
                found.setdefault(place, Return(before, after))
                break
    return sorted(found.values(), key=lambda each: each.before.came)
