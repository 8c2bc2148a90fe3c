"""The Google backend on a mocked server: its constants, and calls of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx

from tests.backends.mock_server import MockServer, run_on, run_refused_on
from tests.fakes import MemorySink
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import Profile

__all__ = [
    "ACCEPTED",
    "ALICE",
    "FILE",
    "HOME",
    "JOB",
    "KEY",
    "PNG",
    "SCENE",
    "Work",
    "call",
    "completed",
    "fetching",
    "refusal",
    "sent",
    "submitting",
]

T = TypeVar("T")
Work = Callable[[GoogleInteractions], Coroutine[Any, Any, object]]
KEY = "AIza-very-secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse")
JOB = Operation("v1_abc", "google_interactions")
HOME = httpx.URL("https://generativelanguage.googleapis.com/v1")
FILE = f"{HOME}/files/abc123"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
ACCEPTED = {"id": "v1_abc", "status": "in_progress", "object": "interaction"}


def call(server: MockServer, work: Callable[[GoogleInteractions], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives."""
    return run_on(GoogleInteractions, server, work, **options)


def refusal(
    server: MockServer, work: Callable[[GoogleInteractions], Coroutine[Any, Any, object]], **options: Any
) -> Failure:
    """Return the failure of a backend's call; no text of it shows the key."""
    return run_refused_on(GoogleInteractions, server, work, key=KEY, **options)


def submitting(scene: Scene = SCENE) -> Work:
    """Return the work of submitting a scene."""
    return lambda backend: backend.submit(scene, ALICE)


def fetching(artifact: Artifact) -> Work:
    """Return the work of fetching an artifact."""
    return lambda backend: backend.fetch(JOB, artifact, ALICE, MemorySink())


def sent(scene: Scene, **options: Any) -> dict[str, Any]:
    """Return the body that a submit of the scene sends."""
    server = MockServer(httpx.Response(200, json=ACCEPTED))
    call(server, submitting(scene), **options)
    body: dict[str, Any] = json.loads(server.requests[0].content)
    return body


def completed(**video: Any) -> dict[str, Any]:
    """Return a finished interaction whose model's output is a video with these fields."""
    content = [{"type": "text", "text": "here it is"}, {"type": "video", **video}]
    return {"id": "v1_abc", "status": "completed", "steps": [{"type": "model_output", "content": content}]}
