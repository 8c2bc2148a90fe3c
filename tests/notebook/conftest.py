"""A session on a backend in this process, without a panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.session.session import Session


@pytest.fixture
def backend() -> FakeBackend:
    """Return a backend that finishes everything at once."""
    return FakeBackend()


@pytest.fixture
def session(backend: FakeBackend, tmp_path: Path) -> Iterator[Session]:
    """Give a session over two profiles, closed at the end."""
    session = Session(backend, profiles("p1", "p2"), output=tmp_path / "videos", speed=20)
    yield session
    backend.let_go()
    session.close()


class Changes:
    """Counts how often something was said to have changed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count."""
        self.count += 1


@pytest.fixture
def changes() -> Changes:
    """Return a counter of changes."""
    return Changes()
