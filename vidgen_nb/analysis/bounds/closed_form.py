"""The bounds in closed form: the longest scene, the work, and admissions; each for the scenes released from r on.

Scenes that are added at r or later can't be submitted before, so a bound for these scenes alone, on profiles that open
at r, is a bound for all: max over r of (r + bound of those released from r on).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, compress, count
from math import inf
from operator import gt

from vidgen_nb.analysis.bounds.fleet import Fleet
from vidgen_nb.provider.service import Service

__all__ = ["Demand", "first_true", "longest_scene", "most_admissions", "most_work", "tightest_admissions"]

PRECISION = 1e-10
"""Relative precision of the times found by bisection; the returned one is never above the exact one."""
MOST_RELEASES = 2_000
"""Of more releases, the last half of so many are looked at, and others evenly among the rest."""
BUDGET = 1_000_000
"""Steps of about a third of a microsecond that the search over releases may take; what it has found then holds."""


class Demand:
    """The scenes: their quantiles in the order of their release, and where each release begins."""

    def __init__(self, drawn: Sequence[float], releases: Sequence[float] | None) -> None:
        times = [0.0] * len(drawn) if releases is None else list(map(float, releases))
        self.releases, self.us = sorted(times), list(drawn)
        if self.releases != times:
            self.us = [drawn[place] for place in sorted(range(len(drawn)), key=times.__getitem__)]
        starts = [0, *compress(count(1), map(gt, self.releases[1:], self.releases))]
        half = MOST_RELEASES // 2
        if len(starts) > MOST_RELEASES:
            starts = starts[: -half : -(-(len(starts) - half) // half)] + starts[-half:]
        self.starts = starts
        """The place of the first scene of each release that is looked at."""
        few = dict.fromkeys([starts[0], *starts[:: max(1, len(starts) // 16)], *starts[-4:]])
        self.best_first = [*few, *(each for each in reversed(starts) if each not in few)]
        """The same, a few from everywhere first, so that the others have something to beat."""
        self._seconds: dict[Service, list[float]] = {}

    def __len__(self) -> int:
        return len(self.us)

    def seconds(self, service: Service) -> list[float]:
        """Return how long each scene takes with a service."""
        if (known := self._seconds.get(service)) is None:
            known = self._seconds[service] = service.all_seconds(self.us)
        return known

    def longest_from(self, place: int) -> list[float]:
        """Return the quantiles of the scenes from this place on, the largest first."""
        return sorted(self.us[place:], reverse=True)


def longest_scene(fleet: Fleet, demand: Demand) -> float:
    """L₁: a scene ends at the earliest when it was added, or its profile opened, plus its service time."""
    if len(demand.starts) == 1:
        longest = max(demand.us)
        return fleet.soonest([[each] for each in fleet.seconds(longest)], demand.releases[:1])[0]
    return max(fleet.soonest([demand.seconds(each) for each in fleet.services], demand.releases))


def most_work(fleet: Fleet, demand: Demand) -> float:
    """L₂: max over r of the first time by which all slots can do the work of the scenes released from r on.

    Without releases Σ s_i ÷ Σ c_p/f_p; if services differ in more than their mean, Σ min_p s_ip ÷ Σ c_p.
    """
    alike, best = fleet.alike, 0.0
    if alike is not None:
        each = [seconds / alike.mean for seconds in demand.seconds(alike)] if alike.mean else []
    else:
        each = list(map(min, *(demand.seconds(service) for service in fleet.services)))
    if not any(each):
        return 0.0
    left = list(accumulate(reversed(each)))[::-1]
    for place in demand.best_first:
        since, work = demand.releases[place], left[place] * (1 - PRECISION)
        if work > 0 and fleet.work_by(best, since) < work:
            best = first_true(lambda t, since=since, work=work: fleet.work_by(t, since) >= work, best)  # type: ignore[misc]
    return best


def most_admissions(fleet: Fleet, demand: Demand) -> tuple[float, int]:
    """L₃: max over r of the first time by which all scenes released from r on can be finished; and where r begins.

    Each scene is counted as long as the shortest of them.
    """
    best, at = 0.0, 0
    only = len(demand.starts) == 1
    shortest = [min(demand.us)] if only else list(accumulate(reversed(demand.us), min))[::-1]
    for place in demand.best_first:
        first = _first_time(fleet, len(demand) - place, fleet.seconds(shortest[place]), demand.releases[place], best)
        if first > best:
            best, at = first, place
    return best, at


def tightest_admissions(fleet: Fleet, demand: Demand, least: float, at: int) -> tuple[float, float, int]:
    """LB′: the largest L₃ of scenes released from r on with u_i ≥ u, over all r and u; and its u, and where r begins.

    Each of them is counted as long as the shortest. `least`, `at`: as `most_admissions` found them. Branch and bound
    over blocks of releases: if the scenes of the block's first release could even be finished by the best time so far
    when they came at its last one, no release between gives a later time.
    """
    best, u = least, min(demand.us[at:])
    members = sum(len(group.members) for group in fleet.groups)
    found, last = _tight(fleet, demand.longest_from(0), demand.releases[0], best)
    if found > best:
        best, u, at = found, last, 0
    budget = BUDGET
    blocks = [(1, len(demand.starts) - 1)] if len(demand.starts) > 1 else []
    while blocks and best < inf and budget > 0:
        low, high = blocks.pop()
        place, since = demand.starts[low], demand.releases[demand.starts[high]]
        descending = demand.longest_from(place)
        looked = [0]
        if low == high:
            found, last = _tight(fleet, descending, since, best, looked)
            if found > best:
                best, u, at = found, last, place
        elif _may_exceed(fleet, descending, since, best, looked):
            middle = (low + high) // 2
            blocks += [(low, middle), (middle + 1, high)]
        budget -= len(descending) + 10 * members * looked[0]
    return best, u, at


def _first_time(fleet: Fleet, count: int, seconds: tuple[float, ...], since: float = 0.0, least: float = 0.0) -> float:
    """Return the first time by which `count` scenes can be finished, not before `least`."""
    return first_true(lambda t: fleet.done_by(t, seconds, since) >= count, least)


def _tight(
    fleet: Fleet, descending: list[float], since: float, least: float, looked: list[int] | None = None
) -> tuple[float, float]:
    """Return the largest L₃ of the k longest scenes, each counted as long as the shortest of them; and its u.

    Branch and bound over blocks of k: if `high` scenes as long as the `low`-th could be finished by the best time so
    far, no k between gives a later time, because it has fewer scenes, and shorter ones.
    """
    best, at, count = least, descending[-1], len(descending)
    blocks, looks = [(1, count)], 0
    while blocks and best < inf:
        low, high = blocks.pop()
        looks += 1
        if fleet.done_by(best * (1 + PRECISION), fleet.seconds(descending[low - 1]), since) >= high:
            continue
        for k in (low, high):
            looks += 1
            if (first := _first_time(fleet, k, fleet.seconds(descending[k - 1]), since, best)) > best:
                best, at = first, descending[k - 1]
        blocks += _halves(low, high)
    if looked is not None:
        looked[0] += looks
    return best, at


def _may_exceed(fleet: Fleet, descending: list[float], since: float, best: float, looked: list[int]) -> bool:
    """Say whether `_tight` would find more than `best`."""
    blocks = [(1, len(descending))]
    while blocks:
        low, high = blocks.pop()
        looked[0] += 1
        seconds = fleet.seconds(descending[low - 1])
        done = fleet.done_by(best * (1 + PRECISION), seconds, since)
        if done < low:
            return True
        if done < high:
            blocks += _halves(low, high)
            looked[0] += 1
            if fleet.done_by(best * (1 + PRECISION), fleet.seconds(descending[high - 1]), since) < high:
                return True
    return False


def _halves(low: int, high: int) -> list[tuple[int, int]]:
    """Return what is between the ends of a block, in two parts."""
    middle = (low + high) // 2
    return [(a, b) for a, b in ((low + 1, middle), (middle + 1, high - 1)) if a <= b]


def first_true(enough: Callable[[float], bool], least: float = 0.0) -> float:
    """Return the first time at which `enough` holds, or a little less; `least` if it already holds then."""
    low, high = least, max(1.0, 2 * least)
    if low == inf or enough(low):
        return low
    while high < inf and not enough(high):
        low, high = high, 2 * high
    if high == inf:  # never: every profile is closed for good
        return inf
    while high - low > PRECISION * max(high, 1.0):
        middle = (low + high) / 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return low
