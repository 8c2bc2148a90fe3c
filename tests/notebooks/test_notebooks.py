"""Every notebook and every solution runs from top to bottom, in time, and is committed without outputs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import printed_by

ROOT = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(ROOT.glob("*.ipynb"))
COURSE = sorted(ROOT.glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))
ALL = [*NOTEBOOKS, *SOLUTIONS]
QUICK = {"00_tour"}
"""What a newcomer opens first; the gate runs all of them, since `make site` makes pages of them."""
FIGURES = {"image/svg+xml", "application/vnd.plotly.v1+json"}
RUN = """
import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], 4)
nbformat.validate(book)
NotebookClient(book, timeout=60).execute()
nbformat.write(book, sys.argv[2])
"""


def name_of(path: Path) -> str:
    """Return the name of a notebook in its folder, without its ending."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


def as_params(paths: list[Path]) -> list[object]:
    """Return notebooks as parameters; all but those for every change are long."""
    return [
        pytest.param(path, id=name_of(path), marks=[pytest.mark.long] * (name_of(path) not in QUICK)) for path in paths
    ]


def kinds_of_outputs(path: Path, folder: Path) -> set[str]:
    """Run a notebook in a folder, and return the kinds of what it shows."""
    done = folder / "done.ipynb"
    command = [sys.executable, "-c", RUN, str(path), str(done)]
    found = subprocess.run(command, cwd=folder, check=False, timeout=110, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-2000:]
    cells = json.loads(done.read_text())["cells"]
    return {kind for cell in cells for output in cell.get("outputs", []) for kind in output.get("data", {})}


@pytest.mark.parametrize("path", as_params(ALL))
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    """No cell fails, all of it takes under 30 s, and it shows something that stays without a kernel."""
    began = time.perf_counter()
    kinds = kinds_of_outputs(path, tmp_path)
    assert time.perf_counter() - began < 30
    if path in SOLUTIONS:
        assert "application/vnd.vidgen-nb.tries+json" in kinds  # of an exercise
    else:
        assert kinds & FIGURES
    if name_of(path) == "00_tour":
        assert "image/svg+xml" in kinds  # its last picture


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_notebook_is_committed_clean(path: Path) -> None:
    """Outputs and counts are somebody's own, and make every change a big one; ids that stay keep it small."""
    book = json.loads(path.read_text())
    assert (book["nbformat"], book["nbformat_minor"]) >= (4, 5)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in book["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_there_is_a_tour() -> None:
    """The first notebook is the one that Binder opens."""
    assert NOTEBOOKS[0].name == "00_tour.ipynb"


def links_of(path: Path) -> list[str]:
    """Return the places that the texts of a notebook link to, without those on other servers."""
    texts = ["".join(each["source"]) for each in json.loads(path.read_text())["cells"] if each["cell_type"] != "code"]
    return [link for text in texts for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """A notebook, a page of the guide, a picture: what is linked is there."""
    for link in links_of(path):
        assert (path.parent / link).is_file(), f"{name_of(path)} links to {link}, which is not there"


def test_the_index_lists_what_there_is() -> None:
    """Each notebook of the course stands in the index once, in order, with its solution if it has one."""
    listed = [link for link in links_of(ROOT / "index.ipynb") if link.endswith(".ipynb")]
    assert [each for each in listed if "/" not in each] == [*(path.name for path in COURSE), "class.ipynb"]
    assert [each for each in listed if "/" in each] == [f"solutions/{path.name}" for path in SOLUTIONS]
    assert {path.name for path in SOLUTIONS} <= {path.name for path in COURSE}


MINUTES = re.compile(r"\*\*You need\*\* about (\d+) minutes(?:, and notebooks? ([^.]*))?\.")
"""What a notebook says that it needs: its time, and those to read before."""


def code_and_text(path: Path) -> tuple[list[str], str]:
    """Return the code cells of a notebook, and all its texts."""
    cells = [(each["cell_type"], "".join(each["source"])) for each in json.loads(path.read_text())["cells"]]
    return [text for kind, text in cells if kind == "code"], "\n".join(text for kind, text in cells if kind != "code")


@pytest.mark.parametrize("path", COURSE, ids=name_of)
def test_a_notebook_has_its_parts(path: Path) -> None:
    """A guess before the run, an exercise that is checked, its solution, three questions, something to read."""
    code, text = code_and_text(path)
    asks = [each for each in code if "vg.predict(" in each]
    assert asks and not [each for each in asks if re.search(r"\.(reveal|meet)\(|vg\.(versus|simulate|sweep)", each)]
    names = [each for source in asks for each in re.findall(r"(\w+) = vg\.predict\(", source)]
    assert all(re.search(rf"\b{name}\.(reveal|meet)\(", "\n".join(code)) for name in names)
    assert "vg.exercise(" in "\n".join(code) and "ex.check(" in "\n".join(code) and "ex.hint()" in text
    assert f"(solutions/{path.name})" in text
    questions = text.split("# Questions\n")[1].split("\n#")[0]
    assert re.findall(r"^(\d)\. ", questions, re.MULTILINE) == ["1", "2", "3"]
    assert "# Further reading\n\n- " in text


def test_times_and_what_to_read_before_are_the_same_everywhere() -> None:
    """In the notebook, in the index and on the teacher's page."""
    index, teacher = code_and_text(ROOT / "index.ipynb")[1], (ROOT / "guide/teacher.md").read_text()
    total = 0
    for path in COURSE:
        said = MINUTES.search(code_and_text(path)[1])
        assert said is not None, path.name
        minutes, before = said[1], said[2] or "–"
        assert re.search(rf"\({path.name}\) \|[^|]*\| {minutes} min \|", index)
        assert re.search(rf"^\| {path.stem.replace('_', ' ')} \| {minutes} \| {before} \|", teacher, re.MULTILINE), (
            path.name
        )
        total += int(minutes)
    assert f"about {total / 60:g} hours" in index


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_pictures_in_letters_fit(path: Path) -> None:
    """On half a screen, 800 pixels wide, a line has 64 letters; a longer one would break the picture."""
    for picture in re.findall(r"^```\n(.*?)^```", code_and_text(path)[1], re.MULTILINE | re.DOTALL):
        assert max(map(len, picture.splitlines())) <= 64, picture


@pytest.mark.long
@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_what_is_printed_fits(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a table break there: a printed line has 76 letters at most."""
    if name_of(path) == "00_tour":
        pytest.skip("it needs a kernel")
    monkeypatch.chdir(tmp_path)
    assert [line for line in printed_by(name_of(path)) if len(line) > 76] == []


def test_what_the_tour_says_of_the_modes() -> None:
    """Over 20 seeds boost is refused more often than normal, and which of them is done sooner can't be told."""
    compared = vg.compare(
        vg.demo_scenes(24), vg.demo_profiles(), policies=[vg.PerProfileCooldown()], modes=["normal", "boost"],
        seeds=range(20), progress=False,
    )  # fmt: skip
    late, refused = (compared.summary(metric)[1] for metric in ("makespan", "rate_limited"))
    assert late.difference_low is not None and late.difference_high is not None
    assert late.difference_low < 0 < late.difference_high
    assert refused.difference_low is not None and refused.difference_low > 0
    assert late.mean is not None and abs(late.difference_low) + abs(late.difference_high) < 0.25 * late.mean  # "hardly"
