"""Whether cooldowns were too short or too long: early wakes, and the wait beyond the true reset."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import compress
from math import inf
from typing import Any

from vidgen_nb.analysis.bounds.admissions import parts
from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, RunData
from vidgen_nb.analysis.records.timeline import by_profile
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.provider import Concurrency, Limit, LimitState, SimulatedProfile
from vidgen_nb.provider.combined_limits import CombinedState
from vidgen_nb.provider.limits import weights_of
from vidgen_nb.provider.weights import NOTHING

__all__ = ["early_wakes", "over_waits"]


def early_wakes(data: RunData, tried: dict[str, list[AttemptRecord]] | None = None) -> float | None:
    """Return which share of the first attempts after a cooldown got a 429, or None if there was no such attempt.

    A cooldown of a quota group counts once, however many profiles it has; the first attempt may go to any of them. That
    a profile is removed ends no cooldown of its group.
    `tried`: the attempts as `timeline.by_profile` returns them.
    """
    ends: dict[str, set[float]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for window in _not_cut_off(data):
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
    as they were admitted and refused. A group's cooldown goes on if one of its profiles is removed. Cooldowns without a
    known reset are left out: those caused by a fault or a concurrency limit, those of a group that was not refused
    itself, those without an end, and those in which the last profile of the group was removed.
    """
    resets = _true_resets(data, profiles)
    ends: dict[tuple[str, float], float] = {}
    for window in _not_cut_off(data):
        key = window.group, window.start
        ends[key] = max(window.end, ends.get(key, window.end))
    found: dict[Hashable, float] = {}
    for (group, start), end in ends.items():
        refused, reset = resets.get(group, _NO_RESETS)
        last = bisect_left(refused, end) - 1  # the latest refusal decides
        if end < inf and last >= 0 and refused[last] >= start:
            found[group, start] = end - reset[last]
    return found


def _not_cut_off(data: RunData) -> list[CooldownRecord]:
    """Return the windows that did not end because their profile was removed: its group goes on cooling."""
    removed = {(name, at) for name, steps in data.capacity_steps.items() for at, capacity in steps if capacity == 0}
    return [each for each in data.cooldowns if (each.profile, each.end) not in removed] if removed else data.cooldowns


_NO_RESETS: tuple[list[float], list[float]] = ([], [])


def _true_resets(data: RunData, profiles: Iterable[SimulatedProfile]) -> dict[str, tuple[list[float], list[float]]]:
    """Return, by quota group, when it refused because of the rate, and when it would have admitted instead.

    A 429 for too many jobs at once has no reset, so the parts that count running jobs are left out.
    """
    given = list(profiles)
    found: dict[str, tuple[list[float], list[float]]] = {}
    states: dict[tuple[str, str], tuple[LimitState, ...]] = {}
    for profile in given:
        for key, limit in _limits(profile):
            counted = tuple(part.state() for part in parts(limit) if not isinstance(part, Concurrency))
            states[key] = states.get(key) or counted
    at: dict[str, Any] = {}
    for profile in given:
        joined = tuple(state for key, _ in _limits(profile) for state in states[key])
        if joined:
            lists = found.setdefault(profile.quota_group or profile.name, ([], []))
            at[profile.name] = (joined[0] if len(joined) == 1 else CombinedState(joined), *lists)
    limits = [part for profile in given for _, limit in _limits(profile) for part in parts(limit)]
    weighs = any(map(weights_of, limits))
    _replay(data, at, weighs=weighs, refusals_count=any(getattr(each, "count_refusals", False) for each in limits))
    return found


def _limits(profile: SimulatedProfile) -> list[tuple[tuple[str, str], Limit | None]]:
    """Return the limits that its submits count against: its quota group's, and its organisation's."""
    limits: list[tuple[tuple[str, str], Limit | None]] = [(("", profile.quota_group or profile.name), profile.limit)]
    if profile.organisation is not None:
        limits.append((("organisation", profile.organisation.name), profile.organisation.limit))
    return limits


def _replay(data: RunData, at: dict[str, Any], *, weighs: bool, refusals_count: bool) -> None:
    """Replay a run's submits in order; `at`: per profile, the limit they count against and its lists.

    `weighs`: whether any of the limits counts a parameter of the scenes. `refusals_count`: whether any of them counts
    refused submits.
    """
    replayed: dict[str, Any] = {}
    """Per scene, what its running attempt counts against."""
    params: dict[str, Any] = {}
    """Of the scenes that have any."""
    state: LimitState
    event: Any
    started, accepted, failed, added = ev.AttemptStarted, ev.Accepted, ev.CallFailed, ev.SceneAdded
    kinds = {started, accepted, failed, added} if weighs else {started, accepted, failed}
    request: Mapping[str, Any] = NOTHING
    for event in compress(data.events, map(kinds.__contains__, map(type, data.events))):
        kind = type(event)
        if kind is started:
            replayed[event.scene] = at.get(event.profile)
        elif kind is accepted:
            if (counts := replayed[event.scene]) is not None:
                state, now = counts[0], event.at
                if params:
                    request = params.get(event.scene, NOTHING)
                state.ready_for(now, request)  # lets a window move on to the current one
                state.take_for(now, request)
        elif kind is failed and event.phase == "submit" and (counts := replayed[event.scene]) is not None:
            (state, refused, resets), outcome, now = counts, event.outcome, event.at
            if params:
                request = params.get(event.scene, NOTHING)
            ready = reset = state.ready_for(now, request)
            if type(outcome) is Ambiguous:  # the answer was lost, but the job was admitted
                state.take_for(now, request)
                continue
            if refusals_count:
                state.refuse(now, request)
                reset = state.ready_for(now, request)
            if ready > now and type(outcome) is RateLimited and outcome.cause == "rate":
                refused.append(now)
                resets.append(reset)
        elif kind is added and event.scene.params:
            params[event.scene.id] = event.scene.params
