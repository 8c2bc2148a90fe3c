"""The teacher's page: its answers pass, the usual wrong ones don't, and every notebook stands in its table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vidgen_nb as vg
from vidgen_nb.lessons.course import EXERCISES

PAGE = (Path(__file__).parent.parent.parent / "notebooks/guide/teacher.md").read_text()
ROWS = dict(re.findall(r"^\| \d\d `([a-z-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
IN_CODE = {name: row for name, row in ROWS.items() if re.match(r"`[^`]+` \| (`|any|many|the)", row)}


def test_every_exercise_has_its_answer() -> None:
    """In the order of the course, and most of them as code."""
    assert list(ROWS) == list(EXERCISES)
    assert len(IN_CODE) >= 7


@pytest.mark.long
@pytest.mark.parametrize("name", IN_CODE)
def test_its_answer_passes(name: str) -> None:
    """And a wrong one that is given as code does not."""
    right, wrong = (re.match(r"`([^`]+)`", part) for part in IN_CODE[name].split(" | ")[:2])
    assert right is not None
    practice = vg.exercise(name)
    assert practice.check(eval(right[1], {"vg": vg})).passed  # noqa: S307 - our own page
    if wrong is not None and "`: " in IN_CODE[name].split(" | ")[1]:
        assert not practice.check(eval(wrong[1], {"vg": vg})).passed  # noqa: S307 - our own page
