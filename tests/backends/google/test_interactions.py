"""The backend for Google's Interactions API: what goes over the wire, and what comes back as which word."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.google.mocked_interactions import (
    ALICE,
    FILE,
    HOME,
    JOB,
    KEY,
    SCENE,
    call,
    completed,
    fetching,
    refusal,
)
from tests.backends.mock_server import MockServer
from tests.fakes import MemorySink
from vidgen_nb.backends.google.interactions import GoogleInteractions, read_progress
from vidgen_nb.core.model import Artifact, Operation, PollSchedule
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, Progress, Secret


def test_it_is_a_backend() -> None:
    """The class implements the port, and gives the settings for a run's header."""
    backend: Backend = GoogleInteractions(poll=PollSchedule(first=2))
    assert backend.settings() == {
        "name": "google_interactions", "base_url": str(HOME), "model": "gemini-omni-1.2-flash", "delivery": "uri",
        "poll": {"first": 2, "factor": 1.5, "longest": 5.0, "shortest": 0.1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        ({"status": "queued"}, "queued", None), ({"status": "in_progress"}, "running", None),
        ({"status": "pondering"}, "running", None),
        ({"status": "in_progress", "errors": [{"code": "api_error", "message": "retrying"}]}, "running", None),
        ({"status": "pondering", "errors": [{"code": "api_error"}]}, "failed", Transient),
        ({"status": "failed", "errors": [{"code": "safety", "message": "no"}]}, "failed", Permanent),
        ({"status": "failed", "steps": [{"type": "model_output", "error": {"code": 13}}]}, "failed", Transient),
        ({"status": "failed", "error": {"code": 8}}, "failed", RateLimited),
        ({"status": "failed"}, "failed", Permanent), ({"status": "cancelled"}, "cancelled", Cancelled),
        ({"status": "incomplete"}, "failed", Permanent), ({"status": "requires_action"}, "failed", Permanent),
        ({"status": "requires_continuation"}, "failed", Permanent), ({"status": "idle"}, "failed", Permanent),
        ({"status": "budget_exceeded"}, "failed", ProfileUnusable),
        ({"status": "completed"}, "succeeded", None), ({"status": "completed", "steps": []}, "succeeded", None),
        ({"status": "completed", "errors": [{"code": "api_error"}]}, "failed", Permanent),
        (completed(), "succeeded", None), (completed(uri="gs://bucket/a.mp4"), "succeeded", None),
        (completed(uri="http://"), "succeeded", None), (completed(uri="http://[/"), "succeeded", None),
        (completed(uri="http://a:65536/"), "succeeded", None), (completed(uri=7), "succeeded", None),
        (completed(data="AAAA"), "succeeded", None), (completed(uri=FILE), "succeeded", None),
        ({"status": "completed", "output_video": {"type": "video", "uri": FILE}}, "succeeded", None),
    ],
)  # fmt: skip
def test_polls(body: dict[str, Any], status: str, outcome: type[Failure] | None) -> None:
    """Every word of the vocabulary, and an unknown one."""
    server = MockServer(httpx.Response(200, json=body))
    progress = call(server, lambda backend: backend.poll(JOB, ALICE))
    assert (server.requests[0].method, str(server.requests[0].url)) == ("GET", f"{HOME}/interactions/v1_abc")
    assert progress.status == status
    assert type(progress.outcome) is (outcome or type(None))
    assert (progress.artifact is not None) == (status == "succeeded")


def test_completed_without_a_video_says_whose_fault_it_is() -> None:
    """One with a word of the content filter was refused for its content; another error is no result."""
    for code, cause in (("api_error", "no_result"), ("image_safety", "content")):
        errors = [{"code": code, "message": "filtered"}]
        outcome = read_progress({"status": "completed", "errors": errors}, Secret(KEY), HOME).outcome
        assert isinstance(outcome, Permanent)
        assert outcome.cause == cause
        assert outcome.reason.startswith("completed without a video")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": "completed"}, "completed without a video"), (completed(), "completed without a video"),
        (completed(uri="gs://bucket/a.mp4"), "its video is at gs://bucket/a.mp4, which can't be fetched from here"),
    ],
)  # fmt: skip
def test_a_video_that_is_not_there_or_out_of_reach(body: dict[str, Any], reason: str) -> None:
    """The job is done and paid for: each fetch asks for its video again, and says why there is none."""
    found = refusal(MockServer(httpx.Response(200, json=body)), fetching(Artifact("inline")))
    assert found == Permanent(reason, "no_result")


def test_the_last_video_of_the_models_counts() -> None:
    """A video of the input is not the result, and of several outputs the last one is."""
    steps = [
        {"type": "model_output", "content": [{"type": "video", "uri": f"{FILE}{k}"} for k in (1, 2)]},
        {"type": "user_input", "content": [{"type": "video", "uri": f"{FILE}3"}]},
        {"type": "model_output", "content": [{"type": "video"}, {"type": "image", "uri": f"{FILE}4"}, 5]},
        {"type": "thought", "content": None},
    ]  # fmt: skip
    artifact = read_progress({"status": "completed", "steps": steps}, Secret(KEY), HOME).artifact
    assert artifact == Artifact("with_key", f"{FILE}2:download?alt=media")


@pytest.mark.parametrize(
    ("uri", "kind", "url"),
    [
        (FILE, "with_key", f"{FILE}:download?alt=media"),
        (f"{FILE}:download?alt=media", "with_key", f"{FILE}:download?alt=media"),
        (f"{HOME}/other/abc?x=1", "with_key", f"{HOME}/other/abc?x=1"),
        ("https://storage.example/files/abc", "public", "https://storage.example/files/abc"),
        ("http://generativelanguage.googleapis.com/v1/files/a", "public",
         "http://generativelanguage.googleapis.com/v1/files/a"),
    ],
)  # fmt: skip
def test_downloads(uri: str, kind: str, url: str) -> None:
    """The key goes along to the API's own origin alone; a file is asked for its content."""
    body = httpx.Response(200, content=b"video", headers={"content-type": "video/mp4"})
    server, sink = MockServer(httpx.Response(200, json=completed(uri=uri)), body), MemorySink()

    async def work(backend: GoogleInteractions) -> None:
        progress = await backend.poll(JOB, ALICE)
        assert progress.artifact == Artifact(kind, url)
        await backend.fetch(JOB, progress.artifact, ALICE, sink)

    call(server, work)
    assert (sink.data, sink.committed) == (b"video", (5, "video/mp4"))
    assert str(server.requests[1].url) == url
    assert server.requests[1].headers.get("x-goog-api-key") == (KEY if kind == "with_key" else None)


def test_an_artifact_of_a_tampered_journal_gets_no_key() -> None:
    """What an artifact calls itself does not count, only where it leads."""
    server = MockServer(httpx.Response(200, content=b"v", headers={"content-type": "video/mp4"}))
    artifact = Artifact("with_key", "https://evil.example/files/a")
    call(server, fetching(artifact))
    assert "x-goog-api-key" not in server.requests[0].headers
    for url in ("", "file:///etc/passwd", "https://[", "gs://a/b"):
        found = refusal(MockServer(), fetching(Artifact("with_key", url)))
        assert isinstance(found, Permanent)


@pytest.mark.parametrize(("location", "key"), [(f"{HOME}/moved", KEY), ("https://storage.example/a", None)])
def test_redirects_of_a_download_take_the_key_no_further(location: str, key: str | None) -> None:
    """A download is followed to another host, without the key."""
    server = MockServer(
        httpx.Response(302, headers={"location": location}),
        httpx.Response(200, content=b"v", headers={"content-type": "video/mp4"}),
    )
    call(server, fetching(Artifact("with_key", FILE)))
    assert [request.headers.get("x-goog-api-key") for request in server.requests] == [KEY, key]


def test_a_redirect_to_nowhere() -> None:
    """A redirect to an address that no connection can be tried to is the final answer."""
    server = MockServer(httpx.Response(302, headers={"location": "https://storage.example:99999/a"}))
    assert isinstance(refusal(server, fetching(Artifact("with_key", FILE))), Transient)


@pytest.mark.parametrize("data", [b"video" * 3, b"\xfb\xff\xfe"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_inline_results(data: bytes, encode: Callable[[bytes], bytes]) -> None:
    """The run's event holds no video: the fetch asks again, and decodes either alphabet."""
    answer = httpx.Response(200, json=completed(data=encode(data).decode(), mime_type="video/mp4"))
    server, sink = MockServer(answer, answer), MemorySink()

    async def work(backend: GoogleInteractions) -> None:
        progress = await backend.poll(JOB, ALICE)
        assert progress.artifact == Artifact("inline")
        await backend.fetch(JOB, progress.artifact, ALICE, sink)

    call(server, work)
    assert (sink.data, sink.committed) == (data, (len(data), "video/mp4"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json=completed(data="%%%")), Transient),
        (httpx.Response(200, json=completed(data="ü")), Transient),
        (httpx.Response(200, json={"status": "completed"}), Permanent),
        (httpx.Response(200, content=b'{"status": "completed", "steps": ' + b" " * (17 << 20)), Transient),
        (httpx.Response(404, json={"error": {"code": "not_found"}}), Permanent),
        (httpx.Response(503), Transient),
        (httpx.Response(200, text="<html>"), Transient),
    ],
)
def test_inline_results_that_are_none(answer: httpx.Response, kind: type[Failure]) -> None:
    """Broken base64, an endless answer, HTML, or a video that is no longer there."""
    found = refusal(MockServer(answer), fetching(Artifact("inline")))
    assert isinstance(found, kind)


def test_a_result_that_is_at_an_address_by_now() -> None:
    """Whatever the poll has seen, the fetch takes the video from where it is."""
    clip = httpx.Response(200, content=b"video", headers={"content-type": "video/mp4"})
    server = MockServer(httpx.Response(200, json=completed(uri=FILE)), clip)
    call(server, fetching(Artifact("inline")))
    assert str(server.requests[1].url) == f"{FILE}:download?alt=media"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, json={"status": "cancelled"}), "cancelled"), (httpx.Response(200, json={}), "cancelled"),
        (httpx.Response(200, json={"status": "in_progress"}), "requested"),
        (httpx.Response(200, json={"status": "completed"}), "too late"), (httpx.Response(404), "too late"),
        (httpx.Response(400, json={"error": {"status": "FAILED_PRECONDITION"}}), "too late"),
        (httpx.Response(409), "too late"), (httpx.Response(501), "unsupported"),
    ],
)  # fmt: skip
def test_cancel(answer: httpx.Response, said: str) -> None:
    """A cancel that comes too late is no failure."""
    server = MockServer(answer)
    assert call(server, lambda backend: backend.cancel(JOB, ALICE)) == said
    assert (server.requests[0].method, server.requests[0].url.path) == ("POST", "/v1/interactions/v1_abc/cancel")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401),
        httpx.Response(400, json={"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}),
    ],
)
def test_a_cancel_with_a_bad_key(answer: httpx.Response) -> None:
    """A key that Google calls invalid, by a 400 too, is not "too late"."""
    assert isinstance(refusal(MockServer(answer), lambda backend: backend.cancel(JOB, ALICE)), ProfileUnusable)


@pytest.mark.parametrize(
    "options",
    [
        {"delivery": "mail"},
        {"model": ""},
        {"timeout": 0},
        {"base_url": "ftp://a/v1"},
        {"base_url": "http://a:65536/v1"},
        {"base_url": "http://u@a/v1"},
    ],
)
def test_bad_settings(options: dict[str, Any]) -> None:
    """Settings that can't work are refused at once."""
    with pytest.raises(InputError):
        GoogleInteractions(**options)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), ProfileUnusable), (httpx.Response(429), RateLimited), (httpx.Response(503), Transient),
        (httpx.Response(200, text="<html>"), Transient), (httpx.Response(404), Permanent),
    ],
)  # fmt: skip
def test_probes(answer: httpx.Response, kind: type[Failure]) -> None:
    """A key is tried by a free request; an answer that is not the API's does not prove it."""
    server = MockServer(httpx.Response(200, json={"models": []}))
    call(server, lambda backend: backend.probe(ALICE))
    assert str(server.requests[0].url) == f"{HOME}/models?pageSize=1"
    assert isinstance(refusal(MockServer(answer), lambda backend: backend.probe(ALICE)), kind)


WORDS = [
    "completed", "failed", "queued", "idle", "video", "model_output", "user_input", "text", FILE, "gs://a/b", "AAAA",
    "https://[", "safety",
]  # fmt: skip
FIELDS = [
    "id", "status", "steps", "type", "content", "data", "uri", "mime_type", "error", "errors", "output_video", "code",
    "details", "message",
]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=20,
)
VIDEOS = st.dictionaries(st.sampled_from(FIELDS), ANYTHING | st.just("video"), max_size=4)
ANSWERS = ANYTHING | st.fixed_dictionaries(
    {
        "status": st.just("completed"),
        "steps": st.lists(st.fixed_dictionaries({"content": st.lists(VIDEOS)}), max_size=2),
    }
)


@given(ANSWERS)
@settings(deadline=None)
def test_any_json_is_a_progress_an_operation_or_a_failure(answer: Any) -> None:
    """Whatever JSON the server sends, every call gives what it promises, or a `BackendError`."""
    content = json.dumps(answer).encode()

    async def go() -> None:
        server = httpx.MockTransport(lambda request: httpx.Response(200, content=content))
        backend = GoogleInteractions(transport=server)
        for work, kind in (
            (backend.submit(SCENE, ALICE), Operation),
            (backend.poll(JOB, ALICE), Progress),
            (backend.fetch(JOB, Artifact("inline"), ALICE, MemorySink()), type(None)),
            (backend.cancel(JOB, ALICE), str),
        ):
            try:
                found: object = await work
            except BackendError:
                continue
            assert isinstance(found, kind)
        await backend.aclose()

    asyncio.run(go())


def test_an_unknown_status_is_said_once_and_never_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """It may mean that the job is done."""
    server = MockServer(*(httpx.Response(200, json={"id": JOB.id, "status": "pondering"}) for _ in range(2)))

    async def go() -> None:
        backend = GoogleInteractions(transport=httpx.MockTransport(server))
        for _ in range(2):
            assert (await backend.poll(JOB, ALICE)).status == "running"
        assert await backend.cancel(JOB, ALICE) == "unsupported"

    asyncio.run(go())
    assert [record.message.count("'pondering'") for record in caplog.records] == [1]
    assert [each.method for each in server.requests] == ["GET", "GET"]
