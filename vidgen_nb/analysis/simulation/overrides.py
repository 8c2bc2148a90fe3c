"""A simulation with one thing changed, by name: what sweeps and what-if questions vary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, ParamSpec, TypeVar

from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, checks_arguments, plain_number
from vidgen_nb.core.events import SceneAdded
from vidgen_nb.core.model import Scene, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import load_scenes
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.limits import weights_of

__all__ = ["as_scenes", "check_names", "checks_options", "copies_of", "settings_of", "with_override"]

P = ParamSpec("P")
R = TypeVar("R")

SIMULATION_PARAMETERS = ("scenes", "profiles", "mode", "policy", "seed")
"""Fields of `Simulation` that are parameters of their own, maybe in the plural, where the others are options."""


def checks_options(call: Callable[P, R]) -> Callable[P, R]:
    """Make a function that passes its options on to `Simulation` say which arguments are wrong (`arguments.named`)."""
    return checks_arguments(
        options=[each.name for each in fields(Simulation) if each.name not in SIMULATION_PARAMETERS]
    )(call)


def as_scenes(source: Any) -> list[Scene]:
    """Return that many scenes for a number, else whatever `load_scenes` makes of it."""
    count = plain_number(source)
    if isinstance(count, int) and not isinstance(count, bool):
        if count < 0:
            raise InputError(f"scenes is how many, 0 or more, or a list of them, not {source!r}")
        return [Scene(f"s{number:03}", "simulated") for number in range(1, count + 1)]
    if isinstance(count, int | float):
        raise InputError(f"scenes is how many, a whole number, or a list of them, not {source!r}")
    return load_scenes(source)


def copies_of(profiles: Sequence[SimulatedProfile], count: int) -> list[SimulatedProfile]:
    """Return the first `count` profiles, then copies of each in turn with names such as `p1 (2)`.

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


def with_override(simulation: Simulation, name: str, value: Any) -> Simulation:
    """Return a simulation with one thing changed.

    `name`: a field of `Simulation` (`profiles` may be a number, see `copies_of`), a setting of its policy (`cooldown`
    means its `seconds`), or a field of `SimulatedProfile`, which is changed on every profile. Raises `InputError` for
    anything else.
    """
    value = plain_number(value)
    if name == "scenes":
        return replace(simulation, scenes=as_scenes(value))
    if name == "profiles":
        many = isinstance(value, int | float)
        return replace(simulation, profiles=copies_of(simulation.profiles, value) if many else as_profiles(value))
    if name == "policy":
        return replace(simulation, policy=as_policy(value))
    if name == "mode":
        return replace(simulation, mode=as_mode(value))
    if name in {each.name for each in fields(Simulation)}:
        return replace(simulation, **{name: value})
    setting = "seconds" if name == "cooldown" else name
    settings, own = _settings_of(simulation.policy), _settings_of_profiles()
    if setting in settings:
        return replace(simulation, policy=replace(simulation.policy, **{setting: value}))  # type: ignore[type-var]
    if name in own:
        return replace(simulation, profiles=[replace(each, **{name: value}) for each in simulation.profiles])
    known = tuple(dict.fromkeys([each.name for each in fields(Simulation)] + settings_of(simulation)))
    raise InputError(f"{name!r} can't be varied{suggestion(name, known)}; in a sweep, make= varies anything")


def settings_of(simulation: Simulation) -> list[str]:
    """Return the settings of a simulation's policy and profiles, by the names that `with_override` takes."""
    settings = _settings_of(simulation.policy)
    return [*(["cooldown"] if "seconds" in settings else []), *settings, *_settings_of_profiles()]


def _settings_of(policy: Policy) -> list[str]:
    return [each.name for each in fields(policy) if each.init] if is_dataclass(policy) else []


def _settings_of_profiles() -> list[str]:
    return [each.name for each in fields(SimulatedProfile) if each.name not in ("name", "api_key")]


def check_names(simulations: Iterable[Simulation]) -> None:
    """Raise `InputError` for a fault, a capacity, or a limit of `Paced`, that names a profile which does not exist.

    Also for a limit of a parameter that no scene has. Of several simulations, such as those of a sweep, one needs to
    have the profile or the parameter.
    """
    given = list(simulations)
    _check_weights(given)
    profiles = {profile.name: None for each in given for profile in each.profiles}
    groups = {profile.quota_group: None for each in given for profile in each.profiles if profile.quota_group}
    faults = {fault.profile for each in given for fault in each.faults if fault.profile is not None}
    for name in faults - profiles.keys():
        raise InputError(
            f"a fault is for profile {name!r}, which does not exist{suggestion(str(name), tuple(profiles))}"
        )
    for name in {name for each in given for name in each.capacities} - profiles.keys():
        raise InputError(f"capacities has {name!r}, which is no profile{suggestion(name, tuple(profiles))}")
    for name in {name for each in given for name in _limits_told(each.policy)} - profiles.keys() - groups.keys():
        known = suggestion(str(name), (*profiles, *groups))
        raise InputError(f"Paced: limits has {name!r}, which is no profile and no quota group of this run{known}")


def _check_weights(given: Sequence[Simulation]) -> None:
    weights = {
        (name, profile.name)
        for simulation in given
        for profile in simulation.profiles
        for has in (profile, profile.organisation)
        if has is not None and has.limit is not None
        for name in weights_of(has.limit)
    }
    if not weights:
        return
    scenes = [scene for simulation in given for scene in simulation.scenes]
    scenes += [event.scene for each in given for _, event in each.requests if isinstance(event, SceneAdded)]
    known = {name: None for scene in scenes for name in scene.params}
    for name, profile_name in sorted(weights) if scenes else ():
        if name not in known:
            hint = suggestion(name, tuple(known)) if known else f": give them one, Scene('s001', 'a fox', {name}=800)"
            raise InputError(
                f"profile {profile_name!r} has a limit of {name!r}, which is no parameter of any scene{hint}"
            )


def _limits_told(policy: Policy) -> Iterable[str]:
    """Return the profiles and groups whose limits a policy, or the one inside it, was given."""
    if isinstance(policy, EarliestFinish):
        return _limits_told(policy.policy)
    return (policy.limits or ()) if isinstance(policy, Paced) else ()
