"""Which module `enable_nested` applies, and when it warns; asyncio itself is left alone."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType

import pytest

from vidgen_nb.notebook.nested_loops import enable_nested


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for both modules, and note which was applied."""
    calls: list[str] = []
    for name in ("nest_asyncio", "nest_asyncio2"):
        module = ModuleType(name)
        module.apply = lambda name=name: calls.append(name)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    return calls


def test_nest_asyncio2_is_preferred(applied: list[str]) -> None:
    """If both are installed, it is the one that loses no cells."""
    assert enable_nested() == "nest_asyncio2"
    assert applied == ["nest_asyncio2"]


def test_fallback(applied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nest_asyncio2, nest_asyncio does it."""
    monkeypatch.setitem(sys.modules, "nest_asyncio2", None)  # as if it was not installed
    assert enable_nested() == "nest_asyncio"
    assert applied == ["nest_asyncio"]


def test_neither(applied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either, the error names the command."""
    for name in ("nest_asyncio", "nest_asyncio2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install nest-asyncio2"):
        enable_nested()


def test_the_old_one_first(applied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It warns if nest_asyncio 1.6.0 was applied before, but not if nest_asyncio2 was."""
    monkeypatch.setattr(asyncio, "_nest_patched", True, raising=False)
    with pytest.warns(RuntimeWarning, match="Restart the kernel"):
        enable_nested()
    monkeypatch.setattr(asyncio, "_nest_asyncio2", True, raising=False)
    enable_nested()
    assert applied == ["nest_asyncio2"] * 2
