"""Runs in virtual time that always end: a policy that somebody is still writing may go round in circles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

from vidgen_nb.analysis.simulation.clients import clients_of, run_clients
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, with_override
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles
from vidgen_nb.clients import ClientRuns
from vidgen_nb.core.model import as_mode
from vidgen_nb.drivers.virtual import VirtualDriver
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy
from vidgen_nb.provider import Provider
from vidgen_nb.run import Run

__all__ = ["MAX_STEPS", "simulated", "simulated_run", "simulation_of"]

MAX_STEPS: Final = 20_000
"""Steps of virtual time after which a run is given up: an exercise takes a thousand or two."""
FIRST: Final = ("profiles", "policy")
"""What is changed first: other changes may be about its settings."""


@dataclass(frozen=True)
class BoundedSimulation(Simulation):
    """A simulation that is given up after so many steps."""

    def driver(self, provider: Provider, rng: Random) -> VirtualDriver:
        """Return a driver that counts its steps."""
        driver = super().driver(provider, rng)
        driver.steps = _counted(driver.steps)  # type: ignore[method-assign]
        return driver


def _counted(steps: Callable[[], Iterator[float]]) -> Callable[[], Iterator[float]]:
    """Return steps that end with an error after `MAX_STEPS` of them."""

    def counted() -> Iterator[float]:
        for number, at in enumerate(steps()):
            if number >= MAX_STEPS:
                raise InputError(
                    f"this run does not come to an end: after {MAX_STEPS:,} steps it is at {at:,.0f} s. Does the "
                    "policy answer again and again with a time that is now, or that moves on each time it is asked?"
                )
            yield at

    return counted


def simulation_of(given: Mapping[str, Any], changes: Mapping[str, Any], seed: int) -> Simulation:
    """Return what is given, as for `vg.simulate`, with changes by name, as in a sweep's grid."""
    options = {name: value for name, value in given.items() if name != "clients"}
    known = tuple(each.name for each in fields(Simulation) if each.name != "seed")
    for name in options:
        if name not in known:
            raise InputError(f"given has {name!r}, which vg.simulate does not take{suggestion(str(name), known)}")
    scenes, profiles = as_scenes(options.pop("scenes", 0)), as_profiles(options.pop("profiles", ()))
    mode, policy = as_mode(options.pop("mode", "normal")), options.pop("policy", None)
    chosen = PerProfileCooldown() if policy is None else as_policy(policy)
    found: Simulation = BoundedSimulation(scenes, profiles, mode, chosen, seed=seed, **options)
    for name in sorted(changes, key=lambda name: (name not in FIRST, name)):
        found = with_override(found, name, changes[name])
    check_names([found])
    return found


def simulated_run(given: Mapping[str, Any], changes: Mapping[str, Any], seed: int) -> Run:
    """Simulate what is given with changes."""
    return Run(*simulation_of(given, changes, seed).run())


def simulated(given: Mapping[str, Any], changes: Mapping[str, Any], seed: int) -> Run | ClientRuns:
    """Simulate what is given with changes; with `clients` in it, that many independent ones."""
    if "clients" not in given:
        return simulated_run(given, changes, seed)
    simulation = simulation_of(given, changes, seed)
    return ClientRuns(Run(*each) for each in run_clients(clients_of(given["clients"], simulation, None, None)))
