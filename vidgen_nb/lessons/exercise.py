"""`vg.Exercise`: what is asked, what is given, and how an answer is checked; a frozen definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from vidgen_nb.analysis.experiments.numbers import NUMBERS
from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.lessons.answers import AnswerKind, Choice, Measured, Number, PolicyAnswer, RunAnswer, Settings
from vidgen_nb.lessons.bounded_runs import simulation_of
from vidgen_nb.lessons.given import own_copy
from vidgen_nb.lessons.goals import CheckableGoal, Goal, goal
from vidgen_nb.lessons.measurement import ALIASES
from vidgen_nb.lessons.truth import Truth

__all__ = ["Exercise"]

KINDS: Final = ("policy", "settings", "number", "choice", "run", "any")
MAX_SEEDS: Final = 50


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise that checks itself; `vg.exercise(this)` begins it.

    Raises `InputError` that says what is wrong with it.

    >>> mine = Exercise(
    ...     name="two-accounts",
    ...     task="Finish 16 scenes in less than a minute. At most five submits may be refused.",
    ...     given={"scenes": 16, "profiles": [SimulatedProfile("a", FixedWindow(4, per=20))], "mode": "boost"},
    ...     goals=["makespan below 60", "refusals at most 5"],
    ...     hints=["What does a refusal say?", "honour_retry_after=True"],
    ... )
    """

    name: str
    task: str
    """What is asked, in two sentences."""
    goals: Sequence[Any]
    """Texts such as "makespan below 70", `Goal(...)`, or functions of the run (`lessons.goals`). All are to be met."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What `vg.simulate` takes: scenes, profiles, mode and so on; with "clients", what `vg.simulate_clients` takes."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else is to be known, by name: shown, and not simulated."""
    hints: Sequence[str] = ()
    """In steps, the last one nearly the answer."""
    title: str = ""
    """Default: the name."""
    answer: Literal["policy", "settings", "number", "choice", "run", "any"] = "policy"
    """What an answer is: a policy; a dict of settings to change (`may_change`); a number, which may be a setting
    (`sets`); one of `choices`; a run that the student made; or anything that `measure` takes."""
    seeds: Sequence[int] = range(10)
    """Each try is simulated with each of them: the same luck for everybody."""
    may_change: Sequence[str] = ()
    """Of "settings": the names that may be changed, as a sweep varies them."""
    choices: Sequence[str] = ()
    sets: str | Callable[[float], Any] | None = None
    """Of "number": the setting that it is, or a function of it that returns a dict of settings."""
    least: float = 0
    most: float = math.inf
    whole: bool = False
    """Of "number": whether only whole numbers are answers."""
    truth: Any = None
    """Of "number" and "choice": the right answer, or a function of the simulated run that returns it."""
    within: float = 0.0
    """Of "number": the share by which it may differ from the truth."""
    measure: Callable[[Any, int], Any] | None = None
    """Of "any": a function of answer and seed that returns a run, or numbers by name, which the goals are about."""
    read: Callable[[Any], Any] | None = None
    """Of "any": a function that returns the answer in a plain form, or raises `InputError`."""
    wanted: str = ""
    """What an answer is, in words; default: as the kind of answer says."""

    def __post_init__(self) -> None:
        for name in ("name", "task"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"an exercise's {name} is a text, not {value!r}")
        if isinstance(self.goals, str) or callable(self.goals):
            object.__setattr__(self, "goals", [self.goals])
        if isinstance(self.hints, str):
            object.__setattr__(self, "hints", [self.hints])
        try:
            self._check()
        except InputError as error:
            raise InputError(f"exercise {self.name!r}: {error}") from None

    def _check(self) -> None:
        if self.answer not in KINDS:
            raise InputError(f"answer is one of {', '.join(KINDS)}, not {self.answer!r}")
        goals = [goal(each) for each in self.goals]
        if self.truth is not None:
            goals.append(Truth(self.truth, self.within))
        if not goals:
            raise InputError("it has no goal: give goals=[...], such as 'makespan below 70', or truth=")
        object.__setattr__(self, "goals", tuple(goals))
        object.__setattr__(self, "hints", tuple(map(str, self.hints)))
        object.__setattr__(self, "seeds", self._checked_seeds())
        if not isinstance(self.given, Mapping):
            raise InputError(f"given is a dict of what vg.simulate takes, not {self.given!r}")
        object.__setattr__(self, "given", own_copy(self.given))
        _ = self.kind
        if self.is_simulated:
            simulation_of(self.given, {}, self.seeds[0])
            for each in goals:
                if isinstance(each, Goal) and isinstance(each.metric, str):
                    _check_metric(each.metric)

    def _checked_seeds(self) -> tuple[int, ...]:
        seeds = (self.seeds,) if isinstance(self.seeds, int) else tuple(self.seeds)
        if not 0 < len(set(seeds)) == len(seeds) <= MAX_SEEDS or not all(isinstance(each, int) for each in seeds):
            raise InputError(f"seeds are 1 to {MAX_SEEDS} whole numbers, each once, not {self.seeds!r}")
        return seeds

    @property
    def is_simulated(self) -> bool:
        """Whether what is given is simulated."""
        return self.answer in ("policy", "settings") or (self.answer in ("number", "choice") and bool(self.given))

    @property
    def kind(self) -> AnswerKind:
        """How an answer is read and tried."""
        match self.answer:
            case "policy":
                return PolicyAnswer()
            case "settings":
                if not self.may_change:
                    raise InputError('answers are settings: give may_change=, such as ["capacity", "mode"]')
                return Settings(self.may_change)
            case "number":
                if not is_number(self.least) or not is_number(self.most) or self.least > self.most:
                    raise InputError(f"a number lies between least and most, not {self.least!r} and {self.most!r}")
                return Number(self.sets, self.least, self.most, whole=self.whole)
            case "choice":
                if len(self.choices) < 2:
                    raise InputError("an answer is a choice: give two or more choices=")
                return Choice(self.choices)
            case "run":
                return RunAnswer()
            case _:
                if self.measure is None:
                    raise InputError('answer="any" needs measure=, a function of the answer and the seed')
                return Measured(self.measure, self.wanted or "what the task asks for", self.read)

    @property
    def heading(self) -> str:
        """Its title, or its name."""
        return self.title or self.name

    def goal_words(self) -> list[str]:
        """Return what is asked, goal by goal."""
        checkable: Sequence[CheckableGoal] = self.goals
        return [each.words() for each in checkable]


def _check_metric(name: str) -> None:
    """Raise `InputError` for a number that no run has."""
    head = ALIASES.get(name, name).split(".")[0]
    known = {*NUMBERS, *(each.name for each in fields(Metrics)), *ALIASES}
    if head not in known and not hasattr(Metrics, head):
        raise InputError(f"a goal is about {name!r}, which no run has{suggestion(name, tuple(sorted(known)))}")
