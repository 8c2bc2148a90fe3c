"""Every notebook runs from top to bottom, in time, and is committed without outputs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vidgen_nb as vg

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN = """
import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], 4)
NotebookClient(book, timeout=60).execute()
nbformat.write(book, sys.argv[2])
"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path) -> None:
    """No cell fails, all of it takes under 30 s, and its last picture is static: it needs no kernel to be seen."""
    done = tmp_path / "done.ipynb"
    began = time.perf_counter()
    command = [sys.executable, "-c", RUN, str(path), str(done)]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=110, capture_output=True)
    assert time.perf_counter() - began < 30
    kinds = {
        kind
        for cell in json.loads(done.read_text())["cells"]
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
    }
    assert "image/svg+xml" in kinds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_clean(path: Path) -> None:
    """Outputs and counts are somebody's own, and make every change a big one."""
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_there_is_a_tour() -> None:
    """The first notebook is the one that Binder opens."""
    assert NOTEBOOKS[0].name == "00_tour.ipynb"


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
