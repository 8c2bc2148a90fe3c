"""What Binder gets: pins and nothing else, and an environment in which the tour runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.checkout import check_out, files

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"
TOUR = Path("notebooks", "00_tour.ipynb")
PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!]+)")
FRONT_ENDS = ("@jupyter-widgets/jupyterlab-manager", "anywidget", "jupyterlab-plotly")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned() -> list[str]:
    """Return the lines of the requirements that are no comments."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins() -> dict[str, str]:
    """Return the pinned versions by normal name."""
    return {str(canonicalize_name(name)): version for name, version in (line.split("==") for line in pinned())}


def python() -> str:
    """Return the version of Python that Binder takes."""
    found = re.fullmatch(r"python-(3\.\d+)", (BINDER / "runtime.txt").read_text(encoding="utf-8").strip())
    assert found
    return found[1]


def test_requirements_are_third_party_pins() -> None:
    """One version of each: no range, no address, no path, no option, and not the package itself."""
    assert [line for line in pinned() if not PIN.fullmatch(line)] == []
    assert len(pins()) == len(pinned())
    assert canonicalize_name(PROJECT["name"]) not in pins()


@pytest.mark.parametrize("needed", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["lab"]])
def test_pins_cover_what_the_package_asks_for(needed: str) -> None:
    """Each dependency of the package and of its `lab` extra is pinned to a version that it allows."""
    wanted = Requirement(needed)
    assert wanted.specifier.contains(pins()[canonicalize_name(wanted.name)])


def test_python_is_one_that_the_package_supports() -> None:
    """The Python of runtime.txt is among those that CI tests."""
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python()}.0")
    assert f"Programming Language :: Python :: {python()}" in PROJECT["classifiers"]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_tour_runs_in_what_binder_builds(tmp_path: Path) -> None:
    """A fresh environment, built in the steps of repo2docker, holds the pins, the front ends, and runs the tour.

    Its steps: the pins while nothing but their file is there; then the whole repository; then postBuild.
    """
    build = Build(tmp_path)
    build.run(build.base, "-m", "venv", build.prefix)
    check_out(build.repo, [Path("binder", "requirements.txt")])
    build.run("pip", "install", "-q", "-r", "binder/requirements.txt")  # with pip's cache, which Binder has not
    check_out(build.repo, files())
    (build.repo / "binder" / "postBuild").chmod(0o755)
    build.run("./binder/postBuild")

    there = {str(canonicalize_name(each["name"])): each["version"] for each in json.loads(build.run(*LIST))}
    ours = canonicalize_name(PROJECT["name"])
    assert there.pop(ours) == PROJECT["version"]
    assert {name: there.get(name) for name in pins()} == pins()
    assert there.keys() - pins().keys() <= {"pip", "setuptools"}  # all that came along is pinned
    build.run("pip", "check")

    assert build.run("jupyter", "lab", "--version").strip() == pins()["jupyterlab"]
    extensions = build.run("jupyter", "labextension", "list")
    assert str(build.prefix) in extensions
    for name in FRONT_ENDS:
        assert re.search(rf"^\s*{re.escape(name)} v\S+.*enabled.*OK", extensions, re.MULTILINE), extensions

    where = "import vidgen_nb, pathlib; print(pathlib.Path(vidgen_nb.__file__).parent)"
    assert Path(build.run("python", "-c", where, cwd=tmp_path).strip()) == build.repo / "vidgen_nb"
    build.run("jupyter", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", str(TOUR))
    done = json.loads((build.repo / TOUR.parent / "done.ipynb").read_text(encoding="utf-8"))
    outputs = [output for cell in done["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)
    shutil.rmtree(build.prefix)  # pytest keeps three, and takes a minute for each of them later


LIST = ("pip", "list", "--format", "json")


class Build:
    """A folder with a copy of the repository and an environment; nothing of this process's own leaks in."""

    def __init__(self, folder: Path) -> None:
        self.repo, self.prefix = folder / "repo", folder / "env"
        self.repo.mkdir()
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        base = sys._base_executable if here == python() else shutil.which(f"python{python()}")  # type: ignore[attr-defined]
        if base is None:
            pytest.skip(f"no Python {python()} on this machine")
        self.base: str = base
        leaks = ("COV_", "COVERAGE", "IPYTHON", "JUPYTER", "PYTEST", "PYTHON", "VIRTUAL_ENV")
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith(leaks)}
        self.environment |= {
            f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")
        }
        self.environment |= {"IPYTHONDIR": str(folder / "ipython"), "PYTHONNOUSERSITE": "1"}
        self.environment["PATH"] = os.pathsep.join([str(self.prefix / "bin"), os.environ["PATH"]])

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command with the environment's programs first, and return what it says."""
        path = self.environment["PATH"]
        program = shutil.which(command[0], path=path) or command[0]
        done = subprocess.run(
            [program, *command[1:]],
            cwd=cwd or self.repo, env=self.environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
