"""The guide's table of the twenty questions: each call returns a figure, whose title is what stands beside it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

PAGE = (Path(__file__).parents[2] / "notebooks/guide/analysis.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Twenty questions\n")[1].split("\n## ")[0]
ROWS = re.findall(r"^\| (\d+) \| (.+?\?) \| `(.+?)` \| (.+?) \|$", SECTION, re.MULTILINE)


def finding(figure: go.Figure) -> str:
    """Return what a figure says: the bold lines of its title."""
    return unescape(" ".join(re.findall(r"<b>(.*?)</b>", figure.layout.title.text)))


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page's blocks before the table define."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    made: dict[str, Any] = {}
    for block in blocks[:2]:  # of virtual time, and of the section itself
        exec(block, made)  # noqa: S102 - it is ours
    return made


def test_there_are_twenty() -> None:
    """Every line of the table has a number, a question, a call and an answer."""
    assert [number for number, *_ in ROWS] == [str(number) for number in range(1, 21)]
    assert len(ROWS) == SECTION.count("\n| ") - 1  # but the head


@pytest.mark.parametrize(("number", "question", "call", "said"), ROWS)
def test_the_title_is_what_stands_beside_the_call(
    number: str, question: str, call: str, said: str, names: dict[str, Any]
) -> None:
    """One call, one figure, and what a reader sees."""
    figure = eval(call, names)  # noqa: S307 - it is ours
    assert isinstance(figure, go.Figure), question
    assert finding(figure) == said, (number, question)
