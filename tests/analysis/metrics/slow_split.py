"""The slot split, counted slowly: at each moment, each slot is looked up again in records and events."""

from __future__ import annotations

from itertools import pairwise, product

from vidgen_nb.analysis.metrics.slot_time import SlotTime
from vidgen_nb.analysis.records.builder import AttemptRecord, RunData
from vidgen_nb.core import events as ev

__all__ = ["slow_split"]


def slow_split(data: RunData) -> dict[str, SlotTime]:
    """Return what slots did, looked up again for every interval between two events."""
    found = {name: SlotTime() for name in data.profiles}
    capacity: dict[str, int | None] = {}
    queued: set[str] = set()
    there = queued_there(data)
    most = {name: most_at_once([a for a in data.attempts if a.profile == name], there, data) for name in data.profiles}
    ends = [data.end if a.end is None else a.end for a in data.attempts if a.outcome in ("succeeded", None)]
    last = max(ends, default=data.end)
    for event, after in pairwise([*data.events, data.events[-1]]):
        match event:
            case ev.ProfileAdded() | ev.ProfileChanged():
                capacity[event.profile] = event.capacity
            case ev.ProfileRemoved():
                del capacity[event.profile]
            case ev.SceneAdded():
                queued.add(event.scene.id)
            case ev.SceneRequeued():
                queued.add(event.scene)
            case ev.AttemptStarted() | ev.SceneSettled():
                queued.discard(event.scene)
        ends = [w.end for w in data.cooldowns if event.at < w.end < after.at]  # the event may come later
        moments = list(pairwise(sorted({min(at, last) for at in (event.at, *ends, after.at)})))
        for (name, time), (a, b) in product(found.items(), moments):  # after the last success there are none
            middle, seconds = (a + b) / 2, b - a
            running = [
                a for a in data.attempts if a.profile == name and a.start < middle and (a.end is None or middle < a.end)
            ]
            own = capacity.get(name, 0)
            behind = [a for a in running if inside(there.get((a.scene, a.number)), middle)]
            running = [a for a in running if a not in behind]
            slots = max(most[name] if own is None else own, len(running))
            if own is None:
                behind = behind[: slots - len(running)]
            slots = max(slots, len(running) + len(behind))
            cools = any(w.profile == name and w.start < middle < w.end for w in data.cooldowns)
            free = "cooling" if cools else "idle_waiting" if queued else "idle_empty"
            for what in [*("ok" if a.outcome == "succeeded" else "wasted" if a.outcome else "running" for a in running),
                         *["queued_at_provider"] * len(behind),
                         *[free] * (slots - len(running) - len(behind))]:  # fmt: skip
                setattr(time, what, getattr(time, what) + seconds)
            time.stranded += slots * seconds if cools and queued else 0.0
    return found


def queued_there(data: RunData) -> dict[tuple[str, int], tuple[float, float]]:
    """Return when attempts were queued at their provider, from the events of each."""
    words: dict[tuple[str, int], list[tuple[float, str]]] = {}
    for event in data.events:
        match event:
            case ev.Accepted():
                words[event.scene, event.number] = [(event.at, "accepted")]
            case ev.Progressed():
                words[event.scene, event.number].append((event.at, event.status))
            case ev.Generated():
                words[event.scene, event.number].append((event.at, "generated"))
    ends = {(a.scene, a.number): data.end if a.end is None else a.end for a in data.attempts}
    return {
        attempt: (said[0][0], next((at for at, word in said[2:] if word != "queued"), ends[attempt]))
        for attempt, said in words.items()
        if len(said) > 1 and said[1][1] == "queued"
    }


def inside(span: tuple[float, float] | None, at: float) -> bool:
    """Say whether a time lies in a span."""
    return span is not None and span[0] < at < span[1]


def most_at_once(
    attempts: list[AttemptRecord], there: dict[tuple[str, int], tuple[float, float]], data: RunData
) -> int:
    """Return the most attempts that hold a slot just after one of them starts; or how many of a provider with a queue.

    That is the median of those that it generates, over the time in which others are queued there.
    """
    held = []
    for a in attempts:
        stop = data.end if a.end is None else a.end
        held.append((there[a.scene, a.number][1] if (a.scene, a.number) in there else a.start, stop))
    queues = [there[a.scene, a.number] for a in attempts if (a.scene, a.number) in there]
    if not queues:
        return max((sum(s <= start < e for s, e in held) for start, stop in held if stop > start), default=0)
    found = []
    for left, right in pairwise(sorted({at for span in held + queues for at in span})):
        if any(inside(span, (left + right) / 2) for span in queues):
            found.append((sum(inside(span, (left + right) / 2) for span in held), right - left))
    total, before = sum(seconds for _, seconds in found), 0.0
    for count, seconds in sorted(found):
        before += seconds
        if before > total / 2:
            return max(1, count)
    return 1
