"""Who waited when: the queue's length over time, and the time in which a profile stood idle beside a queue.

Intervals are (start, end) in run seconds; a set of them is sorted and disjoint.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.analysis.records.timeline import queue, subtract, union, waits
from vidgen_nb.core import events as ev

__all__ = ["Interval", "idle", "queue_steps", "subtract", "union"]

Interval = tuple[float, float]


def queue_steps(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return the queue's length as steps (time, length from then on), from 0 to `end`."""
    steps = [(at, int(length)) for at, length in queue(_until(data, end)) if at < end]
    return [*steps, (end, steps[-1][1] if steps else 0)]  # what waits at the end goes on waiting


def _until(data: RunData, end: float) -> RunData:
    return data if data.end == end else replace(data, end=end)


def _closed(data: RunData, end: float) -> list[Interval]:
    """Return when nothing was to be submitted: not started, paused, stopped, ended."""
    shut: set[str] = set()
    since = 0.0
    holes: list[Interval] = []
    if any(isinstance(event, ev.RunStarted) for event in data.events):
        shut.add("stopped")
    for event in data.events:
        before = bool(shut)
        if isinstance(event, ev.Paused):
            shut.add("paused")
        elif isinstance(event, ev.Unpaused):
            shut.discard("paused")
        elif isinstance(event, ev.Stopped | ev.RunEnded):
            shut.add("stopped")
        elif isinstance(event, ev.BillingLimitReached):
            shut.add("limited")
        elif isinstance(event, ev.BillingLimitChanged):
            shut.discard("limited")
        elif isinstance(event, ev.RunStarted):
            shut -= {"stopped", "limited"}
        if shut and not before:
            since = event.at
        elif before and not shut:
            holes.append((since, event.at))
    return [*holes, (since, end)] if shut else holes


def _absent(data: RunData, end: float) -> dict[str, list[Interval]]:
    """Return, per profile, when it was not part of the session; without events it always was."""
    holes: dict[str, list[Interval]] = defaultdict(list)
    gone: dict[str, float] = {}
    for event in data.events:
        if isinstance(event, ev.ProfileAdded):
            holes[event.profile].append((gone.pop(event.profile, 0.0), event.at))
        elif isinstance(event, ev.ProfileRemoved):
            gone[event.profile] = event.at
    for profile, since in gone.items():
        holes[profile].append((since, end))
    return holes


def idle(data: RunData, end: float) -> dict[str, list[Interval]]:
    """Return, per profile, when it could have worked and did not, though scenes waited (avoidable waste).

    That is: no attempt ran on it; it was neither cooling nor unusable; it had been added and not removed; the run was
    started and neither paused nor stopped; and at least one scene waited whose back-off was over. A profile with
    one attempt running counts as busy, whatever its capacity.
    """
    not_before = {
        (event.scene, event.at): event.not_before
        for event in data.events
        if isinstance(event, ev.SceneRequeued) and event.not_before is not None
    }
    waited = zip(*waits(_until(data, end)), strict=True)
    ready = ((max(start, not_before.get((scene, start), start)), stop) for scene, start, stop in waited)
    backlog = subtract(union(ready), union(_closed(data, end)))
    holes = _absent(data, end)
    for attempt in data.attempts:
        holes[attempt.profile].append((attempt.start, end if attempt.end is None else attempt.end))
    for window in data.cooldowns:
        holes[window.profile].append((window.start, window.end))
    return {profile: subtract(backlog, union(holes[profile])) for profile in data.profiles}
