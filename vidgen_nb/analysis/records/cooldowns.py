"""Cooldowns as windows of single profiles, read from events; and how long each profile has cooled so far.

A quota group cools as one, and a profile may be closed by itself as well, so windows of one profile can overlap. Where
two overlap, the time counts once: in `CoolingClock`, as `timeline.cooling_spans` does for a whole run. The clock leaves
out the time in which no program ran the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vidgen_nb.analysis.records.fast_dataclass import draft_class
from vidgen_nb.analysis.records.model import CooldownRecord
from vidgen_nb.analysis.records.off_time import HANDOVER, OffTime
from vidgen_nb.analysis.records.timeline import Span, seconds_of, subtract, union
from vidgen_nb.core import events as ev

__all__ = ["CooldownReader", "CoolingClock"]

_window = draft_class(CooldownRecord)


@dataclass(slots=True)
class _Gate:
    """A quota group, or one profile by itself, while it is closed."""

    group: str
    until: float
    reason: str
    unusable: bool
    members: dict[str, Any]
    """Drafts of its windows, by profile."""


class CooldownReader:
    """Reads events about cooldowns and profiles in order; `opened` is called with each new window, a draft."""

    def __init__(self, opened: Callable[[Any], None]) -> None:
        self._opened = opened
        self._gates: dict[tuple[str, bool], _Gate] = {}
        """What is closed now, by (group, alone)."""

    def open_windows(self) -> set[int]:
        """Return the ids of the drafts whose end may still change."""
        return {id(window) for gate in self._gates.values() for window in gate.members.values()}

    def closed(self) -> dict[str, bool]:
        """Return the profiles that are closed now, each with whether it is out of the rotation."""
        found: dict[str, bool] = {}
        for gate in self._gates.values():
            for profile in gate.members:
                found[profile] = gate.unusable or found.get(profile, False)
        return found

    def profile_added(self, event: ev.ProfileAdded) -> None:
        """Let a profile join the cooldown of its group, or its own."""
        name = event.profile
        for key in ((event.group or name, False), (name, True)):
            if gate := self._gates.get(key):
                self._open(gate, name, event.at)

    def profile_removed(self, event: ev.ProfileRemoved) -> None:
        """End the windows of a profile that is gone."""
        for gate in self._gates.values():
            if window := gate.members.pop(event.profile, None):
                window.end = event.at

    def started(self, event: ev.CooldownStarted) -> None:
        """Open windows, or move the end of those that are open."""
        key, until = (event.group, event.alone), event.until
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = _Gate(event.group, until, event.reason, event.unusable, {})
        elif (until, event.unusable) != (gate.until, gate.unusable):
            gate.until, gate.unusable = until, event.unusable
            for window in gate.members.values():
                window.end, window.unusable = until, event.unusable
        for profile in event.profiles:
            if profile not in gate.members:
                self._open(gate, profile, event.at)

    def ended(self, event: ev.CooldownEnded) -> None:
        """Close windows, at the latest now."""
        if gate := self._gates.pop((event.group, event.alone), None):
            for window in gate.members.values():
                if window.end > event.at:
                    window.end = event.at

    def _open(self, gate: _Gate, profile: str, at: float) -> None:
        window = gate.members[profile] = _window(profile, gate.group, at, gate.until, gate.reason, gate.unusable)
        self._opened(window)


class CoolingClock:
    """How long each profile has cooled, kept up to date from events; it forgets windows that are over."""

    def __init__(self) -> None:
        self._windows: dict[str, list[Any]] = defaultdict(list)
        """Of profiles that cool: all that overlap, or may."""
        self._before: dict[str, float] = defaultdict(float)
        """Seconds of windows that are forgotten."""
        self._late: list[tuple[str, list[Span]]] = []
        """Windows that were forgotten last: a restore may follow, so that part of them was time off."""
        self._off = OffTime()
        self._reader = CooldownReader(lambda window: self._windows[window.profile].append(window))

    def take(self, event: ev.Event) -> None:
        """Take in the next event, of any kind."""
        if off := self._off.take(event):
            for profile, spans in self._late:
                self._before[profile] -= seconds_of(spans) - seconds_of(subtract(spans, [off]))
        if type(event) not in HANDOVER:
            self._late.clear()
        match event:
            case ev.ProfileAdded():
                self._reader.profile_added(event)
            case ev.CooldownStarted():
                self._reader.started(event)
            case ev.ProfileRemoved():
                self._reader.profile_removed(event)
                self._forget()
            case ev.CooldownEnded():
                self._reader.ended(event)
                self._forget()
            case _:
                pass

    def seconds(self, profile: str, now: float) -> float:
        """Return how long a profile has cooled up to now."""
        windows = self._windows.get(profile, ())
        spans = [(each.start, min(each.end, now)) for each in windows]
        return self._before[profile] + seconds_of(subtract(union(spans), self._off.spans))

    def _forget(self) -> None:
        """Sum up the windows of profiles that no longer cool."""
        still_open = self._reader.open_windows()
        for profile, windows in list(self._windows.items()):
            if not any(id(each) in still_open for each in windows):
                spans = subtract(union((each.start, each.end) for each in windows), self._off.spans)
                self._before[profile] += seconds_of(spans)
                self._late.append((profile, spans))
                del self._windows[profile]
