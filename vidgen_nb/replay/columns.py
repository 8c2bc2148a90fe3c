"""A run as the page reads it: one JSON object of columns, made once from records and from what the charts lay out.

Times are whole numbers, `scale` to the second. Texts stand once, in `texts`; columns hold their index, -1 for none.
Nothing is drawn or said that is not in records, events, the Gantt's rows or the gauges.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vidgen_nb.analysis.metrics.trails import MARKS
from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, RunData
from vidgen_nb.analysis.records.timeline import queue_steps
from vidgen_nb.analysis.validation import checks_arguments, seconds
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.palette import STATES, THEMES
from vidgen_nb.charts.drawing.shapes import Bar, Rows
from vidgen_nb.charts.gantt.gaps import Gaps
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.charts.report.naming import began, title_of
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider.limits import Limit
from vidgen_nb.replay.accounts import short_name
from vidgen_nb.replay.decisions import KINDS, Decisions
from vidgen_nb.replay.gauges import Track, gauge_tracks, told_limits
from vidgen_nb.replay.waiting import waits

__all__ = ["MAX_ATTEMPTS", "replay_columns"]

MAX_ATTEMPTS = 10_000
"""A page stays quick, and small enough to be sent, up to here."""
LANES_PIXELS = 400.0
"""The height of all lanes together, if they fit."""
PROMPT_CHARS = 120
SPEEDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
PLAY_SECONDS = 45
"""The usual speed shows a whole run in about so long, at most."""
OUTCOMES = ("succeeded", "rate_limited", "transient", "permanent", "unusable", "ambiguous", "cancelled")


class _Texts:
    """Texts, each once; columns hold their index."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}

    def __call__(self, given: str | None) -> int:
        return -1 if not given else self.found.setdefault(given, len(self.found))


class _Clock:
    """Run seconds as whole numbers."""

    def __init__(self, start: float, end: float) -> None:
        self.scale = 1_000 if end - start >= 30 else 1_000_000

    def __call__(self, at: float | None) -> int | None:
        return None if at is None or math.isinf(at) else round(at * self.scale)

    def column(self, times: Sequence[float | None]) -> list[int | None]:
        return [self(at) for at in times]


@checks_arguments(called="replay")
def replay_columns(
    data: RunData,
    *,
    after: float | None = None,
    until: float | None = None,
    limits: Mapping[str, Limit] | None = None,
    title: str = "",
) -> dict[str, Any]:
    """Return a run, or the part of it between `after` and `until` in run seconds, as plain JSON.

    `limits`: of a live run's accounts, by profile or quota group, for the gauges. Raises `InputError` for a part that
    is empty or has more than `MAX_ATTEMPTS` attempts; the message then says how far a part may reach.
    """
    told = {**told_limits(data.header), **_checked(limits)}
    start, end = _window(data, after, until)
    shown = [index for index, each in enumerate(data.attempts) if _within(each.start, each.end, start, end)]
    if len(shown) > MAX_ATTEMPTS:
        raise InputError(_too_many(data, shown, start))
    clock, texts = _Clock(start, end), _Texts()
    rows = build_rows(data, moves=f"last {len(data.moves)}", queue=False, most=10**9, fit=Fit(LANES_PIXELS))
    lanes = {lane.profile: number for number, lane in enumerate(rows.lanes)}
    scenes = {scene.id: number for number, scene in enumerate(data.scenes)}
    places = {index: place for place, index in enumerate(shown)}
    decisions = Decisions(data)
    tracks = gauge_tracks(data, told, start, end)
    gaps = Gaps([span for span in data.off if start <= span[0] and span[1] <= end], end - start)
    date = began(data.header)
    waiting = [each for each in waits(data) if _within(each.start, each.end, start, end)]
    attempts = [data.attempts[index] for index in shown]
    moments = [each for each in decisions.moments if start <= each.at <= end]
    moves = _moves(data, places)
    steps = [(at, length) for at, length in queue_steps(data, data.end or 1.0)]
    bars = [bar for bar in rows.bars if _shows(bar, places, start, end)]
    return {
        "title": one_line(title, 120) or title_of(data.header),
        "date": "" if date is None else f"{date:%d %B %Y, %H:%M} UTC",
        "summary": list(rows.summary),
        "notes": list(rows.notes),
        "speeds": list(SPEEDS),
        "speed": _usual_speed(gaps.place(end) - gaps.place(start)),
        "scale": clock.scale,
        "start": clock(start),
        "end": clock(end),
        "gaps": [clock.column(span) for span in gaps.spans],
        "gap": clock(gaps.width),
        "states": list(STATES),
        "themes": {name: asdict(theme) for name, theme in THEMES.items()},
        "kinds": list(KINDS),
        "outcomes": [
            {"name": name, "words": text.outcome(name), "mark": MARKS.get(name, f"✕{name}")} for name in OUTCOMES
        ],
        "lanes": _lanes(rows, decisions, tracks, clock),
        "height": rows.height,
        "scenes": {
            "id": [scene.id for scene in data.scenes],
            "label": [short_name(scene.id) for scene in data.scenes],
            "prompt": [texts(one_line(scene.prompt, PROMPT_CHARS)) for scene in data.scenes],
        },
        "attempts": _attempts(attempts, lanes, scenes, clock, texts),
        "bars": _bars(bars, places, clock),
        "cooldowns": _cooldowns([each for each in data.cooldowns if each.profile in lanes], lanes, clock, texts),
        "moves": {"from": [before for before, _ in moves], "to": [after for _, after in moves]},
        "waits": {
            "scene": [scenes[each.scene] for each in waiting],
            "start": clock.column([each.start for each in waiting]),
            "end": clock.column([each.end for each in waiting]),
            "note": [texts(one_line(each.note, 80)) for each in waiting],
        },
        "queue": {"at": clock.column([at for at, _ in steps]), "length": [length for _, length in steps]},
        "moments": {
            "at": clock.column([each.at for each in moments]),
            "kind": [KINDS.index(each.kind) for each in moments],
            "scene": [-1 if each.scene is None else scenes.get(each.scene, -1) for each in moments],
            "attempt": [-1 if each.attempt is None else places.get(each.attempt, -1) for each in moments],
            "text": [texts(each.text) for each in moments],
        },
        "hands": [[clock(mark.at), one_line(mark.text, 160)] for mark in data.marks if start <= mark.at <= end],
        "texts": list(texts.found),
    }


def _checked(limits: Mapping[str, Limit] | None) -> dict[str, Limit]:
    """Return limits by name."""
    given = {} if limits is None else limits
    if not isinstance(given, Mapping) or not all(isinstance(each, Limit) for each in given.values()):
        raise InputError(f"limits are limits by name, such as {{'alice': TokenBucket(4, per=60)}}, not {limits!r}")
    return dict(given)


# -- which part


def _window(data: RunData, after: float | None, until: float | None) -> tuple[float, float]:
    """Return where the part begins and ends."""
    last = data.end or 1.0
    start = 0.0 if after is None else float(seconds("after", after))
    end = last if until is None else min(last, float(seconds("until", until)))
    if start >= end:
        raise InputError(f"after={start:g} and until={end:g} leave nothing: this run lasts from 0 to {last:,.1f} s")
    return start, end


def _usual_speed(seconds: float) -> float:
    return next((speed for speed in SPEEDS if seconds / speed <= PLAY_SECONDS), SPEEDS[-1])


def _within(begin: float, end: float | None, start: float, stop: float) -> bool:
    return begin <= stop and (end is None or end >= start)


def _too_many(data: RunData, shown: list[int], start: float) -> str:
    reach = math.ceil(data.attempts[shown[MAX_ATTEMPTS]].start) - 1
    part = f"until={reach}" if start == 0 else f"after={start:g}, until={reach}"
    return (
        f"a replay shows at most {MAX_ATTEMPTS:,} attempts, and this run has {len(shown):,}: "
        f"show a part of it, such as replay({part})"
    )


def _shows(bar: Bar, places: Mapping[int, int], start: float, end: float) -> bool:
    return bar.place in places if bar.scene is not None else _within(bar.start, bar.end, start, end)


# -- columns


def _lanes(rows: Rows, decisions: Decisions, tracks: Mapping[str, Track], clock: _Clock) -> list[dict[str, Any]]:
    found = []
    for lane in rows.lanes:
        track, rooms = tracks.get(lane.profile, Track()), decisions.accounts.rooms.get(lane.profile, [])
        found.append(
            {
                "label": one_line(lane.profile, 60),
                "top": lane.top,
                "bottom": lane.bottom,
                "rooms": [[clock(at), room] for at, room in rooms],
                "gauge": {
                    "at": clock.column(track.times),
                    "level": [round(level, 2) for level in track.levels],
                    "words": [[clock(at), *words] for at, *words in track.words],
                },
            }
        )
    return found


def _attempts(
    attempts: Sequence[AttemptRecord], lanes: Mapping[str, int], scenes: Mapping[str, int], clock: _Clock, texts: _Texts
) -> dict[str, list[Any]]:
    return {
        "scene": [scenes[each.scene] for each in attempts],
        "lane": [lanes.get(each.profile, -1) for each in attempts],
        "number": [each.number for each in attempts],
        "start": clock.column([each.start for each in attempts]),
        "freed": clock.column([each.slot_end for each in attempts]),
        "end": clock.column([each.end for each in attempts]),
        "outcome": [-1 if each.outcome is None else OUTCOMES.index(each.outcome) for each in attempts],
        "reason": [texts(one_line(each.reason or "", 120)) for each in attempts],
    }


def _bars(bars: Sequence[Bar], places: Mapping[int, int], clock: _Clock) -> dict[str, list[Any]]:
    return {
        "state": [STATES.index(bar.state) for bar in bars],
        "start": clock.column([bar.start for bar in bars]),
        "end": clock.column([bar.end for bar in bars]),
        "y": [round(bar.y, 1) for bar in bars],
        "height": [round(bar.height, 1) for bar in bars],
        "attempt": [places[bar.place] if bar.scene is not None else -1 for bar in bars],
        "glyph": [int(bar.glyph) for bar in bars],
    }


def _cooldowns(
    windows: Sequence[CooldownRecord], lanes: Mapping[str, int], clock: _Clock, texts: _Texts
) -> dict[str, list[Any]]:
    return {
        "lane": [lanes[each.profile] for each in windows],
        "start": clock.column([each.start for each in windows]),
        "end": clock.column([each.end for each in windows]),
        "out": [int(each.unusable) for each in windows],
        "reason": [texts(one_line(each.reason, 120)) for each in windows],
    }


def _moves(data: RunData, places: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the two attempts of each move, by their places among those that are shown."""
    starts: dict[tuple[str, str, float], tuple[int, int | None]] = {}
    latest: dict[str, int] = {}
    for index, each in enumerate(data.attempts):
        starts[each.scene, each.profile, each.start] = (index, latest.get(each.scene))
        latest[each.scene] = index
    found = []
    for move in data.moves:
        after, before = starts.get((move.scene, move.to_profile, move.at), (-1, None))
        if before is not None and after in places and before in places:
            found.append((places[before], places[after]))
    return found
