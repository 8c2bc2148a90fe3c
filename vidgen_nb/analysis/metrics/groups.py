"""The numbers of a run in groups: those of a group come from the same facts and are worked out together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from vidgen_nb.analysis.costs import Costs, costs_between
from vidgen_nb.analysis.metrics.early_wakes import early_wakes, over_waits
from vidgen_nb.analysis.metrics.fairness import jain
from vidgen_nb.analysis.metrics.little import little_of
from vidgen_nb.analysis.metrics.model import ProfileMetrics, SlotSplit
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.results import cooling_on, flow_and_wait, on_seconds
from vidgen_nb.analysis.metrics.slot_time import SlotTime, slot_time
from vidgen_nb.analysis.metrics.windows import Window
from vidgen_nb.analysis.on_demand import Way
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.model import AttemptRecord, RunData
from vidgen_nb.analysis.records.off_time import all_without, without
from vidgen_nb.analysis.records.timeline import (
    Steps,
    Waits,
    above_zero,
    by_profile,
    integrals,
    provider_spans,
    queued_spans,
    releases,
    seconds_of,
    steps,
    subtract,
)
from vidgen_nb.provider import SimulatedProfile

__all__ = ["Groups"]


class Groups:
    """What takes time to work out of a run, or of a window of it; what two groups need, once."""

    def __init__(
        self,
        part: Window,
        seen: RunData,
        done: Sequence[AttemptRecord],
        profiles: Sequence[SimulatedProfile] | None,
        shares: Mapping[str, float],
    ) -> None:
        self._part, self._data, self._seen, self._done = part, part.data, seen, done
        self._profiles = profiles
        """With their limits, if those are known."""
        self._shares = shares
        """Each profile's fair share of all successes."""

    def ways(self) -> dict[tuple[str, ...], Way]:
        """Return how each group is worked out, by the fields that it gives."""
        return {
            ("flow", "wait"): _paused(self._times),
            ("queued", "queued_at_provider", "queue_length", "arrival_rate", "little_residual"): _paused(self._queue),
            ("profiles", "split", "stranded", "cooldown_duty", "fairness"): _paused(self._slots),
            ("cost", "wasted_cost", "currency"): _paused(self._cost),
            ("early_wakes",): _paused(self._early_wakes),
            ("over_wait",): _paused(self._over_wait),
        }

    @cached_property
    def _release(self) -> dict[str, float]:
        return releases(self._data)

    @cached_property
    def _tried(self) -> dict[str, list[AttemptRecord]]:
        return by_profile(self._data)

    @cached_property
    def _queued(self) -> tuple[Waits, Steps]:
        """When scenes waited for a slot of ours, and how many did."""
        scenes, starts, ends = queued_spans(self._data, self._data.end)
        return (scenes, starts, ends), steps(starts, ends)

    @cached_property
    def _there(self) -> Waits:
        """When scenes waited at their provider."""
        return provider_spans(self._data.attempts, self._data.end)

    def _times(self) -> dict[str, Spread | None]:
        flow, wait = flow_and_wait(self._seen, self._done, self._release, may_queue=bool(self._there[0]))
        return {"flow": flow, "wait": wait}

    def _queue(self) -> dict[str, Any]:
        """Return L, λ, W_q and the residual of Little's law."""
        part, data, release = self._part, self._data, self._release
        (scenes, starts, ends), length = self._queued
        there = self._there
        queued, at_provider = dict.fromkeys(release, 0.0), dict.fromkeys(release if there[0] else (), 0.0)
        cut = without(data.off)
        for scene, start, end in zip(*there, strict=True):
            at_provider[scene] = at_provider.get(scene, 0.0) + cut(end) - cut(start)
        if there[0] or data.off:
            scenes = scenes + there[0]
            starts, ends = all_without(data.off, starts + there[1]), all_without(data.off, ends + there[2])
            length = steps(starts, ends)
        residual = little_of(data, starts, ends, length, after=part.after).residual
        for scene, start, end in zip(scenes, starts, ends, strict=True):
            queued[scene] = queued.get(scene, 0.0) + end - start
        came = len(self._seen.scenes)
        if part.is_part:
            came = sum(not part.over(at) for at in release.values())
            settled = {each.id for each in self._seen.scenes if each.end is not None}
            queued = {scene: queued[scene] for scene in settled}
            at_provider = {scene: each for scene, each in at_provider.items() if scene in settled}
        since, on = cut(part.after), on_seconds(data, data.end)
        before, until = integrals(length, [since, on])
        return {
            "queued": Spread.of(queued),
            "queued_at_provider": Spread.of(at_provider),
            "queue_length": ratio(until - before, on - since),
            "arrival_rate": ratio(came, on - since),
            "little_residual": residual,
        }

    def _slots(self) -> dict[str, Any]:
        """Return each profile's row, and what slots did up to the makespan."""
        part, data, after, end = self._part, self._data, self._part.after, self._part.end
        cooling, on = cooling_on(data, end), on_seconds(data, end) - on_seconds(data, after)
        waiting = above_zero(self._queued[1], data.end)
        total, rows = SlotTime(), []
        times = slot_time(data, [after, end], waiting, self._tried, cooling, may_queue=bool(self._there[0]))
        for name, (time,) in times.items():
            total.add(time)
            split, cooldown = SlotSplit.of(time), seconds_of(subtract(cooling[name], [(0.0, after)]))
            own = part.in_it(self._tried[name])
            outcomes = [each.outcome for each in own]
            rows.append(
                ProfileMetrics(
                    profile=name,
                    scenes=outcomes.count("succeeded"),
                    attempts=len(own),
                    rate_limited=outcomes.count("rate_limited"),
                    cooldown=cooldown,
                    utilisation=0.0 if split is None else split.ok,
                    split=split,
                    cooldown_duty=ratio(cooldown, on) or 0.0,
                    stranded=time.stranded,
                    ideal=self._shares[name],
                    cost=None if self._costs is None else self._costs.by_profile.get(name, 0.0),
                )
            )
        return {
            "profiles": rows,
            "split": SlotSplit.of(total),
            "stranded": total.stranded,
            "cooldown_duty": ratio(sum(row.cooldown_duty for row in rows), len(rows)),
            "fairness": jain(row.scenes / row.ideal for row in rows if row.ideal > 0),
        }

    @cached_property
    def _costs(self) -> Costs | None:
        return costs_between(self._data, self._part.after)

    def _cost(self) -> dict[str, Any]:
        if (costs := self._costs) is None:
            return {"cost": None, "wasted_cost": None, "currency": ""}
        return {"cost": costs.spent, "wasted_cost": costs.wasted, "currency": costs.currency}

    def _early_wakes(self) -> dict[str, float | None]:
        return {"early_wakes": early_wakes(self._seen, self._tried)}

    def _over_wait(self) -> dict[str, Spread | None]:
        data, after = self._data, self._part.after
        if self._profiles is None or not data.cooldowns:
            return {"over_wait": None}
        waits = over_waits(data, self._profiles)
        if waits and after:
            began = {(each.group, each.start) for each in data.cooldowns if each.start >= after}
            waits = {key: each for key, each in waits.items() if key in began}
        return {"over_wait": Spread.of(waits)}


def ratio(value: float, whole: float) -> float | None:
    """Return value ÷ whole, or None if that is 0."""
    return value / whole if whole else None


def _paused(way: Callable[[], Mapping[str, Any]]) -> Way:
    def worked_out() -> Mapping[str, Any]:
        with collector_paused():
            return way()

    return worked_out
