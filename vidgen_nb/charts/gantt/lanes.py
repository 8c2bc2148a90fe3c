"""The lanes of a Gantt chart: how high each is, and how its rows share that height.

A static chart has rows of one height and is as high as they need. A live one is laid out for a given space (`Fit`):
its lanes are as high before the run as later, whatever is used of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from vidgen_nb.analysis.metrics.results import outcome_counts
from vidgen_nb.analysis.records.live_data import RecentData
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.shapes import Lane
from vidgen_nb.charts.gantt.bars import PAD_PIXELS

__all__ = ["HEADING_PIXELS", "QUEUE_PIXELS", "Fit", "make_lanes"]

QUEUE_PIXELS, HEADING_PIXELS = 40.0, 18.0
_LABEL_CHARS = 22  # of a label without its separator, left of the plot
_ROW_PIXELS, _LABEL_PIXELS = 18.0, 15.0
_USUAL_SLOTS = 4
"""Slots of a profile without a bound; if it uses more, its rows get thinner."""
_TWO_LINES, _ONE_LINE, _THINNEST_ROW = 40.0, 24.0, 3.0
"""Pixels of a lane that has room for two lines of text, or for one; and of a row."""


@dataclass(frozen=True)
class Fit:
    """The space of a live chart."""

    height: float
    """Pixels of all lanes together; they need more if there are too many."""
    profiles: Mapping[str, int | None] = field(default_factory=dict)
    """Those that have a lane even before they have done anything, with their capacity."""
    first: frozenset[str] = frozenset()
    """Those that have a lane before others, if there are too many."""
    least: float | None = None
    """Pixels of a lane; None: as many as a label of one or two lines beside it needs."""


def make_lanes(
    data: RunData, slots: list[int], profiles: tuple[str, ...], top: float, fit: Fit | None = None
) -> list[Lane]:
    """Return the lanes of profiles, from `top` down."""
    need = _slots_used(data, slots, profiles)
    heights = _whole(need) if fit is None else _fitted(need, data, fit)
    counts = outcome_counts(data)
    gone = {window.profile for window in data.cooldowns if math.isinf(window.end)}
    lanes: list[Lane] = []
    for profile, number in need.items():
        row, height = heights[profile]
        tally = "/".join(str(counts.get((profile, kind), 0)) for kind in ("succeeded", "rate_limited", "ambiguous"))
        label = f"{text.short(profile, max(6, _LABEL_CHARS - len(tally)))} · {tally}"
        remark = "out, no end known" if profile in gone else ""
        if fit is None:
            height = max(2 * _LABEL_PIXELS if remark else _LABEL_PIXELS, height)
        lanes.append(Lane(profile, label, remark, number, top, top + height, row))
        top += height
    return lanes


def _slots_used(data: RunData, slots: list[int], profiles: tuple[str, ...]) -> dict[str, int]:
    """Return how many slots each profile ever used, at least 1."""
    if isinstance(data, RecentData):
        return {profile: max(1, data.used.get(profile, 1)) for profile in profiles}
    used = dict.fromkeys(profiles, 1)
    for attempt, slot in zip(data.attempts, slots, strict=True):
        if attempt.profile in used:
            used[attempt.profile] = max(used[attempt.profile], slot + 1)
    return used


def _whole(need: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """Return heights of row and lane. Many slots share the height of 60 full rows, down to 4 px each."""
    row = min(_ROW_PIXELS, max(4.0, 60 * _ROW_PIXELS / max(1, sum(need.values()))))
    return {profile: (row, (number + 0.5) * row + PAD_PIXELS) for profile, number in need.items()}


def _fitted(need: Mapping[str, int], data: RunData, fit: Fit) -> dict[str, tuple[float, float]]:
    """Return heights of row and lane for a space: by what profiles may use, not by what they do."""
    capacities = {**data.capacities, **fit.profiles}
    usual = {profile: capacities.get(profile) or _USUAL_SLOTS for profile in need}
    pad = PAD_PIXELS if fit.least is None else min(PAD_PIXELS, fit.least / 4)
    pads, rows = len(need) * pad, sum(usual.values()) + 0.5 * len(need)
    row = min(_ROW_PIXELS, max(_THINNEST_ROW, (fit.height - pads) / max(1.0, rows)))
    least = fit.least or (_TWO_LINES if len(need) * _TWO_LINES <= fit.height else _ONE_LINE)
    found: dict[str, tuple[float, float]] = {}
    for profile, number in need.items():
        height = round(max(least, (usual[profile] + 0.5) * row + pad, number * _THINNEST_ROW + pad))
        found[profile] = min(_ROW_PIXELS, (height - pad) / (max(number, usual[profile]) + 0.5)), height
    return found
