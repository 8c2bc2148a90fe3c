"""Notebooks of a class as they come in: cleared, damaged, edited by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.lessons.outputs import PREDICTION, TRIES


def book(*bundles: dict[str, Any]) -> str:
    """Return a notebook whose only cell has these outputs."""
    outputs = [{"output_type": "display_data", "data": each, "metadata": {}} for each in bundles]
    return json.dumps({"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": outputs}]})


def test_a_class_is_listed_by_student(tmp_path: Path) -> None:
    """The latest state of each exercise and prediction; what JupyterLab keeps beside a file is left out."""
    first, second = vg.exercise("next-profile"), vg.exercise("next-profile")
    first.check("alice")
    second.check("delta")
    second.hint()
    early = second.as_data()
    second.check("chiara")
    guess = vg.predict("Why?", guess="the bucket is empty")
    (tmp_path / "asha.ipynb").write_text(book({TRIES: first.as_data()}), encoding="utf-8")
    (tmp_path / "bo.ipynb").write_text(
        book({TRIES: second.as_data()}, {TRIES: early}, {PREDICTION: guess.as_data()}), encoding="utf-8"
    )
    (tmp_path / "chen.ipynb").write_text(book(), encoding="utf-8")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "asha.ipynb").write_text(book({TRIES: early}), encoding="utf-8")
    found = vg.read_tries(tmp_path)
    assert found.rows() == [
        ["asha", "exercise", "next-profile", "1", "0", "not yet"],
        ["bo", "prediction", "Why?", "1", "0", "guessed the bucket is empty"],
        ["bo", "exercise", "next-profile", "2", "1", "passed"],
    ]
    assert found[2].data["tries"][1]["answer"] == "chiara" and found.problems == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"cells": 3}', '{"cells": [1]}', '{"cells": [{"outputs": 5}]}', "[" * 100_000, "\udcff"],
)  # fmt: skip
def test_what_is_no_notebook_is_named(tmp_path: Path, text: str) -> None:
    """And hides no other."""
    (tmp_path / "broken.ipynb").write_text(text, encoding="utf-8", errors="surrogateescape")
    (tmp_path / "good.ipynb").write_text(book({TRIES: vg.exercise("slots").as_data()}), encoding="utf-8")
    found = vg.read_tries(tmp_path)
    assert [each.student for each in found] == ["good"]
    assert len(found.problems) == 1 and "broken.ipynb" in found.problems[0]


@pytest.mark.parametrize("wrong", [None, 5, "x", [], {}, [1], True])
def test_what_was_edited_by_hand_breaks_nothing(tmp_path: Path, wrong: Any) -> None:
    """Whatever stands where a list or a number should be."""
    tries = {"exercise": "slots", "tries": wrong, "hints": wrong, "passed": wrong}
    met = {"guess": wrong, "right": wrong}
    guesses: dict[str, Any] = {"question": "<b>Who?</b>", "guesses": wrong, "met": wrong}
    bundles = [{TRIES: tries}, {TRIES: wrong}, {PREDICTION: guesses}, {PREDICTION: {**guesses, "met": met}}]
    (tmp_path / "a.ipynb").write_text(book(*bundles), encoding="utf-8")
    found = vg.read_tries(tmp_path / "a.ipynb")
    assert {each.what for each in found} == {"slots", "<b>Who?</b>"}
    assert "<b>Who?" not in found._repr_html_() and str(found)


def test_a_folder_without_notebooks_is_an_error(tmp_path: Path) -> None:
    """It says which; so does a file that is not there."""
    with pytest.raises(vg.InputError, match="no notebook"):
        vg.read_tries(tmp_path)
    with pytest.raises(vg.InputError, match="no notebook"):
        vg.read_tries(tmp_path / "submited")
    with pytest.raises(vg.InputError, match="a folder, a notebook, or a list of them, not 5"):
        vg.read_tries(5)  # type: ignore[arg-type]
    assert "nobody.ipynb" in vg.read_tries(tmp_path / "nobody.ipynb").problems[0]
