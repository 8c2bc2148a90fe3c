"""What would have been, with an interval: a recorded run with something changed and without, with several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, Self

from vidgen_nb.analysis.experiments.cases import Case, checked_metrics, checked_seeds
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.limits.limit_samples import drawn_limits
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.simulation.what_if import changed_simulation, in_words
from vidgen_nb.analysis.validation import plain_number
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.results import Comparison
from vidgen_nb.provider import Limit

__all__ = ["UNCHANGED", "what_if_trials"]

UNCHANGED = "as it was"
"""The name of the case without the changes."""


@dataclass(frozen=True)
class _Guessed(Simulation):
    """A live run again. Its own seed has the recorded luck and the likeliest limits; each other one draws both."""

    first_seed: int = 0
    drawn: tuple[tuple[tuple[str, ...], tuple[Limit | None, ...]], ...] = ()

    def with_seed(self, seed: int) -> Self:
        """Return the same with another seed, other service times, and other limits that explain the 429s."""
        seeded = super().with_seed(seed)
        if seed == self.first_seed:
            return seeded
        limits = {
            name: Random(f"{seed}/{place}").choice(limits)  # noqa: S311 - no secret
            for place, (names, limits) in enumerate(self.drawn)
            for name in names
        }
        profiles = [replace(each, limit=limits.get(each.name, each.limit)) for each in seeded.profiles]
        return replace(seeded, profiles=profiles, luck={})


def what_if_trials(
    data: RunData,
    changes: Mapping[str, Any],
    seeds: int | Iterable[int],
    *,
    executor: Submitter | None = None,
    progress: bool = False,
    metrics: Mapping[str, Any] | None = None,
) -> Comparison:
    """Run a recorded run again, as it was and with changes, with the same seeds, and return both as a comparison.

    `seeds`: which, or how many: the run's own comes first, and has its luck: a simulated run repeats itself, and in a
    live one scenes take as long as they did. With each other seed the luck is drawn: service times from those seen,
    limits from those that explain the 429s, back-off. When scenes came and what a user did stay as recorded. Raises
    `InputError` as `what_if` does.
    """
    if not changes:
        raise InputError("what_if with seeds compares the run with something changed: say what, such as cooldown=10")
    if "seed" in changes:
        raise InputError("what_if takes seed, for one run, or seeds, for an interval: not both")
    (before, _), (after, assumed) = changed_simulation(data, {}), changed_simulation(data, changes)
    own = before.seed
    count = plain_number(seeds)
    if isinstance(count, int) and not isinstance(count, bool) and count > 0:
        chosen = list(range(own, own + count))
    else:
        chosen = checked_seeds(seeds)  # type: ignore[arg-type]  # says so
    simulations = [before, after]
    if (data.header.get("backend") or {}).get("name") != "simulated":
        simulations = [_guessed(each, own, _limits(data, changes if each is after else {})) for each in simulations]
    said = ", ".join(f"{name}={in_words(value)}" for name, value in changes.items())
    values = ((UNCHANGED, (("changed", "nothing"),)), (said, (("changed", said),)))
    options = checked_metrics(metrics)
    cases = [
        Case(name, each, simulation, options) for (name, each), simulation in zip(values, simulations, strict=True)
    ]
    found = run_cases(cases, chosen, executor, progress=progress, into=partial(Comparison, cases))
    found.assumed = assumed
    return found


def _limits(data: RunData, changes: Mapping[str, Any]) -> Sequence[tuple[tuple[str, ...], tuple[Limit | None, ...]]]:
    """Return each quota group's profiles and limits to draw from; none, if limits or profiles were given."""
    if "limit" in changes or ("profiles" in changes and not isinstance(changes["profiles"], int)):
        return ()
    return [
        (tuple(names), tuple(None if each is None else each.limit for each in drawn))
        for names, drawn in drawn_limits(data)
    ]


def _guessed(
    simulation: Simulation, own: int, drawn: Sequence[tuple[tuple[str, ...], tuple[Limit | None, ...]]]
) -> _Guessed:
    """Return a simulation that draws limits with each seed but its own."""
    fields = {name: getattr(simulation, name) for name in Simulation.__dataclass_fields__}
    return _Guessed(**fields, first_seed=own, drawn=tuple(drawn))
