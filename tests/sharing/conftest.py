"""A Redis server for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sharing.server import RedisServer

__all__ = ["redis_server"]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that starts empty; the test may kill and start it."""
    server = RedisServer(tmp_path)
    yield server
    server.stop()
