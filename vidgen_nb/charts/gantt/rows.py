"""The rows of a Gantt chart: run data → lanes, bars, links and the queue, ready to be drawn by any renderer.

From top to bottom: the queue's length, a line of headings, and one lane per profile: a row per slot and, below,
a thin row for cooldowns. `shapes.py` says in which units.
"""

from __future__ import annotations

import math
from collections import Counter

from vidgen_nb.analysis.records.bounded_series import Span, thin
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.analysis.records.slots import pack_slots
from vidgen_nb.analysis.records.timeline import queue_steps
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.fold import MAX_BARS, PIXEL_COLUMNS, fold
from vidgen_nb.charts.drawing.shapes import Hand, Queue, Rows
from vidgen_nb.charts.gantt.bars import PAD_PIXELS, BarCache, LaneLayout, make_bars, with_hovers
from vidgen_nb.charts.gantt.gaps import with_gaps
from vidgen_nb.charts.gantt.lanes import HEADING_PIXELS, QUEUE_PIXELS, Fit, make_lanes
from vidgen_nb.charts.gantt.links import knows, make_links
from vidgen_nb.charts.gantt.merged import merged
from vidgen_nb.errors import InputError

__all__ = ["MAX_LANES", "MAX_LIVE_LANES", "MAX_SLOT_ROWS", "build_rows", "shown"]

MAX_LIVE_LANES = 40
"""Lanes of an open run."""
MAX_LANES = 300
"""Lanes of a finished run: a longer page can't be drawn."""
MAX_SLOT_ROWS = 1000
"""Rows of all slots together; if there are more slots, several share a row."""
MAX_LIVE_STEPS = 150
"""Steps of the queue, which are sent with each update of a live chart."""
_TAIL_SHARE = 3 / 900
"""A download that takes less of the time shown, about 3 px, is not drawn."""
_SAME_MARK_SHARE = 0.01
"""What a hand did within this share of the time shown has one mark."""


def build_rows(
    data: RunData,
    *,
    scene: str | None = None,
    moves: str = "last 20",
    queue: bool = True,
    now: float | None = None,
    kept: BarCache | None = None,
    most: int = MAX_BARS,
    fit: Fit | None = None,
    gaps: bool = False,
    visible: Span | None = None,
) -> Rows:
    """Lay out a run, or the latest part of one (`RecentData`).

    `scene`: this one is selected, all others are dimmed. `moves`: `"last <n>"`, `"none"`, or a scene's id for its
    whole path. `now`: run seconds of the present, for an open run; the chart reaches at least to there.
    `kept`: the bars of the last chart of the same run. `most`: attempts above which bars are merged. `fit`: the space
    of a live chart. `gaps`: long time in which no program ran is cut short; `visible`: what part of the axis then is to
    have ticks.
    The latest part has at most `MAX_LIVE_LANES` lanes.
    Raise `InputError` for a scene that is not in the run, or an invalid `now`. O(n log n) in attempts.
    """
    if now is not None and not 0 <= now < math.inf:
        raise InputError(f"now is {now!r}: give run seconds, 0 or more")
    if scene is not None and not knows(data, scene):
        raise InputError(f"no scene {scene!r} in this run, so it can't be selected; run.scenes lists them")
    kept = kept or BarCache()
    end = max(data.end, now or 0.0) or 1.0
    start = data.since if isinstance(data, RecentData) else 0.0
    kept.shown = shown(data, kept.shown, fit)
    slots, capped = (data.slots, []) if isinstance(data, RecentData) else _slots(data, kept.shown)
    heading = HEADING_PIXELS if fit is None else 0.0
    top = heading + (QUEUE_PIXELS + PAD_PIXELS if queue else 0.0)
    lanes = make_lanes(data, slots, kept.shown, top, fit)
    place, hover = LaneLayout.of(lanes, dim=scene is not None), text.HoverTexts(data)
    many = len(data.attempts) > most and not isinstance(data, RecentData)
    bars = make_bars(data, place, slots, end, scene, None if many else hover, kept)
    shortest = (end - start) * _TAIL_SHARE
    bars = [bar for bar in bars if bar.state != "download" or bar.end - bar.start >= shortest]
    links, notes = make_links(data, hover.tries, place, slots, scene, moves)
    notes = [*capped, *notes]
    steps = _steps(data, end) if queue else []
    if max(len(data.attempts), sum(bar.scene is not None for bar in bars)) > most:
        bars, said = fold(bars, end, scene, most)
        bars = with_hovers(bars, data.attempts, hover, end) if many else bars
        steps, also = _thinned(steps, end)
        notes += [each for each in (also, said) if each]
    older = merged(data, place, kept) if isinstance(data, RecentData) else []
    height = lanes[-1].bottom if lanes else top
    rows = Rows(
        lanes,
        bars,
        links,
        Queue(steps, 6.0, QUEUE_PIXELS) if steps else None,
        top - heading / 2,
        height,
        end,
        now,
        () if isinstance(data, RecentData) else text.summary(data, end),
        tuple(notes),
        start,
        tuple(older),
        _hands(data, start, end),
    )
    return with_gaps(rows, data.off, visible) if gaps and data.off else rows


def shown(data: RunData, before: tuple[str, ...] = (), fit: Fit | None = None) -> tuple[str, ...]:
    """Return the profiles that have a lane, in their order: at most `MAX_LIVE_LANES` of an open run.

    Those that had one `before` and still have something to show go first, so that lanes don't move; then the ones that
    were active last. Of a finished run, at most `MAX_LANES`: those with the most attempts.
    """
    fit = fit or Fit(0.0)
    profiles = dict.fromkeys([*fit.profiles, *data.profiles, *(attempt.profile for attempt in data.attempts)])
    if len(profiles) <= (MAX_LIVE_LANES if isinstance(data, RecentData) else MAX_LANES):
        return tuple(profiles)
    if not isinstance(data, RecentData):
        numbers = Counter(attempt.profile for attempt in data.attempts)
        busy = set(sorted(profiles, key=lambda profile: -numbers[profile])[:MAX_LANES])
        return tuple(profile for profile in profiles if profile in busy)
    active = dict.fromkeys(attempt.profile for attempt in reversed(data.attempts))
    stay = [profile for profile in before if profile in active]
    chosen = set(list(dict.fromkeys([*fit.first, *stay, *active, *before, *profiles]))[:MAX_LIVE_LANES])
    return tuple(profile for profile in profiles if profile in chosen)


def _slots(data: RunData, profiles: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Return the row of each attempt in its lane, and notes on lanes and slots without a place of their own."""
    slots, said = pack_slots(data.attempts), []
    lanes = set(profiles)
    if hidden := {a.profile for a in data.attempts if a.profile not in lanes} | (set(data.profiles) - lanes):
        count = sum(a.profile in hidden for a in data.attempts)
        said.append(
            f"Lanes shown: the {len(lanes)} profiles with the most attempts, of {len(lanes) + len(hidden):,}; "
            f"{count:,} attempts on the others, and their moves, are not drawn."
        )
    used: dict[str, int] = {}
    for attempt, slot in zip(data.attempts, slots, strict=True):
        if attempt.profile in lanes:
            used[attempt.profile] = max(used.get(attempt.profile, 0), slot + 1)
    share = math.ceil(sum(used.values()) / MAX_SLOT_ROWS)
    if share > 1:
        said.append(f"Slots folded: up to {share:,} slots of a profile share a row, and their bars overlap.")
        slots = [slot // share for slot in slots]
    return slots, said


def _hands(data: RunData, start: float, end: float) -> tuple[Hand, ...]:
    """Return what a hand did as marks that lie apart."""
    apart, found = (end - start) * _SAME_MARK_SHARE, list[Hand]()
    for mark in data.marks:
        line = f"{text.seconds(mark.at)}: {mark.text}"
        if found and mark.at - found[-1].at < apart:
            found[-1] = Hand(found[-1].at, (*found[-1].lines, line))
        else:
            found.append(Hand(mark.at, (line,)))
    return tuple(found)


def _thinned(steps: list[tuple[float, int]], end: float) -> tuple[list[tuple[float, int]], str]:
    """Return few steps of the queue, and a note on it."""
    column = 2 * end / PIXEL_COLUMNS
    kept = thin(steps, column)
    said = f"Of the queue the highest and the last value in each {text.seconds(column)} are drawn."
    return kept, said if len(kept) < len(steps) else ""


def _steps(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return the queue's length as steps until the end; few of them for a live chart."""
    if not isinstance(data, RecentData):
        return queue_steps(data, end)
    if not data.waiting:
        return []
    known = [(max(at, data.since), length) for at, length in data.waiting if at < end]
    return thin([*known, (end, data.waiting[-1][1])], 2 * ((end - data.since) or 1.0) / MAX_LIVE_STEPS)
