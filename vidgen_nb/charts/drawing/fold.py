"""Merging of bars that would share pixels: this keeps a chart of many attempts fast to draw."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.palette import State
from vidgen_nb.charts.drawing.shapes import Bar

__all__ = ["MAX_BARS", "PIXEL_COLUMNS", "fold"]

MAX_BARS = 10_000
"""With more attempts or bars than this, neighbouring bars are merged."""
PIXEL_COLUMNS = 2000
"""Merging assumes this many pixels across: more than a chart on a screen has."""


def fold(bars: list[Bar], end: float, chosen: str | None, most: int = MAX_BARS) -> tuple[list[Bar], str]:
    """Merge neighbours of one state and row that are narrower than a pixel, or wider until at most `most` are left."""
    if len(bars) <= most:
        return bars, ""
    column, joined_from = end / PIXEL_COLUMNS, sorted(_join_columns(bars, chosen))
    while len(bars) - bisect_left(joined_from, column) > most and column < end:
        column *= 1.25
    merged = [run[0] if len(run) == 1 else _merged_bar(run) for run in _runs(bars, column, chosen)]
    return merged, (
        f"Folded: {len(bars):,} bars drawn as {len(merged):,}; equal neighbours closer than "
        f"{text.seconds(column)} are one bar."
    )


def _join_columns(bars: list[Bar], chosen: str | None) -> Iterator[float]:
    """Yield for each bar with a neighbour before it the column above which the two are in one run (`_runs`)."""
    before: dict[tuple[State, float], tuple[float, float]] = {}
    for bar in bars:
        key, end = (bar.state, bar.y), bar.end
        length = end - bar.start if chosen is None or bar.scene != chosen else math.inf
        if (last := before.get(key)) is not None:
            yield max(length, last[0], bar.start - last[1])
        before[key] = length, end


def _runs(bars: list[Bar], column: float, chosen: str | None) -> list[list[Bar]]:
    """Group bars with a neighbour if both bar and gap are narrower than `column`; never those of the chosen scene."""
    open_runs: dict[tuple[State, float], list[Bar]] = {}
    runs: list[list[Bar]] = []
    for bar in bars:
        run = open_runs.get((bar.state, bar.y))
        narrow = bar.end - bar.start < column and (chosen is None or bar.scene != chosen)
        if run is not None and narrow and bar.start - run[-1].end < column:
            run.append(bar)
            continue
        runs.append([bar])
        if narrow:
            open_runs[bar.state, bar.y] = runs[-1]
        else:
            open_runs.pop((bar.state, bar.y), None)
    return runs


def _merged_bar(run: list[Bar]) -> Bar:
    """Return one bar for several."""
    first, end = run[0], max(bar.end for bar in run)
    what = f"{len(run):,} neighbours drawn as one ({first.state})"
    lines = (what, f"from {text.seconds(first.start)} to {text.seconds(end)}")
    return replace(first, end=end, lines=lines, scene=None, count=len(run))
