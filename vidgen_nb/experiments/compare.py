"""Policies and modes compared on the same scenes with the same seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from vidgen_nb.analysis.experiments.cases import Case, checked_metrics, seeds_from
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, checks_options
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, check_texts, listed
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.registry import as_policy, label
from vidgen_nb.provider import SimulatedProfile

__all__ = ["compare"]


POLICY_HINT = "instances, or names such as 'PerProfileCooldown'"


@checks_options
def compare(
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    policies: Sequence[Policy | str] | Mapping[str, Policy | str] | None = None,
    modes: Mode | str | Sequence[Mode | str] = "normal",
    seeds: int | Iterable[int] = 20,
    executor: Submitter | None = None,
    progress: bool = True,
    metrics: Mapping[str, Any] | None = None,
    **options: Any,
) -> Comparison:
    """Simulate every policy in every mode with every seed, and return the records.

    `scenes`, `profiles`, `options`: as in `simulate`. `policies`: instances or names, or a dict that gives them names
    of your own. `seeds`: how many, or which: with each, every case has the same luck. `executor`: where to run them,
    any of concurrent.futures or a dask.distributed Client; None: here. `metrics`: options of `run.metrics`, such as
    `{"after": 600}` for the steady state. The result has `summary(metric)`, `in_words(metric)` and `chart(metric)` for
    every number of `run.metrics()`. An interrupt returns the runs that had finished, with `.partial` true; an error
    carries them as its attribute `finished`. Raises `InputError` for what can't be simulated.

    >>> compare(20, [SimulatedProfile("p1")], policies=["GlobalPause", "PerProfileCooldown"]).chart("wait.p95")
    """
    given, provided, chosen = as_scenes(scenes), as_profiles(profiles), _named(policies)
    in_modes = [as_mode(mode) for mode in listed("modes", modes, "names such as 'boost', or Mode(...)", (Mode, str))]
    if len({mode.name for mode in in_modes}) < max(1, len(in_modes)):
        raise InputError(f"modes are one or more, with different names, not {modes!r}")
    each = [(name, policy, mode) for mode in in_modes for name, policy in chosen.items()]
    simulations = [Simulation(given, provided, mode, policy, **options) for _, policy, mode in each]
    cases = [
        Case(
            name if len(in_modes) == 1 else f"{name}, {mode.name}",
            (("policy", name), ("mode", mode.name)),
            simulation,
            checked_metrics(metrics),
        )
        for (name, _, mode), simulation in zip(each, simulations, strict=True)
    ]
    check_names(simulations)
    into = partial(Comparison, cases)
    return run_cases(cases, seeds_from(seeds, 0), executor, progress=progress, into=into)


def _named(policies: Sequence[Policy | str] | Mapping[str, Policy | str] | None) -> dict[str, Policy]:
    """Return policies by name; if two are of one class, their names say how they differ."""
    if policies is None:
        policies = [PerProfileCooldown()]
    if isinstance(policies, Mapping):
        named = {name: as_policy(policy) for name, policy in policies.items()}
        check_texts("policies", named)
    else:
        several = [policies] if isinstance(policies, Policy | str) else listed("policies", policies, POLICY_HINT)
        given = [as_policy(each) for each in several]
        often = Counter(type(policy).__name__ for policy in given)
        names = [label(each) if often[type(each).__name__] > 1 else type(each).__name__ for each in given]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise InputError(f"two policies are both {twice[0]}: give a dict of names and policies")
        named = dict(zip(names, given, strict=True))
    if not named:
        raise InputError('policies is empty: give at least one, such as policies=["PerProfileCooldown"]')
    return named
