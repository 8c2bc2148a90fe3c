"""Failures of submits: at random, or an outage; and how long one that is under way may still last.

At random, each submit fails with the same chance. In an outage a failure is likelier after a failure. How likely either
is, follows from how often failures and acceptances of a profile followed on each other (beta priors of ½, both as
likely before). Of an outage under way only its age is known: it lasts more than r times that with the chance 1 / r, as
does whatever has no scale of its own. An outage that is over does not come again, nor does one come later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from vidgen_nb.analysis.limits.fit import log_chance
from vidgen_nb.provider import Fault

__all__ = ["Answer", "Outages"]

Answer = tuple[float, bool]
"""When a submit was answered, and whether it was accepted: it was, or it failed with a failure that may pass."""


@dataclass(frozen=True, slots=True)
class Outages:
    """What the answers to submits say of failures that may pass."""

    chance: float
    """That failures come in outages, and not at random."""
    failing: float
    """Share of the submits that failed."""
    since: float
    """When the outage began that is under way; infinite: there is none."""
    out: tuple[str | None, ...]
    """The profiles in it; None stands for all."""

    @classmethod
    def seen(cls, answers: Mapping[str, Sequence[Answer]]) -> Outages:
        """Read the answers of each profile, in order."""
        failed = sum(not ok for each in answers.values() for _, ok in each)
        total = sum(map(len, answers.values()))
        if not failed:
            return cls(0.0, 0.0, math.inf, ())
        follows = {(before, after): 0 for before in (True, False) for after in (True, False)}
        for each in answers.values():
            for before, after in pairwise((True, *(ok for _, ok in each))):
                follows[before, after] += 1
        first, last = follows[True, False], follows[False, False]
        if last * (first + follows[True, True]) <= first * (last + follows[False, True]):  # no failure brings the next
            return cls(0.0, failed / total, math.inf, ())
        odds = log_chance(first, follows[True, True]) + log_chance(last, follows[False, True])
        odds -= log_chance(failed, total - failed)
        since, out = _under_way(answers)
        return cls(1 / (1 + math.exp(min(500.0, max(-500.0, -odds)))), failed / total, since, out)

    def drawn(self, at: float, rng: Random) -> list[Fault]:
        """Draw what becomes of submits from a moment on."""
        if rng.random() >= self.chance:
            return [Fault("overload", probability=min(0.9, self.failing))] if self.failing else []
        age = max(at - self.since, 1.0)
        end = at + age / (1 - rng.random()) - age
        return [Fault("overload", profile=name, start=at, end=end) for name in self.out if end > at]


def _under_way(answers: Mapping[str, Sequence[Answer]]) -> tuple[float, tuple[str | None, ...]]:
    """Return since when an outage is under way, and the profiles in it; None stands for all.

    One in which no profile was accepted is everybody's, and the first acceptance ends it for all.
    """
    begun = {name: at for name, each in answers.items() if (at := _failing_since(each)) is not None}
    since = min(begun.values(), default=math.inf)
    accepted = [at for each in answers.values() for at, ok in each if ok and at > since]
    if not begun or not accepted:
        return since, (None,) if begun else ()
    last = max(at for each in answers.values() for at, ok in each if not ok)
    return (since, tuple(begun)) if min(accepted) <= last else (math.inf, ())


def _failing_since(answers: Sequence[Answer]) -> float | None:
    """Return when the failures began that answers end with; None: the last one was accepted."""
    begun = None
    for at, ok in reversed(answers):
        if ok:
            break
        begun = at
    return begun
