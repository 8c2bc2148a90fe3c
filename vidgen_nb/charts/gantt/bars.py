"""The bars of a Gantt chart: time in which no program ran, idle time, cooldown windows, attempts.

In a live chart most attempts ended long ago and their bars do not change: `BarCache` keeps them from one update to the
next, so that an update costs only what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, RunData
from vidgen_nb.analysis.records.idle_time import idle_spans
from vidgen_nb.analysis.records.live_window import RecentData
from vidgen_nb.analysis.records.timeline import Span
from vidgen_nb.charts.drawing import text
from vidgen_nb.charts.drawing.palette import State
from vidgen_nb.charts.drawing.shapes import Bar, Lane
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import duration

__all__ = ["PAD_PIXELS", "BarCache", "LaneLayout", "make_bars", "state_of", "with_hovers"]

PAD_PIXELS = 8.0
_TAIL_PIXELS = 3.0
_STATES: dict[str | None, State] = {
    "succeeded": "succeeded", "rate_limited": "limited", "ambiguous": "held", "cancelled": "cancelled", None: "running",
}  # fmt: skip


def state_of(outcome: str | None) -> State:
    """Return how an attempt with that outcome is drawn."""
    return _STATES.get(outcome, "failed")


class BarCache:
    """Bars that a live chart keeps for the next one of the same run."""

    def __init__(self) -> None:
        self.shown: tuple[str, ...] = ()
        """The profiles that had a lane."""
        self._place: LaneLayout | None = None
        self.drawn: dict[Any, tuple[Any, Any]] = {}
        """Bars by key, each with what it was drawn from."""
        self.before: dict[Any, tuple[Any, Any]] = {}

    def turn(self, place: LaneLayout) -> None:
        """Begin another chart; forget what the last one did not use, and everything if lanes have moved."""
        self.before, self.drawn = self.drawn if place == self._place else {}, {}
        self._place = place

    def get(self, key: Any, told: Any) -> Any:
        """Return the bar or bars that the last chart drew from the same data, else None."""
        found = self.before.get(key)
        if found is None or found[0] != told:
            return None
        self.drawn[key] = found
        return found[1]

    def put(self, key: Any, told: Any, drawn: Any) -> None:
        """Keep one or several bars."""
        self.drawn[key] = (told, drawn)


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """Where bars lie."""

    tops: Mapping[str, tuple[float, int, float]]
    """Of each profile's lane: top, number of slots, and height of a slot's row."""
    dim: bool
    """A scene is selected: others are dimmed."""
    bottom: float
    """Of the lowest lane."""

    @classmethod
    def of(cls, lanes: list[Lane], *, dim: bool) -> LaneLayout:
        """Return the layout of these lanes."""
        tops = {lane.profile: (lane.top + PAD_PIXELS / 2, lane.slots, lane.row) for lane in lanes}
        return cls(tops, dim, lanes[-1].bottom if lanes else 0.0)

    def slot(self, profile: str, slot: int) -> tuple[float, float]:
        """Return the middle of a slot's row, and the height of its bars."""
        top, _slots, row = self.tops[profile]
        return top + (slot + 0.5) * row, max(row - 2, row * 0.75)

    def whole(self, profile: str) -> tuple[float, float]:
        """Return the middle of all slots of a profile, and their height."""
        top, slots, row = self.tops[profile]
        return top + slots * row / 2, slots * row - 2

    def cooling(self, profile: str) -> tuple[float, float]:
        """Return the middle of the thin row of cooldowns, and its height."""
        top, slots, row = self.tops[profile]
        return top + (slots + 0.25) * row, row / 2


def make_bars(
    data: RunData,
    place: LaneLayout,
    slots: list[int],
    end: float,
    chosen: str | None,
    hover: text.HoverTexts | None,
    kept: BarCache,
) -> list[Bar]:
    """Return all bars of profiles that have a lane; those of attempts last, in order of start.

    Without `hover`, those of attempts have no text yet: `with_hovers` gives it to those that are drawn.
    """
    kept.turn(place)
    cooldowns = (each for each in data.cooldowns if each.profile in place.tops and each.start < end)
    return [
        *_off_bars(data, place),
        *_idle_bars(data, place, end),
        *(_cooldown(window, place, end, kept) for window in cooldowns),
        *(
            _attempts(data, place, slots, end, chosen, hover, kept)
            if hover is not None
            else _without_hovers(data, place, slots, end, chosen)
        ),
    ]


def with_hovers(bars: list[Bar], attempts: list[AttemptRecord], hover: text.HoverTexts, end: float) -> list[Bar]:
    """Return the bars, each of a single attempt with its text."""

    def lines(number: int) -> tuple[str, ...]:
        return text.attempt_lines(attempts[number], hover.beyond(attempts[number]), end)

    alone = {bar.place for bar in bars if bar.scene is not None}
    said = {number: lines(number) for number in alone}
    return [bar if bar.scene is None else replace(bar, lines=said[bar.place]) for bar in bars]


def _without_hovers(
    data: RunData, place: LaneLayout, slots: list[int], end: float, chosen: str | None
) -> Iterator[Bar]:
    """Yield the bars of a finished run's attempts, without a text."""
    for number, (attempt, slot) in enumerate(zip(data.attempts, slots, strict=True)):
        if attempt.profile in place.tops:
            dim = place.dim and attempt.scene != chosen
            yield from _attempt(attempt, place, slot, end, (), number, dim=dim)


def _off_bars(data: RunData, place: LaneLayout) -> Iterator[Bar]:
    """Yield the bands in which no program ran the run, across all lanes."""
    if place.tops:
        for start, stop in data.off:
            yield Bar("off", start, stop, place.bottom / 2, place.bottom, text.off_lines(start, stop))


def _idle(data: RunData, end: float) -> dict[str, list[Span]]:
    """Return when each profile stood idle."""
    return data.idle_spans() if isinstance(data, RecentData) else idle_spans(data, end)


def _idle_bars(data: RunData, place: LaneLayout, end: float) -> Iterator[Bar]:
    for profile, stretches in _idle(data, end).items():
        if profile in place.tops:
            middle, height = place.whole(profile)
            for start, stop in stretches:
                if stop - start >= end / 1000:  # shorter ones are below a pixel, from the scheduler's own latency
                    lines = (f"{one_line(profile, 60)} idle while scenes waited",
                             f"from {text.seconds(start)} for {duration(stop - start)}")  # fmt: skip
                    yield Bar("idle", start, stop, middle, height, lines, dim=place.dim)


def _cooldown(window: CooldownRecord, place: LaneLayout, end: float, kept: BarCache) -> Bar:
    key = (window.profile, window.group, window.start)
    told = (window, min(window.end, end))
    bar: Bar | None = kept.get(key, told)
    if bar is None:
        y, height = place.cooling(window.profile)
        state: State = "out" if window.unusable else "cooldown"
        bar = Bar(state, window.start, told[1], y, height, text.cooldown_lines(window, end), dim=place.dim)
        kept.put(key, told, bar)
    return bar


def _attempts(
    data: RunData,
    place: LaneLayout,
    slots: list[int],
    end: float,
    chosen: str | None,
    hover: text.HoverTexts,
    kept: BarCache,
) -> Iterator[Bar]:
    numbers = data.places if isinstance(data, RecentData) else range(len(data.attempts))
    tops, tries = place.tops, hover.tries
    for attempt, slot, number in zip(data.attempts, slots, numbers, strict=True):
        if attempt.profile not in tops:
            continue
        dim = place.dim and attempt.scene != chosen
        # Most attempts are the only one of their scene, so their own record is enough.
        alone = attempt.outcome != "rate_limited" and len(tries[attempt.scene]) == 1
        told = (attempt, dim, None if alone else hover.beyond(attempt))
        found = kept.before.get(number)
        if found is None or found[0] != told or attempt.end is None:
            lines = text.attempt_lines(attempt, told[2] or hover.beyond(attempt), end)
            found = told, _attempt(attempt, place, slot, end, lines, number, dim=dim)
        kept.drawn[number] = found
        yield from found[1]


def _attempt(
    attempt: AttemptRecord, place: LaneLayout, slot: int, end: float, lines: tuple[str, ...], number: int, *, dim: bool
) -> tuple[Bar, ...]:
    """Return the bar of an attempt, in parts if it was queued at its provider: submit, queue, and the rest.

    Its download is a thin tail below: its slot is free, and the next attempt may lie there.
    """
    (y, height), state = place.slot(attempt.profile, slot), state_of(attempt.outcome)
    stop = end if attempt.end is None else attempt.end
    done = stop if attempt.generated is None else attempt.generated
    whole = Bar(state, attempt.start, done, y, height, lines, attempt.scene, dim, place=number)
    thick = min(_TAIL_PIXELS, height / 3)
    low = y + (height - thick) / 2
    tails: tuple[Bar, ...] = ()
    if stop > done:
        tails = (Bar("download", done, stop, low, thick, lines, attempt.scene, dim, glyph=False, place=number),)
    if attempt.accepted == attempt.began or attempt.accepted is None:
        return (whole, *tails)
    until = done if attempt.began is None else attempt.began
    parts = [replace(whole, state="queued", start=attempt.accepted, end=until)]
    if attempt.start < attempt.accepted:
        parts.insert(0, replace(whole, end=attempt.accepted, glyph=False))
    if attempt.end is not None or attempt.began is not None:  # also of no length: it says how the attempt ended
        parts.append(replace(whole, start=until))
    return (*parts, *tails)
