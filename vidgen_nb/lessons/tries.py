"""The tries at an exercise, and their table: as text, as HTML, and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidgen_nb.lessons.goals import Verdict
from vidgen_nb.plaintext import html_line, one_line

__all__ = ["LEFT", "Tries", "Try", "html_table", "text_table"]

CELL_CHARS = 60
LEFT = 'style="text-align: left; vertical-align: top"'
"""Text in a table of a notebook would be at the right."""


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as HTML."""
    head = "".join(f"<th {LEFT}>{html_line(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td {LEFT}>{html_line(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as lines of text, in columns."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@dataclass(frozen=True)
class Try:
    """One answer and what it gave."""

    number: int
    """From 1."""
    at: str
    """Date and time of day here, ISO 8601, to the second."""
    answer: str
    """In a few words."""
    verdicts: tuple[Verdict, ...]
    """One for each goal; none if it could not be tried."""
    hints: int
    """How many hints had been given by then."""
    problem: str = ""
    """Why it could not be tried; empty: it was."""

    @property
    def passed(self) -> bool:
        """Whether all goals were met."""
        return not self.problem and all(each.passed for each in self.verdicts)

    @property
    def result(self) -> str:
        """In a word or two."""
        return "passed" if self.passed else "error" if self.problem else "not yet"

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "number": self.number,
            "at": self.at,
            "answer": self.answer,
            "passed": self.passed,
            "hints": self.hints,
            "problem": self.problem,
            "goals": [
                {"goal": each.goal, "measured": each.measured, "passed": each.passed, "text": each.text}
                for each in self.verdicts
            ],
        }


class Tries(Sequence[Try]):
    """The tries, in order; a notebook shows them as a table, and so does `print`."""

    def __init__(self, tries: Sequence[Try] = ()) -> None:
        self._tries = list(tries)

    def add(self, one: Try) -> None:
        """Add one."""
        self._tries.append(one)

    def __len__(self) -> int:
        return len(self._tries)

    def __getitem__(self, place: Any) -> Any:
        return self._tries[place]

    def rows(self) -> list[list[str]]:
        """Return the table, with its heads."""
        goals = list(dict.fromkeys(verdict.goal for each in self._tries for verdict in each.verdicts))
        heads = ["#", "answer", *goals, "hints", "result"]
        rows = []
        for each in self._tries:
            found: dict[str, str] = {}
            for verdict in each.verdicts:  # two goals may be about the same number
                text = f"{verdict.measured} {verdict.mark}".strip()
                found[verdict.goal] = f"{found[verdict.goal]}, {text}" if verdict.goal in found else text
            rows.append(
                [str(each.number), one_line(each.answer, CELL_CHARS), *(found.get(name, "–") for name in goals),
                 str(each.hints), each.result]
            )  # fmt: skip
        return [heads, *rows]

    def html(self) -> str:
        """Return the table as HTML; empty without tries."""
        if not self._tries:
            return ""
        heads, *rows = self.rows()
        return html_table(heads, rows)

    def _repr_html_(self) -> str:
        return self.html() or "<p>No tries yet.</p>"

    def __repr__(self) -> str:
        if not self._tries:
            return "No tries yet."
        return text_table(self.rows())
