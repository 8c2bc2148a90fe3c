"""A grid of settings: one simulation for each combination of values, with the same seeds everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from vidgen_nb.analysis.experiments.cases import Case, checked_metrics, seeds_from
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.simulation.clients import clients_of
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, checks_options, with_override
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, check_call, check_texts, plain_number
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Sweep
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy, label
from vidgen_nb.provider import SimulatedProfile

__all__ = ["sweep"]

Make = Callable[..., Mapping[str, Any]]


@checks_options
def sweep(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    grid: Mapping[str, Iterable[Any]],
    make: Make | None = None,
    mode: Mode | str = "normal",
    policy: Policy | str | None = None,
    seeds: int | Iterable[int] = 20,
    executor: Submitter | None = None,
    progress: bool = True,
    metrics: Mapping[str, Any] | None = None,
    **options: Any,
) -> Sweep:
    """Simulate every combination of the grid's values with every seed, and return the records.

    `grid`: values by name: a setting of the policy (`cooldown` means its seconds), `policy`, `mode`, `scenes` (how
    many), `profiles` (how many: copies beyond the given ones), `clients` (how many, independent of each other, as in
    `simulate_clients`; the numbers are then those of all together: counts, waits, flow, goodput and cost by the same
    names as of one run, but nothing of slots, cooldowns and bounds), a field of every profile such as `capacity` or
    `limit`, or another field of a simulation such as `latency` or `arrivals`.
    `make`: for anything else, a function that is called with the values by name and returns what to change:
    `make=lambda rate: {"limit": TokenBucket(rate, per=60)}`. The rest is as in `compare`. Raises `InputError` for what
    can't be varied or simulated.

    >>> sweep(20, [SimulatedProfile("p1")], grid={"cooldown": [5, 10, 30]}, seeds=range(3)).chart()
    """
    given = dict(grid) if isinstance(grid, Mapping) else {}
    axes = {name: [*map(plain_number, values)] for name, values in given.items() if _is_several(values)}
    if not axes or len(axes) < len(given) or not all(axes.values()):
        wrong = next((f", not {name!r}: {each!r}" for name, each in given.items() if not axes.get(name)), "")
        raise InputError(f'grid gives a list of values for each name, such as grid={{"cooldown": [10, 20, 30]}}{wrong}')
    check_texts("grid", axes)
    if make is not None:
        check_call("make", make, axes)
    chosen = as_policy(policy) if policy is not None else PerProfileCooldown()
    base = Simulation(as_scenes(scenes), as_profiles(profiles), as_mode(mode), chosen, **options)
    made = [_case(base, dict(zip(axes, values, strict=True)), make) for values in product(*axes.values())]
    cases = [replace(case, options=checked_metrics(metrics)) for case, _ in made]
    if twice := [name for name, count in Counter(case.name for case in cases).items() if count > 1]:
        raise InputError(f"the grid has {twice[0]} twice: give each value once")
    check_names([base, *(simulation for _, simulation in made)])
    into = partial(Sweep, axes, cases)
    return run_cases(cases, seeds_from(seeds, 0), executor, progress=progress, into=into)


def _case(base: Simulation, values: Mapping[str, Any], make: Make | None) -> tuple[Case, Simulation]:
    """Return the case of these values, and what it simulates.

    Policy and profiles are set first, so that their own settings can be found.
    """
    first = ("scenes", "profiles", "policy", "mode")
    changes = values if make is None else make(**values)
    if not isinstance(changes, Mapping):
        raise InputError(f"make returns what to change, such as {{'limit': TokenBucket(4, per=60)}}, not {changes!r}")
    simulation, clients = base, changes.get("clients")
    for name in sorted(changes.keys() - {"clients"}, key=lambda each: (each not in first, each)):
        simulation = with_override(simulation, name, changes[name])
    if "seed" in changes:
        raise InputError("sweep gives every case the same luck, so seed can't be varied: give seeds=, such as seeds=20")
    if clients is not None:
        clients_of(clients, simulation, None, None)  # says what is wrong
    shown = {name: _shown(value) for name, value in values.items()}
    name = ", ".join(f"{name}={each}" for name, each in shown.items())
    return Case(name, tuple(shown.items()), simulation, clients=clients), simulation


def _is_several(values: Any) -> bool:
    """Say whether these are values of an axis: a text or a dict is one value."""
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)


def _shown(value: Any) -> Any:
    """Return a value as a table shows it: numbers and texts as they are, the rest by a name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Policy):
        return label(value)
    return value.name if isinstance(value, Mode) else repr(value)
