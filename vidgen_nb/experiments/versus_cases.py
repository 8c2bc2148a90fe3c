"""What `versus` sets side by side: policies, modes, profiles, or anything else that a simulation can have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nb.analysis.experiments.cases import Case, checked_metrics
from vidgen_nb.analysis.simulation.overrides import check_names, with_override
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.simulation.what_if import in_words
from vidgen_nb.analysis.validation import as_profiles, check_texts
from vidgen_nb.core.model import BOOST, NORMAL, Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.registry import POLICIES, as_policy, label
from vidgen_nb.provider import SimulatedProfile

__all__ = ["versus_cases"]

EXAMPLE = "such as vg.versus(vg.PerProfileCooldown(), vg.GlobalPause())"
MODES = (NORMAL.name, BOOST.name)


def versus_cases(given: Sequence[Any], base: Simulation, metrics: Mapping[str, Any] | None) -> list[Case]:
    """Return a case for each thing given: `base` with it.

    A policy or its name, a mode or its name, a list of profiles, or a dict of what is changed, named as in a grid for
    `sweep`. One dict alone has such things by names of the user's own. Raises `InputError` for anything else, for
    fewer than two, and for two that are the same.
    """
    if len(given) == 1 and isinstance(given[0], Mapping):
        check_texts("versus", given[0])
        named = list(given[0].items())
        names = [name for name, _ in named]
        changes = [_changes(each) for _, each in named]
    else:
        changes = [_changes(each) for each in given]
        names = _names(changes)
    if len(changes) < 2:
        raise InputError(f"versus compares two cases or more, {EXAMPLE}")
    simulations = [_changed(base, each) for each in changes]
    check_names(simulations)
    options = checked_metrics(metrics)
    return [
        Case(name, (("case", name),), simulation, options) for name, simulation in zip(names, simulations, strict=True)
    ]


def _changes(given: Any) -> dict[str, Any]:
    """Return what a case changes, by name."""
    if isinstance(given, Policy) or (isinstance(given, str) and given in POLICIES):
        return {"policy": given}
    if isinstance(given, Mode) or (isinstance(given, str) and given in MODES):
        return {"mode": given}
    if isinstance(given, SimulatedProfile):
        return {"profiles": [given]}
    if isinstance(given, Mapping):
        check_texts("a case of versus", given)
        return dict(given)
    if isinstance(given, list | tuple) and given:
        return {"profiles": as_profiles(given)}
    if hasattr(given, "events") and hasattr(given, "data"):
        raise InputError("versus simulates its cases; two recorded runs are drawn by one.aligned_chart(other)")
    raise InputError(
        "versus compares policies, modes, lists of profiles, or dicts of what is changed, such as {'cooldown': 10}; "
        f"{given!r} is none of them. Policies by name: {', '.join(POLICIES)}; modes: {', '.join(MODES)}"
    )


def _changed(base: Simulation, changes: Mapping[str, Any]) -> Simulation:
    """Return a simulation with the changes; profiles, policy and mode first, so that their settings can be found."""
    first = ("scenes", "profiles", "policy", "mode")
    for name in sorted(changes, key=lambda each: (each not in first, each)):
        if name == "seed":
            raise InputError("versus gives every case the same luck, so a case has no seed of its own: give seeds=")
        base = with_override(base, name, changes[name])
    return base


def _names(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a short name for each case; if two would have the same one, a longer one."""
    short = [_name(each, full=False) for each in changes]
    often = Counter(short)
    names = [_name(each, full=True) if often[name] > 1 else name for each, name in zip(changes, short, strict=True)]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"two cases are both {twice[0]}: give a dict of names and cases")
    return names


def _name(changes: Mapping[str, Any], *, full: bool) -> str:
    """Return what a case changes, in words; `full`: a policy with its settings, profiles with their names."""
    if list(changes) == ["policy"]:
        policy = as_policy(changes["policy"])
        return label(policy) if full else type(policy).__name__
    if list(changes) == ["mode"]:
        return as_mode(changes["mode"]).name
    if list(changes) == ["profiles"] and not isinstance(changes["profiles"], int):
        return _profiles_name(as_profiles(changes["profiles"]), full=full)
    said = []
    for name, value in changes.items():
        many = name == "profiles" and not isinstance(value, int)
        words = f"{len(as_profiles(value))} profiles" if many else f"{name}={in_words(value)}"
        said.append(words)
    return ", ".join(said) or "as given"


def _profiles_name(profiles: Sequence[SimulatedProfile], *, full: bool) -> str:
    """Return how many profiles there are; or which."""
    if full:
        return ", ".join(each.name for each in profiles)
    return f"{len(profiles):,} profile{'' if len(profiles) == 1 else 's'}"
