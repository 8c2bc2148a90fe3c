"""A folder with sessions that keep journals, and sessions that end with their test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeBackend
from tests.session.crashes import Place
from tests.session.sessions import Ends


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder with sessions."""
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Ends]:
    """Make sessions that are closed at the end."""
    ends = Ends(tmp_path / "videos")
    yield ends
    for session in ends.sessions:
        if isinstance(backend := session.runner.resources.backend, FakeBackend):
            backend.let_go()
        session.close()
