"""Kinds of answers to an exercise: how each is read, and how it is tried with a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from vidgen_nb.analysis.validation import is_number, plain_number
from vidgen_nb.clients import ClientRuns
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.lessons.bounded_runs import simulated
from vidgen_nb.lessons.given import short
from vidgen_nb.plaintext import one_line, short_repr
from vidgen_nb.policies.registry import as_policy, label
from vidgen_nb.run import Run

__all__ = ["AnswerKind", "Choice", "Measured", "Number", "PolicyAnswer", "RunAnswer", "Settings"]

MAX_SCENES: Final = 500
MAX_PROFILES: Final = 20
"""What an answer may simulate at most: a check is to take seconds."""


class AnswerKind(Protocol):
    """How an answer is read and tried."""

    wanted: str
    """What an answer is, in words."""

    def read(self, answer: Any) -> Any:
        """Return the answer in a plain form; `InputError` if it is of another kind."""

    def words(self, answer: Any) -> str:
        """Return the answer, once read, in a few words: for the table of tries."""

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Any:
        """Try it, and return what goals measure."""


class PolicyAnswer:
    """A policy; what is given is simulated with it."""

    wanted = "a policy, such as vg.PerProfileCooldown(10), or a class of your own: class Mine(vg.Policy), with on_429"

    def read(self, answer: Any) -> Policy:
        """Return the policy; of a class, an instance of it."""
        if isinstance(answer, type) and issubclass(answer, Policy):
            answer = answer()
        if not isinstance(answer, Policy | str):
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer, 80)}")
        return as_policy(answer)

    def words(self, answer: Any) -> str:
        """Return the policy with its settings."""
        return one_line(label(answer), 80)

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Run | ClientRuns:
        """Simulate with this policy."""
        return simulated(given, {"policy": answer}, seed)


class Settings:
    """A dict of settings to change in what is given, by the names that a sweep varies."""

    def __init__(self, may_change: Sequence[str]) -> None:
        self.may_change = tuple(may_change)
        self.wanted = f"a dict of what to change: {', '.join(self.may_change)}"

    def read(self, answer: Any) -> dict[str, Any]:
        """Return the dict; only what may be changed may be in it."""
        if not isinstance(answer, Mapping):
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer)}")
        for name in answer:
            if name not in self.may_change:
                raise InputError(f"{name!r} can't be changed in this exercise{suggestion(str(name), self.may_change)}")
        scenes, profiles = plain_number(answer.get("scenes")), answer.get("profiles")
        many = len(scenes) if isinstance(scenes, list | tuple) else scenes if isinstance(scenes, int | float) else 0
        if many > MAX_SCENES:
            raise InputError(f"at most {MAX_SCENES} scenes are simulated here")
        if isinstance(profiles, list | tuple) and len(profiles) > MAX_PROFILES:
            raise InputError(f"at most {MAX_PROFILES} profiles are simulated here")
        return dict(answer)

    def words(self, answer: Any) -> str:
        """Return the settings, by name."""
        texts = (f"{name}: {short(value)}" for name, value in answer.items())
        return one_line(", ".join(texts) or "nothing changed", 120)

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Run | ClientRuns:
        """Simulate with these settings."""
        return simulated(given, answer, seed)


class Number:
    """A number. With `sets`, it is a setting of what is given, which is simulated with it; else only compared."""

    def __init__(
        self, sets: str | Callable[[float], Any] | None, least: float, most: float, *, whole: bool = False
    ) -> None:
        self._sets = sets
        self.least, self.most, self.whole = least, most, whole
        number = "a whole number" if whole else "a number"
        self.wanted = f"{number}, {least:g} or more" if most == math.inf else f"{number} from {least:g} to {most:g}"

    def read(self, answer: Any) -> float:
        """Return the number."""
        number = plain_number(answer)
        if not is_number(number) or not self.least <= number <= self.most:
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer)}")
        if not self.whole:
            return number  # type: ignore[no-any-return]
        if number != int(number):
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer)}")
        return int(number)

    def words(self, answer: Any) -> str:
        """Return the number."""
        return f"{answer:g}"

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Any:
        """Simulate with it, or with what it sets."""
        if self._sets is None:
            return simulated(given, {}, seed) if given else None
        changes = {self._sets: answer} if isinstance(self._sets, str) else self._sets(answer)
        return simulated(given, changes, seed)


class Choice:
    """One of several texts."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = tuple(choices)
        self.wanted = f"one of {', '.join(map(repr, self.choices))}"

    def read(self, answer: Any) -> str:
        """Return the choice; a profile stands for its name, and capital letters and spaces around it do not matter."""
        given = str(getattr(answer, "name", answer))
        same = [each for each in self.choices if each == given]
        found = same or [each for each in self.choices if each.casefold() == given.strip().casefold()]
        if len(found) != 1:
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer)}")
        return found[0]

    def words(self, answer: Any) -> str:
        """Return the choice."""
        return one_line(answer, 80)

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Any:
        """Simulate what is given, which shows the right answer."""
        return simulated(given, {}, seed) if given else None


class RunAnswer:
    """A run that somebody made; goals are about it."""

    wanted = "a Run, as vg.simulate and ctl.run return it"

    def read(self, answer: Any) -> Run:
        """Return the run."""
        if not isinstance(answer, Run):
            raise InputError(f"the answer is {self.wanted}, not {short_repr(answer)}")
        return answer

    def words(self, answer: Any) -> str:
        """Return what became of its scenes."""
        return one_line(repr(answer), 80)

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Any:
        """Return it."""
        return answer


class Measured:
    """Anything, tried by a function of the answer and the seed."""

    def __init__(self, measure: Callable[[Any, int], Any], wanted: str, read: Callable[[Any], Any] | None) -> None:
        self._measure = measure
        self._read = read
        self.wanted = wanted

    def read(self, answer: Any) -> Any:
        """Return the answer."""
        return answer if self._read is None else self._read(answer)

    def words(self, answer: Any) -> str:
        """Return the answer in a few words."""
        if isinstance(answer, Mapping):
            return one_line(", ".join(f"{name}: {short(value)}" for name, value in answer.items()), 120)
        return one_line(short(answer), 120)

    def run(self, given: Mapping[str, Any], answer: Any, seed: int) -> Any:
        """Call the function."""
        return self._measure(answer, seed)
