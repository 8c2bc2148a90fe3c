"""Prices of slot time and admissions, and the bound that they prove.

For any prices y ≥ 0 of what is scarce: if the scenes, each where it is cheapest and can end by T, cost more than all
that there is until T, no schedule is done by T. With a the use and b(T) the supply of each scarce thing (`Scarce`):
Σ_i min_p Σ_k y_k·a_kip > Σ_k y_k·b_k(T), Farkas' lemma for the program in `linear_program`. It holds for any prices, so
nothing hangs on how exactly they were found. Both sides are monotone in T, so all times before T are excluded, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, TypeAlias

from vidgen_nb.analysis.bounds.admissions import parts
from vidgen_nb.analysis.bounds.closed_form import Demand, first_true
from vidgen_nb.analysis.bounds.fleet import Fleet, FleetGroup, FleetMember, jobs_by

__all__ = ["Place", "Scarce", "Scenes", "places_of", "proven", "scarce_things"]

Array: TypeAlias = Any
"""An array of numpy, which is imported only if scipy is there."""

TOLERANCE = 1e-9
"""Share by which a cost must exceed the supply: far more than sums of floats are rounded."""
LONG = 1e7
"""Seconds over which the mean rate of a limit is taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where scenes can go: all profiles that are equal, in quota groups that are equal."""

    member: FleetMember
    count: int


@dataclass(frozen=True, slots=True)
class Scarce:
    """Something that scenes use up at some places: slot time, or admissions."""

    places: tuple[int, ...]
    supply: Callable[[float, float, float], float]
    """How much there is for scenes of at least `sigma` seconds, released at `since` or later, to end by `t`."""
    rate: float
    """How much more there is for each second; of whole jobs, for each second ÷ their length."""
    what: Callable[[float], str]
    """What it is called, when looked at after so many seconds."""
    timed: bool
    """Whether a scene uses up its service time; else one, whether it is an admission or a place in a round of slots."""
    rounds: bool = False
    """Whether it is a place in a round of slots, of which there are fewer the longer the scenes are."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A price of something scarce, used by scenes of at least `sigma` seconds, released at `since` or later."""

    scarce: Scarce
    since: float
    sigma: float
    price: float

    def supply(self, t: float) -> float:
        """Return how much there is by `t`."""
        return self.scarce.supply(t, self.since, self.sigma)


class Scenes:
    """The scenes as arrays: their service times at each place, and when they can end there at the earliest."""

    def __init__(self, fleet: Fleet, demand: Demand, places: Sequence[Place]) -> None:
        import numpy as np

        service = np.array([demand.seconds(each) for each in fleet.services], dtype=float)
        opens = np.array([[place.member.opens] for place in places])
        self.us = np.array(demand.us)
        self.releases = np.array(demand.releases)
        self.seconds = service[[place.member.service for place in places]]
        self.ends = np.maximum(self.releases, opens) + self.seconds

    def costs(self, prices: Sequence[Priced]) -> Array:
        """Return what each scene costs at each place."""
        import numpy as np

        costs = np.zeros_like(self.seconds)
        for each in prices:
            released = self.releases >= each.since
            for place in each.scarce.places:
                seconds = self.seconds[place]
                uses = seconds if each.scarce.timed else seconds >= each.sigma
                costs[place] += each.price * (uses * released)
        return costs


def proven(scenes: Scenes, prices: Sequence[Priced], least: float) -> float:
    """Return the first time, not before `least`, that these prices do not exclude, or a little less."""
    import numpy as np

    costs = scenes.costs(prices)

    def possible(t: float) -> bool:
        cost = float(np.where(scenes.ends <= t * (1 + TOLERANCE), costs, inf).min(axis=0).sum())
        supply = sum(each.price * each.supply(t) for each in prices)
        return cost <= supply + TOLERANCE * (1 + abs(supply))

    return first_true(possible, least)


def places_of(fleet: Fleet) -> tuple[list[Place], dict[int, list[int]]]:
    """Return all places, and for each of the fleet's groups, in its order, which of them are its own."""
    places: list[Place] = []
    own: dict[int, list[int]] = {}
    for number, (group, count) in enumerate(fleet.groups.items()):
        for member in dict.fromkeys(group.members):
            own.setdefault(number, []).append(len(places))
            places.append(Place(member, count * group.members.count(member)))
    return places, own


def scarce_things(fleet: Fleet, places: Sequence[Place], own: dict[int, list[int]]) -> list[Scarce]:
    """Return everything that bounds what these places can do."""
    found: list[Scarce] = []
    for number, place in enumerate(places):
        if place.member.capacity < inf:
            found += _slots(place.member.capacity, place.count, (number,), place.member.opens, "capacity {:g}")
    for number, (group, count) in enumerate(fleet.groups.items()):
        found += _shared(group, count, tuple(own[number]))
    for of, group in fleet.organisations.items():
        found += _shared(group, 1, tuple(k for k, place in enumerate(places) if place.member.organisation == of))
    return found


def _shared(group: FleetGroup, count: int, places: tuple[int, ...]) -> list[Scarce]:
    """Return what so many equal groups have for their members together."""
    found, opens = list[Scarce](), min(member.opens for member in group.members)
    if group.at_once < inf:
        found += _slots(group.at_once, count, places, opens, "Concurrency({:g})")
    if (rate := group.admitted(LONG, 0.0) / LONG) < inf:
        found.append(_admissions(group, rate, count, places, opens))
    return found


def _slots(slots: float, count: int, places: tuple[int, ...], opens: float, called: str) -> list[Scarce]:
    def time(t: float, since: float, sigma: float) -> float:
        return count * slots * max(0.0, t - max(opens, since))

    def jobs(t: float, since: float, sigma: float) -> float:
        return count * jobs_by(slots, t - max(opens, since), sigma)

    def what(seconds: float) -> str:
        return called.format(slots)

    return [
        Scarce(places, time, count * slots, what, timed=True),
        Scarce(places, jobs, count * slots, what, timed=False, rounds=True),
    ]


def _admissions(group: FleetGroup, rate: float, count: int, places: tuple[int, ...], opens: float) -> Scarce:
    def admitted(t: float, since: float, sigma: float) -> float:
        return count * group.admitted(t - sigma, max(opens, since))

    def what(seconds: float) -> str:
        return min((replace(group, limit=part).admitted(seconds, 0.0), repr(part)) for part in parts(group.limit))[1]

    return Scarce(places, admitted, count * rate, what, timed=False)
