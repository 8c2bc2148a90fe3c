"""Older history as merged bars: few columns of time, with one bar per lane and state, as high as its share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from vidgen_nb.analysis.records.bounded_series import widened
from vidgen_nb.analysis.records.live_window import COOLDOWN, OlderSums, RecentData, SumKey
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.palette import STATES
from vidgen_nb.charts.drawing.shapes import Bar
from vidgen_nb.charts.gantt.bars import BarCache, LaneLayout, state_of
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration

__all__ = ["MAX_MERGED_BARS", "merged"]

MAX_MERGED_BARS = 150
"""Bars in all columns together; a single column may have more."""
Sums = Mapping[str | None, float]


def merged(data: RecentData, place: LaneLayout, kept: BarCache) -> list[Bar]:
    """Return what is older than the window as at most `MAX_MERGED_BARS` bars, in as many columns of time as fit."""
    bins = data.history
    if not bins:
        return []
    kinds = sum(profile in place.tops for profile, _kind in set[SumKey]().union(*(each.sums for each in bins)))
    width = bins[0].end - bins[0].start
    while (columns := _columns(bins, width)) and len(columns) > max(1, MAX_MERGED_BARS // max(1, kinds)):
        width *= 2
    bars: list[Bar] = []
    for start, some in columns.items():
        # The newest column still grows; the others don't change.
        stop = max(start, min(start + width, data.since))
        told = (some, stop)
        drawn: list[Bar] | None = kept.get(("merged", start, width), told)
        if drawn is None:
            drawn = list(_column(widened(some, width)[0], start, stop, place))
            kept.put(("merged", start, width), told, drawn)
        bars += drawn
    return bars


def _columns(bins: list[OlderSums], width: float) -> dict[float, list[OlderSums]]:
    """Return bins by the column of that width in which they lie."""
    found: dict[float, list[OlderSums]] = defaultdict(list)
    for each in bins:
        found[each.start // width * width].append(each)
    return found


def _column(column: OlderSums, start: float, stop: float, place: LaneLayout) -> Iterator[Bar]:
    for profile, sums in _by_profile(column, place):
        yield from _cell(profile, sums, start, stop, place)


def _by_profile(column: OlderSums, place: LaneLayout) -> Iterator[tuple[str, Sums]]:
    found: dict[str, dict[str | None, float]] = defaultdict(dict)
    for (profile, kind), value in column.sums.items():
        if profile in place.tops:
            found[profile][kind] = value
    yield from found.items()


def _cell(profile: str, sums: Sums, start: float, end: float, place: LaneLayout) -> Iterator[Bar]:
    """Yield the bars of one profile in one column; all have the same hover."""
    cooled = min(sums.get(COOLDOWN, 0.0), end - start)
    counts = {kind: count for kind, count in sums.items() if kind != COOLDOWN}
    total = sum(counts.values())
    lines = tuple(_lines(profile, counts, cooled, start, end))
    if cooled > 0:
        y, row = place.cooling(profile)
        yield Bar("cooldown", start, end, y, max(2.0, row * cooled / (end - start)), lines, dim=place.dim)
    shares: dict[str, float] = defaultdict(float)
    for kind, count in counts.items():
        shares[state_of(kind)] += count / total
    middle, whole = place.whole(profile)
    top = middle - whole / 2
    for state in STATES:
        if height := shares.get(state, 0.0) * whole:
            yield Bar(state, start, end, top + height / 2, height, lines, dim=place.dim, count=round(total))
            top += height


def _lines(profile: str, counts: Sums, cooled: float, start: float, end: float) -> Iterator[str]:
    """Yield the hover: how many ended when, and how."""
    total = round(sum(counts.values()))
    when = f"from {text.seconds(start)} to {text.seconds(end)}"
    noun = "attempt" if total == 1 else "attempts"
    yield f"{one_line(profile, 60)}: {total:,} {noun} that ended {when}, merged"
    if counts:
        yield ", ".join(f"{count:,.0f} {text.outcome(kind)}" for kind, count in counts.items())
    if cooled > 0:
        yield f"cooled for {duration(cooled)} of it"
