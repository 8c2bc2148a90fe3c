"""The house stays one that a stranger can live in: sizes, rooms, and nothing cited that is not here."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vidgen_nb"
MAX_MODULE_LINES, MAX_TEST_LINES, MAX_MODULES, MAX_PUBLIC_NAMES = 300, 400, 15, 25
FACADES = ("Session", "Controller", "Run")
"""What a user types at: as many names as there are things to do."""


def modules(folder: Path) -> list[Path]:
    """Return a folder's modules, and those of the folders in it."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Yield a module's classes."""
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef))


def names_of(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that a body defines."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def test_modules_are_short() -> None:
    """A module of the package has at most 300 lines, a module of tests 400."""
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for folder, most in ((PACKAGE, MAX_MODULE_LINES), (ROOT / "tests", MAX_TEST_LINES))
        for path in modules(folder)
        if (lines := len(path.read_text().splitlines())) > most
    }
    assert not long


def test_rooms_are_small() -> None:
    """A folder has at most 15 modules beside its `__init__.py`."""
    count = Counter(path.parent for path in modules(PACKAGE) if path.name != "__init__.py")
    assert not {str(folder): found for folder, found in count.items() if found > MAX_MODULES}


def test_every_room_says_what_it_is_for() -> None:
    """Each folder is a package whose docstring says so."""
    rooms = {path.parent for path in modules(PACKAGE)}
    assert not [room for room in rooms if not ast.get_docstring(ast.parse((room / "__init__.py").read_text()))]


def test_classes_do_one_thing() -> None:
    """A class has at most 25 public methods and properties, except the three that users type at.

    Fields of records are no such names: a record may have as many as there are facts.
    """
    wide = {}
    for path in modules(PACKAGE):
        for each in classes(path):
            methods = [node for node in each.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            public = {name for name in names_of(list(methods)) if not name.startswith("_")}
            if len(public) > MAX_PUBLIC_NAMES and each.name not in FACADES:
                wide[each.name] = len(public)
    assert not wide


def tracked() -> list[Path]:
    """Return the repository's text files, or without git those of the rooms."""
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = found.stdout.splitlines() or [str(path.relative_to(ROOT)) for path in modules(ROOT)]
    return [path for name in names if (path := ROOT / name).suffix in (".py", ".js", ".md", ".toml", ".ipynb", ".sh")]


def test_nothing_is_cited_that_is_not_here() -> None:
    """No comment, docstring or page sends its reader to a file outside the repository, or to an issue's number."""
    here = {path.name for path in tracked()}
    cited = []
    for path in tracked():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            cited += [f"{place}: {name}" for name in re.findall(r"[\w-]+\.md\b", line) if name not in here]
            if re.search(r"\bissue \d|\bsection \d", line):
                cited.append(f"{place}: {line.strip()[:80]}")
    assert not cited


def resolved(reference: str) -> bool:
    """Say whether `room/module.py:Class.method` is there."""
    file, _, dotted = reference.partition(":")
    path = PACKAGE / file
    if not path.is_file():
        return False
    body: list[ast.stmt] = ast.parse(path.read_text()).body
    for name in filter(None, dotted.split(".")):
        found = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        inner = [node.body for node in found if node.name == name]
        if not inner and name not in set(names_of(body)):
            return False
        body = inner[0] if inner else []
    return True


PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
REFERENCES = sorted(set(re.findall(r"`([\w/]+\.py(?::[\w.]+)?)`", PAGE)))


@pytest.mark.parametrize("reference", REFERENCES)
def test_what_the_page_of_the_house_names_is_there(reference: str) -> None:
    """Each `file.py:function` of ARCHITECTURE.md exists."""
    assert resolved(reference) or (ROOT / reference).is_file()


def test_the_page_of_the_house_knows_every_room() -> None:
    """ARCHITECTURE.md names each folder of the package, and each rule from R1 to R23."""
    rooms = {f"{path.parent.relative_to(PACKAGE).as_posix()}/" for path in modules(PACKAGE)} - {"./"}
    assert not sorted(room for room in rooms if f"{room}" not in PAGE)
    assert all(f"**R{number}**" in PAGE for number in range(1, 24))
