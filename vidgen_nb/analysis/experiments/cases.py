"""One setting of an experiment and one run of it: what is simulated with each seed, and what is kept of it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from numbers import Integral
from typing import Any, Protocol

from vidgen_nb.analysis.experiments.client_metrics import ClientMetrics
from vidgen_nb.analysis.experiments.numbers import NUMBERS, without_names
from vidgen_nb.analysis.metrics.measure import Metrics, measure
from vidgen_nb.analysis.on_demand import OnDemand, Question
from vidgen_nb.analysis.records.builder import RunData, build
from vidgen_nb.analysis.simulation.clients import clients_of, run_clients
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import plain_number
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion

__all__ = ["Case", "Seeded", "Trial", "check_sendable", "checked_metrics", "checked_seeds", "run_trials", "seeds_from"]


class Seeded(Protocol):
    """What can be simulated with any seed."""

    def with_seed(self, seed: int) -> Simulation:
        """Return it with that seed's luck."""


@dataclass(frozen=True)
class Case:
    """One setting: a simulation, to be run with several seeds."""

    name: str
    values: tuple[tuple[str, Any], ...]
    """What sets it apart, such as (("policy", "GlobalPause"), ("mode", "boost"))."""
    simulation: Seeded
    options: tuple[tuple[str, Any], ...] = ()
    """Options of `measure`, such as (("after", 600),)."""
    clients: int | None = None
    """How many independent clients each do it, on one provider (`simulation.clients`); None: nothing but one run."""


@dataclass(frozen=True, slots=True)
class Trial(OnDemand):
    """The result of one run. Times in run seconds. The lower bound is worked out when it is first asked for."""

    case: str
    values: tuple[tuple[str, Any], ...]
    """What sets the case apart; columns of their own in a frame."""
    seed: int
    makespan: float | None
    """None: nothing succeeded."""
    succeeded: int
    """Scenes."""
    attempts: int
    rate_limited: int
    wasted: int
    """Attempts that ended without success."""
    moves: int
    lower_bound: float | None
    """No schedule is faster than this; None: not known."""
    efficiency: float | None
    """Lower bound ÷ makespan."""
    cost: float | None = None
    """What was spent; None: no price is known."""
    metrics: Metrics | ClientMetrics | None = field(default=None, repr=False, compare=False)
    """All numbers of the run, or of several clients together; spreads don't say which scene has which value."""


def run_trials(case: Case, seeds: Sequence[int]) -> list[Trial]:
    """Run one case with these seeds; in any process."""
    trials = []
    for seed in seeds:
        try:
            measured = [(measure(data, **dict(case.options)), data) for data in _runs(case, seed)]
        except Exception as error:
            with suppress(Exception):  # it may be frozen
                error.add_note(f"in the run of case {case.name!r} with seed {seed}")
            raise
        numbers = {
            name: [number(*each) for each in measured] for name, number in NUMBERS.items() if name not in FROM_BOUND
        }
        known: dict[str, Any] = {"case": case.name, "values": case.values, "seed": seed}
        if case.clients is None:
            known |= {name: value for name, (value,) in numbers.items()}
            kept = without_names(measured[0][0])
            trials.append(Trial.later(known | {"metrics": kept}, {FROM_BOUND: _FromBound(kept)}))
        else:
            together = ClientMetrics.of([metrics for metrics, _ in measured])
            trials.append(Trial(**known, **_together(numbers, together), metrics=together))
    return trials


FROM_BOUND = ("lower_bound", "efficiency")


@dataclass(frozen=True)
class _FromBound(Question):
    """The numbers of a trial that need the bound."""

    metrics: Metrics

    def __call__(self) -> dict[str, Any]:
        """Return them."""
        return {name: getattr(self.metrics, name) for name in FROM_BOUND}


def _runs(case: Case, seed: int) -> list[RunData]:
    """Return what happened: one run, or one of each client."""
    simulation = case.simulation.with_seed(seed)
    if case.clients is None:
        return [build(*simulation.run())]
    runs = run_clients(clients_of(case.clients, simulation, None, simulation.arrivals))
    # what its provider allows is not one client's alone, so nothing bounds its run
    return [
        build({name: each for name, each in header.items() if name != "backend"}, events) for header, events in runs
    ]


def _together(numbers: Mapping[str, Sequence[Any]], clients: ClientMetrics) -> dict[str, Any]:
    """Return the numbers of all clients: sums, and the latest makespan; there is no bound for all of them."""
    sums = {name: sum(each or 0 for each in values) for name, values in numbers.items()}
    none = dict.fromkeys(FROM_BOUND)
    return sums | {"makespan": clients.makespan, "cost": clients.cost} | none


def checked_seeds(seeds: Iterable[int]) -> list[int]:
    """Return the seeds as a list; `InputError` for none, a repeated one, or one that is not a whole number."""
    given: Any = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, str | bytes) else seeds
    whole = isinstance(given, list) and all(isinstance(each, Integral) and not isinstance(each, bool) for each in given)
    if not whole or not given or len(set(given)) < len(given):
        raise InputError(f"seeds is how many, or different whole numbers such as range(20), not {given!r}")
    return [int(each) for each in given]


def seeds_from(seeds: int | Iterable[int], first: int) -> list[int]:
    """Return so many seeds from `first` on, or those that are given; `InputError` for none."""
    count = plain_number(seeds)
    if not isinstance(count, int) or isinstance(count, bool):
        return checked_seeds(seeds)  # type: ignore[arg-type]  # it says so
    if count < 1:
        raise InputError(f"seeds is how many, 1 or more, or which, such as range(20), not {seeds!r}")
    return list(range(first, first + count))


def checked_metrics(options: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    """Return the options of `run.metrics` for every run; `InputError` for anything that it does not take."""
    known = [name for name, each in signature(measure).parameters.items() if each.kind is each.KEYWORD_ONLY]
    if not isinstance(options, Mapping | None):
        raise InputError(f'metrics are options of run.metrics by name, such as {{"after": 600}}, not {options!r}')
    for name in options or ():
        if name not in known:
            raise InputError(f"metrics has no option {name!r}{suggestion(str(name), tuple(known))}")
    return tuple((options or {}).items())


def check_sendable(cases: Iterable[Case]) -> None:
    """Raise `InputError` for a case that can't be sent to another process."""
    for case in cases:
        try:
            pickle.dumps(case)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"case {case.name!r} can't be sent to another process ({error}): define its functions and classes at "
                "the top of a module, without lambda, or leave executor= out"
            ) from None
