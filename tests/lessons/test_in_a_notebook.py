"""What nbclient keeps of guesses and tries, and that a cell that is run again goes on with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import vidgen_nb as vg
from tests import lab
from vidgen_nb.lessons.outputs import PREDICTION, TRIES

ASK = 'p = vg.predict("Who refuses first?", ["alice", "delta"], answer="first refusal", guess="delta")\np'
CELLS = [
    "import vidgen_nb as vg",
    ASK,
    'run = vg.simulate(13, vg.demo_profiles(), mode="boost", seed=7)\np.meet(run)',
    'vg.exercise("retry-after").check(vg.PerProfileCooldown(10))',
    'vg.exercise("retry-after").hint()',
    'vg.exercise("retry-after").check(vg.PerProfileCooldown(honour_retry_after=True))',
    'same = vg.predict("Who refuses first?", ["alice", "delta"])\nsame is p',
    'p.guess = "alice"',
]


def test_a_notebook_keeps_guesses_and_tries(tmp_path: Path) -> None:
    """All of it is in the saved outputs, as text, as HTML and as data, and a teacher reads it from there."""
    path = tmp_path / "asha" / "lesson.ipynb"
    path.parent.mkdir()
    lab.notebook(path, *CELLS)
    book: Any = nbformat.read(path, 4)  # type: ignore[no-untyped-call]
    NotebookClient(book, timeout=100, kernel_name="python3").execute()
    nbformat.write(book, path)  # type: ignore[no-untyped-call]
    outputs = [[each.get("data", {}) for each in cell["outputs"]] for cell in book["cells"]]

    the_cell_that_asked_has_it_all(outputs[1])
    (met,) = outputs[2]
    assert "You guessed delta; alice refused first" in met["text/plain"]
    assert "Changed" not in met["text/plain"]  # as it was then
    the_table_grows(outputs[3:6])
    assert outputs[6][-1]["text/plain"] == "True"  # running a cell again is no way to a new guess
    a_teacher_reads_it(path)


def the_cell_that_asked_has_it_all(outputs: list[dict[str, Any]]) -> None:
    """The question, the guess, the meeting and the late change stand in its output, once."""
    form, kept = outputs
    assert "application/vnd.jupyter.widget-view+json" in form
    for mime in ("text/plain", "text/html"):
        for part in (
            "Who refuses first?",
            "You guessed delta; alice refused first",
            "Changed to alice after the result",
        ):
            assert part in kept[mime], (mime, part)
    assert kept[PREDICTION]["met"]["truth"] == "alice"
    assert [each["late"] for each in kept[PREDICTION]["guesses"]] == [False, True]


def the_table_grows(outputs: list[list[dict[str, Any]]]) -> None:
    """Each call of vg.exercise goes on with the same tries; a hint counts from then on."""
    (first,), (hint,), (second,) = outputs
    assert [each["passed"] for each in first[TRIES]["tries"]] == [False]
    assert hint["text/plain"].startswith("Hint 1 of 3: ")
    assert [(each["passed"], each["hints"]) for each in second[TRIES]["tries"]] == [(False, 0), (True, 1)]
    for part in ("72.6 s ✗", "68.5 s ✓", "passed"):
        assert part in second["text/plain"] and part in second["text/html"]


def a_teacher_reads_it(path: Path) -> None:
    """By student, of what stands in several outputs the latest state; a file that is no notebook is named."""
    (path.parent.parent / "bo.ipynb").write_text("{", encoding="utf-8")
    found = vg.read_tries(path.parent.parent)
    assert [(each.student, each.kind, each.what, each.tries, each.hints, each.result) for each in found] == [
        ("asha/lesson", "prediction", "Who refuses first?", 2, 0,
         "guessed delta: wrong, changed after the result was known"),
        ("asha/lesson", "exercise", "retry-after", 2, 1, "passed"),
    ]  # fmt: skip
    assert "bo.ipynb" in found.problems[0] and "bo.ipynb" in str(found) and "asha/lesson" in found._repr_html_()
    assert len(vg.read_tries([path, path])) == 4
    with pytest.raises(vg.InputError, match="no notebook"):
        vg.read_tries([])
