"""`vg.exercise`: the work on an exercise: answers that are checked, hints, and the table of tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vidgen_nb.clock import local_time
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.unknown_names import suggestion
from vidgen_nb.lessons.course import EXERCISES
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.given import own_copy, rows_of
from vidgen_nb.lessons.goals import CheckableGoal, Verdict
from vidgen_nb.lessons.measurement import Measurement, scenes_left
from vidgen_nb.lessons.outputs import TRIES, kept
from vidgen_nb.lessons.student_errors import told
from vidgen_nb.lessons.tries import LEFT, Tries, Try
from vidgen_nb.plaintext import html_line, one_line, short_repr
from vidgen_nb.run import Run

__all__ = ["Check", "Hint", "Practice", "exercise"]


class Hint(str):
    """A hint, shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<p>{html_line(self)}</p>"


@dataclass(frozen=True, repr=False)
class Check:
    """What a check found: each goal with its numbers, what to look at next, and all tries so far."""

    practice: Practice
    tried: Try
    runs: Mapping[int, Any]
    """What was measured, by seed: runs, for most exercises. None are kept but here."""

    @property
    def passed(self) -> bool:
        """Whether all goals were met."""
        return self.tried.passed

    def lines(self) -> list[str]:
        """Return all of it but the table, as lines."""
        tried, heading = self.tried, self.practice.exercise.heading
        lines = [f"{heading} – try {tried.number}, {tried.answer}: {tried.result}"]
        if tried.problem:
            lines.append(tried.problem)
        lines += [f"{each}" for each in tried.verdicts]
        return lines + self._next()

    def _next(self) -> list[str]:
        """Return what to look at next."""
        if self.passed:
            return []
        found = [each.look for each in self.tried.verdicts if each.look and not each.passed][:1]
        worst = next((each.worst for each in self.tried.verdicts if each.worst is not None), None)
        if not found and worst is not None and isinstance(self.runs.get(worst), Run):
            found.append(
                f"Look at seed {worst}: check.runs[{worst}].gantt(), where check is what .check(...) returned."
            )
        left = len(self.practice.exercise.hints) - self.practice.hints_given
        if left > 0:
            found.append(f"{left} hint{'s' * (left > 1)} left: .hint()")
        return [f"Next: {' '.join(found)}"] if found else []

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return "\n".join([*self.lines(), "", repr(self.practice.tries)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        first, *others = self.lines()
        html = f"<p><b>{html_line(first)}</b></p><ul>" + "".join(f"<li>{html_line(each)}</li>" for each in others)
        html += f"</ul>{self.practice.tries.html()}"
        return {"text/plain": str(self), "text/html": html, TRIES: self.practice.as_data()}


class Practice:
    """The work on one exercise; `vg.exercise` begins it."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        """The definition."""
        self.tries = Tries()
        """The tries, which are shown as a table."""
        self.hints_given = 0
        self._references: dict[str, Measurement] = {}
        """What answers gave that goals compare with: the same at each try."""

    @property
    def given(self) -> Mapping[str, Any]:
        """A copy of what is given; `vg.simulate(**ex.given, policy=..., seed=0)` simulates what a check does."""
        return own_copy(self.exercise.given)

    def is_about(self, exercise: Exercise) -> bool:
        """Whether an exercise asks the same: one that is defined by a cell is made anew each time it runs."""
        mine, other = (
            (each.task, each.goal_words(), rows_of(each.given), each.seeds) for each in (self.exercise, exercise)
        )
        return mine == other

    @property
    def passed(self) -> bool:
        """Whether a try has met all goals."""
        return any(each.passed for each in self.tries)

    def check(self, answer: Any) -> Check:
        """Try an answer, and return what came of each goal; the try is added to the table.

        An answer that raises, exits, returns nonsense or never ends is a try, too: the check says what is wrong with
        it. A loop within its own code has to be interrupted: that try is in the table, and the interrupt goes on.
        """
        words, problem = short_repr(answer, 80) if not isinstance(answer, type) else answer.__name__, ""
        verdicts: tuple[Verdict, ...] = ()
        measured: Measurement | None = None
        try:
            read = self.exercise.kind.read(answer)
            words = self.exercise.kind.words(read)
            measured = self._measured(read)
            verdicts = self._judged(measured)
        except Exception as error:  # noqa: BLE001 - it is the student's code
            problem = told(error)
        except (SystemExit, GeneratorExit) as error:  # a policy may even exit: that ends its try, not the program
            problem = told(error)
        except KeyboardInterrupt:
            self._add(words, (), "interrupted: it had not come to an end")
            raise
        return Check(self, self._add(words, verdicts, problem), {} if measured is None else measured.runs)

    def _add(self, words: str, verdicts: tuple[Verdict, ...], problem: str) -> Try:
        at = local_time().isoformat(timespec="seconds")
        one = Try(len(self.tries) + 1, at, one_line(words, 200), verdicts, self.hints_given, problem)
        self.tries.add(one)
        return one

    def _measured(self, read: Any) -> Measurement:
        """Try an answer with every seed."""
        kind, given = self.exercise.kind, self.exercise.given

        def other(answer: Any) -> Measurement:
            key = repr(answer)
            if key not in self._references:
                self._references[key] = self._measured(kind.read(answer))
            return self._references[key]

        runs = {seed: kind.run(given, read, seed) for seed in self.exercise.seeds}
        return Measurement(read, kind.words(read), runs, other)

    def _judged(self, measured: Measurement) -> tuple[Verdict, ...]:
        """Judge each goal; scenes that are not done are one more that was missed."""
        goals: list[CheckableGoal] = list(self.exercise.goals)
        verdicts = [each.judge(measured) for each in goals]
        return (*verdicts, *_undone(measured))

    def run(self, answer: Any, seed: int | None = None) -> Any:
        """Return the run that a check of this answer makes with a seed, without adding a try; for its charts.

        Raises what the answer raises.
        """
        kind = self.exercise.kind
        return kind.run(self.exercise.given, kind.read(answer), self.exercise.seeds[0] if seed is None else seed)

    def hint(self) -> Hint:
        """Return the next hint; the table of tries says how many had been given at each try."""
        hints = self.exercise.hints
        if not hints:
            return Hint("This exercise has no hints.")
        if self.hints_given < len(hints):
            self.hints_given += 1
            return Hint(f"Hint {self.hints_given} of {len(hints)}: {hints[self.hints_given - 1]}")
        return Hint(f"That was the last hint: {hints[-1]}")

    def as_data(self) -> dict[str, Any]:
        """Return the tries as plain data, which is kept in a notebook under the MIME type `outputs.TRIES`."""
        return {
            "version": 1,
            "exercise": self.exercise.name,
            "title": self.exercise.heading,
            "hints": self.hints_given,
            "passed": self.passed,
            "tries": [each.as_data() for each in self.tries],
        }

    def _lists(self) -> list[tuple[str, list[str]]]:
        exercise = self.exercise
        given = [f"{name}: {text}" for name, text in rows_of({**exercise.given, **exercise.facts})]
        seeds = exercise.seeds
        if len(seeds) > 1 or exercise.is_simulated:
            is_range = len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1))
            listed = f"{seeds[0]} to {seeds[-1]}" if is_range else ", ".join(map(str, seeds))
            given.append(f"seed{'s' * (len(seeds) > 1)}: {listed}")
        return [
            ("Given", given),
            ("Goals", exercise.goal_words()),
            ("An answer is", [exercise.wanted or exercise.kind.wanted]),
            ("Hints", [f"{self.hints_given} of {len(exercise.hints)} given: .hint()"] if exercise.hints else []),
        ]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        html = f"<p><b>{html_line(self.exercise.heading)}</b></p><p>{html_line(self.exercise.task, 2000)}</p>"
        rows = "".join(
            f"<tr><th {LEFT}>{name}</th><td {LEFT}>{'<br>'.join(map(html_line, lines))}</td></tr>"
            for name, lines in self._lists()
            if lines
        )
        html += f"<table>{rows}</table>{self.tries.html()}"
        return {"text/plain": repr(self), "text/html": html, TRIES: self.as_data()}

    def __repr__(self) -> str:
        lines = [f"Exercise: {self.exercise.heading}", one_line(self.exercise.task, 2000)]
        for name, given in self._lists():
            if given:
                lines += [f"{name}:", *(f"  {one_line(each)}" for each in given)]
        return "\n".join([*lines, "", repr(self.tries)])


def _undone(measured: Measurement) -> list[Verdict]:
    """Return a missed goal if scenes of a run are not done."""
    for seed, run in measured.runs.items():
        left, count = scenes_left(run)
        if left:
            text = f"scenes: {left:,} of {count:,} are not done with seed {seed} (asked: all)"
            return [Verdict("all scenes", text, False, f"{left:,} left", seed)]
    return []


def exercise(which: str | Exercise | None = None) -> Practice:
    """Begin an exercise: one of the course's, by name, or an `Exercise` of your own.

    In a notebook, its tries are kept while the kernel runs: `vg.exercise("retry-after").check(policy)` adds to them.
    Raises `InputError` for an unknown name, with those that there are.

    >>> ex = exercise("retry-after")
    >>> print(ex)
    >>> print(ex.check(PerProfileCooldown(10)))
    """
    if isinstance(which, str):
        if which not in EXERCISES:
            raise InputError(f"no exercise is called {which!r}{suggestion(which, tuple(EXERCISES))}")
        return kept("exercise", which, lambda _: True, lambda: Practice(EXERCISES[which]()))
    if not isinstance(which, Exercise):
        raise InputError(f"vg.exercise takes the name of one ({', '.join(EXERCISES)}), or an Exercise, not {which!r}")
    practice = kept("own exercise", which.name, lambda old: old.is_about(which), lambda: Practice(which))
    practice.exercise = which
    return practice
