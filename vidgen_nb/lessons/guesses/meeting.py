"""A guess beside what happened: how far off it was, in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vidgen_nb.analysis.validation import is_number
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.measurement import number_in
from vidgen_nb.lessons.outputs import PREDICTION
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.run import Run

__all__ = ["CLOSE", "TRUTHS", "Found", "Meeting", "found_in", "met", "shown"]

CLOSE: Final = 0.1
"""A guessed number counts as right when it is off by at most this share of the true one."""


@dataclass(frozen=True)
class Found:
    """What happened: the true answer, and a clause that says it, such as "bruno refused first, at 4.2 s"."""

    truth: Any
    clause: str = ""


@dataclass(frozen=True, repr=False)
class Meeting:
    """A guess and what happened; a notebook shows it with its question."""

    guess: Any
    """None: there was none."""
    truth: Any
    right: bool | None
    """None: nobody guessed, or a machine can't tell (free text)."""
    sentence: str
    """Such as "You guessed alice; bruno refused first, at 4.2 s."."""
    question: str = ""
    changes: tuple[str, ...] = ()
    """What was guessed after the result was known, as sentences."""
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The whole prediction as data, which stays in a notebook's output."""

    def __str__(self) -> str:
        return " ".join((self.sentence, *self.changes))

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        html = f"<p>{html_line(self.question)}<br><b>{html_line(self.sentence)}</b></p>"
        html += "".join(f"<p>{html_line(each)}</p>" for each in self.changes)
        text = "\n".join([one_line(self.question), self.sentence, *self.changes])
        return {"text/plain": text, "text/html": html, PREDICTION: dict(self.data)}


def _first_refusal(run: Run) -> Found:
    """Return which profile refused first."""
    refused = min((each for each in run.attempts if each.outcome == "rate_limited"), key=_ended, default=None)
    if refused is None:
        return Found("none", "no profile refused")
    return Found(refused.profile, f"{refused.profile} refused first, at {_ended(refused):,.1f} s")


def _first_result(run: Run) -> Found:
    """Return which profile made the first result."""
    made = min((each for each in run.attempts if each.outcome == "succeeded"), key=_ended, default=None)
    if made is None:
        return Found("none", "no scene was done")
    return Found(made.profile, f"{made.profile} was first, with {made.scene} at {_ended(made):,.1f} s")


def _most_results(run: Run) -> Found:
    """Return which profile made the most results; of several, the first of them."""
    counts = {each.profile: each.scenes for each in run.metrics().profiles}
    best = max(counts, key=lambda name: counts[name], default="none")
    return Found(best, f"{best} made the most: {counts.get(best, 0):,} of {sum(counts.values()):,}")


def _ended(attempt: Any) -> float:
    return math.inf if attempt.end is None else attempt.end


TRUTHS: Final[Mapping[str, Callable[[Run], Found]]] = {
    "first refusal": _first_refusal,
    "first result": _first_result,
    "most results": _most_results,
}
"""Questions to a run that `answer=` knows by name, beside the metrics."""


def found_in(run: Any, answer: Any) -> Found:
    """Return what a run says: by a function of the run, by a name of `TRUTHS`, or by the name of a metric."""
    if callable(answer):
        value = answer(run)
        if isinstance(value, Found):
            return value
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
            return Found(*value)
        return Found(value)
    if answer in TRUTHS and isinstance(run, Run):
        return TRUTHS[answer](run)
    try:
        return Found(number_in(run, answer, lambda: run.metrics()))
    except InputError as error:
        raise InputError(f"answer: {error}; or one of {', '.join(map(repr, TRUTHS))}") from None


def shown(value: Any, unit: str | None = None) -> str:
    """Return a guess or a truth as text, with its unit."""
    if is_number(value):
        text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3g}" if abs(value) < 1 else f"{value:,.1f}"
        return f"{text} {_singular(unit) if value == 1 else unit}" if unit else text
    return one_line(str(value))


def _singular(unit: str) -> str:
    """Return the unit of one: "refusal" of "refusals"; abbreviations stay."""
    return unit[:-1] if len(unit) > 3 and unit.endswith("s") and not unit.endswith("ss") else unit


def met(guess: Any, found: Found, unit: str | None, *, judged: bool) -> Meeting:
    """Put a guess beside what was found. `judged`: whether equal means right, which it doesn't for free text."""
    clause = one_line(found.clause or f"it was {shown(found.truth, unit)}")
    if found.truth is None and not found.clause:
        clause = "this run has no answer to it"
    if guess is None:
        return Meeting(None, found.truth, None, f"No guess was made; {clause}.")
    mine = shown(guess, unit)
    if is_number(guess) and is_number(found.truth):
        return _numbers_met(float(guess), float(found.truth), found, unit)
    if not judged:
        return Meeting(guess, found.truth, None, f"You guessed “{mine}”; {clause}.")
    right = found.truth is not None and str(guess) == str(found.truth)
    if right and not found.clause:
        return Meeting(guess, found.truth, True, f"You guessed {mine}: right.")
    return Meeting(guess, found.truth, right, f"You guessed {mine}{': right,' if right else ';'} {clause}.")


def _numbers_met(guess: float, truth: float, found: Found, unit: str | None) -> Meeting:
    clause = one_line(found.clause or f"it was {shown(truth, unit)}")
    off = guess - truth
    if abs(off) <= 1e-9 * max(1.0, abs(truth)):
        return Meeting(guess, truth, True, f"You guessed {shown(guess, unit)}: right, {clause}.")
    share = f" ({abs(off) / abs(truth):.0%})".replace("%", " %") if truth else ""
    far = f"{shown(abs(off), unit)} too {'high' if off > 0 else 'low'}{share}"
    right = abs(off) <= CLOSE * abs(truth)
    said = f"You guessed {shown(guess, unit)}; {clause}: {'close, ' if right else ''}{far}."
    return Meeting(guess, truth, right, said)
