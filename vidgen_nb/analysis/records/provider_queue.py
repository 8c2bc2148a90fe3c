"""Slots of a profile some of whose accepted attempts were queued at their provider.

Such an attempt holds a slot of ours: a capacity of 10, of which the provider generates 4 at once, has 6 slots in
`queued_at_provider`. Without a capacity, the slots are those of the provider: as many as it generated at once (the
median) while others were queued there. Those hold none of them, but one that is free meanwhile counts as theirs: it is
free only because a poll has not told yet who has it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from operator import itemgetter

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.slots import most_at_once
from vidgen_nb.analysis.records.timeline import Steps, merged, provider_spans, steps
from vidgen_nb.core import events as ev

__all__ = ["provider_slots", "slots_without_capacity", "that_fit", "without_queue"]


def provider_slots(data: RunData) -> dict[str, int]:
    """Return how many jobs the provider of each profile generates at once, where it was seen to queue further ones.

    Profiles of a quota group share these slots.
    """
    groups: dict[str, list[str]] = {}
    for event in data.events:
        if isinstance(event, ev.ProfileAdded) and event.profile not in groups.get(event.group or event.profile, ()):
            groups.setdefault(event.group or event.profile, []).append(event.profile)
    if not any(each.accepted != each.began for each in data.attempts):
        return {}
    found: dict[str, int] = {}
    for members in groups.values():
        own = [each for each in data.attempts if each.profile in members]
        if any(each.accepted != each.began for each in own):
            found.update(dict.fromkeys(members, slots_without_capacity(own, data.end)))
    return found


def slots_without_capacity(attempts: list[AttemptRecord], end: float) -> int:
    """Return how many slots a profile without a capacity has: the most attempts that it had at once.

    If jobs were queued at its provider: as many as it generated at once meanwhile, which is the median over that time,
    because polls tell of ends and starts a little late; at least 1.
    """
    spans = [
        (each.start if each.accepted == each.began else each.began, end if each.end is None else each.end)
        for each in attempts
    ]
    held = [(start, stop) for start, stop in spans if start is not None and start < stop]
    starts, ends = sorted(start for start, _ in held), sorted(stop for _, stop in held)
    _, since, until = provider_spans(attempts, end)
    if not since:
        return most_at_once(starts, ends)
    seconds: dict[int, float] = defaultdict(float)
    for (at, (count, length)), (after, _) in pairwise(merged(steps(starts, ends), steps(since, until))):
        seconds[int(count)] += after - at if length else 0.0
    half, before = sum(seconds.values()) / 2, 0.0
    for count in sorted(seconds):
        before += seconds[count]
        if before > half:
            return max(1, count)
    return 1


def without_queue(attempts: list[AttemptRecord], end: float) -> tuple[list[str | None], list[float], list[float]]:
    """Return outcome, start and end of attempts without their time in a provider's queue, which leaves two parts."""
    found: list[tuple[float, float, str | None]] = []
    for each in attempts:
        stop = end if each.end is None else each.end
        if each.accepted is None or each.accepted == each.began:
            found.append((each.start, stop, each.outcome))
            continue
        found.append((each.start, each.accepted, each.outcome))
        if each.began is not None:
            found.append((each.began, stop, each.outcome))
    found.sort(key=itemgetter(0))
    return [outcome for _, _, outcome in found], [start for start, _, _ in found], [stop for _, stop, _ in found]


def that_fit(queued: list[Span], busy: Steps, slots: Steps) -> list[Span]:
    """Return spans of queued attempts that fit beside the busy slots, one for each slot that they take."""
    waiting = steps([start for start, _ in queued], [stop for _, stop in queued])
    found: list[Span] = []
    for (at, (count, length, most)), (after, _) in pairwise(merged(busy, waiting, slots)):
        found += [(at, after)] * int(min(length, max(0.0, most - count)))
    return found
