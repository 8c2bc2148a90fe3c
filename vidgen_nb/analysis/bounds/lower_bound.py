"""Lower bounds on the makespan, which no policy can beat.

The service time of scene i on profile p is a rising function s_p(u_i) of the scene's quantile u_i, which is the same
on every profile; where profiles differ only in their mean, that is f_p·s_i. So scenes with u_i ≥ u take at least
s_p(u) each on p, wherever they go, and a bound on them is a bound on all.

- L₁: the longest scene, on the profile that is fastest for it.
- L₂: the work of all scenes over the slots of all profiles.
- L₃: the first T by which limits and slots can admit and finish N scenes, each as short as the shortest.
- LB′: the largest L₃ of the scenes with u_i ≥ u, over all u.
- LP: slots and admissions together, a linear program (`linear_program`), if scipy is there; else the record says so.

Each is the largest over all r of the bound on the scenes released from r on, on profiles that open at r. The bound is
the largest of them. Limits count admissions only: refusals, faults, latency and load can only make a run longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import inf

from vidgen_nb.analysis.bounds.closed_form import (
    Demand,
    longest_scene,
    most_admissions,
    most_work,
    tightest_admissions,
)
from vidgen_nb.analysis.bounds.fleet import Proportional, fleet_of
from vidgen_nb.analysis.bounds.linear_program import joint_bound
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.provider.service import Service, uniforms

__all__ = ["LowerBound", "bound"]

MIN_UNIFORM = 2.0**-53
"""The smallest number that `provider.service.uniform` returns."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """What no policy can beat. Times in run seconds."""

    seconds: float
    """The tightest; `float()` of this record."""
    longest_scene: float
    """L₁."""
    work: float
    """L₂."""
    admissions: float
    """L₃: every scene counted as long as the shortest."""
    tight: float
    """LB′: the largest L₃ of the scenes that have at least some length, each counted with just that length."""
    binds: str
    """What makes the bound: `longest scene`, `work`, `admissions`, or `slots and admissions` together."""
    scenes: int
    """How many scenes it covers."""
    limited_by: dict[str, str] = field(default_factory=dict)
    """Per profile, what keeps it from doing more by that time: its limit, its `capacity`, or nothing; `closed` or
    `too slow` if it can't finish a scene by then."""
    joint: float = 0.0
    """LP; where there is no linear program, the largest of the others."""
    method: str = "closed form"
    """`linear program`; or `closed form`, with the reason why there was no program."""

    def __float__(self) -> float:
        return self.seconds

    def __repr__(self) -> str:
        rows = "".join(f"\n  {one_line(name, 60)}: {what}" for name, what in self.limited_by.items())
        tight = f"tight {self.tight:.2f}, slots and admissions {self.joint:.2f}; {self.method}"
        return (
            f"LowerBound({self.seconds:.2f} s for {self.scenes:,} scenes, by {self.binds}: longest scene "
            f"{self.longest_scene:.2f}, work {self.work:.2f}, admissions {self.admissions:.2f}, {tight}){rows}"
        )

    def _repr_html_(self) -> str:
        """Return the bounds as a notebook shows them."""
        head, *rows = repr(self).splitlines()
        return f"<b>{escape(head)}</b><ul>{''.join(f'<li>{html_line(row)}</li>' for row in rows)}</ul>"


def bound(
    scenes: Sequence[str],
    profiles: Sequence[SimulatedProfile],
    *,
    seed: int | str | None = 0,
    cooldowns: Mapping[str, float] | None = None,
    releases: Sequence[float] | None = None,
    lengths: Sequence[float] | None = None,
    aligned: bool = True,
) -> LowerBound:
    """Return the lower bounds for scenes of these ids.

    `seed`: of the service times, as in `simulate`; None: a bound that holds for every seed, with each scene as short as
    it can be. `lengths`: instead of `seed`, how many times a profile's mean service each scene takes. `cooldowns`:
    until when a profile is closed at the start, in run seconds. `releases`: when each scene is added; None: at 0.
    `aligned`: whether windows and days begin with the run. Raises `InputError` for no profiles, two with one name, a
    cooldown of an unknown profile, or an invalid time.
    """
    if not profiles:
        raise InputError("a lower bound needs at least one profile")
    known = {profile.name for profile in profiles}
    if len(known) < len(profiles):
        raise InputError("two profiles have the same name: give each its own")
    if cooldowns is not None and not isinstance(cooldowns, Mapping):
        raise InputError(f"cooldowns is a dict of run seconds by profile, such as {{'p1': 30}}, not {cooldowns!r}")
    for name, until in (cooldowns or {}).items():
        if not is_number(until) or until < 0:
            raise InputError(f"cooldowns says until when {name!r} is closed, in run seconds from 0 on, not {until!r}")
        if name not in known:
            raise InputError(f"cooldowns names {name!r}, which is not one of the profiles: {', '.join(sorted(known))}")
    if releases is not None and len(releases) != len(scenes):
        raise InputError(f"releases has {len(releases)} times for {len(scenes)} scenes: give one for each")
    if not all(0 <= at < inf for at in releases or ()):
        raise InputError(
            f"a scene comes at a finite number of seconds, 0 or more: not all of {list(releases or ())!r} are"
        )
    if lengths is not None:
        if len(lengths) != len(scenes) or not all(0 <= each < inf for each in lengths):
            raise InputError(f"lengths has a finite number, 0 or more, for each of {len(scenes)} scenes: {lengths!r}")
        profiles = [replace(each, service=Proportional(each.service.mean)) for each in profiles]
    fleet = fleet_of(profiles, cooldowns or {}, aligned=aligned)
    if not scenes:
        return LowerBound(0.0, 0.0, 0.0, 0.0, 0.0, "admissions", 0)
    demand = Demand(_quantiles(scenes, fleet.services, seed) if lengths is None else lengths, releases)
    longest, work = longest_scene(fleet, demand), most_work(fleet, demand)
    admissions, at = most_admissions(fleet, demand)
    tight, u, at = tightest_admissions(fleet, demand, admissions, at)
    values = {"longest scene": longest, "work": work, "admissions": tight}
    binds = max(values, key=values.__getitem__)
    joint = joint_bound(fleet, demand, values[binds])
    if joint.seconds > values[binds]:
        binds = "slots and admissions"
    limited = fleet.limited_by(joint.seconds, fleet.seconds(u), demand.releases[at]) | joint.limited_by
    return LowerBound(
        joint.seconds, longest, work, admissions, tight, binds, len(scenes), limited, joint.seconds, joint.method
    )


def _quantiles(scenes: Sequence[str], services: Iterable[Service], seed: int | str | None) -> list[float]:
    """Return u_i of each scene."""
    if seed is None:
        return [MIN_UNIFORM] * len(scenes)
    if all(isinstance(service, Constant) for service in services):
        return [0.5] * len(scenes)  # constant times don't depend on it
    return uniforms(seed, "service", last=scenes)
