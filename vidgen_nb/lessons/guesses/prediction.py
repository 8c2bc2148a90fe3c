"""A question and the guesses at it, kept with their times, and met again after the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vidgen_nb.analysis.validation import is_number, plain_number
from vidgen_nb.clients import ClientRuns
from vidgen_nb.clock import local_time
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.guesses.meeting import TRUTHS, Found, Meeting, found_in, met, shown
from vidgen_nb.lessons.outputs import HIDE_BESIDE_FORM, PREDICTION, KeptOutput, notebook_shell
from vidgen_nb.plaintext import html_line, one_line, short_repr
from vidgen_nb.run import Run

if TYPE_CHECKING:
    from vidgen_nb.lessons.guesses.guess_form import GuessForm

__all__ = ["Guess", "Prediction"]

MAX_NUMBER: Final = 1e15
"""A guess beyond this is a slip of the hand, and its sentence would fill the page."""


@dataclass(frozen=True)
class Guess:
    """One guess."""

    value: Any
    at: str
    """Date and time of day here, ISO 8601, to the second."""
    late: bool
    """Whether the result was known by then."""


class Prediction:
    """A question and the guesses at it; `vg.predict` makes one.

    In a notebook it shows a form. `guess` can be read, and set from a cell. `meet(run)` after the run puts what
    happened beside it. All of it stays in the output of the cell that asked, without a kernel, too.
    """

    def __init__(
        self,
        question: str,
        choices: Sequence[Any] | range | None = None,
        *,
        answer: Any = None,
        unit: str | None = None,
    ) -> None:
        self.question = _checked_question(question)
        self.choices = _checked_choices(choices)
        """What can be guessed; None: a number if there is a unit, else any text."""
        if unit is not None and not isinstance(unit, str):
            raise InputError(f"unit is a text such as 's', or None, not {unit!r}")
        self.unit = unit
        self.answer = answer
        """The truth, or how to find it in a run; as in `predict`."""
        self.guesses: list[Guess] = []
        """All guesses, the latest last."""
        self.meeting: Meeting | None = None
        """The guess beside what happened; None: not met yet."""
        self._found: Found | None = None
        self._form: GuessForm | None = None
        self._output = KeptOutput(self._kept_bundle)
        self._shown_in: int | None = None
        """The number of the cell's run that has shown it last."""

    # -- the guess

    @property
    def is_number(self) -> bool:
        """Whether a number is asked for."""
        return self.unit is not None or isinstance(self.choices, range)

    @property
    def guess(self) -> Any:
        """The guess; None: not guessed yet. One that is set after `meet` is kept as late, and meets nothing."""
        return self.guesses[-1].value if self.guesses else None

    @guess.setter
    def guess(self, value: Any) -> None:
        self.guesses.append(
            Guess(self._checked(value), local_time().isoformat(timespec="seconds"), self.meeting is not None)
        )
        self._changed()

    def _checked(self, value: Any) -> Any:
        value = plain_number(getattr(value, "name", value))  # a profile stands for its name, as among the choices
        if self.choices is not None:
            for choice in self.choices:
                if value == choice or str(value) == str(choice):
                    return choice
            raise InputError(f"a guess at {self.question!r} is {self._known_choices()}, not {short_repr(value)}")
        if self.is_number:
            if not is_number(value) or abs(value) > MAX_NUMBER:
                wanted = f"a number{f' (unit: {self.unit})' if self.unit else ''}, up to {MAX_NUMBER:g}"
                raise InputError(f"a guess at {self.question!r} is {wanted}, not {short_repr(value)}")
            return value
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"a guess at {self.question!r} is a text, not {short_repr(value)}")
        return value

    def _known_choices(self) -> str:
        """Return what can be chosen, in words."""
        if not isinstance(self.choices, range):
            return f"one of {', '.join(map(repr, self.choices or ()))}"
        steps = "" if self.choices.step == 1 else f" in steps of {self.choices.step}"
        return f"a whole number from {self.choices[0]} to {self.choices[-1]}{steps}"

    # -- the result

    def meet(self, subject: Any = None) -> Meeting:
        """Put what happened beside the guess, and return both; a notebook shows them.

        `subject`: the run, to which `answer` is a question; or the true answer itself. Without it, `answer` is the
        truth. The first guess before the first meeting is the one that counts. Raises `InputError` where the truth
        can't be found.
        """
        return self._meet(self._find(subject))

    def reveal(self, truth: Any, clause: str = "") -> Meeting:
        """Put the true answer beside the guess; `clause` says it in words, such as "bruno refused first, at 4.2 s"."""
        return self._meet(Found(plain_number(truth), clause))

    def _find(self, subject: Any) -> Found:
        answer = self.answer
        is_question = callable(answer) or self._names_a_question(answer)
        if subject is None and (answer is None or is_question):
            raise InputError("meet(run) takes the run that is to answer, or the true answer itself")
        if is_question and (callable(answer) or isinstance(subject, Run | ClientRuns)):
            return self._worded(found_in(subject, answer))
        if isinstance(subject, Run) and answer is None:
            raise InputError(
                "what should be asked of the run? Give predict(..., answer=), which is a function of the run, one of "
                f"{', '.join(map(repr, TRUTHS))}, or a metric such as 'makespan'; or reveal(truth)"
            )
        truth = plain_number(subject if answer is None or is_question else answer)
        if self.is_number and not is_number(truth):
            raise InputError(
                f"the answer to {self.question!r} is a number, or a run that has it, not {short_repr(truth)}"
            )
        return self._worded(Found(truth))

    def _worded(self, found: Found) -> Found:
        """Return a truth that is True or False in the words of the choices, if these are yes and no."""
        if isinstance(found.truth, bool) and self.choices is not None and not isinstance(self.choices, range):
            words = {str(each).casefold(): each for each in self.choices}
            if set(words) == {"yes", "no"}:
                return replace(found, truth=words["yes" if found.truth else "no"])
        return found

    def _names_a_question(self, answer: Any) -> bool:
        """Say whether a text is asked of a run: where texts are guessed, it may be the truth itself."""
        return isinstance(answer, str) and (answer in TRUTHS or self.is_number)

    def _meet(self, found: Found) -> Meeting:
        if self.meeting is None or self._found is None or found.truth != self._found.truth:
            in_time = [each for each in self.guesses if not each.late]
            guess = in_time[-1].value if in_time else None
            self._found = found
            self.meeting = met(guess, found, self.unit, judged=self.choices is not None or self.is_number)
            self._changed()
        return replace(self.meeting, question=self.question, changes=tuple(self._late()), data=self.as_data())

    # -- how it is shown

    def lines(self) -> list[str]:
        """Return the question, the guess, and what came of it, as lines of text."""
        found = [f"Prediction: {one_line(self.question)}"]
        if isinstance(self.choices, range):
            found.append(f"From {self.choices[0]} to {shown(self.choices[-1], self.unit)}.")
        elif self.choices is not None:
            found.append(f"Choices: {', '.join(shown(each, self.unit) for each in self.choices)}.")
        return [*found, *self.what_is_known()]

    def what_is_known(self) -> list[str]:
        """Return the guess and the meeting as lines; a guess that was changed when the result was known says so."""
        if self.meeting is None:
            if not self.guesses:
                return ["Not guessed yet."]
            last = self.guesses[-1]
            return [f"Your guess: {shown(last.value, self.unit)} ({_time(last.at)})."]
        return [self.meeting.sentence, *self._late()]

    def _late(self) -> list[str]:
        """Return what was guessed after the result was known, as sentences."""
        return [
            f"Changed to {shown(each.value, self.unit)} after the result was known ({_time(each.at)})."
            for each in self.guesses
            if each.late
        ]

    def as_data(self) -> dict[str, Any]:
        """Return all of it as plain data, which is kept in a notebook under the MIME type `outputs.PREDICTION`."""
        meeting = self.meeting
        choices = self.choices
        return {
            "version": 1,
            "question": self.question,
            "choices": None if choices is None or isinstance(choices, range) else [*map(_plain, choices)],
            "unit": self.unit,
            "guesses": [{"guess": _plain(each.value), "at": each.at, "late": each.late} for each in self.guesses],
            "met": None
            if meeting is None
            else {
                "guess": _plain(meeting.guess),
                "truth": _plain(meeting.truth),
                "right": meeting.right,
                "sentence": meeting.sentence,
            },
        }

    def _kept_bundle(self) -> dict[str, Any]:
        bundle = self._repr_mimebundle_()
        return bundle | {"text/html": f'{HIDE_BESIDE_FORM}<span class="vg-kept-guess"></span>{bundle["text/html"]}'}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), PREDICTION: self.as_data()}

    def _repr_html_(self) -> str:
        first, *others = self.lines()
        return f"<p><b>{html_line(first)}</b></p>" + "".join(f"<p>{html_line(line)}</p>" for line in others)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def show(self) -> None:
        """Show the form in a notebook's cell, and below it what is kept; nothing in a script."""
        shell = notebook_shell()
        if shell is None:
            return
        from IPython.display import display

        from vidgen_nb.lessons.guesses.guess_form import GuessForm

        if self._form is None:
            self._form = GuessForm(self)
        showing: Any = display  # it is untyped
        showing(self._form.bundle(), raw=True)
        self._output.show()
        self._shown_in = getattr(shell, "execution_count", None)

    def _ipython_display_(self) -> None:
        """Show it as a cell's last value, unless that cell has just asked it."""
        shell = notebook_shell()
        if shell is None:
            from IPython.display import display

            showing: Any = display
            showing({"text/plain": repr(self)}, raw=True)
        elif self._shown_in is None or self._shown_in != getattr(shell, "execution_count", None):
            self.show()

    def _changed(self) -> None:
        if self._form is not None:
            self._form.follow()
        self._output.update()


def _checked_question(question: Any) -> str:
    if not isinstance(question, str) or not question.strip():
        raise InputError(f"a prediction needs a question, as a text, not {question!r}")
    return question


def _checked_choices(choices: Any) -> Sequence[Any] | range | None:
    if choices is None:
        return None
    given = choices if isinstance(choices, range) else [plain_number(getattr(each, "name", each)) for each in choices]
    texts = [str(each) for each in given]
    if len(texts) < 2 or len(set(texts)) < len(texts):
        raise InputError(f"choices are two or more, each once, not {choices!r}")
    if any(not isinstance(each, str | int | float) for each in given):
        raise InputError(f"choices are texts or numbers, not {choices!r}")
    return given


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _time(at: str) -> str:
    """Return the time of day of an ISO 8601 text."""
    return at[11:16]
