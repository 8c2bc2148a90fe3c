"""A run as the page reads it: one JSON object of columns, made once from records and from what the charts lay out.

Times are whole numbers, `scale` to the second. Texts stand once, in `texts`; columns hold their index, -1 for none.
Nothing is drawn or said that is not in records, events, the Gantt's rows or the gauges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from vidgen_nb.analysis.metrics.trails import MARKS
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.timeline import queue_steps
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.charts.drawing.palette import STATES, THEMES
from vidgen_nb.charts.drawing.text import outcome
from vidgen_nb.charts.gantt.gaps import Gaps
from vidgen_nb.charts.gantt.lanes import Fit
from vidgen_nb.charts.gantt.rows import build_rows
from vidgen_nb.charts.report.naming import began, date_and_time, title_of
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider.limits import Limit
from vidgen_nb.replay.accounts import short_name
from vidgen_nb.replay.decisions import KINDS, Decisions, Moment
from vidgen_nb.replay.gauges import Track, gauge_tracks, told_limits
from vidgen_nb.replay.part import attempts_within, is_within, window_of
from vidgen_nb.replay.waiting import waits

__all__ = ["replay_columns"]

LANES_PIXELS = 400.0
"""The height of all lanes together, if they fit."""
PROMPT_CHARS = 120
SPEEDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
PLAY_SECONDS = 45
"""The usual speed shows a whole run in about so long, at most; it is never slower than life."""
OUTCOMES = ("succeeded", "rate_limited", "transient", "permanent", "unusable", "ambiguous", "cancelled")


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
    is empty or has too many attempts; the message then says how far a part may reach.
    """
    told = {**told_limits(data.header), **_checked(limits, data)}
    if not isinstance(title, str):
        raise InputError(f"title is a text, not {title!r}")
    start, end = window_of(data, after, until)
    shown = attempts_within(data, start, end)
    return _Columns(data, start, end, shown).all(told, title)


def _checked(limits: Mapping[str, Limit] | None, data: RunData) -> dict[str, Limit]:
    """Return limits by the name of an account of the run, or of a group."""
    given = {} if limits is None else limits
    if not isinstance(given, Mapping) or not all(isinstance(each, Limit) for each in given.values()):
        raise InputError(f"limits are limits by name, such as {{'alice': TokenBucket(4, per=60)}}, not {limits!r}")
    groups = (each.group for each in data.events if isinstance(each, ev.ProfileAdded) and each.group)
    known = tuple(dict.fromkeys((*data.profiles, *groups)))
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"limits has {unknown[0]!r}, which is no account of this run{suggestion(unknown[0], known)}")
    return dict(given)


class _Columns:
    """Turns records, rows and moments into columns of whole numbers."""

    def __init__(self, data: RunData, start: float, end: float, shown: list[int]) -> None:
        """`shown`: the indices of the attempts that are part of it."""
        self.data, self.start, self.end, self.shown = data, start, end, shown
        self.scale = 1_000 if end - start >= 30 else 1_000_000
        self.texts: dict[str, int] = {}
        every = f"last {len(data.moves)}"
        self.rows = build_rows(data, moves=every, queue=False, most=10**9, fit=Fit(LANES_PIXELS))
        self.lanes = {lane.profile: number for number, lane in enumerate(self.rows.lanes)}
        self.scenes = {scene.id: number for number, scene in enumerate(data.scenes)}
        self.places = {index: place for place, index in enumerate(shown)}
        """The place among those that are shown, by the index among all attempts of the run."""

    def all(self, told: Mapping[str, Limit], title: str) -> dict[str, Any]:
        """Return all columns, and what is said of the whole."""
        decisions, tracks = Decisions(self.data), gauge_tracks(self.data, told, self.start, self.end)
        return {
            **self._about(title),
            **_LOOKS,
            "height": self.rows.height,
            "lanes": self._lanes(decisions, tracks),
            "scenes": {
                "id": list(self.scenes),
                "label": list(map(short_name, self.scenes)),
                "prompt": [self._text(scene.prompt, PROMPT_CHARS) for scene in self.data.scenes],
            },
            "attempts": self._attempts(),
            "bars": self._bars(),
            "cooldowns": self._cooldowns(),
            "moves": self._moves(),
            "waits": self._waits(),
            "queue": self._queue(),
            "moments": self._moments(decisions.moments),
            "hands": [
                [self._time(mark.at), one_line(mark.text, 160)] for mark in self.data.marks if self._has(mark.at)
            ],
            "texts": list(self.texts),
        }

    # -- numbers

    def _time(self, at: float | None) -> int | None:
        """Return a time as a whole number; None: it has none, or its end is not known."""
        return None if at is None or math.isinf(at) else round(at * self.scale)

    def _times(self, times: Iterable[float | None]) -> list[int | None]:
        return [self._time(at) for at in times]

    def _text(self, given: str | None, most: int) -> int:
        """Return the index of a cleaned text; -1: it is empty."""
        line = one_line(given or "", most)
        return self.texts.setdefault(line, len(self.texts)) if line else -1

    def _has(self, at: float) -> bool:
        return self.start <= at <= self.end

    # -- the whole

    def _about(self, title: str) -> dict[str, Any]:
        data = self.data
        gaps = Gaps([span for span in data.off if self._has(span[0]) and self._has(span[1])], self.end - self.start)
        seconds_of_axis = gaps.place(self.end) - gaps.place(self.start)
        return {
            "title": one_line(title, 120) or title_of(data.header),
            "date": date_and_time(began(data.header)),
            "summary": list(self.rows.summary),
            "notes": list(self.rows.notes),
            "speed": next((speed for speed in SPEEDS if speed >= max(1.0, seconds_of_axis / PLAY_SECONDS)), SPEEDS[-1]),
            "scale": self.scale,
            "start": self._time(self.start),
            "end": self._time(self.end),
            "gaps": [self._times(span) for span in gaps.spans],
            "gap": self._time(gaps.width),
        }

    def _lanes(self, decisions: Decisions, tracks: Mapping[str, Track]) -> list[dict[str, Any]]:
        found = []
        for lane in self.rows.lanes:
            track, rooms = tracks.get(lane.profile, Track()), decisions.accounts.rooms.get(lane.profile, [])
            gauge = {
                "at": self._times(track.times),
                "level": [round(level, 2) for level in track.levels],
                "words": [[self._time(at), *words] for at, *words in track.words],
            }
            found.append(
                {
                    "label": one_line(lane.profile, 60),
                    "top": lane.top,
                    "bottom": lane.bottom,
                    "rooms": [[self._time(at), room] for at, room in rooms],
                    "gauge": gauge,
                }
            )
        return found

    # -- parts

    def _attempts(self) -> dict[str, list[Any]]:
        attempts = [self.data.attempts[index] for index in self.shown]
        return {
            "scene": [self.scenes[each.scene] for each in attempts],
            "lane": [self.lanes.get(each.profile, -1) for each in attempts],
            "number": [each.number for each in attempts],
            "start": self._times(each.start for each in attempts),
            "freed": self._times(each.slot_end for each in attempts),
            "end": self._times(each.end for each in attempts),
            "outcome": [-1 if each.outcome is None else OUTCOMES.index(each.outcome) for each in attempts],
            "reason": [self._text(each.reason, 120) for each in attempts],
        }

    def _bars(self) -> dict[str, list[Any]]:
        bars = [
            bar
            for bar in self.rows.bars
            if (
                bar.place in self.places
                if bar.scene is not None
                else is_within(bar.start, bar.end, self.start, self.end)
            )
        ]
        return {
            "state": [STATES.index(bar.state) for bar in bars],
            "start": self._times(bar.start for bar in bars),
            "end": self._times(bar.end for bar in bars),
            "y": [round(bar.y, 1) for bar in bars],
            "height": [round(bar.height, 1) for bar in bars],
            "attempt": [self.places[bar.place] if bar.scene is not None else -1 for bar in bars],
            "glyph": [int(bar.glyph) for bar in bars],
        }

    def _cooldowns(self) -> dict[str, Any]:
        windows = [each for each in self.data.cooldowns if each.profile in self.lanes]
        return {
            "lane": [self.lanes[each.profile] for each in windows],
            "start": self._times(each.start for each in windows),
            "end": self._times(each.end for each in windows),
            "out": [int(each.unusable) for each in windows],
            "reason": [self._text(each.reason, 120) for each in windows],
            "told": self._told_ends(),
        }

    def _told_ends(self) -> dict[str, list[Any]]:
        """Return until when accounts were to cool as it was decided: a later 429 or a hand may have changed that."""
        told = [
            (self.lanes[profile], each.at, each.until)
            for each in self.data.events
            if isinstance(each, ev.CooldownStarted)
            for profile in each.profiles
            if profile in self.lanes
        ]
        return {
            "lane": [lane for lane, _, _ in told],
            "at": self._times(at for _, at, _ in told),
            "until": self._times(until for _, _, until in told),
        }

    def _moves(self) -> dict[str, list[int]]:
        """Return the two attempts of each move."""
        starts: dict[tuple[str, str, float], tuple[int, int | None]] = {}
        latest: dict[str, int] = {}
        for index, each in enumerate(self.data.attempts):
            starts[each.scene, each.profile, each.start] = (index, latest.get(each.scene))
            latest[each.scene] = index
        pairs = [starts.get((move.scene, move.to_profile, move.at), (-1, None)) for move in self.data.moves]
        known = [(before, after) for after, before in pairs if before in self.places and after in self.places]
        return {
            "from": [self.places[before] for before, _ in known if before is not None],
            "to": [self.places[after] for _, after in known],
        }

    def _waits(self) -> dict[str, list[Any]]:
        waiting = [each for each in waits(self.data) if is_within(each.start, each.end, self.start, self.end)]
        return {
            "scene": [self.scenes[each.scene] for each in waiting],
            "start": self._times(each.start for each in waiting),
            "end": self._times(each.end for each in waiting),
            "note": [self._text(each.note, 80) for each in waiting],
        }

    def _queue(self) -> dict[str, list[Any]]:
        steps = queue_steps(self.data, self.data.end or 1.0)
        return {"at": self._times(at for at, _ in steps), "length": [length for _, length in steps]}

    def _moments(self, every: Iterable[Moment]) -> dict[str, list[Any]]:
        moments = [each for each in every if self._has(each.at)]
        return {
            "at": self._times(each.at for each in moments),
            "kind": [KINDS.index(each.kind) for each in moments],
            "scene": [-1 if each.scene is None else self.scenes.get(each.scene, -1) for each in moments],
            "attempt": [-1 if each.attempt is None else self.places.get(each.attempt, -1) for each in moments],
            "text": [self._text(each.text, 500) for each in moments],
        }


_LOOKS: dict[str, Any] = {
    "speeds": list(SPEEDS),
    "states": list(STATES),
    "themes": {name: asdict(theme) for name, theme in THEMES.items()},
    "kinds": list(KINDS),
    "outcomes": [{"name": name, "words": outcome(name), "mark": MARKS.get(name, f"✕{name}")} for name in OUTCOMES],
}
"""What is the same for all runs."""
