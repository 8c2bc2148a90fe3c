"""The snippets, commands and links of the README and the guide's pages work as they stand."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.checkout import check_out, files
from vidgen_nb.emulator import Emulator
from vidgen_nb.provider.demo_profiles import demo_profiles

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = sorted((ROOT / "notebooks/guide").glob("*.md"))
PAGES = "\n".join([README, *(page.read_text(encoding="utf-8") for page in GUIDE)])
BLOCK = re.compile(r"(?:<!--[^\n]*(SERVER|CONTINUES) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
PYTHON: list[tuple[bool, str]] = []
for mark, language, text in BLOCK.findall(PAGES):
    if language == "python":
        PYTHON.append((mark == "SERVER", (PYTHON[-1][1] if mark == "CONTINUES" else "") + text))
PARTS = 4
"""Into so many the snippets are divided that are run one after the other."""
EACH = """
import os
for number, snippet in enumerate({parts!r}):
    os.chdir({folder!r} + f"-{{number}}")
    print("--- snippet", number, snippet, flush=True)
    exec(compile(snippet, f"<snippet {{number}}>", "exec"), {{"__name__": "__main__"}})
"""
SHELL = [line for _, language, text in BLOCK.findall(PAGES) if language == "bash" for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the snippets name."""
    (tmp_path / "scenes.csv").write_text("prompt,seconds\na fox in the snow,4\nan owl,8\n")
    return tmp_path


def snippets(*, server: bool) -> list[str]:
    """Return those for a server of yours, or the others."""
    return [textwrap.dedent(text) for mark, text in PYTHON if mark == server]


@pytest.mark.parametrize("snippet", snippets(server=True))
def test_python_snippets_for_a_server_run(snippet: str, folder: Path) -> None:
    """They get an emulator in its place."""
    with Emulator(demo_profiles(), speed=50) as emulator:
        keys = dict(zip(("ALICE", "BRUNO", "CHIARA"), emulator.provider.profiles.values(), strict=False))
        environment = {f"{name}_API_KEY": profile.api_key for name, profile in keys.items()}
        snippet = snippet.replace("http://127.0.0.1:8000/v1", emulator.base_url)
        run_python(snippet.replace('output="videos"', 'output="videos", speed=50'), folder, environment)


@pytest.mark.parametrize("place", range(PARTS))
def test_python_snippets_run(place: int, folder: Path) -> None:
    """Each runs by itself, in a folder of its own; several share what takes long, a Python that has imported us."""
    parts = snippets(server=False)[place::PARTS]
    for number, _ in enumerate(parts):
        shutil.copytree(folder, f"{folder}-{number}")
    run_python(EACH.format(parts=parts, folder=str(folder)), folder, {})


@pytest.mark.long
@pytest.mark.parametrize("snippet", snippets(server=False))
def test_python_snippets_run_alone(snippet: str, folder: Path) -> None:
    """Each runs in a Python of its own."""
    run_python(snippet, folder, {})


def run_python(snippet: str, folder: Path, environment: dict[str, str]) -> None:
    """Run it in a Python of its own."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", **environment}
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_vidgen_nb_commands_run(folder: Path) -> None:
    """The commands of the pages, one after the other, as they stand (but for the port)."""
    commands = [line for line in SHELL if line.startswith(("vidgen-nb", "printf"))]
    assert [line.split()[1] for line in commands if line[0] == "v"] == ["emulator", "run", "gantt"]
    script = "\n".join(commands).replace("8000", str(free_port())).replace("--speed 20", "--speed 60")
    script = script.replace("vidgen-nb", f'"{sys.executable}" -m vidgen_nb')
    first, rest = script.split("\n", 1)  # the second terminal is opened when the first one says that it serves
    waiting = "until grep -q serving said; do sleep 0.05; done"
    done = subprocess.run(
        ["bash", "-euc", f"{first} > said &\ntrap 'kill $!' EXIT\n{waiting}\n{rest}\n"],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "gantt.svg").exists()


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_is_promised_is_shown() -> None:
    """Each promise names a test that there is."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGES)
    assert len(named) > 15
    for path, test in named:
        assert f"\ndef {test}(" in (ROOT / "tests" / path).read_text(), (path, test)


def test_make_targets_exist() -> None:
    """Each `make` of the pages names a target of the Makefile."""
    targets = {line.split()[1] for line in SHELL if line.startswith("make")}
    assert {"demo", "test", "test-long", "lint", "bench"} <= targets
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_way_without_make(tmp_path: Path) -> None:
    """The pip commands of the README lead from a checkout to a demo."""
    checkout = tmp_path / "checkout"
    check_out(checkout, files())
    commands = [line for line in SHELL if "-m venv" in line or line.startswith(".venv/bin/")]
    assert len(commands) == 4
    script = "\n".join(commands[:3]).replace("python3", sys.executable, 1)
    subprocess.run(["bash", "-euc", script], cwd=checkout, check=True, timeout=600, capture_output=True)
    assert (checkout / "demo" / "gantt.html").exists()
    shutil.rmtree(checkout)  # pytest keeps three, and takes a minute for each of them later


def test_pictures_are_there() -> None:
    """The pictures that the README shows, light and dark, are in the repository."""
    shown = set(re.findall(r'(?:src|srcset)="([^"]+)"', README))
    assert len(shown) == 2
    assert all((ROOT / each).exists() for each in shown)


@pytest.mark.parametrize("page", [ROOT / "README.md", *GUIDE], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file, and each anchor one of its headings."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8"))
    assert links or page.parent != ROOT
    for name, anchor in links:
        there = page.parent / name if name else page
        assert there.is_file(), (page.name, name)
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}, anchor


def test_the_readme_fits_a_newcomer() -> None:
    """It is short, shows the panel first, and names every page of the guide."""
    assert len(README.splitlines()) < 100
    assert "images/panel.png" in README.split("\n## ")[0]
    assert {f"notebooks/guide/{page.name}" for page in GUIDE} <= set(re.findall(r"\]\(([^)]+)\)", README))


def test_badge_opens_the_tour_in_jupyterlab() -> None:
    """The badge is a link to a notebook that exists; owner and repository stand in one place only."""
    assert README.count("OWNER/REPO") == 1
    assert "][binder]" in README
    link = re.search(r"^\[binder\]: \S+/v2/gh/OWNER/REPO/HEAD\?urlpath=lab/tree/(\S+)$", README, re.MULTILINE)
    assert link is not None
    assert (ROOT / link[1]).is_file()
