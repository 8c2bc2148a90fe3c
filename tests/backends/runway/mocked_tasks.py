"""The Runway backend on a mocked server: its constants, and calls of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx
from hypothesis import strategies as st

from tests.backends.mock_server import MockServer, run_on, run_refused_on
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import Profile

__all__ = [
    "ALICE",
    "JSON",
    "KEY",
    "LOCAL",
    "OLD",
    "PHASES",
    "PNG",
    "SCENE",
    "STORE",
    "TASK",
    "call",
    "refusal",
    "sent",
    "task",
]

T = TypeVar("T")
KEY = "key_very_secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse")
TASK = Operation("4ba6-1", "runway")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
STORE = "https://artifacts.test/a.mp4?_jwt="
OLD = Artifact("public", STORE + "old")
LOCAL = Artifact("public", "http://[::1]:80/a")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=12,
)


PHASES: dict[str, Callable[[Runway], Coroutine[Any, Any, object]]] = {
    "submit": lambda backend: backend.submit(SCENE, ALICE),
    "poll": lambda backend: backend.poll(TASK, ALICE),
    "cancel": lambda backend: backend.cancel(TASK, ALICE),
    "probe": lambda backend: backend.probe(ALICE),
}


def call(server: MockServer, work: Callable[[Runway], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives."""
    return run_on(Runway, server, work, **options)


def refusal(server: MockServer, work: Callable[[Runway], Coroutine[Any, Any, object]], **options: Any) -> Failure:
    """Return the failure of a backend's call; no text of it shows the key."""
    return run_refused_on(Runway, server, work, key=KEY, **options)


def sent(scene: Scene, **options: Any) -> tuple[str, Any]:
    """Return the path and the body of a scene's submit."""
    server = MockServer(httpx.Response(200, json={"id": "t1", "estimatedCost": {"credits": 60}}))
    call(server, lambda backend: backend.submit(scene, ALICE), **options)
    (request,) = server.requests
    return request.url.path, json.loads(request.content)


def task(status: str, **more: Any) -> httpx.Response:
    """Return an answer about a task."""
    return httpx.Response(200, json={"id": TASK.id, "createdAt": "2026-11-06T00:00:00.000Z", "status": status, **more})
