"""Little's law by window: the mean queue L beside λW, where the two need not be equal.

Over a whole run that begins and ends with an empty queue, L = λW is an identity, whatever happens in it. Within a
window it is not: who waits at its edges counts in L with the part inside, and in W with all of it. The two agree where
that matters little, which is where the queue is stationary: as many wait as long at the end as at the start.
J. D. C. Little, "A proof for the queuing formula L = λW" (1961).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Final

from vidgen_nb.analysis.metrics.results import on_seconds
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.off_time import all_without
from vidgen_nb.analysis.records.timeline import Steps, integrals, steps, waiting_spans
from vidgen_nb.analysis.validation import seconds
from vidgen_nb.errors import InputError
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.numbers import percent

__all__ = ["WINDOWS", "Little", "LittleWindow", "little", "little_of"]

WINDOWS: Final = 10
HOLDS: Final = 0.1
"""The law holds if L and λW differ by no more than this share of L, over all windows."""

_ROUNDING: Final = 1e-12
"""A mean length, for each stay, that is only rounding: the difference of two equal integrals."""


@dataclass(frozen=True, slots=True)
class LittleWindow:
    """The queue in one window. Times in run seconds, without the time in which no program ran."""

    start: float
    end: float
    length: float
    """L: the mean of Q(t)."""
    arrival_rate: float
    """λ: how often a scene joined the queue, requeues included, ÷ seconds."""
    wait: float | None
    """W: mean time in the queue of those that joined it in the window, to the end of their wait; None: nobody did."""

    @property
    def rate_times_wait(self) -> float:
        """λW."""
        return self.arrival_rate * (self.wait or 0.0)


@dataclass(frozen=True, slots=True)
class Little:
    """Whether L = λW holds, window by window; `str` says it in words."""

    windows: list[LittleWindow]
    residual: float | None
    """Σ|L - λW| ÷ ΣL over the windows: 0 is perfect agreement; None: nobody waited."""

    @property
    def holds(self) -> bool | None:
        """Whether L and λW differ by at most a tenth of L; None: nobody waited."""
        return None if self.residual is None else self.residual <= HOLDS

    def __str__(self) -> str:
        if self.residual is None:
            return "Nobody waited, so there is nothing to test."
        each = duration(self.windows[0].end - self.windows[0].start)
        said = f"L and λW differ by {percent(self.residual)} of L in windows of {each}"
        if self.holds:
            return f"Little's law holds here: {said}."
        lengths = [each.length for each in self.windows]
        return (
            f"Little's law does not hold here: {said}. The queue is not stationary: its mean by window goes from "
            f"{lengths[0]:,.3g} to {lengths[-1]:,.3g}, with {max(lengths):,.3g} at most."
        )


def little(data: RunData, *, windows: int = WINDOWS, after: float = 0.0, until: float | None = None) -> Little:
    """Return L, λ and W in so many equal windows between two times; None: up to the run's last event.

    A wait that had not ended with the run counts up to there. Raises `InputError` for fewer than one window, or times
    that don't rise.
    """
    if isinstance(windows, bool) or not isinstance(windows, int) or windows < 1:
        raise InputError(f"windows is how many, 1 or more, not {windows!r}")
    after, until = seconds("after", after), None if until is None else seconds("until", until, finite=False)
    _, starts, ends = waiting_spans(data, data.end)
    starts, ends = all_without(data.off, starts), all_without(data.off, ends)
    return little_of(data, starts, ends, steps(starts, ends), windows=windows, after=after, until=until)


def little_of(
    data: RunData,
    starts: list[float],
    ends: list[float],
    length: Steps,
    *,
    windows: int = WINDOWS,
    after: float = 0.0,
    until: float | None = None,
) -> Little:
    """Return the same from when scenes began and ended to wait, and how many did, all without the time off."""
    first, last = on_seconds(data, after), on_seconds(data, data.end if until is None else min(until, data.end))
    if first > last:
        raise InputError(f"after is before until, and before the end of the run: {last:g} s, not {after!r}")
    if not data.readded_at:  # those that did not wait at all joined the queue, too
        at_once = [each.queued for each in data.attempts if not each.start > each.queued]
        at_once = all_without(data.off, at_once)
        starts, ends = starts + at_once, ends + at_once
    return _by_window(starts, ends, length, [first + (last - first) * k / windows for k in range(windows + 1)])


def _by_window(starts: Sequence[float], ends: Sequence[float], length: Steps, edges: Sequence[float]) -> Little:
    """Return the law between neighbouring edges, for waits from `starts` to `ends`."""
    came, waited = [0] * (len(edges) + 1), [0.0] * (len(edges) + 1)
    for place, start, end in zip(map(bisect_right, repeat(edges), starts), starts, ends, strict=True):
        came[place] += 1
        waited[place] += end - start
    found: list[LittleWindow] = []
    sums = pairwise(integrals(length, edges))
    for place, ((start, end), (before, after)) in enumerate(zip(pairwise(edges), sums, strict=True), 1):
        if not (length_of := end - start) > 0:
            continue
        wait = waited[place] / came[place] if came[place] else None
        mean = (after - before) / length_of
        mean = mean if mean > _ROUNDING * len(starts) else 0.0
        found.append(LittleWindow(start, end, mean, came[place] / length_of, wait))
    total = sum(each.length for each in found)
    apart = sum(abs(each.length - each.rate_times_wait) for each in found)
    return Little(found, apart / total if total > 1e-12 else None)
