"""What would have been, with an interval: a recorded run as it was, and with something changed, with several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, Self

from vidgen_nb.analysis.experiments.cases import Case, Seeded, checked_metrics, seeds_from
from vidgen_nb.analysis.experiments.executors import Submitter, run_cases
from vidgen_nb.analysis.limits.limit_samples import Drawn, drawn_limits
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.simulation.what_if import changed_simulation, in_words
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.additions import UNITS, WithMore, additions
from vidgen_nb.experiments.results import Comparison

__all__ = ["UNCHANGED", "again", "one_more_trials", "what_if_trials"]

Variant = tuple[str, tuple[tuple[str, Any], ...], Seeded]
"""A case's name, what sets it apart, and what is simulated."""

UNCHANGED = "as it was"
"""The name of the case without the changes."""


@dataclass(frozen=True)
class _Guessed(Simulation):
    """A live run again. Its own seed has the recorded luck and the likeliest limits; each other one draws both."""

    first_seed: int = 0
    drawn: tuple[tuple[tuple[str, ...], tuple[Drawn, ...]], ...] = ()

    def with_seed(self, seed: int) -> Self:
        """Return the same with another seed, other service times, and other limits that explain the 429s."""
        seeded = super().with_seed(seed)
        if seed == self.first_seed:
            return seeded
        chosen = {
            name: Random(f"{seed}/{place}").choice(limits)  # noqa: S311 - no secret
            for place, (names, limits) in enumerate(self.drawn)
            for name in names
        }
        limits = {name: each.limit and each.limit.limit for name, each in chosen.items()}
        profiles = [replace(each, limit=limits.get(each.name, each.limit)) for each in seeded.profiles]
        faults = [*seeded.faults, *(each.fault(name) for name, each in chosen.items() if each.refused_by_chance)]
        return replace(seeded, profiles=profiles, faults=faults, luck={})


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
    said = ", ".join(f"{name}={in_words(value)}" for name, value in changes.items())
    variants = [
        (UNCHANGED, (("changed", "nothing"),), _drawn(data, before, {})),
        (said, (("changed", said),), _drawn(data, after, changes)),
    ]
    return _compared(variants, before.seed, seeds, executor, progress, metrics, assumed)


def again(data: RunData, seeds: int | Iterable[int], *, metrics: Mapping[str, Any] | None = None) -> Comparison:
    """Run a simulated run again as it was, with other luck, and return the records; `seeds` as in `what_if_trials`."""
    simulation, assumed = changed_simulation(data, {})
    variants: list[Variant] = [(UNCHANGED, (("changed", "nothing"),), simulation)]
    return _compared(variants, simulation.seed, seeds, None, False, metrics, assumed)


def one_more_trials(
    data: RunData,
    what: str | None,
    seeds: int | Iterable[int],
    *,
    executor: Submitter | None = None,
    progress: bool = False,
    metrics: Mapping[str, Any] | None = None,
) -> Comparison:
    """Run a recorded run again, as it was and with one more of each thing, and return all as a comparison.

    `what`: one of `additions.UNITS`, or None for all of them; the rest is as in `what_if_trials`. Raises `InputError`
    for another one, and if nothing bounds the run.
    """
    if what is not None and what not in UNITS:
        raise InputError(f"there can be one more of {', '.join(UNITS)}, or of each of them (None), not {what!r}")
    simulation, assumed = changed_simulation(data, {})
    added = [each for each in additions(simulation) if what in (None, each.unit)]
    if not added:
        raise InputError(f"this run has no {what or 'bound'} that there could be one more of")
    before = _drawn(data, simulation, {})
    variants: list[Variant] = [(UNCHANGED, (("more", "nothing"), ("where", "")), before)]
    variants += [(each.name, (("more", each.unit), ("where", each.where)), WithMore(before, each)) for each in added]
    return _compared(variants, simulation.seed, seeds, executor, progress, metrics, assumed)


def _compared(
    variants: Sequence[Variant],
    own: int,
    seeds: int | Iterable[int],
    executor: Submitter | None,
    progress: bool,
    metrics: Mapping[str, Any] | None,
    assumed: list[str],
) -> Comparison:
    """Run each variant with each seed; so many seeds begin with the run's own."""
    options = checked_metrics(metrics)
    cases = [Case(*each, options) for each in variants]
    into = partial(Comparison, cases)
    found = run_cases(cases, seeds_from(seeds, own), executor, progress=progress, into=into)
    found.assumed = assumed
    return found


def _drawn(data: RunData, simulation: Simulation, changes: Mapping[str, Any]) -> Simulation:
    """Return a simulated run as it is; of a live one, each seed but its own draws limits and luck."""
    if (data.header.get("backend") or {}).get("name") == "simulated":
        return simulation
    return _guessed(simulation, simulation.seed, _limits(data, changes))


def _limits(data: RunData, changes: Mapping[str, Any]) -> Sequence[tuple[tuple[str, ...], tuple[Drawn, ...]]]:
    """Return each quota group's profiles and limits to draw from; none, if limits or profiles were given."""
    if "limit" in changes or ("profiles" in changes and not isinstance(changes["profiles"], int)):
        return ()
    return [(tuple(names), tuple(drawn)) for names, drawn in drawn_limits(data)]


def _guessed(simulation: Simulation, own: int, drawn: Sequence[tuple[tuple[str, ...], tuple[Drawn, ...]]]) -> _Guessed:
    """Return a simulation that draws limits with each seed but its own."""
    fields = {name: getattr(simulation, name) for name in Simulation.__dataclass_fields__}
    return _Guessed(**fields, first_seed=own, drawn=tuple(drawn))
