"""The public names, and that `import vidgen_nb` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vidgen_nb as vg

HEAVY = ("httpx", "ipywidgets", "nest_asyncio", "pandas", "plotly", "rich", "starlette", "typer", "uvicorn")


def test_import_loads_nothing_heavy() -> None:
    """Importing the package imports none of the libraries behind it."""
    code = f"import sys, vidgen_nb; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_load() -> None:
    """Every name of `__all__` is there, and shows in dir()."""
    for name in vg.__all__:
        assert getattr(vg, name) is not None
        assert name in dir(vg)
    assert vg.Scene("s1", "x") == vg.Scene("s1", "x")


def test_no_public_name_is_that_of_a_module() -> None:
    """Importing such a module would put it in the name's place."""
    assert not set(vg.__all__) & {path.stem for path in Path(vg.__file__ or "").parent.iterdir()}


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'Sceen'"):
        vg.Sceen  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    """The imports under TYPE_CHECKING and the lazy table name the same things."""
    tree = ast.parse(Path(vg.__file__ or "").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen | {"__version__"} == set(vg.__all__)


def test_no_module_imports_the_root() -> None:
    """A module of the package that imported the root would load in circles."""
    for module in Path(vg.__file__ or "").parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "vidgen_nb", module
            elif isinstance(node, ast.Import):
                assert all(alias.name != "vidgen_nb" for alias in node.names), module
