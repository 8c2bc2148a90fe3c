"""How full each account's limit was over time: the gauges of the live chart, read along the run's events.

A level is taken just before and just after each answer of the account's quota group and, between answers, at even
steps; a page joins them with straight lines. Of a bucket that is exact but for the moment at which it is full, of a
window each step is `STEPS`th of the time shown wide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vidgen_nb.analysis.limits.gauges import Gauge, LimitGauges
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.provider.described import profile_from
from vidgen_nb.provider.limits import Limit

__all__ = ["Track", "gauge_tracks", "told_limits"]

STEPS = 400
MAX_EVEN_SAMPLES = 12_000
"""Of all accounts together; if there are many, the steps are wider."""
_FLAT = 0.02
"""A level that is no further from the straight line between its neighbours is left out."""


@dataclass
class Track:
    """One account's limit over time."""

    times: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    """How many submits it would admit, at these times; two levels of one time: before and after an answer."""
    words: list[tuple[float, int, str, str]] = field(default_factory=list)
    """From when on it admits how many at most at once, the limit in words, and where it is known from."""

    def take(self, at: float, gauge: Gauge) -> None:
        """Note the level at a time; of what has none, such as jobs at once, the words alone."""
        fact = (gauge.size, gauge.limit, gauge.source)
        if gauge.limit and (not self.words or self.words[-1][1:] != fact):
            self.words.append((at, *fact))
        if gauge.level is None:
            return
        if self._is_on_the_way(at, gauge.level):
            del self.times[-1], self.levels[-1]
        self.times.append(at)
        self.levels.append(gauge.level)

    def _is_on_the_way(self, at: float, level: float) -> bool:
        """Say whether the last level lies on the straight line from the one before it to this one."""
        if len(self.times) < 2 or self.times[-2] == at:
            return len(self.times) >= 2  # of several at one time, the first and the last count
        if not self.times[-2] < self.times[-1] < at:
            return False
        share = (self.times[-1] - self.times[-2]) / (at - self.times[-2])
        return abs(self.levels[-2] + share * (level - self.levels[-2]) - self.levels[-1]) <= _FLAT


def told_limits(header: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits that a run's header tells, by profile: those of a simulated run."""
    backend = header.get("backend")
    profiles = backend.get("profiles") if isinstance(backend, Mapping) else None
    known = [profile_from(each) for each in profiles or ()]
    return {each.name: each.limit for each in known if each.limit is not None}


def gauge_tracks(data: RunData, told: Mapping[str, Limit], start: float, end: float) -> dict[str, Track]:
    """Return each profile's gauge from `start` to `end`; without levels where its limit never becomes known."""
    gauges, tracks = LimitGauges(told), {name: Track() for name in data.profiles}
    step = (end - start) / min(STEPS, max(20, MAX_EVEN_SAMPLES // max(1, len(tracks))))
    group_of: dict[str, str] = {}
    members: dict[str, list[str]] = defaultdict(list)
    account: dict[str, str] = {}
    sampled = dict.fromkeys(tracks, start)

    def sample(name: str, at: float) -> None:
        if start <= at <= end:
            while sampled[name] + step < at:
                sampled[name] += step
                tracks[name].take(sampled[name], gauges.of(name, sampled[name]))
            tracks[name].take(at, gauges.of(name, at))
            sampled[name] = at

    for event in data.events:
        if isinstance(event, ev.ProfileAdded):
            group_of[event.profile] = event.group or event.profile
            if event.profile not in members[group_of[event.profile]]:
                members[group_of[event.profile]].append(event.profile)
        elif isinstance(event, ev.AttemptStarted):
            account[event.scene] = event.profile
        answered = isinstance(event, ev.Accepted) or (isinstance(event, ev.CallFailed) and event.phase == "submit")
        names = members[group_of[account[event.scene]]] if answered and event.scene in account else []  # type: ignore[attr-defined]
        for name in names:
            sample(name, event.at)
        gauges.observe(event)
        for name in names:
            sample(name, event.at)
    for name in tracks:
        sample(name, end)
    return tracks
