"""Whether cooldowns were too short or too long: early wakes, and the wait beyond the true reset."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable
from math import inf
from typing import Any

from vidgen_nb.analysis.bounds.admissions import parts
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.timeline import by_profile
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.provider import Concurrency, LimitState, SimulatedProfile
from vidgen_nb.provider.limit_states import CombinedState

__all__ = ["early_wakes", "over_waits"]


def early_wakes(data: RunData, tried: dict[str, list[AttemptRecord]] | None = None) -> float | None:
    """Return which share of the first attempts after a cooldown got a 429, or None if there was no such attempt.

    A cooldown of a quota group counts once, however many profiles it has; the first attempt may go to any of them.
    `tried`: the attempts as `timeline.by_profile` returns them.
    """
    ends: dict[str, set[float]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for window in data.cooldowns:
        ends[window.group].add(window.end)
        members[window.group].add(window.profile)
    tried = by_profile(data) if tried is None else tried
    shared = _merged_attempts(data, {group: names for group, names in members.items() if len(names) > 1})
    first = early = 0
    for group, times in ends.items():
        attempts = shared[group] if group in shared else tried[min(members[group])]
        starts = [each.start for each in attempts]
        outcomes = [attempts[place].outcome for place in {bisect_left(starts, end) for end in times} - {len(starts)}]
        first += len(outcomes) - outcomes.count(None)
        early += outcomes.count("rate_limited")
    return early / first if first else None


def _merged_attempts(data: RunData, members: dict[str, set[str]]) -> dict[str, list[AttemptRecord]]:
    """Return, per group, the attempts of all its profiles in order of their start."""
    found: dict[str, list[AttemptRecord]] = {group: [] for group in members}
    lists: dict[str, list[list[AttemptRecord]]] = {}
    for group, names in members.items():
        for name in names:
            lists.setdefault(name, []).append(found[group])
    for attempt in data.attempts if lists else ():
        for each in lists.get(attempt.profile, ()):
            each.append(attempt)
    return found


def over_waits(data: RunData, profiles: Iterable[SimulatedProfile]) -> dict[Hashable, float]:
    """Return, by (group, start of the cooldown), its end minus the limit's true reset: above 0, time was lost.

    A cooldown that ended before the reset has a number below 0. The limits of `profiles` are replayed with the submits
    as they were admitted and refused. Cooldowns without a known reset are left out: those caused by a fault or a
    concurrency limit, those of a group that was not refused itself, and those without an end.
    """
    resets = _true_resets(data, profiles)
    found: dict[Hashable, float] = {}
    for window in data.cooldowns:
        refused, reset = resets.get(window.group, _NO_RESETS)
        last = bisect_left(refused, window.end) - 1  # the latest refusal decides
        if window.end < inf and last >= 0 and refused[last] >= window.start:
            found[window.group, window.start] = window.end - reset[last]
    return found


_NO_RESETS: tuple[list[float], list[float]] = ([], [])


def _true_resets(data: RunData, profiles: Iterable[SimulatedProfile]) -> dict[str, tuple[list[float], list[float]]]:
    """Return, by quota group, when it refused because of the rate, and when it would have admitted instead.

    A refusal uses up nothing in any part of a limit, and a 429 for too many jobs at once has no reset, so the parts
    that count running jobs are left out.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    states: dict[str, LimitState] = {}
    group_of: dict[str, str] = {}
    for profile in profiles:
        group = group_of[profile.name] = profile.quota_group or profile.name
        counted = [part.state() for part in parts(profile.limit) if not isinstance(part, Concurrency)]
        if counted:
            states.setdefault(group, counted[0] if len(counted) == 1 else CombinedState(tuple(counted)))
            found.setdefault(group, ([], []))
    at: dict[str, Any] = {
        name: (states[group].ready_at, states[group].take, *found[group])
        for name, group in group_of.items()
        if group in states
    }
    _replay(data, at)
    return found


def _replay(data: RunData, at: dict[str, Any]) -> None:
    """Replay a run's submits in order; `at`: per profile, the limit they count against and its lists."""
    replayed: dict[str, Any] = {}
    """Per scene, what its running attempt counts against."""
    started, accepted, failed = ev.AttemptStarted, ev.Accepted, ev.CallFailed
    event: Any
    for event in data.events:
        kind = type(event)
        if kind is started:
            replayed[event.scene] = at.get(event.profile)
        elif kind is accepted:
            if (counts := replayed[event.scene]) is not None:
                ready_at, take, _, _ = counts
                ready_at(event.at)  # lets a window move on to the current one
                take(event.at)
        elif kind is failed and event.phase == "submit" and (counts := replayed[event.scene]) is not None:
            (ready_at, take, refused, resets), outcome = counts, event.outcome
            if type(outcome) is RateLimited:
                if outcome.cause == "rate" and (ready := ready_at(event.at)) > event.at:
                    refused.append(event.at)
                    resets.append(ready)
            elif type(outcome) is Ambiguous:  # the answer was lost, but the job was admitted
                ready_at(event.at)
                take(event.at)
