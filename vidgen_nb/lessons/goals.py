"""Goals of an exercise: small values that say what a run must reach, and whether it did, with numbers.

>>> Goal("makespan", below=70)                        the mean over the seeds
>>> Goal("refusals", at_most=5, over="every seed")
>>> Goal("makespan", below=1, of=Paced())             less than 1 × what Paced() takes, with the same seeds
>>> goal("makespan below 70"), goal("refusals at most 5 with every seed"), goal("beats Paced on makespan")
>>> goal(lambda run: len(run.moves) > 3)              a function of the run: True, or a number that is not 0
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, runtime_checkable

from vidgen_nb.analysis.experiments.numbers import Metric, more_is_better
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.measurement import ALIASES, Measurement, said, words_of
from vidgen_nb.policies.registry import POLICIES, as_policy, label

__all__ = ["CheckableGoal", "Goal", "TestGoal", "Verdict", "goal"]

Over = Literal["mean", "every seed"]


@dataclass(frozen=True)
class Verdict:
    """What became of one goal."""

    goal: str
    """What it is about, such as "makespan"."""
    text: str
    """With numbers: "makespan: mean 68.2 s over 10 seeds (asked: below 70 s)"."""
    passed: bool
    measured: str = ""
    """The number alone, for the table of tries."""
    worst: int | None = None
    """The seed to look at, if it was missed."""
    look: str = ""
    """What to look at next, if it was missed."""

    @property
    def mark(self) -> str:
        """✓ or ✗."""
        return "✓" if self.passed else "✗"

    def __str__(self) -> str:
        return f"{self.text} {self.mark}"


@runtime_checkable
class CheckableGoal(Protocol):
    """What an exercise needs of a goal; a class of your own may have it."""

    def words(self) -> str:
        """Return what is asked, in a few words."""

    def judge(self, measured: Measurement) -> Verdict:
        """Say whether it was reached."""


_RELATIONS: Final[dict[str, tuple[str, Callable[[float, float], bool]]]] = {
    "below": ("below", lambda value, bound: value < bound),
    "at_most": ("at most", lambda value, bound: value <= bound + 1e-9),
    "above": ("above", lambda value, bound: value > bound),
    "at_least": ("at least", lambda value, bound: value >= bound - 1e-9),
}


@dataclass(frozen=True)
class Goal:
    """A bound on one number of the runs.

    `metric`: "makespan", "refusals", "calls", any other name of `run.metrics()` such as "wait.p95", or a function of
    the run that returns a number. Exactly one of `below`, `at_most`, `above` and `at_least` is the bound. Raises
    `InputError` for anything else.
    """

    metric: Metric
    below: float | None = None
    at_most: float | None = None
    above: float | None = None
    at_least: float | None = None
    of: Any = None
    """Another answer, such as `Paced()`: the bound is then that many times what it gives with the same seeds."""
    over: Over = "mean"
    """Whether the mean over the seeds counts, or "every seed"."""
    look: str = ""
    """What to look at next if it is missed."""

    def __post_init__(self) -> None:
        if not isinstance(self.metric, str) and not callable(self.metric):
            raise InputError(f"a goal is about a metric, such as 'makespan', or a function of the run: {self.metric!r}")
        given = {name: getattr(self, name) for name in _RELATIONS if getattr(self, name) is not None}
        if len(given) != 1:
            raise InputError(
                f"a goal about {words_of(self.metric)} has exactly one of {', '.join(_RELATIONS)}, not {len(given)}"
            )
        (name, bound), *_ = given.items()
        if not is_number(bound):
            raise InputError(f"a goal about {words_of(self.metric)}: {name} is a number, not {bound!r}")
        if self.over not in ("mean", "every seed"):
            raise InputError(f"a goal is over the 'mean' or over 'every seed', not {self.over!r}")

    @property
    def _relation(self) -> tuple[str, Callable[[float, float], bool], float]:
        name = next(name for name in _RELATIONS if getattr(self, name) is not None)
        return (*_RELATIONS[name], float(getattr(self, name)))

    def words(self) -> str:
        """Return what is asked, in a few words."""
        relation, _, bound = self._relation
        every = " with every seed" if self.over == "every seed" else ""
        if self.of is None:
            return f"{words_of(self.metric)}: {self._asked(bound)}{every}"
        other = _answer_words(self.of)
        if bound == 1 and relation in ("below", "above"):
            return f"{words_of(self.metric)} {relation} that with {other}{every}"
        return f"{words_of(self.metric)} {relation} {bound:.0%} of that with {other}{every}".replace("%", " %")

    def _asked(self, bound: float) -> str:
        """Return the bound in words: "below 70 s"; 0 where there may be none."""
        relation, *_ = self._relation
        unit = said(0, self.metric).removeprefix("0.0").removeprefix("0")
        text = said(bound, self.metric) if self.of is not None else f"{_number(bound)}{unit}"
        return "0" if self.of is None and bound == 0 and relation == "at most" else f"{relation} {text}"

    def judge(self, measured: Measurement) -> Verdict:
        """Compare the runs with the bound."""
        name, numbers = words_of(self.metric), measured.numbers(self.metric)
        missing = [seed for seed, number in numbers.items() if number is None]
        if missing:
            return Verdict(name, f"{name}: none with seed {missing[0]}", False, "–", missing[0], self.look)
        known = {seed: float(number) for seed, number in numbers.items() if number is not None}
        relation, holds, _ = self._relation
        bounds, against = self._bounds(measured)
        is_upper = relation in ("below", "at most")
        worst = max(known, key=lambda seed: (known[seed] - bounds[seed]) * (1 if is_upper else -1))
        many = len(known) > 1
        if self.over == "every seed" or not many:
            passed = all(holds(known[seed], bounds[seed]) for seed in known)
            value, bound = known[worst], bounds[worst]
            reached = said(value, self.metric)
            if many and passed:
                bound_word = "" if len(set(known.values())) == 1 else "at most " if is_upper else "at least "
                reached = f"{bound_word}{reached} with each of {len(known)} seeds"
            elif many:
                reached += f" with seed {worst}"
        else:
            value, bound = sum(known.values()) / len(known), sum(bounds.values()) / len(bounds)
            passed, reached = holds(value, bound), f"mean {said(value, self.metric)} over {len(known)} seeds"
        text = f"{name}: {reached} (asked: {self._asked(bound)}{against})"
        return Verdict(
            name, text, passed, said(value, self.metric), None if passed else worst, "" if passed else self.look
        )

    def _bounds(self, measured: Measurement) -> tuple[dict[int, float], str]:
        """Return the bound for each seed, and where it comes from."""
        _, _, factor = self._relation
        if self.of is None:
            return dict.fromkeys(measured.runs, factor), ""
        other = measured.of(self.of)
        found = {seed: number for seed, number in other.numbers(self.metric).items() if number is not None}
        if len(found) < len(measured.runs):
            raise InputError(f"the goal {self.words()!r} can't be judged: {other.words} has no {words_of(self.metric)}")
        share = "" if factor == 1 else f"{factor:.0%} of ".replace("%", " %")
        return {seed: factor * number for seed, number in found.items()}, f", {share}what {other.words} gives"


@dataclass(frozen=True)
class TestGoal:
    """A function of the run that says whether the goal is reached: True or False, or (True or False, "why")."""

    __test__ = False  # pytest would take it for a test
    test: Callable[[Any], Any]

    def words(self) -> str:
        """Return the first line of the function's docstring, or its name."""
        return words_of(self.test)

    def judge(self, measured: Measurement) -> Verdict:
        """Ask the function of each run."""
        for seed, run in measured.runs.items():
            found = self.test(run)
            passed, why = found if isinstance(found, tuple) and len(found) == 2 else (found, "")
            if not passed:
                of = f" with seed {seed}" if len(measured.runs) > 1 else ""
                return Verdict(self.words(), f"{self.words()}: no{of}{f', {why}' if why else ''}", False, "no", seed)
        return Verdict(self.words(), f"{self.words()}: yes", True, "yes")


_TEXT = re.compile(
    r"(?P<metric>\S.*?) (?P<relation>below|at most|above|at least) (?P<bound>-?[\d.]+)( ?s)?"
    r"(?P<every> with every seed)?"
)
_BEATS = re.compile(r"beats (?P<policy>\w+(\(.*\))?) on (?P<metric>\S.*?)")


def goal(given: Any) -> CheckableGoal:
    """Return the goal that a text or a function stands for; goals stay as they are. `InputError` for anything else."""
    if isinstance(given, str):
        return _from_text(given)
    if isinstance(given, type) or not isinstance(given, CheckableGoal):
        if callable(given) and not isinstance(given, type):
            return TestGoal(given)
        raise InputError(
            "a goal is a text such as 'makespan below 70' or 'beats Paced on makespan', a Goal('makespan', below=70), "
            f"or a function of the run, not {given!r}"
        )
    return given


def _from_text(text: str) -> Goal:
    plain = " ".join(text.split()).rstrip(".")
    if found := _TEXT.fullmatch(plain):
        bound: dict[str, Any] = {found["relation"].replace(" ", "_"): float(found["bound"])}
        return Goal(_metric(found["metric"]), over="every seed" if found["every"] else "mean", **bound)
    if found := _BEATS.fullmatch(plain):
        metric = _metric(found["metric"])
        if found["policy"] not in POLICIES:
            raise InputError(f"goal {text!r}: {found['policy']!r} is no policy: choose one of {', '.join(POLICIES)}")
        policy = as_policy(found["policy"])
        return Goal(metric, above=1.0, of=policy) if more_is_better(metric) else Goal(metric, below=1.0, of=policy)
    raise InputError(
        f"can't read the goal {text!r}: write it like 'makespan below 70', 'refusals at most 5 with every seed' or "
        "'beats Paced on makespan', or give a Goal(...)"
    )


def _metric(name: str) -> str:
    return ALIASES.get(name, name.replace(" ", "_") if "." not in name else name)


def _number(bound: float) -> str:
    return f"{bound:,.0f}" if bound == round(bound) else f"{bound:,g}"


def _answer_words(answer: Any) -> str:
    if isinstance(answer, Policy):
        return label(answer)
    if isinstance(answer, dict):
        return ", ".join(f"{name}={value!r}" for name, value in answer.items()) or "the settings as given"
    return str(answer)
