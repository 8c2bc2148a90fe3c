"""APIs that are described in a cell, on a mocked server: submits, polls, statuses, cancels, probes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.backends.described.described_apis import (
    ALICE,
    CREATED,
    GET,
    GOOD,
    JOB,
    KEY,
    POST,
    SCENE,
    VIDEO,
    call,
    fal,
    ok,
    refusal,
    replicate,
)
from tests.backends.mock_server import MockApi
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Backend, Profile, Progress


def test_an_api_like_replicates_from_submit_to_file() -> None:
    """JSON with the key goes out; the server's own address is asked; the video's host sees no key."""
    server = MockApi(
        {
            POST: CREATED,
            GET: [ok(status="processing"), ok(status="succeeded", output=[VIDEO, VIDEO + "?second"])],
            f"GET {VIDEO}": httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"}),
        }
    )
    sink = MemorySink()

    async def work(backend: Backend) -> list[Progress]:
        operation = await backend.submit(SCENE, ALICE)
        assert operation == JOB
        polls = [await backend.poll(operation, ALICE) for _ in range(2)]
        assert polls[1].artifact is not None
        await backend.fetch(operation, polls[1].artifact, ALICE, sink)
        return polls

    assert call(replicate, server, work) == [
        Progress("running"),
        Progress("succeeded", 1.0, artifact=Artifact("with_key")),
    ]
    assert json.loads(server.requests[0].content) == {"input": {"prompt": "a lighthouse", "seconds": 4}}
    bearer = f"Bearer {KEY}"
    assert server.sent() == [("api.replicate.example", bearer)] * 4 + [("delivery.example", None)]
    assert sink.data == b"video"


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (httpx.Response(429, json={"detail": "slow", "status": 429, "retry_after": 30}), RateLimited),
        (httpx.Response(402, json={"title": "Insufficient credit", "status": 402}), ProfileUnusable),
        (httpx.Response(401), ProfileUnusable), (httpx.Response(403), ProfileUnusable),
        (httpx.Response(422, json={"detail": "prompt is required"}), Permanent),
        (httpx.Response(503), Transient), (httpx.Response(502), Ambiguous), (httpx.Response(504), Ambiguous),
        (httpx.Response(307, headers={"Location": "https://elsewhere.example/"}), Permanent),
        (httpx.Response(303, headers={"Location": POST[5:]}), Ambiguous),
    ],
)  # fmt: skip
def test_refused_submits(response: httpx.Response, outcome: type[Failure]) -> None:
    """They are distinguished as elsewhere; a POST is repeated by no redirect but 307 and 308."""
    server = MockApi({POST: response})
    found = refusal(replicate, server, lambda backend: backend.submit(SCENE, ALICE))
    assert type(found) is outcome
    assert len(server.requests) == 1
    if isinstance(found, RateLimited):
        assert (found.retry_after, found.source) == (30.0, "retry_after")


def test_retry_after_headers_come_before_the_body() -> None:
    """The precedence of waits is the common one."""
    answer = httpx.Response(429, json={"retry_after": 30}, headers={"Retry-After": "12", "retry-after-ms": "1500"})
    found = refusal(replicate, MockApi({POST: answer}), lambda backend: backend.submit(SCENE, ALICE))
    assert isinstance(found, RateLimited) and (found.retry_after, found.source) == (1.5, "retry-after-ms")


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        ({"status": "starting"}, "queued", None),
        ({"status": "a new word"}, "running", None),
        ({"status": "a new word", "error": "it broke"}, "failed", Permanent),
        ({"status": "failed", "error": "NSFW " + KEY}, "failed", Permanent),
        ({"status": "failed", "error": {"code": "server_error"}}, "failed", Transient),
        ({"status": "canceled"}, "cancelled", Cancelled),
        ({"status": "succeeded", "output": None}, "succeeded", None),
        ({"status": "succeeded", "output": None, "detail": "filtered"}, "failed", Permanent),
    ],
)
def test_polls(body: dict[str, Any], status: str, outcome: type[Failure] | None) -> None:
    """The API's words become ours; done without a video is a failure only with an error beside it."""
    progress = call(replicate, MockApi({GET: ok(**body)}), lambda backend: backend.poll(JOB, ALICE))
    assert progress.status == status
    assert (progress.outcome and type(progress.outcome)) == outcome
    assert KEY not in repr(progress)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            "suceeded",
            "'suceeded' is not in its statuses, and counts as running: if 'succeeded' in statuses= means it",
        ),
        ("proccessing", ": if 'processing' in statuses= means it, write it as the API does"),
        ("deferred", "counts as running: add it to statuses="),
        ("\u202eafter " + KEY + "x" * 999, "'after [key]xxx"),
    ],
)
def test_a_word_that_is_not_told_is_warned_of_once(told: str, says: str, caplog: pytest.LogCaptureFixture) -> None:
    """It counts as running, as ever; what it may have meant is said, and no key of it shown."""

    async def work(backend: HttpBackend) -> list[Progress]:
        return [await backend.poll(JOB, ALICE) for _ in range(3)]

    found = call(replicate, MockApi({GET: [ok(status=told), ok(status="starting"), ok(status=told)]}), work)
    assert [each.status for each in found] == ["running", "queued", "running"]
    (warning,) = caplog.records
    assert (warning.name, warning.levelname) == ("vidgen_nb", "WARNING")
    assert says in warning.getMessage() and "'replicate'" in warning.getMessage()
    assert KEY not in warning.getMessage() and len(warning.getMessage()) < 300


def test_words_without_end_are_not_warned_of_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """An API that counts in its status fills neither the log nor the memory; one with an error is no running job."""
    words = [ok(status=f"at {k} %") for k in range(100)]

    async def work(backend: HttpBackend) -> None:
        for _ in words:
            await backend.poll(JOB, ALICE)

    call(replicate, MockApi({GET: list(words)}), work)
    assert len(caplog.records) == 20 and "further ones are not reported" in caplog.text
    caplog.clear()
    broken = MockApi({GET: ok(status="broken", error="it broke")})
    assert call(replicate, broken, lambda backend: backend.poll(JOB, ALICE)).status == "failed"
    assert not caplog.records


def test_a_cancel_asks_and_the_answer_counts() -> None:
    """Cancelled if the server says so, requested if it only accepted the request; too late, unsupported."""
    address = "POST https://api.replicate.example/v1/predictions/p1/cancel"
    for response, answer in [
        (ok(status="canceled"), "cancelled"), (httpx.Response(202), "requested"), (httpx.Response(404), "too late"),
        (httpx.Response(405), "unsupported"),
    ]:  # fmt: skip
        assert call(replicate, MockApi({address: response}), lambda backend: backend.cancel(JOB, ALICE)) == answer
    found = refusal(replicate, MockApi({address: httpx.Response(500)}), lambda backend: backend.cancel(JOB, ALICE))
    assert isinstance(found, Transient)


def test_keys_are_probed_without_a_submit() -> None:
    """By the described call, else by polling an unknown job: 404 says something only where another key is refused."""
    server = MockApi({"GET https://api.replicate.example/v1/account": [ok(type="user"), httpx.Response(401)]})
    call(replicate, server, lambda backend: backend.probe(ALICE))
    assert isinstance(refusal(replicate, server, lambda backend: backend.probe(ALICE)), ProfileUnusable)
    assert "give probe=" in refusal(fal, MockApi({}), lambda backend: backend.probe(ALICE)).reason

    def toy(**options: Any) -> HttpBackend:
        return HttpBackend(
            "https://toy.example", submit="/jobs", body=lambda scene: {}, poll="/jobs/{id}",
            statuses={"done": "succeeded"}, content="/jobs/{id}/video", **options,
        )  # fmt: skip

    unknown = "GET https://toy.example/jobs/00000000-0000-0000-0000-000000000000"
    no_such_job = httpx.Response(404, json={"error": "no such job"})
    server = MockApi({unknown: [no_such_job, httpx.Response(401, json={"error": "bad key"})]})
    call(toy, server, lambda backend: backend.probe(ALICE))
    assert [KEY in str(each.headers.raw) for each in server.requests] == [True, False]
    for other in (no_such_job, httpx.Response(503), ok(status="queued")):
        found = refusal(toy, MockApi({unknown: [no_such_job, other]}), lambda b: b.probe(ALICE))
        assert isinstance(found, Transient) and "says nothing of this one" in found.reason and "probe=" in found.reason
    assert isinstance(refusal(toy, MockApi({unknown: httpx.Response(403)}), lambda b: b.probe(ALICE)), ProfileUnusable)
    assert (
        "base_url" in refusal(toy, MockApi({unknown: httpx.Response(200, text="hi")}), lambda b: b.probe(ALICE)).reason
    )


def test_a_form_and_progress_in_percent() -> None:
    """Fields go as multipart; progress above 1 is percent."""

    def make(**options: Any) -> HttpBackend:
        return HttpBackend(
            "https://toy.example", submit="PUT /jobs", body=lambda s: {"prompt": s.prompt, "n": 2, "none": None},
            form=True, poll="/jobs/{id}", statuses={"done": "succeeded"}, content="/jobs/{id}/video",
            status=lambda answer: answer["job"]["state"], progress="job.percent", **options,
        )  # fmt: skip

    server = MockApi(
        {
            "PUT https://toy.example/jobs": ok(id=7),
            "GET https://toy.example/jobs/7": [ok(job={"state": "busy", "percent": 40}), ok(job={})],
        }
    )
    job = call(make, server, lambda backend: backend.submit(SCENE, ALICE))
    assert b'name="prompt"\r\n\r\na lighthouse\r\n' in server.requests[0].content
    assert b'name="n"\r\n\r\n2\r\n' in server.requests[0].content and b"none" not in server.requests[0].content

    async def twice(backend: Backend) -> None:
        assert await backend.poll(job, ALICE) == Progress("running", 0.4)
        await backend.poll(job, ALICE)

    assert isinstance(refusal(make, server, twice), Transient)


def test_an_apis_own_codes() -> None:
    """A subclass says what they mean."""

    class Own(HttpBackend):
        def classify(self, answer: Any, phase: Any, profile: Profile) -> Failure:
            if answer.status == 418:
                return RateLimited(5.0, reason="a teapot")
            return super().classify(answer, phase, profile)

    def make(**options: Any) -> HttpBackend:
        return Own(
            "https://toy.example", submit="/jobs", body=lambda s: {}, poll="/jobs/{id}",
            statuses={"done": "succeeded"}, result="url", **options,
        )  # fmt: skip

    server = MockApi({"POST https://toy.example/jobs": [httpx.Response(418), httpx.Response(503)]})
    assert refusal(make, server, lambda backend: backend.submit(SCENE, ALICE)) == RateLimited(5.0, reason="a teapot")
    assert isinstance(refusal(make, server, lambda backend: backend.submit(SCENE, ALICE)), Transient)


@pytest.mark.parametrize(("told", "progress"), [(0.5, 0.5), (50, 0.5), (10**400, 1.0), (-1, 0.0), ("half", None)])
def test_progress_of_whatever_size(told: object, progress: float | None) -> None:
    """A fraction, percent above 1, and nothing where it is no number; a number beyond all floats is 1."""
    server = MockApi({"GET https://toy.example/jobs/p1": ok(id="p1", status="working", progress=told)})

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, "progress": "progress", **options})

    found = call(make, server, lambda backend: backend.poll(Operation("p1"), ALICE))
    assert (found.status, found.progress) == ("running", progress)
