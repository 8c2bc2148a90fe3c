"""`vg.predict`: ask for a guess before the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.lessons.guesses.prediction import Prediction
from vidgen_nb.lessons.outputs import kept

__all__ = ["predict"]


def predict(
    question: str,
    choices: Iterable[Any] | None = None,
    *,
    answer: Any = None,
    unit: str | None = None,
    guess: Any = None,
) -> Prediction:
    """Ask for a guess before the run, and return the prediction, which meets what happened afterwards.

    `choices`: a list to choose from, or a `range` of numbers; without it, a number if there is a `unit` ("" for one
    without), else any text. `answer`: how `meet(run)` finds the truth: a function of the run, which may return
    (truth, "a clause that says it"); "first refusal", "first result" or "most results"; of a number, the name of a
    metric such as "makespan" or "wait.p95"; or the truth itself. `guess`: the guess, where there is nobody to ask, as
    in a script.

    In a notebook the form is shown at once, and a cell that is run again goes on with the guess that was made. Raises
    `InputError` for anything else.

    >>> first = predict("Who refuses first?", ["alice", "bruno"], answer="first refusal", guess="alice")
    >>> print(first.meet(run))
    You guessed alice; bruno refused first, at 4.2 s.
    """
    made = Prediction(question, None if choices is None else _as_choices(choices), answer=answer, unit=unit)
    prediction = kept(
        "prediction", made.question, lambda old: (old.choices, old.unit) == (made.choices, made.unit), lambda: made
    )
    prediction.answer = answer
    if guess is not None and prediction.guess != guess:
        prediction.guess = guess
    prediction.show()
    return prediction


def _as_choices(choices: Any) -> Any:
    if isinstance(choices, str) or not isinstance(choices, Iterable):
        raise InputError(f"choices is a list of what can be guessed, such as ['alice', 'bruno'], not {choices!r}")
    return choices if isinstance(choices, range) else list(choices)
