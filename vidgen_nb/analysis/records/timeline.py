"""A run as functions of time: how many scenes wait, how many slots are busy, how many results come per second.

A set of spans is sorted and disjoint; steps are (time, value from then on). Times are run seconds. Everything is exact,
nothing is sampled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from math import inf

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError

__all__ = [
    "Span",
    "Steps",
    "Waits",
    "Within",
    "above_zero",
    "busy",
    "by_profile",
    "cooling_spans",
    "goodput",
    "integral",
    "integrals",
    "merged",
    "plus_provider_queues",
    "provider_spans",
    "queue",
    "queue_steps",
    "queued_spans",
    "releases",
    "seconds_of",
    "subtract",
    "union",
    "value_at",
    "waiting_spans",
]

Steps = list[tuple[float, float]]


# -- spans


def union(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that overlap or touch; empty ones vanish."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(whole: list[Span], holes: list[Span]) -> list[Span]:
    """Return `whole` without `holes`; both are sorted and disjoint."""
    left: list[Span] = []
    first = 0
    for start, end in whole:
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        at = first
        while at < len(holes) and holes[at][0] < end:
            if holes[at][0] > start:
                left.append((start, holes[at][0]))
            start = max(start, holes[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left


def seconds_of(spans: Iterable[Span]) -> float:
    """Return how long spans are together."""
    return sum(end - start for start, end in spans)


class Within:
    """How many seconds before `t` lie within spans: `within(b) - within(a)` is the part within [a, b]."""

    def __init__(self, spans: list[Span]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self._before = [0.0, *accumulate(end - start for start, end in spans)]

    def __call__(self, t: float) -> float:
        """Return the seconds before `t`. O(log n)."""
        index = bisect_right(self._starts, t)
        beyond = self._ends[index - 1] - t if index else 0.0
        return self._before[index] - beyond if beyond > 0 else self._before[index]


# -- steps


def steps(ups: Iterable[float], downs: Iterable[float]) -> Steps:
    """Return steps that begin at 0, go up by one at each of `ups` and down by one at each of `downs`."""
    rises, falls = [*sorted(ups), inf], [*sorted(downs), inf]
    found: Steps = [(0.0, 0)]
    value = i = j = 0
    rise, fall = rises[0], falls[0]
    while (at := rise if rise < fall else fall) < inf:  # noqa: FURB136 - a call takes three times as long
        before = value
        while rise == at:
            i, value = i + 1, value + 1
            rise = rises[i]
        while fall == at:
            j, value = j + 1, value - 1
            fall = falls[j]
        if value != before:
            found.append((at, value))
    if len(found) > 1 and found[1][0] == 0:
        del found[0]
    return found


def value_at(steps: Steps, t: float) -> float:
    """Return the value at a time; before the first step it is 0."""
    index = bisect_right(steps, (t, inf))
    return steps[index - 1][1] if index else 0.0


def integral(steps: Steps, end: float) -> float:
    """Return the integral from the first step to `end`."""
    return integrals(steps, [end])[0]


def integrals(steps: Steps, ends: Sequence[float]) -> list[float]:
    """Return the integrals from the first step to each of `ends`, which rise."""
    found, total, since, before = list[float](), 0.0, 0.0, 0.0
    end = next(rest := iter((*ends, inf)))
    for at, value in chain(steps, [(inf, 0.0)]):
        while at >= end < inf:
            found.append(total + before * (end - since) if since < end else total)
            end = next(rest)
        total += before * (at - since)
        since, before = at, value
    return found


def above_zero(steps: Steps, end: float) -> list[Span]:
    """Return when the value was more than 0, up to `end`."""
    spans: list[Span] = []
    since: float | None = None
    for at, value in steps:
        if at >= end:
            break
        if value > 0 and since is None:
            since = at
        elif value <= 0 and since is not None:
            spans.append((since, at))
            since = None
    return [*spans, (since, end)] if since is not None else spans


def merged(*series: Steps) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Yield each time at which any of the series changes, with the values of all of them from then on."""
    changes = sorted(chain.from_iterable(((at, k, value) for at, value in each) for k, each in enumerate(series)))
    values = [0.0] * len(series)
    for index, (at, k, value) in enumerate(changes):
        values[k] = value
        if index + 1 == len(changes) or changes[index + 1][0] != at:
            yield at, tuple(values)


# -- of a run


def releases(data: RunData) -> dict[str, float]:
    """Return when each scene was added, the last time if it was run again by hand."""
    return {scene.id: scene.queued for scene in data.scenes} | data.readded_at


def by_profile(data: RunData) -> dict[str, list[AttemptRecord]]:
    """Return the attempts of each profile, in order of their start."""
    found: dict[str, list[AttemptRecord]] = {name: [] for name in data.profiles}
    add = {name: each.append for name, each in found.items()}
    for attempt in data.attempts:
        add[attempt.profile](attempt)
    return found


def cooling_spans(data: RunData, end: float) -> dict[str, list[Span]]:
    """Return when each profile cooled, up to a time; cooldowns that overlap are one span."""
    windows: dict[str, list[Span]] = {name: [] for name in data.profiles}
    for window in data.cooldowns:
        windows.setdefault(window.profile, []).append((window.start, window.end if window.end < end else end))  # noqa: FURB136
    return {name: union(each) for name, each in windows.items()}


Waits = tuple[list[str], list[float], list[float]]
"""The scene, start and end of each span in which a scene waited."""


def waiting_spans(data: RunData, still: float) -> Waits:
    """Return the spans in which scenes waited, in our queue or in a provider's; `still`: the end of open ones."""
    scenes, starts, ends = queued_spans(data, still)
    others, since, until = provider_spans(data.attempts, still)
    return scenes + others, starts + since, ends + until


def provider_spans(attempts: Iterable[AttemptRecord], still: float) -> Waits:
    """Return the spans in which accepted attempts were queued at their provider, from the acceptance on."""
    waited = [each for each in attempts if each.accepted != each.began and each.accepted is not None]
    ends = [each.end if each.began is None else each.began for each in waited]
    return (
        [each.scene for each in waited],
        [each.accepted for each in waited if each.accepted is not None],
        [still if end is None else end for end in ends],
    )


def queued_spans(data: RunData, still: float) -> Waits:
    """Return the spans in which scenes waited for an attempt, back-off included; `still`: the end of open ones."""
    if data.readded_at:
        return _waiting_by_events(data, still)
    waited = [each for each in data.attempts if each.start > each.queued]
    scenes = [each.scene for each in waited]
    starts, ends = [each.queued for each in waited], [each.start for each in waited]
    rest = {each.id: each for each in data.scenes if each.status != "succeeded"}
    last: dict[str, AttemptRecord] = {each.scene: each for each in data.attempts if each.scene in rest} if rest else {}
    for scene in rest.values():
        before = last.get(scene.id)
        # A settled scene may have waited to its end: cancelled in the queue, or failed at its deadline.
        until = still if scene.status == "queued" else scene.end
        if until is None or (before is not None and before.end is None):
            continue
        since = scene.queued if before is None else max(scene.queued, before.end or 0.0)
        if until > since:
            scenes.append(scene.id)
            starts.append(since)
            ends.append(until)
    return scenes, starts, ends


def _waiting_by_events(data: RunData, still: float) -> Waits:
    """Return them where scenes were run again by hand: a scene's record knows only the last time."""
    scenes, starts, ends = [], [], []
    since: dict[str, float] = {}
    for event in data.events:
        if isinstance(event, ev.SceneAdded):
            since[event.scene.id] = event.at
        elif isinstance(event, ev.SceneRequeued):
            since[event.scene] = event.at
        elif isinstance(event, ev.AttemptStarted | ev.SceneSettled) and event.scene in since:
            scenes.append(event.scene)
            starts.append(since.pop(event.scene))
            ends.append(event.at)
    return [*scenes, *since], [*starts, *since.values()], [*ends, *(still for _ in since)]


def queue(data: RunData) -> Steps:
    """Return Q(t), the scenes that wait, in our queue or a provider's; at the end of the run those that still do."""
    _, starts, ends = waiting_spans(data, inf)
    return steps(starts, ends)


def queue_steps(data: RunData, end: float) -> list[tuple[float, int]]:
    """Return Q(t) as whole numbers from 0 to `end`, where there is a last step: what waits then still waits."""
    found = [(at, int(length)) for at, length in queue(data) if at <= end]
    last = found[-1][1] if found else 0
    return [*(step for step in found if step[0] < end), (end, last)]


def plus_provider_queues(ours: list[tuple[float, int]], attempts: Iterable[AttemptRecord]) -> list[tuple[float, int]]:
    """Return the length of our queue with those added that are queued at a provider, from the first of its steps on."""
    _, starts, ends = provider_spans(attempts, inf)
    if not starts or not ours:
        return ours
    both = merged([(at, length) for at, length in ours], steps(starts, ends))
    found = [(at, int(mine + theirs)) for at, (mine, theirs) in both if at >= ours[0][0]]
    return [*found[:1], *(after for before, after in pairwise(found) if after[1] != before[1])]


def busy(data: RunData) -> dict[str, Steps]:
    """Return, per profile, how many attempts it runs."""
    return {
        name: steps([each.start for each in attempts], [each.end for each in attempts if each.end is not None])
        for name, attempts in by_profile(data).items()
    }


def goodput(data: RunData, window: float) -> Steps:
    """Return the results per second of the last `window` seconds: successes in (t - window, t] ÷ window.

    Raises `InputError` for a window that is not a positive number of seconds.
    """
    if not 0 < window < inf:
        raise InputError(f"goodput's window is a number of seconds above 0, not {window!r}")
    ends = [each.end for each in data.attempts if each.outcome == "succeeded" and each.end is not None]
    return [(at, count / window) for at, count in steps(ends, [end + window for end in ends])]
