"""What profiles can do together by a time, at best: the counts from which `lower_bound` derives its bounds.

Profiles of one quota group share its limit. Equal groups are counted once, so a thousand equal profiles cost no more
than one. Every count is at least what any policy can reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, inf

from vidgen_nb.analysis.bounds.admissions import at_once, most_admitted, parts
from vidgen_nb.provider import Constant, Exponential, LogNormal, SimulatedProfile
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import Service

__all__ = ["Fleet", "fleet_of"]

JOB_TOLERANCE = 1e-9
"""Share of a job: T / s may round to just below a whole number."""


@dataclass(frozen=True, slots=True)
class FleetMember:
    """A profile of a quota group."""

    service: int
    """Place among the fleet's services."""
    capacity: float
    opens: float
    """End of its initial cooldown."""

    def slots_by(self, t: float, seconds: float) -> float:
        """Return how many jobs its slots can finish by `t`: c·⌊(t - opens) / s⌋."""
        return _jobs(self.capacity, t - self.opens, seconds)


@dataclass(frozen=True, slots=True)
class FleetGroup:
    """A quota group."""

    limit: Limit | None
    members: tuple[FleetMember, ...]

    def done_by(self, t: float, seconds: Sequence[float]) -> float:
        """Return how many jobs it can finish by `t`.

        A job on p was admitted by t - s_p. So the profiles on which jobs take s or longer have at most A(t - s) of them
        together. Filling them from the slowest profile on is the best possible.
        """
        if len(self.members) > 1:
            members: Iterable[FleetMember] = sorted(self.members, key=lambda member: -seconds[member.service])
        else:
            members = self.members
        done, opens, quickest = 0.0, inf, inf
        for member in members:
            quickest = seconds[member.service]
            opens = min(opens, member.opens)
            done = min(done + member.slots_by(t, quickest), most_admitted(self.limit, t - quickest, opens))
        return min(done, _jobs(at_once(self.limit), t - opens, quickest))

    def work_by(self, t: float, paces: Sequence[float]) -> float:
        """Return the work that it can do by `t`, where one slot needs `paces[service]` seconds for each unit."""
        own = sum(_work(member.capacity, t - member.opens, paces[member.service]) for member in self.members)
        opens = min(member.opens for member in self.members)
        return min(own, _work(at_once(self.limit), t - opens, min(paces[member.service] for member in self.members)))


def _jobs(slots: float, t: float, seconds: float) -> float:
    if t < 0 or seconds == 0:
        return inf if t >= 0 else 0.0
    each = floor(t / seconds + JOB_TOLERANCE)
    return slots * each if each else 0.0


def _work(slots: float, t: float, pace: float) -> float:
    if t <= 0:
        return 0.0
    return inf if slots == inf or pace == 0 else slots * t / pace


@dataclass(frozen=True)
class Fleet:
    """All profiles."""

    services: tuple[Service, ...]
    """Each kind of service once."""
    groups: Mapping[FleetGroup, int]
    """How many there are of each."""
    names: Mapping[str, tuple[FleetGroup, FleetMember]]

    def seconds(self, u: float) -> tuple[float, ...]:
        """Return how many seconds a scene of quantile `u` takes, by service."""
        return tuple(service.seconds(u) for service in self.services)

    def done_by(self, t: float, seconds: Sequence[float]) -> float:
        """Return how many jobs of these lengths can be finished by `t`."""
        return sum(count * group.done_by(t, seconds) for group, count in self.groups.items())

    def soonest(self, u: float, release: float) -> float:
        """Return the earliest end of a scene of quantile `u` that is added at `release`."""
        seconds = self.seconds(u)
        members = (member for group in self.groups for member in group.members)
        return min(max(member.opens, release) + seconds[member.service] for member in members)

    @property
    def alike(self) -> Service | None:
        """A service that all others are multiples of, or None."""
        reference = max(self.services, key=lambda service: service.mean)
        return reference if all(_shape(each) == _shape(reference) for each in self.services) else None

    def work_by(self, t: float) -> float:
        """Return the work that can be done by `t`: in mean services if all are `alike`, else in seconds."""
        paces = [each.mean for each in self.services] if self.alike is not None else [1.0] * len(self.services)
        return sum(count * group.work_by(t, paces) for group, count in self.groups.items())

    def limited_by(self, t: float, seconds: Sequence[float]) -> dict[str, str]:
        """Return, per profile, what keeps it from doing more by `t`."""
        return {
            name: _limited(group, member, t, seconds[member.service]) for name, (group, member) in self.names.items()
        }


def _limited(group: FleetGroup, member: FleetMember, t: float, seconds: float) -> str:
    if t < member.opens + seconds * (1 - JOB_TOLERANCE) or member.opens == inf:
        return "closed" if member.opens > 0 else "too slow"
    found = [(member.slots_by(t, seconds), f"capacity {member.capacity:g}")]
    found += [(most_admitted(part, t - seconds, member.opens), repr(part)) for part in parts(group.limit)]
    found.append((_jobs(at_once(group.limit), t - member.opens, seconds), f"Concurrency({at_once(group.limit):g})"))
    most, what = min(found)
    return what if most < inf else "nothing"


def _shape(service: Service) -> object:
    if isinstance(service, Constant | Exponential):
        return type(service)
    return (LogNormal, service.cv) if isinstance(service, LogNormal) else service


def fleet_of(profiles: Sequence[SimulatedProfile], cooldowns: Mapping[str, float]) -> Fleet:
    """Return the fleet of these profiles; each is closed until its time in `cooldowns`."""
    services: dict[Service, int] = {}
    limits: dict[tuple[str, str], Limit | None] = {}
    members: dict[tuple[str, str], list[FleetMember]] = {}
    place: dict[str, tuple[tuple[str, str], FleetMember]] = {}
    for profile in profiles:
        key = ("alone", profile.name) if profile.quota_group is None else ("group", profile.quota_group)
        limits[key] = limits.get(key) or profile.limit
        capacity = inf if profile.capacity is None else profile.capacity
        member = FleetMember(
            services.setdefault(profile.service, len(services)), capacity, max(0.0, cooldowns.get(profile.name, 0.0))
        )
        members.setdefault(key, []).append(member)
        place[profile.name] = key, member
    groups = {key: FleetGroup(limits[key], tuple(each)) for key, each in members.items()}
    counts: dict[FleetGroup, int] = {}
    for group in groups.values():
        counts[group] = counts.get(group, 0) + 1
    return Fleet(tuple(services), counts, {name: (groups[key], member) for name, (key, member) in place.items()})
