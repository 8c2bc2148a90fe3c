"""The OpenAI-compatible backend: what goes over the wire, and what comes back as which word."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer
from tests.backends.openai.mocked_videos import ALICE, JOB, KEY, call, refusal, submit
from tests.fakes import MemorySink
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import Artifact, Operation, PollSchedule
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError, MissingKey
from vidgen_nb.ports import Backend, BackendError, Profile


def test_it_is_a_backend() -> None:
    """The class implements the port, and gives the settings for a run's header."""
    backend: Backend = OpenAIVideos("http://127.0.0.1:1/v1", "m", poll=PollSchedule(first=2))
    assert backend.settings() == {
        "name": "openai_videos", "base_url": "http://127.0.0.1:1/v1", "model": "m",
        "poll": {"first": 2, "factor": 1.5, "longest": 5.0, "shortest": 0.1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "progress", "outcome"),
    [
        ({"status": "queued"}, "queued", None, None),
        ({"status": "in_progress", "progress": 42}, "running", 0.42, None),
        ({"status": "completed", "progress": 100}, "succeeded", 1.0, None),
        ({"status": "warming up"}, "running", None, None),
        ({"status": "in_progress", "progress": 900}, "running", 1.0, None),
        ({"status": "x", "progress": "9"}, "running", None, None),
        ({"status": "in_progress", "error": {"code": "server_error", "message": "retrying"}}, "running", None, None),
        ({"status": "in_progress", "progress": 10**400}, "running", 1.0, None),
        ({"status": "failed", "error": {"code": "moderation_blocked", "message": KEY}}, "failed", None, Permanent),
        ({"status": "failed", "error": {"code": "server_error"}}, "failed", None, Transient),
        ({"status": "failed"}, "failed", None, Permanent),
        ({"status": "odd", "error": {"message": "x"}}, "failed", None, Permanent),
        ({"status": "cancelled"}, "cancelled", None, Cancelled),
    ],
)  # fmt: skip
def test_polls(body: dict[str, Any], status: str, progress: float | None, outcome: type[Failure] | None) -> None:
    """Each known status has its meaning; an unknown one means running, unless there is an error."""
    server = MockServer(httpx.Response(200, json=body, headers={"openai-poll-after-ms": "250"}))
    found = call(server, lambda backend: backend.poll(JOB, ALICE))
    assert (found.status, found.progress) == (status, progress)
    assert found.poll_after == (0.25 if status in ("queued", "running") else None)
    assert found.artifact == (Artifact("with_key") if status == "succeeded" else None)
    assert KEY not in repr(found)
    assert isinstance(found.outcome, outcome) if outcome else found.outcome is None
    assert str(server.requests[0].url) == "http://127.0.0.1:8000/v1/videos/video_1"


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(404), Permanent), (httpx.Response(502), Transient), (httpx.Response(200, json={}), Transient),
        (httpx.Response(200, html="<html>"), Transient), (httpx.ReadTimeout("slow"), Transient), (httpx.Response(429),
        RateLimited),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), Transient),
        (httpx.Response(302, headers={"Location": "http://["}), Transient),
    ],
)  # fmt: skip
def test_polls_that_fail(response: httpx.Response | Exception, kind: type[Failure]) -> None:
    """A poll without an answer is made again; one for a job that isn't there is not; keys stay at home."""
    server = MockServer(response)
    assert isinstance(refusal(server, lambda backend: backend.poll(JOB, ALICE)), kind)
    assert len(server.requests) == 1


def test_job_ids_are_encoded() -> None:
    """A job id cannot leave its place in the address."""
    server = MockServer(httpx.Response(200, json={"status": "queued"}))
    call(server, lambda backend: backend.poll(Operation("a/../b?x=1#é"), ALICE))
    assert server.requests[0].url.raw_path == b"/v1/videos/a%2F..%2Fb%3Fx%3D1%23%C3%A9"


def fetch(sink: MemorySink) -> Callable[[OpenAIVideos], Coroutine[Any, Any, None]]:
    """Return a call that fetches into the sink."""
    return lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, sink)


def test_fetch_streams_into_the_sink() -> None:
    """The content goes into the sink with its length and type; the key goes with the request."""
    server, sink = (
        MockServer(httpx.Response(200, content=b"x" * 200_000, headers={"Content-Type": "video/mp4"})),
        MemorySink(),
    )
    call(server, fetch(sink))
    assert (len(sink.data), sink.committed) == (200_000, (200_000, "video/mp4"))
    assert str(server.requests[0].url) == "http://127.0.0.1:8000/v1/videos/video_1/content"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_redirects_of_a_download_take_the_key_no_further() -> None:
    """A redirect to the same origin is followed with the key, one to a storage host without it."""
    server, sink = (
        MockServer(
            httpx.Response(307, headers={"Location": "/v1/files/1"}),
            httpx.Response(302, headers={"Location": "https://user:pw@store.example/x?sig=1"}),
            httpx.Response(200, content=b"video"),
        ),
        MemorySink(),
    )
    call(server, fetch(sink))
    assert sink.data == b"video"
    assert [request.headers.get("authorization") for request in server.requests] == [f"Bearer {KEY}"] * 2 + [None]


@pytest.mark.parametrize(
    ("responses", "kind"),
    [
        ([httpx.Response(404), httpx.Response(404)], Permanent), ([httpx.Response(401)], ProfileUnusable),
        ([httpx.Response(500)], Transient),
        ([httpx.Response(404, json={"error": {"code": "video_not_ready"}}), httpx.Response(500)], Transient),
        ([httpx.Response(409), httpx.Response(200, json={"id": "video_1", "status": "completed"})], Transient),
        ([httpx.Response(200, json={"error": {"code": "content_filter"}})], Permanent),
        ([httpx.Response(200, json={"status": "in_progress"})], Transient),
        ([httpx.Response(302, headers={"Location": "https://store.example/"}), httpx.Response(403)], Transient),
        ([httpx.Response(302, headers={"Location": "ftp://store.example/"})], Transient),
        ([httpx.Response(302, headers={"Location": "/again"}) for _ in range(6)], Transient),
    ],
)  # fmt: skip
def test_fetches_that_fail(responses: list[httpx.Response], kind: type[Failure]) -> None:
    """An answer without a result is classified, and nothing is committed; a storage host says nothing about the key.

    The job is asked where its result is, and does not know.
    """
    sink = MemorySink()
    assert isinstance(refusal(MockServer(*responses, httpx.Response(404)), fetch(sink)), kind)
    assert sink.committed is None


class PickySink(MemorySink):
    """A sink that takes nothing but a video."""

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Refuse what is none, as the videos' folder does."""
        if media_type != "video/mp4" or not self.data:
            raise BackendError(Transient("no video"))
        await super().commit(expected=expected, media_type=media_type)


@pytest.mark.parametrize(
    "content",
    [
        httpx.Response(200, html="<title>Web UI</title>"), httpx.Response(204), httpx.Response(500),
        httpx.Response(503), httpx.Response(403), httpx.Response(200, json={"status": "completed"}),
        httpx.ReadError("lost"),
    ],
)  # fmt: skip
def test_a_result_that_is_elsewhere(content: httpx.Response | Exception) -> None:
    """Whatever `/content` has in the place of the video: the job's address is fetched, without the key."""
    job = httpx.Response(200, json={"id": "video_1", "status": "completed", "url": "https://store.example/a.mp4"})
    video = httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"})
    server, sink = MockServer(content, job, video), PickySink()
    call(server, fetch(sink))
    assert sink.committed == (5, "video/mp4")
    assert [request.headers.get("authorization") for request in server.requests][-1] is None


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (httpx.Response(200, json={"id": "video_1", "deleted": True}), "cancelled"), (httpx.Response(204), "cancelled"),
        (httpx.Response(202), "requested"), (httpx.Response(200, json={"status": "in_progress"}), "requested"),
        (httpx.Response(404), "too late"), (httpx.Response(409), "too late"), (httpx.Response(405), "unsupported"),
        (httpx.Response(200, json={"status": "completed"}), "too late"),
        (httpx.Response(200, json={"status": "failed"}), "too late"),
        (httpx.Response(200, json={"status": "deleted"}), "cancelled"),
        (httpx.Response(200, json={"status": "noted"}), "requested"),
        (httpx.Response(200, json={"deleted": False}), "requested"),
    ],
)  # fmt: skip
def test_cancel(response: httpx.Response, answer: str) -> None:
    """DELETE has four answers."""
    server = MockServer(response)
    assert call(server, lambda backend: backend.cancel(JOB, ALICE)) == answer
    assert (server.requests[0].method, server.requests[0].url.path) == ("DELETE", "/v1/videos/video_1")


def test_a_cancel_that_fails() -> None:
    """A DELETE that gets no answer, or another one, such as a proxy's page, may be sent again."""
    for answer in (httpx.Response(503), httpx.ReadError("lost"), httpx.Response(200, html="<title>Sign in</title>")):
        assert isinstance(refusal(MockServer(answer), lambda backend: backend.cancel(JOB, ALICE)), Transient)


@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", f"{KEY} x", f"{KEY}é"])
def test_keys_that_no_header_carries(key: str) -> None:
    """A key with line breaks or spaces is an input error that doesn't show it; nothing is sent."""
    server = MockServer()
    with pytest.raises(InputError) as caught:
        call(server, lambda backend: submit(backend, profile=Profile("a", key)))
    assert KEY not in str(caught.value)
    assert server.requests == []


def test_profiles_are_checked() -> None:
    """A profile without a key, or with an invalid address, is refused before anything is sent."""
    backend = OpenAIVideos()
    backend.check(ALICE)
    with pytest.raises(MissingKey):
        backend.check(Profile("a"))
    for base_url in (
        "ftp://x/v1",
        "127.0.0.1:8000",
        "http://",
        "http://x/v1?key=1",
        "http://u:pw@x/v1",
        "http://[",
        "http://a b",
    ):
        with pytest.raises(InputError) as caught:
            backend.check(Profile("a", KEY, base_url=base_url))
        assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "nonsense"},
        {"base_url": None},
        {"model": " "},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": "9"},
        {"poll": 5},
    ],
)
def test_bad_settings(options: dict[str, Any]) -> None:
    """A backend that cannot work is not made."""
    with pytest.raises(InputError):
        OpenAIVideos(**options)
