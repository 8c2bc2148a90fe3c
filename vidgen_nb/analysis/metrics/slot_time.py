"""What slots did with their time: the split of slot-seconds, exact, for a whole run or in intervals of it.

A whole run is [0, M] with M from `results.horizon`, usually the makespan: attempts that failed after the last success
don't count, nor do the slots that were empty then.
A profile that is part of the session has `capacity` slots; without a capacity, as many as the most attempts that it
ever had at once. If more attempts run (fetching its result, an attempt holds no slot at the provider; a capacity may
have been lowered), or the profile was removed, there are as many slots as attempts.

An attempt that is queued at its provider holds a slot of ours, but not one of the provider's (`provider_queue`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import compress, pairwise, repeat
from math import inf

from vidgen_nb.analysis.metrics.results import horizon
from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.off_time import without
from vidgen_nb.analysis.records.provider_queue import slots_without_capacity, that_fit, without_queue
from vidgen_nb.analysis.records.timeline import (
    Steps,
    Within,
    above_zero,
    by_profile,
    cooling_spans,
    provider_spans,
    queued_spans,
    steps,
)
from vidgen_nb.errors import InputError

__all__ = ["SlotTime", "slot_time"]


@dataclass(slots=True)
class SlotTime:
    """Slot-seconds by use; `model.SlotSplit` has them as shares."""

    ok: float = 0.0
    """Of attempts that succeeded."""
    wasted: float = 0.0
    """Of attempts that ended without success. A busy slot counts as busy even while its profile cools."""
    cooling: float = 0.0
    """Free, the profile in a cooldown or unusable."""
    idle_empty: float = 0.0
    """Free, and no scene waited."""
    idle_waiting: float = 0.0
    """Free, and not cooling, while scenes waited."""
    running: float = 0.0
    """Of attempts that still run; 0 once the run has ended."""
    off: float = 0.0
    """Of all slots, while no program ran the run."""
    queued_at_provider: float = 0.0
    """Of attempts that were accepted and waited in the provider's queue."""
    stranded: float = 0.0
    """All slots, busy ones too, of profiles that cooled while scenes waited; not part of the sum."""

    @property
    def total(self) -> float:
        """Return their sum."""
        free = self.cooling + self.idle_empty + self.idle_waiting
        return self.ok + self.wasted + self.running + self.queued_at_provider + free + self.off

    def add(self, other: SlotTime) -> None:
        """Add those of another."""
        for name, value in zip(_NAMES, astuple(other), strict=True):
            setattr(self, name, getattr(self, name) + value)


_NAMES = tuple(SlotTime.__dataclass_fields__)
_USES: dict[str | None, str] = {"succeeded": "ok", None: "running"}


def slot_time(
    data: RunData,
    edges: Sequence[float] | None = None,
    waiting: list[Span] | None = None,
    tried: dict[str, list[AttemptRecord]] | None = None,
    cooling: dict[str, list[Span]] | None = None,
    *,
    may_queue: bool = True,
) -> dict[str, list[SlotTime]]:
    """Return, per profile, what its slots did in each interval between two neighbours of `edges`.

    `edges`: run seconds, rising; None: one interval, from 0 to `horizon`. `waiting`, `tried`, `cooling`: when scenes
    waited, the attempts by profile, and when each profile cooled, if already known. `may_queue`: False if none of them
    was queued at its provider. Raises `InputError` for edges that do not rise.
    """
    edges = [0.0, horizon(data)] if edges is None else list(edges)
    if len(edges) < 2 or any(not a <= b for a, b in pairwise(edges)):
        raise InputError(f"edges are at least two times that rise, not {edges!r}")
    spans = _waiting(data) if waiting is None else waiting
    cooling = cooling_spans(data, edges[-1]) if cooling is None else cooling
    if data.off:
        return _with_off(data, edges, spans, by_profile(data) if tried is None else tried, cooling)
    within = Within(spans)
    found: dict[str, list[SlotTime]] = {}
    for name, tries in (by_profile(data) if tried is None else tried).items():
        given = data.capacity_steps.get(name) or [(0.0, data.capacities.get(name))]
        found[name] = _of_profile(tries, given, cooling[name], within, edges, data.end, may_queue=may_queue)
    return found


def _with_off(
    data: RunData,
    edges: list[float],
    waiting: list[Span],
    tried: dict[str, list[AttemptRecord]],
    cooling: dict[str, list[Span]],
) -> dict[str, list[SlotTime]]:
    """Measure the run as if its time off had been cut out, and that by itself."""
    cut = without(data.off)
    within = Within([(cut(start), cut(end)) for start, end in waiting])
    found: dict[str, list[SlotTime]] = {}
    for name, tries in tried.items():
        given = data.capacity_steps.get(name) or [(0.0, data.capacities.get(name))]
        kept = [_cut(each, cut) for each in tries]
        cools = [(cut(start), cut(end)) for start, end in cooling[name]]
        steps_ = [(cut(at), capacity) for at, capacity in given]
        bins = _of_profile(
            kept, steps_, [each for each in cools if each[0] < each[1]], within, [*map(cut, edges)], cut(data.end)
        )
        most = slots_without_capacity(tries, data.end)
        for start, end in data.off:
            running = sum(each.start <= start and (each.end or data.end) >= end for each in tries)
            capacity = ([0, *(slots for at, slots in given if at <= start)])[-1]
            slots = max(running, most if capacity is None else capacity)
            for bin_, (first, last) in zip(bins, pairwise(edges), strict=True):
                bin_.off += slots * max(0.0, min(end, last) - max(start, first))
        found[name] = bins
    return found


def _of_profile(
    attempts: list[AttemptRecord],
    capacities: list[tuple[float, int | None]],
    cooling: list[Span],
    within: Within,
    edges: list[float],
    end: float,
    *,
    may_queue: bool = True,
) -> list[SlotTime]:
    bins = [SlotTime() for _ in edges[1:]]
    outcomes, starts = [each.outcome for each in attempts], [each.start for each in attempts]  # in order
    ends = [end if each.end is None else each.end for each in attempts]
    queued: list[Span] = []
    if may_queue and any([each.accepted != each.began for each in attempts]):  # noqa: C419 - a list is quicker
        held = [each for each in attempts if each.end is None or each.end > each.start]
        outcomes, starts, ends = without_queue(held, end)
        queued = [(start, stop) for _, start, stop in zip(*provider_spans(held, end), strict=True) if start < stop]
    uses = list(map(_USES.get, outcomes, repeat("wasted")))
    for name in ("ok", "wasted", "running"):
        if name in uses:
            _spread(bins, edges, name, compress(zip(starts, ends, strict=True), map(name.__eq__, uses)))
    is_bounded = all(capacity is not None for _, capacity in capacities)
    most = 0 if is_bounded else slots_without_capacity(attempts, end)
    slots = {at: most if capacity is None else capacity for at, capacity in capacities}
    if queued:
        if not is_bounded:
            slots_of_theirs = [(at, most if capacity is None else inf) for at, capacity in capacities]
            queued = that_fit(queued, steps(starts, ends), slots_of_theirs)
        _spread(bins, edges, "queued_at_provider", queued)
        starts, ends = [*starts, *(start for start, _ in queued)], [*ends, *(stop for _, stop in queued)]
    switches = {at: on for start, stop in cooling for at, on in ((start, True), (stop, False))}
    _free(bins, edges, [*steps(starts, ends), (inf, 0)], slots, switches, within, min(end, edges[-1]))
    return bins


def _waiting(data: RunData) -> list[Span]:
    """Return when scenes waited for a slot of ours."""
    _, starts, ends = queued_spans(data, data.end)
    return above_zero(steps(starts, ends), data.end)


def _cut(attempt: AttemptRecord, cut: Callable[[float], float]) -> AttemptRecord:
    """Return an attempt with its times as they are once time off has been cut out."""
    end, accepted, began = (None if at is None else cut(at) for at in (attempt.end, attempt.accepted, attempt.began))
    return replace(attempt, start=cut(attempt.start), end=end, accepted=accepted, began=began)


def _spread(bins: list[SlotTime], edges: list[float], what: str, spans: Iterable[Span]) -> None:
    """Add spans of one slot each to the bins that they touch."""
    if len(bins) == 1:
        first, last = edges
        clipped = [
            (end if end < last else last) - (start if start > first else first)  # noqa: FURB136 - quicker than calls
            for start, end in spans
            if end > first and start < last
        ]
        spent = sum(clipped)
        setattr(bins[0], what, spent)
        return
    sums = [0.0] * len(bins)
    last = len(bins)
    for start, end in spans:
        index = bisect_right(edges, start) - 1 if start > edges[0] else 0
        while index < last and edges[index] < end:
            part = min(end, edges[index + 1]) - max(start, edges[index])
            sums[index] += max(part, 0.0)
            index += 1
    for bin_, seconds in zip(bins, sums, strict=True):
        setattr(bin_, what, seconds)


def _free(
    bins: list[SlotTime],
    edges: list[float],
    busy: Steps,
    slots_at: dict[float, int],
    switches: dict[float, bool],
    within: Within,
    last: float,
) -> None:
    """Add up what free slots did, from one change of slots, cooldown or bin to the next."""
    changes = sorted({at for at in (*slots_at, *switches, *edges, last) if at <= last})
    slots, cools, place, step = 0, False, 0, 0
    for at, after in pairwise(changes):
        slots = slots_at.get(at, slots)
        cools = switches.get(at, cools)
        while edges[place + 1] <= at and place + 2 < len(edges):
            place += 1
        if after > edges[0]:
            step = _free_between(bins[place], (at, after), busy, step, slots, cools, within)


def _free_between(
    bin_: SlotTime, stretch: Span, busy: Steps, step: int, slots: int, cools: bool, within: Within
) -> int:
    """Add what `slots` slots did in a span while they were free; return the index of the step at its end."""
    at, stop = stretch
    while busy[step + 1][0] <= at:
        step += 1
    known, waited = at, within(at)
    while at < stop:
        count, now = busy[step][1], busy[step + 1][0]
        step += now <= stop
        if now > stop:
            now = stop
        if slots > count or cools:
            before = waited if known == at else within(at)
            known, waited = now, within(now)
            seconds, waiting, free = now - at, waited - before, slots - count if slots > count else 0
            if cools:
                bin_.cooling += free * seconds
                bin_.stranded += (count + free) * waiting
            else:
                bin_.idle_waiting += free * waiting
                bin_.idle_empty += free * (seconds - waiting)
        at = now
    return step
