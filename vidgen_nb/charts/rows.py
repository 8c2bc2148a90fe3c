"""The rows of a Gantt chart: run data → lanes, bars, links and the queue, ready to be drawn by any renderer.

From top to bottom: the queue's length, a line of headings, and one lane per profile: a row per slot and, below,
a thin row for cooldowns. `shapes.py` says in which units.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict

from vidgen_nb.analysis.recent import RecentData
from vidgen_nb.analysis.records import AttemptRecord, RunData
from vidgen_nb.charts import text
from vidgen_nb.charts.fold import FOLD_ABOVE, fold, thin
from vidgen_nb.charts.palette import State
from vidgen_nb.charts.shapes import Bar, Lane, Link, Queue, Rows
from vidgen_nb.charts.waiting import Interval, idle, queue_steps, subtract, union
from vidgen_nb.errors import InputError

__all__ = ["build_rows", "pack"]

_COLUMNS = 22  # of a label without its separator: what fits left of the plot
_ROW, _QUEUE, _HEAD, _PAD, _LABEL = 18.0, 40.0, 18.0, 8.0, 15.0
_STATES: dict[str | None, State] = {
    "succeeded": "done", "rate_limited": "limited", "ambiguous": "held", "cancelled": "cancelled", None: "running",
}  # fmt: skip


def build_rows(
    data: RunData,
    *,
    scene: str | None = None,
    moves: str = "last 20",
    queue: bool = True,
    now: float | None = None,
    words: text.Words | None = None,
) -> Rows:
    """Lay out a run, or the latest part of one (`RecentData`).

    `scene`: this one is selected, all others are dimmed. `moves`: `"last <n>"`, `"none"`, or a scene's id for its
    whole path. `now`: run seconds of the present, for a run that is not over; the chart then ends there at least.
    `words`: hover lines of the chart before this one of the same run.
    Raise `InputError` for a scene that is not in the run, or a `now` that is no time. O(n log n) in attempts.
    """
    if now is not None and not 0 <= now < math.inf:
        raise InputError(f"now is {now!r}: give run seconds, 0 or more")
    ids = {record.id for record in data.scenes}
    if scene is not None and scene not in ids:
        raise InputError(f"no scene {scene!r} in this run, so it can't be selected; run.scenes lists them")
    end = max(data.end, now or 0.0) or 1.0
    slots = data.slots if isinstance(data, RecentData) else pack(data.attempts)
    start = data.since if isinstance(data, RecentData) else 0.0
    lanes, row, top = _lanes(data, slots, queue)
    bars = _bars(data, lanes, slots, row, end, scene, words)
    places = {(a.scene, a.number): bar.y for a, bar in zip(reversed(data.attempts), reversed(bars), strict=False)}
    links, notes = _links(data, places, scene, moves)
    steps = _steps(data, end) if queue else []
    if len(data.attempts) > FOLD_ABOVE:
        bars, said = fold(bars, end, scene)
        steps = thin(steps, end)
        notes = [*notes, said]
    height = lanes[-1].bottom if lanes else top
    return Rows(
        lanes, bars, links, Queue(steps, 6.0, _QUEUE) if steps else None, top - _HEAD / 2, height, end, now,
        text.summary(data, end), tuple(notes), start,
    )  # fmt: skip


def pack(attempts: list[AttemptRecord]) -> list[int]:
    """Return the slot of each attempt: the first one of its profile that is free when it starts.

    Attempts are in order of their start. O(n log n).
    """
    free: dict[str, list[int]] = defaultdict(list)
    busy: dict[str, list[tuple[float, int]]] = defaultdict(list)
    used: Counter[str] = Counter()
    slots: list[int] = []
    for attempt in attempts:
        running, spare = busy[attempt.profile], free[attempt.profile]
        while running and running[0][0] <= attempt.start:
            heapq.heappush(spare, heapq.heappop(running)[1])
        if spare:
            slot = heapq.heappop(spare)
        else:
            slot = used[attempt.profile]
            used[attempt.profile] += 1
        heapq.heappush(running, (math.inf if attempt.end is None else attempt.end, slot))
        slots.append(slot)
    return slots


def _lanes(data: RunData, slots: list[int], queue: bool) -> tuple[list[Lane], float, float]:
    """Return the lanes, the height of a slot's row and where the first lane begins."""
    if isinstance(data, RecentData):
        counts = Counter(data.tallies)
    else:
        counts = Counter((a.profile, a.outcome) for a in data.attempts)
    gone = {window.profile for window in data.cooldowns if math.isinf(window.end)}
    need = dict.fromkeys(data.profiles, 1)
    if isinstance(data, RecentData):
        need |= data.used
    for attempt, slot in zip(data.attempts, slots, strict=True):
        need[attempt.profile] = max(need.get(attempt.profile, 1), slot + 1)
    # Many slots share the height of 60 full rows, down to 4 px each.
    row = min(_ROW, max(4.0, 60 * _ROW / max(1, sum(need.values()))))
    y = top = _HEAD + (_QUEUE + _PAD if queue else 0.0)
    lanes: list[Lane] = []
    for profile, number in need.items():
        tally = "/".join(str(counts[profile, kind]) for kind in ("succeeded", "rate_limited", "ambiguous"))
        label = f"{text.short(profile, max(6, _COLUMNS - len(tally)))} · {tally}"
        remark = "out, no end known" if profile in gone else ""
        bottom = y + max(2 * _LABEL if remark else _LABEL, (number + 0.5) * row + _PAD)
        lanes.append(Lane(profile, label, remark, number, y, bottom))
        y = bottom
    return lanes, row, top


def _steps(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return the queue's length as steps until the end."""
    if not isinstance(data, RecentData):
        return queue_steps(data, end)
    known = [(max(at, data.since), length) for at, length in data.waiting if at < end]
    return [*known, (end, known[-1][1])] if known else []


def _idle(data: RunData, end: float) -> dict[str, list[Interval]]:
    """Return each profile's idle stretches."""
    if not isinstance(data, RecentData):
        return idle(data, end)
    cooling: dict[str, list[Interval]] = defaultdict(list)
    for window in data.cooldowns:
        cooling[window.profile].append((window.start, window.end))
    backlog = union((max(start, data.since), stop) for start, stop in data.backlog)
    return {name: subtract(backlog, union([*data.taken[name], *cooling[name]])) for name in data.profiles}


def _bars(
    data: RunData,
    lanes: list[Lane],
    slots: list[int],
    row: float,
    end: float,
    chosen: str | None,
    words: text.Words | None,
) -> list[Bar]:
    """Return all bars: idle stretches, cooldown windows, attempts."""
    lane_of = {lane.profile: lane for lane in lanes}
    hover = text.Hover(data, end, words)
    dim = chosen is not None
    bars: list[Bar] = []
    for profile, stretches in _idle(data, end).items():
        lane = lane_of[profile]
        middle = lane.top + _PAD / 2 + lane.slots * row / 2
        for start, stop in stretches:
            if stop - start >= end / 1000:  # shorter ones are below a pixel: the scheduler's own latency
                lines = (f"{text.clean(profile, 60)} idle while scenes waited",
                         f"from {text.seconds(start)} for {text.seconds(stop - start)}")  # fmt: skip
                bars.append(Bar("idle", start, stop, middle, lane.slots * row - 2, lines, dim=dim))
    for window in data.cooldowns:
        if window.profile in lane_of and window.start < end:
            lane = lane_of[window.profile]
            y = lane.top + _PAD / 2 + (lane.slots + 0.25) * row
            said = hover.cools(window)
            bars.append(Bar("cooldown", window.start, min(window.end, end), y, row / 2, said, dim=dim))
    for attempt, slot in zip(data.attempts, slots, strict=True):
        y = lane_of[attempt.profile].top + _PAD / 2 + (slot + 0.5) * row
        stop = end if attempt.end is None else attempt.end
        state = _STATES.get(attempt.outcome, "failed")
        bars.append(
            Bar(state, attempt.start, stop, y, max(row - 2, row * 0.75), hover.of(attempt), attempt.scene,
                dim=dim and attempt.scene != chosen)
        )  # fmt: skip
    return bars


def _links(
    data: RunData, places: dict[tuple[str, int], float], scene: str | None, moves: str
) -> tuple[list[Link], list[str]]:
    """Return the moves to draw, and what is to be said about those that are not."""
    last = re.fullmatch(r"last (\d+)", moves)
    if last:
        recent = data.moves[max(0, len(data.moves) - int(last[1])) :]
        shown = [m for m in data.moves if m.scene == scene] if scene is not None else []
        shown += [m for m in recent if m.scene != scene]
    elif moves == "none":
        shown = []
    elif any(record.id == moves for record in data.scenes):
        shown = [m for m in data.moves if m.scene == moves]
    else:
        raise InputError(f'moves is {moves!r}: give "last <n>", "none" or the id of a scene of this run')
    pairs = {(b.scene, b.profile, a.profile, a.start): (b, a) for b, a in text.consecutive(data.attempts)}
    links: list[Link] = []
    for move in shown:
        pair = pairs.get((move.scene, move.from_profile, move.to_profile, move.at))
        if pair is None or pair[0].end is None:
            continue
        before, after = pair
        names = f"{text.clean(move.from_profile, 40)} → {text.clean(move.to_profile, 40)}"
        lines = (f"scene {text.clean(move.scene, 60)} moved: {names}", f"at {text.seconds(move.at)}")
        y = (places[before.scene, before.number], places[after.scene, after.number])
        links.append(Link(pair[0].end, y[0], after.start, y[1], lines, move.scene in (scene, moves)))
    if len(shown) == len(data.moves):
        return links, []
    which = f"the last {last[1]}" if last else "none" if not shown else f"those of scene {text.clean(moves, 40)}"
    also = f" and those of scene {text.clean(scene, 40)}" if last and scene is not None else ""
    return links, [f"Moves shown: {which}{also}, of {len(data.moves):,}."]
