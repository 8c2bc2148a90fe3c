"""Series over time that forget or thin their past, so that a run of any length can be watched."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Bin", "BoundedSpans", "BoundedSteps", "BoundedSums", "Span", "thin", "widened"]

Span = tuple[float, float]
K = TypeVar("K", bound=Hashable)


class BoundedSpans:
    """When something was on: the last `limit` spans."""

    def __init__(self, limit: int) -> None:
        self._done: deque[Span] = deque(maxlen=limit)
        self._since: float | None = None

    def set(self, at: float, on: bool) -> None:
        """Switch it on or off, never earlier than the last time."""
        if on and self._since is None:
            self._since = self._done.pop()[0] if self._done and self._done[-1][1] == at else at
        elif not on and self._since is not None:
            if at > self._since:
                self._done.append((self._since, at))
            self._since = None

    def between(self, start: float, end: float) -> list[Span]:
        """Return the spans that end after `start`, sorted and disjoint; an open one ends at `end`."""
        found = [span for span in self._done if span[1] > start]
        if self._since is not None and self._since < end:
            found.append((self._since, end))
        return found


def thin(steps: list[tuple[float, int]], column: float) -> list[tuple[float, int]]:
    """Keep at most two steps (time, value from then on) of each column of time, `column` seconds wide.

    They are the column's highest value, from its first step on, and its last value, from its own time on. So peaks stay
    visible, and the value at the end of each column, and at the very end, is exact.
    """
    if len(steps) < 3:
        return list(steps)
    kept: list[tuple[float, int]] = []
    first, highest = at, value = steps[0]
    current = first // column
    for after, new in steps[1:]:
        if (place := after // column) != current or after == steps[-1][0]:
            if first != at:
                kept.append((first, highest))
            if first == at or value != highest:
                kept.append((at, value))
            first, highest, current = after, new, place
        elif new > highest:
            highest = new
        at, value = after, new
    return [*kept, (at, value)]


class BoundedSteps:
    """A number over time in at most `limit` steps: when there are more, the older half is thinned."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._steps: list[tuple[float, int]] = [(0.0, 0)]

    def set(self, at: float, value: int) -> None:
        """Change it at a time, never earlier than the last one."""
        steps = self._steps
        if steps and steps[-1][0] == at:
            steps.pop()
        if not steps or steps[-1][1] != value:
            steps.append((at, value))
        if len(steps) > self._limit:
            half = self._limit // 2
            past = steps[:half]
            column = (past[-1][0] - past[0][0]) / max(1, half // 4)  # two steps in each, so at most half of them stay
            self._steps = thin(past, column) + steps[half:]

    def after(self, start: float) -> list[tuple[float, int]]:
        """Return the steps from a time on (time, value from then on); the first is the one that held at that time."""
        steps = self._steps
        first = len(steps) - 1
        while first > 0 and steps[first][0] > start:
            first -= 1
        return steps[first:]


@dataclass(frozen=True, slots=True)
class Bin(Generic[K]):
    """Sums over one interval of time."""

    start: float
    end: float
    sums: Mapping[K, float]


def widened(bins: Iterable[Bin[K]], width: float) -> list[Bin[K]]:
    """Join bins into wider ones that begin at multiples of `width`: their own width times a power of two."""
    found: dict[int, Counter[K]] = defaultdict(Counter)
    for each in bins:
        sums = found[int(each.start // width)]
        for key, value in each.sums.items():
            sums[key] += value  # type: ignore[assignment]  # a Counter of floats
    return [Bin(index * width, (index + 1) * width, sums) for index, sums in sorted(found.items())]


class BoundedSums(Generic[K]):
    """Sums over time by key, in bins of one width, which doubles if there would be more than `limit` sums.

    At least `fewest` bins are kept, however many sums they hold.
    """

    fewest = 4

    def __init__(self, limit: int, width: float = 1.0) -> None:
        self.width = width
        self._limit = limit
        self._size = 0
        self._bins: dict[int, dict[K, float]] = {}
        self._built: dict[int, Bin[K]] = {}
        """Bins that have not changed since they were built."""

    def add(self, at: float, key: K, value: float) -> None:
        """Add something at a time."""
        index = int(at // self.width)
        sums = self._bins.setdefault(index, {})
        self._size += key not in sums
        sums[key] = sums.get(key, 0) + value
        self._built.pop(index, None)
        while self._size > self._limit and len(self._bins) > self.fewest:
            self._double()

    def spread(self, start: float, end: float, key: K) -> None:
        """Add the seconds of a span, each to its bin."""
        while start < end:
            stop = min(end, (start // self.width + 1) * self.width)
            self.add(start, key, stop - start)
            start = stop

    def all(self) -> list[Bin[K]]:
        """Return the bins that are not empty, in order; they are never changed afterwards."""
        for index in self._bins.keys() - self._built.keys():
            self._built[index] = self._bin(index)
        return [self._built[index] for index in sorted(self._built)]

    def _bin(self, index: int) -> Bin[K]:
        return Bin(index * self.width, (index + 1) * self.width, dict(self._bins[index]))

    def _double(self) -> None:
        wider = widened([self._bin(index) for index in self._bins], 2 * self.width)
        self.width *= 2
        self._bins = {int(each.start // self.width): dict(each.sums) for each in wider}
        self._size = sum(map(len, self._bins.values()))
        self._built.clear()
