"""Whether profiles were used in proportion to what they can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum, inf

from vidgen_nb.analysis.bounds.admissions import at_once, most_admitted
from vidgen_nb.provider import SimulatedProfile

__all__ = ["ideal_shares", "jain"]


def jain(values: Iterable[float]) -> float | None:
    """Return (Σx)² ÷ (n·Σx²): 1 when all are equal, 1/n when one has everything; None if all are 0.

    Jain, Chiu, Hawe: A quantitative measure of fairness (1984).
    """
    xs = list(values)
    squares = fsum(x * x for x in xs)
    return fsum(xs) ** 2 / (len(xs) * squares) if squares > 0 else None


def ideal_shares(names: Sequence[str], profiles: Sequence[SimulatedProfile] | None, length: float) -> dict[str, float]:
    """Return the share of all scenes, 0 to 1, that each profile would have if each did what it can in `length` s.

    It can do as many as its limit admits (an equal part of its quota group's), or as its slots have time for at the
    mean service time, whichever is fewer. Shares are equal if limits are not known, or a profile has no bound.
    """
    equal = dict.fromkeys(names, 1 / len(names)) if names else {}
    known = {profile.name: profile for profile in profiles or ()}
    if not known or not known.keys() >= set(names):
        return equal
    can = _abilities([known[name] for name in names], length)
    total = fsum(can.values())
    return {name: each / total for name, each in can.items()} if 0 < total < inf else equal


def _abilities(profiles: Sequence[SimulatedProfile], length: float) -> Mapping[str, float]:
    groups: dict[tuple[bool, str], list[SimulatedProfile]] = {}
    for profile in profiles:
        groups.setdefault((profile.quota_group is None, profile.quota_group or profile.name), []).append(profile)
    found: dict[str, float] = {}
    for members in groups.values():
        limit = next((each.limit for each in members if each.limit is not None), None)
        for each in members:
            slots = min(inf if each.capacity is None else each.capacity, at_once(limit) / len(members))
            jobs = slots * length / each.service.mean if each.service.mean else inf
            found[each.name] = min(most_admitted(limit, length) / len(members), jobs)
    return found
