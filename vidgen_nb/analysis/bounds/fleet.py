"""What profiles can do together by a time, at best: the counts from which `lower_bound` derives its bounds.

Profiles of one quota group share its limit. Equal groups are counted once, so a thousand equal profiles cost no more
than one. Every count is at least what any policy can reach. `since`: nothing is done before; what was done earlier can
only have used up limits and slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import floor, inf

from vidgen_nb.analysis.bounds.admissions import at_once, most_admitted, most_at_any_phase, parts
from vidgen_nb.provider import Constant, Exponential, LogNormal, Organisation, SimulatedProfile
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import Service

__all__ = ["Fleet", "FleetGroup", "FleetMember", "Proportional", "fleet_of", "jobs_by"]

JOB_TOLERANCE = 1e-9
"""Share of a job: T / s may round to just below a whole number."""


@dataclass(frozen=True, slots=True)
class Proportional(Service):
    """Service times in proportion to a scene's length, which stands for its quantile."""

    mean: float

    def seconds(self, u: float) -> float:
        """Return the service time of a scene of this length."""
        return self.mean * u


@dataclass(frozen=True, slots=True)
class FleetMember:
    """A profile of a quota group."""

    service: int
    """Place among the fleet's services."""
    capacity: float
    opens: float
    """End of its initial cooldown."""
    organisation: Organisation | None = None
    """What it belongs to, whose limit comes on top."""

    def slots_by(self, t: float, seconds: float, since: float = 0.0) -> float:
        """Return how many jobs its slots can finish by `t`: c·⌊(t - opens) / s⌋."""
        return jobs_by(self.capacity, t - max(self.opens, since), seconds)


@dataclass(frozen=True, slots=True)
class FleetGroup:
    """A quota group."""

    limit: Limit | None
    members: tuple[FleetMember, ...]
    at_once: float
    """How many jobs the limit lets run at once."""
    aligned: bool = True
    """Whether windows begin with the run; else at any time."""

    @property
    def organisation(self) -> Organisation | None:
        """The organisation of all its members; None: they have none, or several."""
        first, *others = {member.organisation for member in self.members}
        return None if others else first

    def admitted(self, t: float, since: float) -> float:
        """Return how many submits its limit can admit from `since` to `t`."""
        return (most_admitted if self.aligned else most_at_any_phase)(self.limit, t, since)

    def done_by(self, t: float, seconds: Sequence[float], since: float = 0.0) -> float:
        """Return how many jobs it can finish by `t`.

        A job on p was admitted by t - s_p. So the profiles on which jobs take s or longer have at most A(t - s) of them
        together. Filling them from the slowest profile on is the best possible.
        """
        if len(self.members) == 1:  # the same, quicker
            only = self.members[0]
            quickest, opens = seconds[only.service], max(only.opens, since)
            done = min(jobs_by(only.capacity, t - opens, quickest), self.admitted(t - quickest, opens))
            return done if self.at_once == inf else min(done, jobs_by(self.at_once, t - opens, quickest))
        done, opens, quickest = 0.0, inf, inf
        for member in sorted(self.members, key=lambda member: -seconds[member.service]):
            quickest = seconds[member.service]
            opens = min(opens, max(member.opens, since))
            done = min(done + member.slots_by(t, quickest, since), self.admitted(t - quickest, opens))
        return min(done, jobs_by(self.at_once, t - opens, quickest))

    def work_by(self, t: float, paces: Sequence[float], since: float = 0.0) -> float:
        """Return the work that it can do by `t`, where one slot needs `paces[service]` seconds for each unit."""
        if len(self.members) == 1:  # the same, quicker
            only = self.members[0]
            return _work(min(only.capacity, self.at_once), t - max(only.opens, since), paces[only.service])
        own = sum(
            _work(member.capacity, t - max(member.opens, since), paces[member.service]) for member in self.members
        )
        opens = max(min(member.opens for member in self.members), since)
        return min(own, _work(self.at_once, t - opens, min(paces[member.service] for member in self.members)))


def jobs_by(slots: float, t: float, seconds: float) -> float:
    """Return how many jobs of a length so many slots can finish in `t` seconds: whole rounds."""
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
    organisations: Mapping[Organisation | None, FleetGroup] = field(default_factory=dict)
    """The profiles of each organisation, as a group that shares its limit."""

    @cached_property
    def _seconds(self) -> dict[float, tuple[float, ...]]:
        return {}

    def seconds(self, u: float) -> tuple[float, ...]:
        """Return how many seconds a scene of quantile `u` takes, by service."""
        known = self._seconds.get(u)
        if known is None:
            known = self._seconds[u] = tuple(service.seconds(u) for service in self.services)
        return known

    def done_by(self, t: float, seconds: Sequence[float], since: float = 0.0) -> float:
        """Return how many jobs of these lengths can be finished from `since` to `t`."""
        if not self.organisations:
            return sum(count * group.done_by(t, seconds, since) for group, count in self.groups.items())
        done: dict[Organisation | None, float] = {}
        for group, count in self.groups.items():
            of = group.organisation
            done[of] = done.get(of, 0.0) + count * group.done_by(t, seconds, since)
        most = {of: group.done_by(t, seconds, since) for of, group in self.organisations.items()}
        return sum(min(each, most.get(of, inf)) for of, each in done.items())

    def soonest(self, seconds: Sequence[Sequence[float]], releases: Sequence[float]) -> list[float]:
        """Return the earliest end of each scene that is added then; `seconds`: by service, how long each takes."""
        opens: dict[int, float] = {}
        """When the first profile of each service opens."""
        for member in (member for group in self.groups for member in group.members):
            opens[member.service] = min(opens.get(member.service, inf), member.opens)
        ends = [
            [max(release, first) + taken for release, taken in zip(releases, seconds[service], strict=True)]
            for service, first in opens.items()
        ]
        return ends[0] if len(ends) == 1 else list(map(min, *ends))

    @cached_property
    def alike(self) -> Service | None:
        """A service that all others are multiples of, or None."""
        reference = max(self.services, key=lambda service: service.mean)
        return reference if all(_shape(each) == _shape(reference) for each in self.services) else None

    @cached_property
    def paces(self) -> tuple[float, ...]:
        """Seconds that a slot needs for a unit of work, by service: mean services if all are `alike`, else 1."""
        return tuple(1.0 if self.alike is None else each.mean for each in self.services)

    def work_by(self, t: float, since: float = 0.0) -> float:
        """Return the work that can be done from `since` to `t`, in the units of `paces`."""
        return sum(count * group.work_by(t, self.paces, since) for group, count in self.groups.items())

    def limited_by(self, t: float, seconds: Sequence[float], since: float = 0.0) -> dict[str, str]:
        """Return, per profile, what keeps it from doing more from `since` to `t`."""
        short = self._short(t, seconds, since) if self.organisations and t < inf else set()
        return {
            name: _limited(
                self.organisations[member.organisation] if member.organisation in short else group,
                member, t, seconds[member.service], since,
            )
            for name, (group, member) in self.names.items()
        }  # fmt: skip

    def _short(self, t: float, seconds: Sequence[float], since: float) -> set[Organisation | None]:
        """Return the organisations whose accounts could do more without its limit."""
        own: dict[Organisation | None, float] = {}
        for group, count in self.groups.items():
            own[group.organisation] = own.get(group.organisation, 0.0) + count * group.done_by(t, seconds, since)
        return {of for of, team in self.organisations.items() if team.done_by(t, seconds, since) < own.get(of, inf)}


def _limited(group: FleetGroup, member: FleetMember, t: float, seconds: float, since: float) -> str:
    opens = max(member.opens, since)
    if t < opens + seconds * (1 - JOB_TOLERANCE) or opens == inf:
        return "closed" if member.opens > 0 else "too slow"
    found = [(member.slots_by(t, seconds, since), f"capacity {member.capacity:g}")]
    found += [(replace(group, limit=part).admitted(t - seconds, opens), repr(part)) for part in parts(group.limit)]
    found.append((jobs_by(group.at_once, t - opens, seconds), f"Concurrency({group.at_once:g})"))
    most, what = min(found)
    return what if most < inf else "nothing"


def _shape(service: Service) -> object:
    if isinstance(service, Constant | Exponential | Proportional):
        return type(service)
    return (LogNormal, service.cv) if isinstance(service, LogNormal) else service


def fleet_of(profiles: Sequence[SimulatedProfile], cooldowns: Mapping[str, float], *, aligned: bool = True) -> Fleet:
    """Return the fleet of these profiles; each is closed until its time in `cooldowns`.

    `aligned`: whether windows begin with the run, as in the provider model.
    """
    services: dict[Service, int] = {}
    limits: dict[tuple[str, str], Limit | None] = {}
    members: dict[tuple[str, str], list[FleetMember]] = {}
    place: dict[str, tuple[tuple[str, str], FleetMember]] = {}
    teams: dict[Organisation, list[FleetMember]] = {}
    for profile in profiles:
        key = ("alone", profile.name) if profile.quota_group is None else ("group", profile.quota_group)
        limits[key] = limits.get(key) or profile.limit
        capacity = inf if profile.capacity is None else profile.capacity
        of = profile.organisation
        member = FleetMember(
            services.setdefault(profile.service, len(services)),
            capacity,
            max(0.0, cooldowns.get(profile.name, 0.0)),
            of,
        )
        if of is not None:
            teams.setdefault(of, []).append(member)
        members.setdefault(key, []).append(member)
        place[profile.name] = key, member
    groups = {key: FleetGroup(limits[key], tuple(each), at_once(limits[key]), aligned) for key, each in members.items()}
    counts: dict[FleetGroup, int] = {}
    for group in groups.values():
        counts[group] = counts.get(group, 0) + 1
    names = {name: (groups[key], member) for name, (key, member) in place.items()}
    organisations: dict[Organisation | None, FleetGroup] = {
        of: FleetGroup(of.limit, tuple(each), at_once(of.limit), aligned) for of, each in teams.items()
    }
    return Fleet(tuple(services), counts, names, organisations)
