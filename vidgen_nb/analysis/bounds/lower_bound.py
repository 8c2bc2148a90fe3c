"""Lower bounds on the makespan, which no policy can beat.

The service time of scene i on profile p is a rising function s_p(u_i) of the scene's quantile u_i, which is the same
on every profile; where profiles differ only in their mean, that is f_p·s_i. So scenes with u_i ≥ u take at least
s_p(u) each on p, wherever they go, and a bound on them is a bound on all.

- L₁: the longest scene, on the profile that is fastest for it.
- L₂: the work of all scenes over the slots of all profiles.
- L₃: the first T by which limits and slots can admit and finish N scenes, each as short as the shortest.
- LB′: the largest L₃ of the scenes with u_i ≥ u, over all u, and L₁ and L₂.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import fsum, inf

from vidgen_nb.analysis.bounds.fleet import Fleet, fleet_of
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.provider.service import Service, uniforms

__all__ = ["LowerBound", "bound"]

MIN_UNIFORM = 2.0**-53
"""The smallest number that `provider.service.uniform` returns."""
PRECISION = 1e-10
"""Relative precision of the times found by bisection; the returned one is never above the exact one."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """What no policy can beat. Times in run seconds."""

    seconds: float
    """LB′, the tightest; `float()` of this record."""
    longest_scene: float
    """L₁."""
    work: float
    """L₂."""
    admissions: float
    """L₃: every scene counted as long as the shortest."""
    tight: float
    """The largest L₃ of the scenes that have at least some length, each counted with just that length."""
    binds: str
    """What makes the bound: `longest scene`, `work` or `admissions`."""
    scenes: int
    """How many scenes it covers."""
    limited_by: dict[str, str] = field(default_factory=dict)
    """Per profile, what keeps it from doing more by that time: its limit, its `capacity`, or nothing; `closed` or
    `too slow` if it can't finish a scene by then."""

    def __float__(self) -> float:
        return self.seconds

    def __repr__(self) -> str:
        rows = "".join(f"\n  {one_line(name, 60)}: {what}" for name, what in self.limited_by.items())
        return (
            f"LowerBound({self.seconds:.2f} s for {self.scenes:,} scenes, by {self.binds}: longest scene "
            f"{self.longest_scene:.2f}, work {self.work:.2f}, admissions {self.admissions:.2f}, tight {self.tight:.2f})"
            f"{rows}"
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
) -> LowerBound:
    """Return the lower bounds for scenes of these ids.

    `seed`: of the service times, as in `simulate`; None: a bound that holds for every seed, with each scene as short as
    it can be. `cooldowns`: until when a profile is closed at the start, in run seconds. `releases`: when each scene is
    added; None: at 0. Raises `InputError` for no profiles, two with one name, a cooldown of an unknown profile, or an
    invalid time.
    """
    if not profiles:
        raise InputError("a lower bound needs at least one profile")
    known = {profile.name for profile in profiles}
    if len(known) < len(profiles):
        raise InputError("two profiles have the same name: give each its own")
    if cooldowns is not None and not isinstance(cooldowns, Mapping):
        raise InputError(f"cooldowns is a dict of run seconds by profile, such as {{'p1': 30}}, not {cooldowns!r}")
    for name, until in (cooldowns or {}).items():
        if not is_number(until):
            raise InputError(f"cooldowns says until when {name!r} is closed, in run seconds, not {until!r}")
        if name not in known:
            raise InputError(f"cooldowns names {name!r}, which is not one of the profiles: {', '.join(sorted(known))}")
    if releases is not None and len(releases) != len(scenes):
        raise InputError(f"releases has {len(releases)} times for {len(scenes)} scenes: give one for each")
    if not all(0 <= at < inf for at in releases or ()):
        raise InputError(
            f"a scene comes at a finite number of seconds, 0 or more: not all of {list(releases or ())!r} are"
        )
    fleet = fleet_of(profiles, cooldowns or {})
    if not scenes:
        return LowerBound(0.0, 0.0, 0.0, 0.0, 0.0, "admissions", 0)
    drawn = _quantiles(scenes, fleet.services, seed)
    longest = _longest(fleet, drawn, releases)
    work = _work(fleet, drawn)
    descending = sorted(drawn, reverse=True)
    admissions = _first_time(fleet, len(scenes), fleet.seconds(descending[-1]))
    tight, u = _tight(fleet, descending, admissions)
    values = {"longest scene": longest, "work": work, "admissions": tight}
    binds = max(values, key=values.__getitem__)
    seconds = values[binds]
    limited = fleet.limited_by(seconds, fleet.seconds(u))
    return LowerBound(seconds, longest, work, admissions, tight, binds, len(scenes), limited)


def _quantiles(scenes: Sequence[str], services: Iterable[Service], seed: int | str | None) -> list[float]:
    """Return u_i of each scene."""
    if seed is None:
        return [MIN_UNIFORM] * len(scenes)
    if all(isinstance(service, Constant) for service in services):
        return [0.5] * len(scenes)  # constant times don't depend on it
    return uniforms(seed, "service", last=scenes)


def _longest(fleet: Fleet, drawn: list[float], releases: Sequence[float] | None) -> float:
    """L₁: a scene ends at the earliest when it was added, or its profile opened, plus its service time."""
    if releases is None or len(set(releases)) == 1:
        start = releases[0] if releases else 0.0
        return fleet.soonest(max(drawn), start)
    return max(fleet.soonest(u, at) for u, at in zip(drawn, releases, strict=True))


def _work(fleet: Fleet, drawn: list[float]) -> float:
    """L₂: Σ s_i ÷ Σ c_p/f_p; if services differ in more than their mean, Σ min_p s_ip ÷ Σ c_p."""
    alike = fleet.alike
    if alike is not None:
        work = fsum(alike.all_seconds(drawn)) / alike.mean if alike.mean else 0.0
    else:
        work = fsum(map(min, *(service.all_seconds(drawn) for service in fleet.services)))
    return _bisect(lambda t: fleet.work_by(t) >= work * (1 - PRECISION)) if work > 0 else 0.0


def _first_time(fleet: Fleet, count: int, seconds: tuple[float, ...], least: float = 0.0) -> float:
    """L₃: the first T by which `count` scenes can be finished, not before `least`."""
    return _bisect(lambda t: fleet.done_by(t, seconds) >= count, least)


def _tight(fleet: Fleet, descending: list[float], least: float) -> tuple[float, float]:
    """LB′: the largest L₃ of the k longest scenes, each counted as long as the shortest of them; and its u.

    Branch and bound over blocks of k: if `high` scenes as long as the `low`-th could be finished by the best time so
    far, no k between gives a later time, because it has fewer scenes, and shorter ones.
    """
    best, at, count = least, descending[-1], len(descending)
    blocks = [(1, count)]
    while blocks and best < inf:
        low, high = blocks.pop()
        if fleet.done_by(best * (1 + PRECISION), fleet.seconds(descending[low - 1])) >= high:
            continue
        for k in (low, high):
            if (first := _first_time(fleet, k, fleet.seconds(descending[k - 1]), best)) > best:
                best, at = first, descending[k - 1]
        if high - low > 1:
            middle = (low + high) // 2
            blocks += [(a, b) for a, b in ((low + 1, middle), (middle + 1, high - 1)) if a <= b]
    return best, at


def _bisect(enough: Callable[[float], bool], least: float = 0.0) -> float:
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
