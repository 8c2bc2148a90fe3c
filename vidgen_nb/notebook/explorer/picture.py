"""What the page draws: the Gantt of a run with that of the run before as its ghost, on one axis and in the same lanes.

All lanes have one height, whatever is in them, so that nothing moves below a hand that moves a slider. Each row of
slots is shared by both runs: the present one above, its ghost in the narrow strip below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vidgen_nb.analysis.metrics.results import makespan
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.slots import pack_slots
from vidgen_nb.charts.drawing.palette import STATES, THEMES
from vidgen_nb.charts.drawing.shapes import Lane, Rows
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.charts.gantt.svg import HATCHES
from vidgen_nb.notebook.explorer.state_text import Outage

__all__ = ["LANE_PIXELS", "Pictures", "palette"]

LANE_PIXELS = 74.0
PRESENT, GHOST = (0.0, 0.62), (0.68, 0.28)
"""Where the bars of both lie in a row, from its top and in height, as shares."""
ALONE = (0.0, 1.0)
MAX_MOVES = 100
MAX_BARS = 600
"""A chart with more attempts is folded: a page draws it while a slider moves."""


class Pictures:
    """Makes pictures; the ghost is drawn once, as long as it and its lanes stay what they are."""

    def __init__(self) -> None:
        self._ghost: tuple[RunData, Mapping[str, int], Rows] | None = None

    def picture(
        self, data: RunData, before: RunData | None, accounts: Sequence[str], outage: Outage | None = None
    ) -> dict[str, Any]:
        """Return what is drawn, in run seconds across and pixels down.

        `accounts`: those that have a lane, in this order.
        """
        runs = [data] if before is None else [data, before]
        slots = _slots(runs, accounts)
        rows, ghost = _rows(data, slots), None if before is None else self._ghost_rows(before, slots)
        part = ALONE if ghost is None else PRESENT
        found: dict[str, Any] = {
            "end": max(each.end for each in (rows, ghost) if each is not None),
            "height": LANE_PIXELS * len(accounts),
            "lanes": len(accounts),
            "bars": list(_bars(rows, len(accounts), part, named=True)),
            "ghost": [] if ghost is None else list(_bars(ghost, len(accounts), GHOST, named=False)),
            "moves": [
                [round(link.start, 3), _place(rows, link.y_start), round(link.end, 3), _place(rows, link.y_end),
                 "\n".join(link.lines)]
                for link in rows.links
            ],
            "done": [makespan(each) for each in runs],
            "said": " ".join((*rows.summary, *rows.notes)),
        }  # fmt: skip
        if outage is not None:
            places = [number for number, name in enumerate(accounts) if outage.profile in (None, name)]
            found["outage"] = [outage.start, outage.end, [LANE_PIXELS * each for each in places]]
        return found

    def _ghost_rows(self, before: RunData, slots: Mapping[str, int]) -> Rows:
        if self._ghost is None or self._ghost[0] is not before or self._ghost[1] != slots:
            self._ghost = before, slots, _rows(before, slots)
        return self._ghost[2]


def palette() -> dict[str, Any]:
    """Return the looks of all states, for light and dark, in the order of drawing."""
    found: dict[str, Any] = {}
    for name, theme in THEMES.items():
        marks = {
            state: [mark.fill, mark.pattern, mark.ink, mark.outline, mark.dashed, mark.label]
            for state, mark in theme.marks.items()
        }
        found[name] = {"marks": marks, "move": theme.move, "edge": theme.glyph_edge}
    return {"states": list(STATES), "hatches": HATCHES, **found}


def _rows(data: RunData, slots: Mapping[str, int]) -> Rows:
    fit = Fit(LANE_PIXELS * len(slots), slots)
    return build_rows(data, queue=False, moves=f"last {MAX_MOVES}", most=MAX_BARS, fit=fit)


def _slots(runs: Sequence[RunData], accounts: Sequence[str]) -> dict[str, int]:
    """Return how many slots each lane needs for all runs."""
    used = dict.fromkeys(accounts, 1)
    for data in runs:
        for attempt, slot in zip(data.attempts, pack_slots(data.attempts), strict=True):
            used[attempt.profile] = max(used.get(attempt.profile, 1), slot + 1)
    return used


def _bars(rows: Rows, lanes: int, part: tuple[float, float], *, named: bool) -> Iterator[list[Any]]:
    """Yield bars as state, start, end, top, height, and for a bar of the present run its words, glyph and scene."""
    top, height = part
    for bar in sorted(rows.bars, key=lambda each: STATES.index(each.state)):
        lane, scale = _lane(rows, bar.y)
        if lane >= lanes:  # of an account that the run before had
            continue
        whole = bar.height * scale
        upper = _place(rows, bar.y - bar.height / 2, lane) + top * whole
        found = [bar.state, round(bar.start, 3), round(bar.end, 3), round(upper, 1), round(height * whole, 1)]
        yield [*found, "\n".join(bar.lines), bar.glyph, bar.scene or ""] if named else found


def _lane(rows: Rows, y: float) -> tuple[int, float]:
    """Return the lane at that height, and how much higher it is drawn."""
    lanes: list[Lane] = rows.lanes
    number = next((place for place, lane in enumerate(lanes) if y <= lane.bottom), len(lanes) - 1)
    return number, LANE_PIXELS / (lanes[number].bottom - lanes[number].top)


def _place(rows: Rows, y: float, number: int | None = None) -> float:
    """Return where a height is drawn."""
    lane = _lane(rows, y)[0] if number is None else number
    edges: Lane = rows.lanes[lane]
    return round(LANE_PIXELS * (lane + (y - edges.top) / (edges.bottom - edges.top)), 1)
