"""The OpenAI backend on a mocked server: its constants, and calls of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, TypeVar

import httpx

from tests.backends.mock_server import MockServer, run_on, run_refused_on
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.ports import Profile

__all__ = ["ALICE", "JOB", "KEY", "SCENE", "call", "form", "refusal", "submit"]

T = TypeVar("T")
KEY = "sk-very-secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse")
JOB = Operation("video_1", "openai_videos")


def call(server: MockServer, work: Callable[[OpenAIVideos], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives."""
    return run_on(OpenAIVideos, server, work, **options)


def refusal(server: MockServer, work: Callable[[OpenAIVideos], Coroutine[Any, Any, object]], **options: Any) -> Failure:
    """Return the failure of a backend's call; no text of it shows the key."""
    return run_refused_on(OpenAIVideos, server, work, key=KEY, **options)


def submit(backend: OpenAIVideos, scene: Scene = SCENE, profile: Profile = ALICE) -> Coroutine[Any, Any, Operation]:
    """Submit the scene on the profile."""
    return backend.submit(scene, profile)


def form(request: httpx.Request) -> dict[str, tuple[str, str | None]]:
    """Return the (text, file name) of every field of a multipart request."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    parts = BytesParser(policy=HTTP).parsebytes(head + request.content).get_payload()
    assert isinstance(parts, list)
    fields = {}
    for part in parts:
        assert isinstance(part, Message)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        fields[name] = (payload.decode(), part.get_filename())
    return fields
