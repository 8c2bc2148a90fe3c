"""A simulation with one thing changed, by its name: what sweeps and what-if questions vary."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from vidgen_nb.analysis.simulation import Simulation
from vidgen_nb.core.model import Scene, as_mode
from vidgen_nb.core.policy import as_policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.inputs.profiles import hint
from vidgen_nb.provider import SimulatedProfile

__all__ = ["as_profiles", "as_scenes", "named_well", "so_many", "varied"]

P = ParamSpec("P")
R = TypeVar("R")

OWN_WORDS = ("scenes", "profiles", "mode", "policy", "seed")
"""Fields of `Simulation` for which whoever takes the others as options has parameters, maybe in the plural."""


def named_well(call: Callable[P, R]) -> Callable[P, R]:
    """Make a function that passes its options on to `Simulation` say which arguments are wrong, and the nearest name.

    It raises `InputError`, where Python's own `TypeError` would name `Simulation`, or nothing near.
    """
    signature = inspect.signature(call)
    named = [name for name, each in signature.parameters.items() if each.kind is not each.VAR_KEYWORD]
    known = (*named, *(each.name for each in fields(Simulation) if each.name not in OWN_WORDS))

    @wraps(call)
    def checked(*args: P.args, **given: P.kwargs) -> R:
        for name in given:
            if name not in known:
                raise InputError(f"{call.__name__} has no argument {name!r}{hint(name, known)}")
        try:
            signature.bind(*args, **given)
        except TypeError as error:
            raise InputError(f"{call.__name__}: {error}") from None
        return call(*args, **given)

    return checked


def as_scenes(source: Any) -> list[Scene]:
    """Return so many scenes for a number, or whatever `load_scenes` makes of it."""
    if isinstance(source, int) and not isinstance(source, bool):
        if source < 0:
            raise InputError(f"scenes is how many, 0 or more, or a list of them, not {source!r}")
        return [Scene(f"s{number:03}", "simulated") for number in range(1, source + 1)]
    return load_scenes(source)


def as_profiles(profiles: Iterable[SimulatedProfile] | SimulatedProfile) -> list[SimulatedProfile]:
    """Return a list of simulated profiles; `InputError` for anything else."""
    given = [profiles] if isinstance(profiles, SimulatedProfile) else list(profiles)
    for profile in given:
        if not isinstance(profile, SimulatedProfile):
            raise InputError(f"profiles are SimulatedProfile(name, limit, …) objects, not {profile!r}")
    return given


def so_many(profiles: Sequence[SimulatedProfile], count: int) -> list[SimulatedProfile]:
    """Return the first `count` profiles; beyond the last, copies in turn with names such as `p1 (2)`.

    A copy of a profile of a quota group has a limit of its own. Raises `InputError` for fewer than one.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"profiles is a list of profiles, or how many: 1 or more, not {count!r}")
    if not profiles:
        raise InputError("there are no profiles to copy: give a list of SimulatedProfile(...)")
    made = list(profiles[:count])
    taken = {profile.name for profile in profiles}
    for place in range(len(made), count):
        pattern, turn = profiles[place % len(profiles)], place // len(profiles) + 1
        name = f"{pattern.name} ({turn})"
        while name in taken:
            turn += 1
            name = f"{pattern.name} ({turn})"
        taken.add(name)
        made.append(replace(pattern, name=name, quota_group=None, api_key=""))
    return made


def varied(simulation: Simulation, name: str, value: Any) -> Simulation:
    """Return a simulation with one thing changed.

    `name`: a field of `Simulation` (`profiles` may be a number, see `so_many`), a setting of its policy (`cooldown`
    means its `seconds`), or a field of `SimulatedProfile`, which is changed on every profile. Raises `InputError` for
    anything else.
    """
    if name == "scenes":
        return replace(simulation, scenes=as_scenes(value))
    if name == "profiles":
        many = isinstance(value, int)
        return replace(simulation, profiles=so_many(simulation.profiles, value) if many else as_profiles(value))
    if name == "policy":
        return replace(simulation, policy=as_policy(value))
    if name == "mode":
        return replace(simulation, mode=as_mode(value))
    if name in {each.name for each in fields(Simulation)}:
        return replace(simulation, **{name: value})
    policy = simulation.policy
    settings = [each.name for each in fields(policy) if each.init] if is_dataclass(policy) else list[str]()
    setting = "seconds" if name == "cooldown" else name
    if setting in settings:
        return replace(simulation, policy=replace(policy, **{setting: value}))  # type: ignore[type-var]
    own = [each.name for each in fields(SimulatedProfile) if each.name not in ("name", "api_key")]
    if name in own:
        return replace(simulation, profiles=[replace(each, **{name: value}) for each in simulation.profiles])
    known = tuple(dict.fromkeys([each.name for each in fields(Simulation)] + settings + own))
    raise InputError(f"{name!r} can't be varied{hint(name, known)}; in a sweep, make= varies anything")
