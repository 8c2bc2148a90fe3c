"""Hours in which no program ran a run, drawn as narrow gaps: the axis is not one long empty stretch.

Seconds of the run become places on the axis; what is said of times stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.timeline import Within, seconds_of
from vidgen_nb.charts.drawing.shapes import Bar, Rows
from vidgen_nb.wording.durations import duration

__all__ = ["Gaps", "ticks", "with_gaps"]

GAP_SHARE = 0.03
"""A gap is as wide as this share of the rest, or up to twice: its width changes seldom while a run goes on."""
LEAST_SHARE = 0.15
"""Time off that is shorter than this share of the rest is drawn as it is."""
MAX_TICKS = 9


class Gaps:
    """Which stretches of time are cut short, and where a time is drawn."""

    def __init__(self, off: Sequence[Span], end: float) -> None:
        rest = max(1e-3, end - seconds_of(off))
        self.width = 2.0 ** math.ceil(math.log2(GAP_SHARE * rest))
        self.spans = [span for span in off if span[1] - span[0] > max(2 * self.width, LEAST_SHARE * rest)]
        self._cut = Within([(start + self.width, stop) for start, stop in self.spans])

    def place(self, at: float) -> float:
        """Return where a time is drawn."""
        return at - self._cut(at)


def with_gaps(rows: Rows, off: Sequence[Span], visible: Span | None = None) -> Rows:
    """Return the chart with long time off cut short, and ticks that fit what is visible (in places; None: all)."""
    gaps = Gaps(off, rows.end)
    if not gaps.spans:
        return rows
    place = gaps.place

    def moved(bar: Bar) -> Bar:
        return replace(bar, start=place(bar.start), end=place(bar.end))

    queue = rows.queue
    if queue is not None:
        times = tuple(at for at, _length in queue.steps)
        queue = replace(queue, steps=[(place(at), length) for at, length in queue.steps], times=times)
    return replace(
        rows,
        bars=[moved(bar) for bar in rows.bars],
        merged=tuple(moved(bar) for bar in rows.merged),
        links=[replace(link, start=place(link.start), end=place(link.end)) for link in rows.links],
        hands=tuple(replace(hand, at=place(hand.at)) for hand in rows.hands),
        queue=queue,
        start=place(rows.start),
        end=place(rows.end),
        now=None if rows.now is None else place(rows.now),
        ticks=ticks(gaps, rows.end, visible or (place(rows.start), place(rows.end))),
    )


def ticks(gaps: Gaps, end: float, visible: Span) -> tuple[tuple[float, str], ...]:
    """Return places and labels: round times apart from the gaps, and each gap with its length."""
    first, last = visible
    step = _round_step((last - first) / MAX_TICKS)
    found = [((gaps.place(start) + gaps.place(stop)) / 2, f"⋯ {duration(stop - start)}")
             for start, stop in gaps.spans]  # fmt: skip
    middles = [at for at, _label in found]
    cuts = [(0.0, 0.0), *gaps.spans, (end, end)]
    for (_, begin), (stop, _) in pairwise(cuts):
        for number in range(math.ceil(begin / step), math.floor(stop / step) + 1):
            at = gaps.place(number * step)
            if first <= at <= last and all(abs(at - middle) > 0.8 * step for middle in middles):
                found.append((at, f"{number * step:,.6g} s"))
            if len(found) > 10 * MAX_TICKS:
                return tuple(sorted(found))
    return tuple(sorted(found))


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
