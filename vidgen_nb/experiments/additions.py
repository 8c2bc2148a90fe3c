"""What a simulation could have one more of: a slot, a submit that a limit admits, a profile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final, cast

from vidgen_nb.analysis.bounds.admissions import parts
from vidgen_nb.analysis.simulation.overrides import copies_of
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Limit, SimulatedProfile
from vidgen_nb.provider.limits import All, Concurrency, DailyQuota

__all__ = ["UNITS", "Addition", "WithMore", "additions"]

UNITS: Final = ("submit", "slot", "profile")
"""What there can be one more of. A submit is one that a limit or the mode admits."""


@dataclass(frozen=True)
class Addition:
    """One more of something."""

    unit: str
    name: str
    """In words, such as `alice: 3 → 4 slots`."""
    where: str = ""
    """A profile, a quota group or an organisation; empty: the mode."""
    part: int | None = None
    """Which of the limits that admit together, or of the mode's two numbers; None: a profile's own slots, or itself."""

    def to(self, simulation: Simulation) -> Simulation:
        """Return the simulation with it."""
        if self.unit == "profile":
            pattern = _with_own_limit(next(each for each in simulation.profiles if each.name == self.where), simulation)
            taken = [each for each in simulation.profiles if each.name != self.where]
            one = copies_of([pattern, *taken], len(taken) + 2)[-1]
            return replace(simulation, profiles=[*simulation.profiles, one])
        place = self.part
        if place is not None and not self.where:
            number = ("max_submitting", "max_generating")[place]
            mode = replace(simulation.mode, **{number: getattr(simulation.mode, number) + 1})
            return replace(simulation, mode=mode)
        if place is None:
            given = simulation.capacities
            grown = {each.name: None if each.capacity is None else each.capacity + 1 for each in simulation.profiles}
            there = {**given, self.where: (given[self.where] or 0) + 1} if given.get(self.where) else given
            profiles = [replace(each, capacity=grown[each.name]) if each.name == self.where else each
                        for each in simulation.profiles]  # fmt: skip
            return replace(simulation, profiles=profiles, capacities=there)
        return _with_limit(simulation, self.where, lambda limit: _grown(limit, place, simulation))


@dataclass(frozen=True)
class WithMore:
    """A simulation with one more of something, with whatever each seed draws."""

    base: Simulation
    addition: Addition

    def with_seed(self, seed: int) -> Simulation:
        """Return it with that seed's luck."""
        return self.addition.to(self.base.with_seed(seed))


def additions(simulation: Simulation) -> Iterator[Addition]:
    """Yield all that there can be one more of: what bounds it now, and a profile of each kind."""
    mode = simulation.mode
    for part, (number, words) in enumerate(((mode.max_submitting, "submits at once"),
                                            (mode.max_generating, "jobs at once on a profile"))):  # fmt: skip
        if number is not None:
            yield Addition("submit" if not part else "slot", f"mode: {number} → {number + 1} {words}", "", part)
    kinds: list[SimulatedProfile] = []
    limited: set[str] = set()
    for profile in simulation.profiles:
        if profile.organisation is not None:
            owner = f"organisation {profile.organisation.name}"
            yield from _of_limit(owner, profile.organisation.limit, simulation, limited)
        yield from _of_limit(profile.quota_group or profile.name, profile.limit, simulation, limited)
        slots = simulation.capacities.get(profile.name, profile.capacity)
        if slots is not None:
            yield Addition("slot", f"{profile.name}: {slots} → {slots + 1} slots", profile.name)
        kind = replace(_with_own_limit(profile, simulation), name="any", api_key="any", quota_group=None)
        if kind not in kinds:
            kinds.append(kind)
            yield Addition("profile", f"+1 profile like {profile.name}", profile.name)


def _of_limit(owner: str, limit: Limit | None, simulation: Simulation, limited: set[str]) -> Iterator[Addition]:
    """Yield one more for each part of a limit, once for each owner."""
    if limit is None or owner in limited:
        return
    limited.add(owner)
    for place, part in enumerate(parts(limit)):
        n, more = part.n, _unit(part, simulation)  # type: ignore[attr-defined]  # all parts have n
        per = "jobs at once" if isinstance(part, Concurrency) else f"per {_seconds(part):,g} s"
        weighed = "" if getattr(part, "weight", 1) == 1 else f"{part.weight} "  # type: ignore[attr-defined]
        unit = "slot" if isinstance(part, Concurrency) else "submit"
        yield Addition(unit, f"{owner}: {n:,} → {n + more:,} {weighed}{per}", owner, place)


def _seconds(part: Limit) -> float:
    return 86_400.0 if isinstance(part, DailyQuota) else part.per  # type: ignore[attr-defined]


def _unit(part: Limit, simulation: Simulation) -> int:
    """Return by how much a limit grows: by what one submit takes of it on average."""
    weight = getattr(part, "weight", 1)
    if isinstance(weight, str):
        given = [each.params[weight] for each in simulation.scenes if weight in each.params]
        weight = fmean(map(float, given)) if given else 1
    return max(1, math.ceil(weight))


def _grown(limit: Limit, place: int, simulation: Simulation) -> Limit:
    """Return a limit that admits one more; one that has no such part stays as it is."""
    made: list[Any] = [
        replace(part, n=part.n + _unit(part, simulation)) if at == place else part  # type: ignore[type-var, attr-defined]
        for at, part in enumerate(parts(limit))
    ]
    return made[0] if len(made) == 1 else All(tuple(made))


def _with_limit(simulation: Simulation, owner: str, change: Callable[[Limit], Limit]) -> Simulation:
    """Return a simulation with the limit of a profile, a quota group or an organisation changed, wherever it stands."""
    profiles = []
    for each in simulation.profiles:
        changed = each
        if each.limit is not None and (each.quota_group or each.name) == owner:
            changed = replace(changed, limit=change(each.limit))
        if each.organisation is not None and f"organisation {each.organisation.name}" == owner:
            changed = replace(changed, organisation=replace(each.organisation, limit=change(each.organisation.limit)))
        profiles.append(changed)
    return replace(simulation, profiles=profiles, policy=_told(simulation.policy, owner, change))


def _told(policy: Policy, owner: str, change: Callable[[Limit], Limit]) -> Policy:
    """Return a policy that is told of a changed limit, if it was told of the old one."""
    if isinstance(policy, EarliestFinish):
        return replace(policy, policy=_told(policy.policy, owner, change))
    if isinstance(policy, Paced) and owner in (policy.limits or {}):
        limits = dict(policy.limits or {})
        return replace(policy, limits={**limits, owner: change(cast("Limit", limits[owner]))})
    return policy


def _with_own_limit(profile: SimulatedProfile, simulation: Simulation) -> SimulatedProfile:
    """Return a profile with the limit of its quota group as its own."""
    if profile.limit is not None or profile.quota_group is None:
        return profile
    group = [each.limit for each in simulation.profiles if each.quota_group == profile.quota_group]
    return replace(profile, limit=next((limit for limit in group if limit is not None), None))
