"""The goal of a question that has one right answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidgen_nb.analysis.validation import is_number
from vidgen_nb.lessons.goals import Verdict
from vidgen_nb.lessons.guesses.meeting import shown
from vidgen_nb.lessons.measurement import Measurement

__all__ = ["Truth"]


@dataclass(frozen=True)
class Truth:
    """The answer equals the truth. A wrong one is told so, and not what is right."""

    truth: Any
    """The right answer, or a function of the simulated run that returns it."""
    within: float = 0.0
    """The share by which a number may differ."""

    def words(self) -> str:
        """Return what is asked."""
        return f"the right answer, within {self.within:.0%}".replace("%", " %") if self.within else "the right answer"

    def judge(self, measured: Measurement) -> Verdict:
        """Compare the answer with the truth."""
        truth = self.truth(next(iter(measured.runs.values()))) if callable(self.truth) else self.truth
        answer = measured.answer
        if is_number(truth) and is_number(answer):
            right = abs(answer - truth) <= self.within * abs(truth) + 1e-9
        else:
            right = str(answer) == str(truth)
        text = f"{shown(answer)}: {'that is right' if right else 'that is not it'}"
        return Verdict("right", text, right, "yes" if right else "no")
