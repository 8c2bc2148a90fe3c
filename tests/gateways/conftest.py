"""LiteLLM's program, for tests that ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateways.litellm import installed

__all__ = ["litellm_program"]


@pytest.fixture(scope="session")
def litellm_program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of `litellm`, installed once into pytest's cache."""
    cache = getattr(request.config, "cache", None)
    return installed(Path(cache.mkdir("litellm")) if cache is not None else tmp_path_factory.mktemp("litellm"))
