"""Jobs that have ended when they are submitted, and that nobody knows afterwards."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer, run_on
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.http import Answer
from vidgen_nb.backends.wire.jobs.last_words import MAX_KEPT, LastWords
from vidgen_nb.core.model import Artifact, Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.ports import Profile, Progress

ALICE = Profile("alice", "sk-1")
CLIP = httpx.Response(200, content=b"\0\0\0\x18ftypmp42", headers={"Content-Type": "video/mp4"})
GONE = httpx.Response(404, json={"error": {"message": "no such job"}})


def openai(**options: Any) -> OpenAIVideos:
    """Return a backend of OpenAI's shape."""
    return OpenAIVideos("http://toy.invalid/v1", **options)


def described(**options: Any) -> HttpBackend:
    """Return a backend of another shape."""
    statuses: Any = {"completed": "succeeded", "failed": "failed", "working": "running"}
    body: dict[str, Any] = {"submit": "/jobs", "body": lambda scene: {"prompt": scene.prompt}, "poll": "/jobs/{id}"}
    return HttpBackend("http://toy.invalid/v1", statuses=statuses, result="url", **body, **options)


async def through(backend: Any) -> tuple[Progress, bytes]:
    """Submit, poll, and fetch what is done."""
    operation, sink = await backend.submit(Scene("s", "a fox"), ALICE), MemorySink()
    found = await backend.poll(operation, ALICE)
    if found.status == "succeeded":
        await backend.fetch(operation, Artifact("with_key"), ALICE, sink)
    return found, sink.data


@pytest.mark.parametrize("make", [openai, described])
def test_done_at_once(make: Any) -> None:
    """The result is fetched without a question that would be answered with 404."""
    made = httpx.Response(200, json={"id": "v1", "status": "completed", "url": "http://toy.invalid/v1/a.mp4"})
    found, data = run_on(make, MockServer(made, CLIP), through)
    assert (found.status, data) == ("succeeded", CLIP.content)


@pytest.mark.parametrize("make", [openai, described])
def test_refused_at_once(make: Any) -> None:
    """A prompt that was refused as a failed job has failed, by its provider's word."""
    error = {"code": "moderation_blocked", "message": "not allowed"}
    refused = httpx.Response(200, json={"id": "v1", "status": "failed", "error": error})
    found, _ = run_on(make, MockServer(refused, GONE), through)
    assert isinstance(found.outcome, Permanent) and "not allowed" in found.outcome.reason


@pytest.mark.parametrize(("make", "status"), [(openai, "working"), (described, "working"), (described, "completed")])
def test_what_is_not_over_is_asked_about(make: Any, status: str) -> None:
    """Also a success without its result, where that stands in the answer."""
    begun = httpx.Response(200, json={"id": "v1", "status": status, "url": None})
    server = MockServer(begun, httpx.Response(200, json={"id": "v1", "status": "working"}))
    found, _ = run_on(make, server, through)
    assert found.status == "running" and len(server.requests) == 2


def test_few_are_kept() -> None:
    """They are gone once they are taken, and there are never many."""
    words, answer = LastWords(), Answer(200, [], {})
    for number in range(MAX_KEPT + 5):
        words.note(str(number), answer)
    assert words.of(str(MAX_KEPT)) is None
    assert words.of("3") is words.take("3") is answer
    assert words.of("3") is words.take("3") is None
