"""The matrix of moves."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.charts.drawing.test_palette import contrast
from vidgen_nb.analysis.records.builder import MoveRecord, RunData
from vidgen_nb.charts.drawing.palette import THEMES, ThemeName
from vidgen_nb.charts.moves import MAX_PROFILES, move_chart


def moved(profiles: list[str], *pairs: tuple[str, str]) -> RunData:
    """Return a run with these moves, each of another scene."""
    moves = [MoveRecord(f"s{n}", left, reached, float(n)) for n, (left, reached) in enumerate(pairs)]
    return RunData({}, [], profiles, [], [], [], moves, 10.0)


def test_the_matrix_by_hand() -> None:
    """Rows are where scenes left, columns where they went; the diagonal is empty, the title names the commonest."""
    figure = move_chart(moved(["a", "b", "c"], ("a", "b"), ("a", "b"), ("c", "a")))
    (matrix,) = figure.data
    assert [list(row) for row in matrix.z] == [[None, 2, 0], [0, None, 0], [1, 0, None]]
    bare = [[re.sub("<[^>]*>", "", each) for each in row] for row in matrix.text]
    assert bare == [["", "2", "0"], ["0", "", "0"], ["1", "0", ""]]
    assert list(figure.layout.xaxis.ticktext) == list(figure.layout.yaxis.ticktext) == ["a", "b", "c"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first is on top
    assert figure.layout.title.text == "<b>3 moves of 3 scenes; most often from a to b, 2 times.</b>"


def test_it_counts_all_moves(run: RunData) -> None:
    """The sum of the cells is the number of moves."""
    (matrix,) = move_chart(run).data
    assert sum(number or 0 for row in matrix.z for number in row) == len(run.moves)


def test_many_profiles_are_folded_aloud() -> None:
    """Of 60 profiles, 24 have their own row, the others share one, and no move is lost."""
    names = [f"p{n:02}" for n in range(60)]
    pairs = [(names[n], names[(n + 1) % 60]) for n in range(60) for _ in range(1 + (n < 20))]
    figure = move_chart(moved(names, *pairs))
    (matrix,) = figure.data
    assert len(matrix.z) == MAX_PROFILES
    assert sum(number or 0 for row in matrix.z for number in row) == 80
    assert matrix.z[-1][-1] > 0
    assert figure.layout.yaxis.ticktext[-1] == "all others"
    assert "Folded: the 36 profiles with the fewest moves" in figure.layout.title.text


def test_no_moves() -> None:
    """A run without moves says so."""
    figure = move_chart(replace(moved(["a"])))
    assert figure.layout.title.text == "<b>No scene moved from one profile to another.</b>"


@pytest.mark.parametrize("theme", THEMES)
def test_every_number_can_be_read(theme: ThemeName) -> None:
    """Whatever the colour of its cell, a number has the contrast of 4.5."""
    pairs = [("a", name) for count, name in enumerate("bcdefghijk", 1) for _ in range(count)]
    (matrix,) = move_chart(moved(list("abcdefghijk"), *pairs), theme=theme).data
    low, high = (colour for _at, colour in matrix.colorscale)
    for number, text in zip(matrix.z[0][1:], matrix.text[0][1:], strict=True):
        parts = [
            round(int(low[at : at + 2], 16) + (int(high[at : at + 2], 16) - int(low[at : at + 2], 16)) * number / 10)
            for at in (1, 3, 5)
        ]
        (ink,) = re.findall("#[0-9A-F]{6}", text)
        assert contrast(ink, "#{:02X}{:02X}{:02X}".format(*parts)) >= 4.5
