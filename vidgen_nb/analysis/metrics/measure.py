"""The numbers of a run, exact, from its records and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import Any

from vidgen_nb.analysis.bounds.lower_bound import LowerBound
from vidgen_nb.analysis.costs import costs_between
from vidgen_nb.analysis.metrics.control import control_of
from vidgen_nb.analysis.metrics.early_wakes import early_wakes, over_waits
from vidgen_nb.analysis.metrics.efficiency import bound_of
from vidgen_nb.analysis.metrics.fairness import ideal_shares, jain
from vidgen_nb.analysis.metrics.little import little
from vidgen_nb.analysis.metrics.model import ProfileMetrics, SlotSplit
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.recovery import as_trouble, outage, recovery
from vidgen_nb.analysis.metrics.results import (
    cooling_on,
    flow_and_wait,
    goodput,
    makespan,
    on_seconds,
    status_counts,
    successes,
)
from vidgen_nb.analysis.metrics.slot_time import SlotTime, slot_time
from vidgen_nb.analysis.metrics.summary import Metrics
from vidgen_nb.analysis.metrics.windows import Window, window_of
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.off_time import without
from vidgen_nb.analysis.records.timeline import (
    above_zero,
    by_profile,
    integral,
    provider_spans,
    queued_spans,
    releases,
    seconds_of,
    steps,
    subtract,
)
from vidgen_nb.analysis.records.timeline import union as joined
from vidgen_nb.analysis.validation import as_profiles, checks_arguments, data_of, is_number, seconds
from vidgen_nb.core import events as ev
from vidgen_nb.errors import InputError
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.described import profile_from

__all__ = ["Metrics", "ProfileMetrics", "SlotSplit", "closed_at_start", "measure", "union"]


@checks_arguments(called="metrics")
def measure(
    data: RunData,
    *,
    profiles: Iterable[SimulatedProfile] | None = None,
    seed: int | str | None = None,
    ideal: Mapping[str, float] | None = None,
    trouble: tuple[float, float] | None = None,
    window: float = 60.0,
    control: Any = None,
    after: float | None = None,
    until: float | None = None,
) -> Metrics:
    """Return a run's numbers.

    `after`, `until`: measure only a window of the run, in run seconds, such as the steady state without its beginning;
    `model` says what each number means there.

    `profiles`: the assumed limits and services of a live run; a simulated run knows its own. `seed`: of the assumed
    service times; None: those observed count for the bound (`efficiency`). `ideal`: each profile's fair share, in any
    unit. `trouble`: start and end of what the run had to recover from; `window`: the seconds over which its goodput is
    taken; `control`: what it is compared with, if not the same run without its faults in the trouble (`control_of`).
    Raises `InputError` for an assumption that does not fit the run.
    """
    if trouble is not None:
        trouble = as_trouble(trouble)
    seconds("window", window, zero=False)
    with collector_paused():
        known = _assumed(data, profiles, seed)
        given = None if control is None else data_of("control", control)
        return _measure(data, window_of(data, after, until), known, ideal, trouble, window, given)


@dataclass(frozen=True, slots=True)
class _Assumed:
    """Limits and services, if known."""

    profiles: list[SimulatedProfile] | None
    seed: int | str | None
    trouble: tuple[float, float] | None


def _assumed(data: RunData, given: Iterable[SimulatedProfile] | None, seed: int | str | None) -> _Assumed:
    backend = data.header.get("backend") or {}
    simulated = backend.get("name") == "simulated"
    if given is not None:
        profiles = as_profiles(given)
        missing = set(data.profiles) - {each.name for each in profiles}
        if missing:
            raise InputError(f"profiles does not describe {min(missing)!r}, which this run used: describe all of them")
        return _Assumed(profiles, seed, None)
    if not simulated or not backend.get("profiles"):
        return _Assumed(None, None, None)
    profiles = [profile_from(each) for each in backend["profiles"]]
    return _Assumed(profiles, data.header.get("seed"), outage(backend.get("faults", ())))


def _measure(
    whole: RunData,
    part: Window,
    known: _Assumed,
    ideal: Mapping[str, float] | None,
    trouble: tuple[float, float] | None,
    window: float,
    control: RunData | None,
) -> Metrics:
    data, seen = part.data, part.seen
    release = releases(data)
    done = successes(seen)
    queue, waiting = _queue(part, seen, release)
    tried = by_profile(data)
    bound_, wakes = None, None
    if known.profiles is not None:
        bound_ = None if part.is_part else _bound(data, known.profiles, known.seed)
        wakes = over_waits(data, known.profiles) if data.cooldowns else None
        if wakes and part.after:
            began = {(each.group, each.start) for each in data.cooldowns if each.start >= part.after}
            wakes = {key: each for key, each in wakes.items() if key in began}
    trouble = trouble if trouble is not None else known.trouble
    costs = costs_between(data, part.after)
    off = subtract(data.off, [(0.0, part.after)]) if part.after else data.off
    return Metrics(
        **_counts(part, seen, done),
        **_times(seen, done),
        **queue,
        **_slots(part, tried, waiting, _shares(part, known.profiles, ideal), costs.by_profile if costs else None),
        cost=None if costs is None else costs.spent,
        wasted_cost=None if costs is None else costs.wasted,
        currency="" if costs is None else costs.currency,
        length=data.end - part.after,
        off=seconds_of(off),
        bound=bound_,
        early_wakes=early_wakes(seen, tried),
        over_wait=Spread.of(wakes) if wakes else None,
        recovery=None if trouble is None else recovery(whole, *trouble, window, control or control_of(whole, trouble)),
        measured=(part.after, data.end) if part.is_part else None,
    )


_OUTCOME = attrgetter("outcome")


def _counts(part: Window, seen: RunData, done: Sequence[AttemptRecord]) -> dict[str, Any]:
    outcomes = Counter(map(_OUTCOME, seen.attempts))
    tried = len(seen.attempts)
    ended = tried - outcomes[None]
    scenes = len(seen.scenes)
    amplification = _ratio(tried, scenes)
    if part.is_part:  # what is not over has not had all of its attempts yet
        amplification = _ratio(ended, sum(each.end is not None for each in seen.scenes))
    on = on_seconds(part.data, part.data.end) - on_seconds(part.data, part.after)
    return {
        "scenes": dict(status_counts(seen)),
        "attempts": tried,
        "rate_limited": outcomes["rate_limited"],
        "moves": len(seen.moves),
        "move_matrix": dict(Counter((move.from_profile, move.to_profile) for move in seen.moves)),
        "amplification": amplification,
        "wasted_share": _ratio(ended - outcomes["succeeded"], ended),
        "rate_429": _ratio(outcomes["rate_limited"], ended),
        "goodput": len(done) / on if part.after and on else goodput(part.data, done),
    }


def _times(data: RunData, done: Sequence[AttemptRecord]) -> dict[str, Any]:
    flow, wait = flow_and_wait(data, done)
    first = min([each.end for each in done if each.end is not None], default=None)
    return {"makespan": makespan(data, done), "first_result": first, "flow": flow, "wait": wait}


def _queue(part: Window, seen: RunData, release: dict[str, float]) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """Return L, λ, W_q and the residual of Little's law, and when scenes waited for a slot of ours."""
    data, after = part.data, part.after
    (scenes, starts, ends), there = queued_spans(data, data.end), provider_spans(data.attempts, data.end)
    waiting = above_zero(steps(starts, ends), data.end)
    queued, at_provider = dict.fromkeys(release, 0.0), dict.fromkeys(release if there[0] else (), 0.0)
    cut = without(data.off)
    for scene, start, end in zip(*there, strict=True):
        at_provider[scene] = at_provider.get(scene, 0.0) + cut(end) - cut(start)
    scenes, starts, ends = scenes + there[0], starts + there[1], ends + there[2]
    residual = little(data, after=after, waits=(starts, ends)).residual
    if data.off:
        starts, ends = list(map(cut, starts)), list(map(cut, ends))
    length, since, on = steps(starts, ends), cut(after), on_seconds(data, data.end)
    for scene, start, end in zip(scenes, starts, ends, strict=True):
        queued[scene] = queued.get(scene, 0.0) + end - start
    came = len(seen.scenes)
    if part.is_part:
        came = sum(not part.over(at) for at in release.values())
        settled = {each.id for each in seen.scenes if each.end is not None}
        queued = {scene: queued[scene] for scene in settled}
        at_provider = {scene: each for scene, each in at_provider.items() if scene in settled}
    before = integral(length, since) if after else 0.0
    found = {
        "queued": Spread.of(queued),
        "queued_at_provider": Spread.of(at_provider),
        "queue_length": _ratio(integral(length, on) - before, on - since),
        "arrival_rate": _ratio(came, on - since),
        "little_residual": residual,
    }
    return found, waiting


def _shares(
    part: Window, profiles: Sequence[SimulatedProfile] | None, ideal: Mapping[str, float] | None
) -> dict[str, float]:
    """Return each profile's fair share of all successes."""
    data = part.data
    if ideal is None:
        return ideal_shares(data.profiles, profiles, data.end - part.after)
    good = isinstance(ideal, Mapping) and set(ideal) == set(data.profiles)
    if not good or not all(is_number(each) and 0 <= each < inf for each in ideal.values()) or not sum(ideal.values()):
        raise InputError(f"ideal gives each of {', '.join(data.profiles)} a share of 0 or more, not {ideal!r}")
    return {name: each / sum(ideal.values()) for name, each in ideal.items()}


def _slots(
    part: Window,
    tried: dict[str, list[AttemptRecord]],
    waiting: list[tuple[float, float]],
    shares: dict[str, float],
    costs: Mapping[str, float] | None,
) -> dict[str, Any]:
    """Return each profile's row, and what slots did up to the makespan."""
    data, after, end = part.data, part.after, part.end
    cooling, on = cooling_on(data, end), on_seconds(data, end) - on_seconds(data, after)
    total, rows = SlotTime(), []
    for name, (time,) in slot_time(data, [after, end], waiting, tried, cooling).items():
        total.add(time)
        split, cooldown = SlotSplit.of(time), seconds_of(subtract(cooling[name], [(0.0, after)]))
        own = part.in_it(tried[name])
        outcomes = Counter(map(_OUTCOME, own))
        rows.append(
            ProfileMetrics(
                profile=name,
                scenes=outcomes["succeeded"],
                attempts=len(own),
                rate_limited=outcomes["rate_limited"],
                cooldown=cooldown,
                utilisation=0.0 if split is None else split.ok,
                split=split,
                cooldown_duty=_ratio(cooldown, on) or 0.0,
                stranded=time.stranded,
                ideal=shares[name],
                cost=None if costs is None else costs.get(name, 0.0),
            )
        )
    return {
        "profiles": rows,
        "split": SlotSplit.of(total),
        "stranded": total.stranded,
        "cooldown_duty": _ratio(sum(row.cooldown_duty for row in rows), len(rows)),
        "fairness": jain(row.scenes / row.ideal for row in rows if row.ideal > 0),
    }


def _bound(data: RunData, profiles: Sequence[SimulatedProfile], seed: int | str | None) -> LowerBound:
    """Return the bound on what the run made (`efficiency`)."""
    return bound_of(data, successes(data), profiles, seed, closed_at_start(data))


def closed_at_start(data: RunData) -> dict[str, float]:
    """Return until when profiles were closed before the first attempt: cooldowns known from elsewhere."""
    found: dict[str, float] = {}
    for event in data.events:
        kind = type(event)
        if kind is ev.AttemptStarted:
            break
        if kind is ev.CooldownStarted and isinstance(event, ev.CooldownStarted):
            found.update((name, max(event.until, found.get(name, 0.0))) for name in event.profiles)
    for window in data.cooldowns if found else ():
        if window.start == 0 and window.profile in found:  # released by hand, so it ended earlier
            found[window.profile] = min(found[window.profile], max(window.end, 0.0))
    return found


def _ratio(value: float, whole: float) -> float | None:
    return value / whole if whole else None


def union(windows: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of (start, end) windows."""
    return seconds_of(joined(windows))
