"""Who waited when: the queue's length over time, and the time in which a profile stood idle beside a queue.

Intervals are (start, end) in run seconds; a set of them is sorted and disjoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vidgen_nb.analysis.records import AttemptRecord, RunData
from vidgen_nb.analysis.timeline import subtract, union
from vidgen_nb.core import events as ev

__all__ = ["Interval", "idle", "queue_steps", "subtract", "union"]

Interval = tuple[float, float]


def _waits(data: RunData, end: float) -> Iterator[tuple[str, int, float, float]]:
    """Yield each stretch in which a scene waited: scene, number of the attempt before it, start, end."""
    last: dict[str, AttemptRecord] = {}
    for attempt in data.attempts:
        yield attempt.scene, attempt.number - 1, attempt.queued, attempt.start
        last[attempt.scene] = attempt
    for scene in data.scenes:
        before = last.get(scene.id)
        if before is not None and before.end is None:
            continue
        since = scene.queued if before is None else max(scene.queued, before.end or 0.0)
        until = end if scene.status == "queued" else scene.end
        # A settled scene may have waited to its end: cancelled in the queue, or failed by its deadline.
        if until is not None and until > since and scene.status != "succeeded":
            yield scene.id, 0 if before is None else before.number, since, until


def queue_steps(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return the queue's length as steps (time, length from then on), from 0 to `end`."""
    changes: dict[float, int] = defaultdict(int, {0.0: 0})
    for _scene, _number, start, stop in _waits(data, end):
        changes[start] += 1
        changes[stop] -= 1
    steps: list[tuple[float, int]] = []
    length = 0
    for at in sorted(change for change in changes if change < end):  # what waits at the end goes on waiting
        length += changes[at]
        if not steps or steps[-1][1] != length:
            steps.append((at, length))
    return [*steps, (end, length)]


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
        elif isinstance(event, ev.RunStarted):
            shut.discard("stopped")
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
        (event.scene, event.number): event.not_before
        for event in data.events
        if isinstance(event, ev.SceneRequeued) and event.not_before is not None
    }
    waits = [(max(start, not_before.get((scene, n), start)), stop) for scene, n, start, stop in _waits(data, end)]
    backlog = subtract(union(waits), union(_closed(data, end)))
    holes = _absent(data, end)
    for attempt in data.attempts:
        holes[attempt.profile].append((attempt.start, end if attempt.end is None else attempt.end))
    for window in data.cooldowns:
        holes[window.profile].append((window.start, window.end))
    return {profile: subtract(backlog, union(holes[profile])) for profile in data.profiles}
