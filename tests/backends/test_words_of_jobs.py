"""What a job's own words mean, in every backend alike: last words under any HTTP status, words that nobody knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.core.outcomes import Permanent, Transient
from vidgen_nb.ports import Backend, BackendError, Profile, Progress
from vidgen_nb.session.session import Session

HOME = "https://api.example/v1"
ALICE = Profile("alice", "sk-alice-12345678")
JOB = Operation("job-1")
ENDS = {"error": {"code": 500, "message": "out of memory"}, "failure": "out of memory", "failureCode": "ASSET.X"}
BACKENDS: dict[str, Callable[[httpx.AsyncBaseTransport], Any]] = {
    "openai": lambda transport: OpenAIVideos(HOME, transport=transport),
    "google": lambda transport: GoogleInteractions(HOME, transport=transport),
    "runway": lambda transport: Runway(HOME, transport=transport),
    "described": lambda transport: HttpBackend(
        HOME, submit="/jobs", body=lambda scene: {"p": scene.prompt}, poll="/jobs/{id}", cancel="DELETE /jobs/{id}",
        statuses={"completed": "succeeded"}, result="url", transport=transport,
    ),
}  # fmt: skip


@pytest.fixture(params=BACKENDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name one backend after the other."""
    return str(request.param)


class Server:
    """Answers each request with the next of its answers, and the last one for ever."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.methods: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.methods.append(request.method)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def call(kind: str, server: Server, work: Callable[[Backend], Awaitable[Any]]) -> Any:
    """Do some work on a backend."""

    async def go() -> Any:
        backend = BACKENDS[kind](httpx.MockTransport(server))
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(go())


def says(code: int, /, **body: Any) -> httpx.Response:
    """Return an answer about the job."""
    return httpx.Response(code, json=body)


def poll(backend: Backend) -> Awaitable[Progress]:
    """Ask about the job."""
    return backend.poll(JOB, ALICE)


@pytest.mark.parametrize("status", [400, 404, 422, 500, 502, 503])
def test_the_last_word_wins_over_the_status(kind: str, status: int) -> None:
    """The body names the job, and says that it failed."""
    found = call(kind, Server(says(status, id="job-1", status="failed", **ENDS)), poll)
    assert found.status == "failed" and "out of memory" in found.outcome.reason


@pytest.mark.parametrize("body", [{"status": "failed"}, {"id": "job-2", "status": "failed"}, {"id": "job-1"}])
def test_anything_else_under_an_error_status_is_no_word(kind: str, body: dict[str, Any]) -> None:
    """It names no job, or another one, or tells no end."""
    with pytest.raises(BackendError) as caught:
        call(kind, Server(says(502, **body)), poll)
    assert isinstance(caught.value.outcome, Transient)


@pytest.mark.parametrize("word", ["archived", 7, True])
def test_a_job_that_may_be_done_is_not_cancelled(kind: str, word: object, caplog: pytest.LogCaptureFixture) -> None:
    """A word that nobody knows: said once, asked about again; no cancel leaves until there is another word."""
    running = says(200, id="job-1", status="in_progress")
    server = Server(*[says(200, id="job-1", status=word)] * 2, running, httpx.Response(204))

    async def work(backend: Backend) -> tuple[Any, ...]:
        words = [(await poll(backend)).status for _ in range(2)]
        first = await backend.cancel(JOB, ALICE)
        await poll(backend)
        return (*words, first, await backend.cancel(JOB, ALICE))

    with caplog.at_level(logging.WARNING):
        assert call(kind, server, work)[:3] == ("running", "running", "unsupported")
    assert sum(str(word).lower() in record.getMessage().lower() for record in caplog.records) == 1
    assert len(server.methods) == 4


@pytest.mark.parametrize("kind", ["openai", "google", "runway"])
def test_a_page_confirms_no_cancel(kind: str) -> None:
    """What a proxy shows to people says nothing of the job: the cancel is tried again."""
    server = Server(httpx.Response(200, html="<title>Sign in</title>"))
    with pytest.raises(BackendError) as caught:
        call(kind, server, lambda backend: backend.cancel(JOB, ALICE))
    assert isinstance(caught.value.outcome, Transient)


@pytest.mark.parametrize("old", ["https://store.example/1.mp4", f"{HOME}/files/1:download?alt=media"])
@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_googles_expired_address(old: str, status: int) -> None:
    """A result's address that is refused may have expired: the job is asked for a fresh one, which is fetched."""
    video = {"type": "video", "uri": "https://store.example/2.mp4"}
    job = says(200, id="job-1", status="completed", steps=[{"type": "model_output", "content": [video]}])
    server = Server(
        httpx.Response(status), job, httpx.Response(200, content=b"v", headers={"Content-Type": "video/mp4"})
    )
    sink = MemorySink()
    call("google", server, lambda backend: backend.fetch(JOB, Artifact("public", old), ALICE, sink))
    assert sink.committed == (1, "video/mp4")


NOTHING = {"url": None, "output": None, "steps": None}
VIDEO = "https://store.example/a.mp4"
RESULT = {
    "url": VIDEO, "output": [VIDEO],
    "steps": [{"type": "model_output", "content": [{"type": "video", "uri": VIDEO}]}],
}  # fmt: skip


NO_RESULT = says(200, id="job-1", status="completed", **NOTHING)


@pytest.mark.parametrize("kind", ["google", "runway", "described"])
def test_a_result_that_is_named_a_little_later(kind: str) -> None:
    """Done before its video is uploaded: the job is asked again, by the fetch, and then the video is there."""
    clip = httpx.Response(200, content=b"v", headers={"Content-Type": "video/mp4"})
    server = Server(*[NO_RESULT] * 3, says(200, id="job-1", status="completed", **RESULT), clip)

    async def work(backend: Backend) -> MemorySink:
        artifact, sink = (await poll(backend)).artifact, MemorySink()
        assert artifact is not None
        for _ in range(2):
            with pytest.raises(BackendError) as caught:
                await backend.fetch(JOB, artifact, ALICE, sink)
            assert isinstance(caught.value.outcome, Permanent) and caught.value.outcome.cause == "no_result"
        await backend.fetch(JOB, artifact, ALICE, sink)
        return sink

    assert call(kind, server, work).committed == (1, "video/mp4")


def test_an_address_beside_content_that_is_named_later() -> None:
    """Where /content has nothing, the job is asked for another place, again and again, but not each time."""
    clip = httpx.Response(200, content=b"v", headers={"Content-Type": "video/mp4"})
    gone = httpx.Response(404)
    server = Server(gone, NO_RESULT, *[gone] * 4, says(200, id="job-1", status="completed", **RESULT), clip)

    async def work(backend: Backend) -> MemorySink:
        sink = MemorySink()
        for _ in range(4):
            with pytest.raises(BackendError):
                await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)
        await backend.fetch(JOB, Artifact("with_key"), ALICE, sink)
        return sink

    assert call("openai", server, work).committed == (1, "video/mp4")


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_result_that_never_comes_is_held(kind: str, tmp_path: Path) -> None:
    """It is paid for: asked for with growing pauses for an hour, then held, so that no retry buys it again."""
    submits = []

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            submits.append(request)
            return says(200, id="job-1", status="queued")
        return httpx.Response(404) if request.url.path.endswith("/content") else NO_RESULT

    backend = BACKENDS[kind](httpx.MockTransport(reply))
    with Session(backend, [ALICE], output=tmp_path, speed=5000) as session:
        run = session.run_blocking(["a fox"])
        (scene,) = run.scenes
        assert scene.status == "held" and "accepted as 'job-1'" in (scene.error or "")
        assert session.retry_failed() == []
    assert len(submits) == 1 and scene.end is not None and 3600 <= scene.end < 4500


def described_in_two(**options: Any) -> HttpBackend:
    """Describe an API whose result is at an address of its own."""
    return HttpBackend(
        HOME, submit="/jobs", body=lambda scene: {"p": scene.prompt}, poll="/jobs/{id}", details="/results/{id}",
        statuses={"completed": "succeeded"}, result="url", code="code", **options,
    )  # fmt: skip


def details(answer: httpx.Response, **options: Any) -> Progress:
    """Return what a job is that is done, with this answer in the place of its result."""

    def reply(request: httpx.Request) -> httpx.Response:
        return answer if "/results/" in request.url.path else says(200, id="job-1", status="completed")

    async def go() -> Progress:
        return await described_in_two(transport=httpx.MockTransport(reply), **options).poll(JOB, ALICE)

    return asyncio.run(go())


@pytest.mark.parametrize(
    "answer",
    [
        says(503, code=503), says(502, code="502"), says(500, code="internal_error"), says(400, code="not_ready"),
        says(503, code="service_unavailable"), says(504, code="gateway_timeout"), says(400, code="IN_PROGRESS"),
        httpx.Response(200, html="<title>Sign in</title>"), httpx.Response(500, html="<title>Oops</title>"),
    ],
)  # fmt: skip
def test_trouble_in_the_place_of_a_result_is_no_failure_of_the_job(answer: httpx.Response) -> None:
    """What any server or proxy may say for a while: it is asked again."""
    with pytest.raises(BackendError):
        details(answer)


@pytest.mark.parametrize(
    ("answer", "transient"),
    [
        (says(422, detail="no"), ()), (says(500, code="render_failed"), ()), (says(400, code="bad_size"), ()),
        (says(500, code="runner_disconnected"), ()), (says(503, code="service_unavailable"), {"service_unavailable"}),
        (httpx.Response(500, json={"code": "internal_server_error"}, headers={"X-Fal-Error-Type": "x"}), ()),
    ],
)  # fmt: skip
def test_a_failure_in_the_place_of_a_result(answer: httpx.Response, transient: Any) -> None:
    """A code of the job's own, one that the description names, or one that fal marks as its own."""
    assert details(answer, transient=transient).status == "failed"
