"""`vg.read_tries`: what a class guessed and tried, read from its saved notebooks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.lessons.outputs import PREDICTION, TRIES
from vidgen_nb.lessons.tries import html_table, text_table
from vidgen_nb.plaintext import html_line, one_line

__all__ = ["SavedTries", "SavedWork", "read_tries"]

HEADS = ("student", "kind", "what", "tries", "hints", "result")


@dataclass(frozen=True)
class SavedWork:
    """What one notebook holds about one prediction or one exercise."""

    student: str
    """The notebook's path below the folder that was read, without its ending."""
    kind: str
    """`prediction` or `exercise`."""
    what: str
    """The question, or the exercise's name."""
    tries: int
    """Guesses, or tries."""
    hints: int
    result: str
    """Such as `passed`, `not yet`, `right`, `guessed alice`."""
    data: dict[str, Any]
    """All that was kept (`Prediction.as_data`, `Practice.as_data`)."""


class SavedTries(Sequence[SavedWork]):
    """The work of a class; a notebook shows it as a table, and so does `print`."""

    def __init__(self, work: Sequence[SavedWork], problems: Sequence[str] = ()) -> None:
        self._work = list(work)
        self.problems = list(problems)
        """Files that could not be read, and why."""

    def __len__(self) -> int:
        return len(self._work)

    def __getitem__(self, place: Any) -> Any:
        return self._work[place]

    def rows(self) -> list[list[str]]:
        """Return the table, without its heads (`HEADS`)."""
        return [
            [each.student, each.kind, one_line(each.what, 60), str(each.tries), str(each.hints), each.result]
            for each in self
        ]

    def _repr_html_(self) -> str:
        return html_table(HEADS, self.rows()) + "".join(f"<p>{html_line(each)}</p>" for each in self.problems)

    def __repr__(self) -> str:
        rows = [list(HEADS), *([one_line(cell, 80) for cell in row] for row in self.rows())]
        return "\n".join([text_table(rows), *self.problems])


def read_tries(where: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> SavedTries:
    """Read what saved notebooks hold about predictions and exercises, one row for each, by student.

    `where`: a folder, which is searched with all in it, a notebook, or a list of them. It reads what the outputs hold:
    a notebook that was cleared has nothing, and who edits the file can change it. A file that can't be read is named
    in `problems`. Raises `InputError` if there is no notebook.

    >>> print(read_tries("submitted/"))
    """
    if not isinstance(where, str | os.PathLike | Iterable):
        raise InputError(f"read_tries takes a folder, a notebook, or a list of them, not {where!r}")
    given = [where] if isinstance(where, str | os.PathLike) else list(where)
    files = [found for each in given for found in _notebooks(Path(each))]
    if not files:
        raise InputError(f"no notebook (*.ipynb) in {', '.join(map(str, given)) or 'an empty list'}")
    work: list[SavedWork] = []
    problems: list[str] = []
    for name, path in files:
        try:
            work += _work_in(name, path)
        except (OSError, FileFormatError) as error:
            problems.append(one_line(str(error)))
    return SavedTries(work, problems)


def _notebooks(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield (student, path) of each notebook; copies that JupyterLab keeps are left out."""
    if not path.is_dir():
        if path.exists() or path.suffix == ".ipynb":
            yield path.stem, path
        return
    for found in sorted(path.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in found.parts:
            yield found.relative_to(path).with_suffix("").as_posix(), found


def _work_in(student: str, path: Path) -> Iterator[SavedWork]:
    """Yield the work in a notebook; of what stands in several outputs, the latest state."""
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        outputs = [output for cell in book["cells"] for output in cell.get("outputs", ())]
        bundles = [output["data"] for output in outputs if isinstance(output.get("data"), dict)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(str(path), f"it is no notebook ({type(error).__name__})") from None
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, mime, name, size in (
        ("prediction", PREDICTION, "question", _guessed),
        ("exercise", TRIES, "exercise", _tried),
    ):
        for bundle in bundles:
            data = bundle.get(mime)
            if isinstance(data, dict) and isinstance(data.get(name), str):
                key = (kind, data[name])
                if key not in latest or size(data) >= size(latest[key]):
                    latest[key] = data
    for (kind, what), data in latest.items():
        yield _exercise(student, what, data) if kind == "exercise" else _prediction(student, what, data)


def _guessed(data: dict[str, Any]) -> tuple[int, int]:
    return len(_listed(data.get("guesses"))), data.get("met") is not None


def _tried(data: dict[str, Any]) -> tuple[int, int]:
    hints = data.get("hints")
    return len(_listed(data.get("tries"))), hints if isinstance(hints, int) else 0


def _listed(value: Any) -> list[Any]:
    """Return a list as it is, and nothing for anything else: a file may hold whatever its owner wrote."""
    return value if isinstance(value, list) else []


def _exercise(student: str, what: str, data: dict[str, Any]) -> SavedWork:
    tries, hints = _tried(data)
    result = "passed" if data.get("passed") is True else "not yet" if tries else "not tried"
    return SavedWork(student, "exercise", what, tries, hints, result, data)


def _prediction(student: str, what: str, data: dict[str, Any]) -> SavedWork:
    guesses = [each for each in _listed(data.get("guesses")) if isinstance(each, dict)]
    met = data.get("met") if isinstance(data.get("met"), dict) else None
    guess = met.get("guess") if met is not None else guesses[-1].get("guess") if guesses else None
    result = "no guess" if guess is None else f"guessed {one_line(str(guess), 60)}"
    if met is not None and guess is not None:
        right = met.get("right")
        result += ": right" if right is True else ": wrong" if right is False else ": met"
    if any(each.get("late") for each in guesses):
        result += ", changed after the result was known"
    return SavedWork(student, "prediction", what, len(guesses), 0, result, data)
