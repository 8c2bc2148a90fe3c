"""APIs that are described in a cell: one shaped like Replicate's, one like fal's, and a toy over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

import vidgen_nb as vg
from tests.audit import audit
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import BOOST, Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, Profile, Progress

T = TypeVar("T")
Serve = Callable[[httpx.Request], httpx.Response]
KEY = "r8-very-secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse", seconds=4)
VIDEO = "https://delivery.example/out.mp4"


def replicate(**options: Any) -> HttpBackend:
    """Describe an API that is shaped like Replicate's."""
    return HttpBackend(
        "https://api.replicate.example/v1",
        submit="/models/acme/film/predictions",
        body=lambda scene: {"input": {"prompt": scene.prompt, **scene.params}},
        poll="{urls.get}",
        statuses={
            "starting": "queued", "processing": "running", "succeeded": "succeeded", "failed": "failed",
            "canceled": "cancelled", "aborted": "cancelled",
        },
        result="output",
        cancel="POST /predictions/{id}/cancel",
        probe="/account",
        name="replicate",
        **options,
    )  # fmt: skip


def fal(**options: Any) -> HttpBackend:
    """Describe an API that is shaped like fal's."""
    return HttpBackend(
        "https://queue.fal.example",
        submit="/{model}",
        body=lambda scene: {"prompt": scene.prompt, "image_url": scene.params.get("image")},
        images=["image"],
        auth="Authorization: Key {key}",
        job="request_id",
        poll="{status_url}",
        statuses={"IN_QUEUE": "queued", "IN_PROGRESS": "running", "COMPLETED": "succeeded"},
        error="error",
        code="error_type",
        details="{response_url}",
        result="video.url",
        cancel="PUT {cancel_url}",
        name="fal",
        **options,
    )


class Server:
    """Answers (method, URL) from a table, and keeps the requests."""

    def __init__(self, answers: dict[str, httpx.Response | list[httpx.Response]]) -> None:
        self.answers = {call: each if isinstance(each, list) else [each] for call, each in answers.items()}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer; the last answer of a call stays."""
        self.requests.append(request)
        answers = self.answers[f"{request.method} {request.url}"]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def sent(self) -> list[tuple[str, str | None]]:
        """Return the (host, Authorization) of every request."""
        return [(each.url.host, each.headers.get("authorization")) for each in self.requests]


def ok(**body: Any) -> httpx.Response:
    """Return a success."""
    return httpx.Response(200, json=body)


def call(make: Callable[..., HttpBackend], server: Serve, work: Callable[[HttpBackend], Coroutine[Any, Any, T]]) -> T:
    """Return what a backend's call on the server gives."""

    async def go() -> T:
        backend = make(transport=httpx.MockTransport(server))
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(go())


def refusal(
    make: Callable[..., HttpBackend], server: Serve, work: Callable[[HttpBackend], Coroutine[Any, Any, object]]
) -> Failure:
    """Return as what a call fails; no text of it shows the key."""
    with pytest.raises(BackendError) as caught:
        call(make, server, work)
    assert KEY not in str(caught.value)
    return caught.value.outcome


POST = "POST https://api.replicate.example/v1/models/acme/film/predictions"
GET = "GET https://api.replicate.example/v1/predictions/p1"
CREATED = ok(id="p1", status="starting", urls={"get": GET[4:]})
JOB = Operation("p1", "replicate", {"poll": GET[4:]})


def test_an_api_like_replicates_from_submit_to_file() -> None:
    """JSON with the key goes out; the server's own address is asked; the video's host sees no key."""
    server = Server(
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
        (httpx.Response(200, text="<html>"), Ambiguous),
        (httpx.Response(307, headers={"Location": "https://elsewhere.example/"}), Permanent),
        (httpx.Response(308, headers={"Location": POST[5:]}), Permanent),
    ],
)  # fmt: skip
def test_refused_submits(response: httpx.Response, outcome: type[Failure]) -> None:
    """They are told apart as everywhere; a POST is never sent again by a redirect."""
    server = Server({POST: response})
    found = refusal(replicate, server, lambda backend: backend.submit(SCENE, ALICE))
    assert type(found) is outcome
    assert len(server.requests) == 1
    if isinstance(found, RateLimited):
        assert (found.retry_after, found.source) == (30.0, "retry_after")


def test_retry_after_headers_come_before_the_body() -> None:
    """The precedence of waits is the common one."""
    answer = httpx.Response(429, json={"retry_after": 30}, headers={"Retry-After": "12", "retry-after-ms": "1500"})
    found = refusal(replicate, Server({POST: answer}), lambda backend: backend.submit(SCENE, ALICE))
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
        ({"status": "succeeded", "output": None}, "failed", Permanent),
        ({"status": "succeeded", "output": []}, "failed", Permanent),
    ],
)
def test_polls(body: dict[str, Any], status: str, outcome: type[Failure] | None) -> None:
    """The API's words become ours; done without a video is a failure."""
    progress = call(replicate, Server({GET: ok(**body)}), lambda backend: backend.poll(JOB, ALICE))
    assert progress.status == status
    assert (progress.outcome and type(progress.outcome)) == outcome
    assert KEY not in repr(progress)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            "SUCCEEDED",
            "'SUCCEEDED' is not in its statuses, and counts as running: if 'succeeded' in statuses= means it",
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

    found = call(replicate, Server({GET: [ok(status=told), ok(status="starting"), ok(status=told)]}), work)
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

    call(replicate, Server({GET: list(words)}), work)
    assert len(caplog.records) == 20 and "further ones are not reported" in caplog.text
    caplog.clear()
    broken = Server({GET: ok(status="broken", error="it broke")})
    assert call(replicate, broken, lambda backend: backend.poll(JOB, ALICE)).status == "failed"
    assert not caplog.records


def test_a_cancel_asks_and_the_answer_counts() -> None:
    """Cancelled where the server says so, requested where it only took it; too late, unsupported."""
    address = "POST https://api.replicate.example/v1/predictions/p1/cancel"
    for response, answer in [
        (ok(status="canceled"), "cancelled"), (httpx.Response(202), "requested"), (httpx.Response(404), "too late"),
        (httpx.Response(405), "unsupported"),
    ]:  # fmt: skip
        assert call(replicate, Server({address: response}), lambda backend: backend.cancel(JOB, ALICE)) == answer
    found = refusal(replicate, Server({address: httpx.Response(500)}), lambda backend: backend.cancel(JOB, ALICE))
    assert isinstance(found, Transient)


FAL = "https://queue.fal.example/fal-ai/film"
LINKS = {"status_url": f"{FAL}/requests/r1/status", "response_url": f"{FAL}/requests/r1",
         "cancel_url": f"{FAL}/requests/r1/cancel"}  # fmt: skip
FAL_JOB = Operation(
    "r1", "fal", {"poll": LINKS["status_url"], "details": LINKS["response_url"], "cancel": LINKS["cancel_url"]}
)
FILM = Scene("s001", "a lighthouse", model="fal-ai/film")


def test_an_api_like_fals_from_submit_to_file() -> None:
    """The model is part of the address, the key has its own word, and the result stands in another answer."""
    server = Server(
        {
            f"POST {FAL}": ok(request_id="r1", **LINKS),
            f"GET {LINKS['status_url']}": ok(status="COMPLETED"),
            f"GET {LINKS['response_url']}": ok(video={"url": VIDEO}),
            f"PUT {LINKS['cancel_url']}": httpx.Response(400, json={"status": "ALREADY_COMPLETED"}),
            f"GET {VIDEO}": httpx.Response(200, content=b"video"),
        }
    )
    sink = MemorySink()

    async def work(backend: Backend) -> str:
        operation = await backend.submit(FILM, ALICE)
        assert operation == FAL_JOB
        progress = await backend.poll(operation, ALICE)
        assert progress.artifact is not None
        await backend.fetch(operation, progress.artifact, ALICE, sink)
        return await backend.cancel(operation, ALICE)

    assert call(fal, server, work) == "too late"
    assert sink.data == b"video"
    assert [key for host, key in server.sent()] == [f"Key {KEY}"] * 3 + [None, f"Key {KEY}"]


def test_completed_may_be_a_failure() -> None:
    """An error beside a success counts, by its code."""
    server = Server(
        {f"GET {LINKS['status_url']}": ok(status="COMPLETED", error="no", error_type="content_policy_violation")}
    )
    progress = call(fal, server, lambda backend: backend.poll(FAL_JOB, ALICE))
    assert progress.status == "failed"
    assert isinstance(progress.outcome, Permanent) and progress.outcome.cause == "content"


def test_images_become_data_uris(tmp_path: Path) -> None:
    """A path is read for the body; an address is passed on; what is none is an error before the run."""
    image = b"\x89PNG\r\n\x1a\n" + b"\0" * 9
    (tmp_path / "a.png").write_bytes(image)
    uri = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    for given, sent in [
        (str(tmp_path / "a.png"), uri),
        (uri, uri),
        ("https://images.example/a.png",) * 2,
        (None, None),
    ]:
        server = Server({f"POST {FAL}": ok(request_id="r1", **LINKS)})
        scene = Scene("s001", "a", model="fal-ai/film", image=given)
        fal().check_scene(scene)
        call(fal, server, lambda backend, scene=scene: backend.submit(scene, ALICE))  # type: ignore[misc]
        assert json.loads(server.requests[0].content)["image_url"] == sent
    gone = Scene("s001", "a", model="fal-ai/film", image=str(tmp_path / "gone.png"))
    with pytest.raises(InputError, match=r"image: image '.*gone\.png' can't be read"):
        fal().check_scene(gone)
    assert isinstance(refusal(fal, Server({}), lambda backend: backend.submit(gone, ALICE)), Permanent)


def test_no_key_goes_where_a_server_sends_us() -> None:
    """An address of another host, scheme or port is asked without key and headers; user and password are dropped."""
    for home, away in [
        ("https://queue.fal.example", "https://user:pw@elsewhere.example/status"),
        ("https://queue.fal.example", "http://queue.fal.example/status"),
        ("https://queue.fal.example", "https://queue.fal.example:8443/status"),
    ]:
        seen: list[httpx.Request] = []

        def server(request: httpx.Request, seen: list[httpx.Request] = seen) -> httpx.Response:
            seen.append(request)
            return httpx.Response(401) if len(seen) == 1 else ok(status="IN_PROGRESS")

        def make(home: str = home, **options: Any) -> HttpBackend:
            return HttpBackend(
                home, submit="/x", body=lambda scene: {}, poll="{status_url}", statuses={"done": "succeeded"},
                result="url", headers={"X-Team": "secret"}, auth="X-Api-Key: {key}", **options,
            )  # fmt: skip

        operation = Operation("r1", "http", {"poll": away})
        found = refusal(make, server, lambda backend, operation=operation: backend.poll(operation, ALICE))  # type: ignore[misc]
        assert isinstance(found, Transient), "a foreign 401 says nothing of the profile"
        call(make, server, lambda backend, operation=operation: backend.poll(operation, ALICE))  # type: ignore[misc]
        for request in seen:
            assert not {"x-api-key", "x-team", "authorization"} & set(request.headers)
            assert KEY not in str(request.url) and "pw" not in str(request.url)


@pytest.mark.parametrize("away", ["ftp://x.example/", "data:text/plain,x", "https://[broken", "file:///etc/passwd"])
def test_addresses_that_are_none(away: str) -> None:
    """Only http and https addresses are asked, for a job and for a video."""
    job = Operation("r1", "fal", {"poll": away, "details": LINKS["response_url"]})
    assert isinstance(refusal(fal, Server({}), lambda backend: backend.poll(job, ALICE)), Permanent)
    server = Server({f"GET {LINKS['response_url']}": ok(video={"url": away})})
    fetch = refusal(fal, server, lambda backend: backend.fetch(job, Artifact("with_key"), ALICE, MemorySink()))
    assert isinstance(fetch, Permanent) and fetch.cause == "no_result"


def test_an_accepted_job_without_its_address_is_in_doubt() -> None:
    """It may be billed, and can't be asked about."""
    server = Server({f"POST {FAL}": [ok(request_id="r0", **LINKS), ok(request_id="r1")]})

    async def twice(backend: Backend) -> None:
        await backend.submit(FILM, ALICE)
        await backend.submit(FILM, ALICE)

    found = refusal(fal, server, twice)
    assert isinstance(found, Ambiguous) and "accepted as 'r1'" in found.reason


@pytest.mark.parametrize("option", ["poll", "details", "content", "cancel"])
def test_a_first_job_without_an_address_stops_the_run(option: str) -> None:
    """Where the very first answer does not tell it, none will: nobody could ask about what is paid, or fetch it."""
    given: dict[str, Any] = {"poll": "{there}", option: "{urls.no_such}"}
    given["result"] = None if option == "content" else "url"

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **given, **options})

    answer = ok(id="p1", there="https://toy.example/p1", urls={"get": "https://toy.example/p1"})
    server = Server({"POST https://toy.example/jobs": answer})
    if option == "cancel":
        assert call(make, server, lambda backend: backend.submit(SCENE, ALICE)).id == "p1"
        return
    says = f"accepted as 'p1', but .* no usable {option} at 'urls.no_such'; its urls has: get; .* Correct {option}="
    with pytest.raises(InputError, match=says):
        call(make, server, lambda backend: backend.submit(SCENE, ALICE))


def test_keys_are_probed_without_a_submit() -> None:
    """By a call that is told, else by asking about a job that nobody has; where neither works it says so."""
    server = Server({"GET https://api.replicate.example/v1/account": [ok(type="user"), httpx.Response(401)]})
    call(replicate, server, lambda backend: backend.probe(ALICE))
    assert isinstance(refusal(replicate, server, lambda backend: backend.probe(ALICE)), ProfileUnusable)
    assert "give probe=" in refusal(fal, Server({}), lambda backend: backend.probe(ALICE)).reason

    def toy(**options: Any) -> HttpBackend:
        return HttpBackend(
            "https://toy.example", submit="/jobs", body=lambda scene: {}, poll="/jobs/{id}",
            statuses={"done": "succeeded"}, content="/jobs/{id}/video", **options,
        )  # fmt: skip

    unknown = "GET https://toy.example/jobs/00000000-0000-0000-0000-000000000000"
    call(
        toy, Server({unknown: httpx.Response(404, json={"error": "no such job"})}), lambda backend: backend.probe(ALICE)
    )
    assert isinstance(refusal(toy, Server({unknown: httpx.Response(403)}), lambda b: b.probe(ALICE)), ProfileUnusable)
    assert (
        "base_url" in refusal(toy, Server({unknown: httpx.Response(200, text="hi")}), lambda b: b.probe(ALICE)).reason
    )


def test_a_form_and_progress_in_percent() -> None:
    """Fields go as multipart; progress above 1 is percent."""

    def make(**options: Any) -> HttpBackend:
        return HttpBackend(
            "https://toy.example", submit="PUT /jobs", body=lambda s: {"prompt": s.prompt, "n": 2, "none": None},
            form=True, poll="/jobs/{id}", statuses={"done": "succeeded"}, content="/jobs/{id}/video",
            status=lambda answer: answer["job"]["state"], progress="job.percent", **options,
        )  # fmt: skip

    server = Server(
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

    server = Server({"POST https://toy.example/jobs": [httpx.Response(418), httpx.Response(503)]})
    assert refusal(make, server, lambda backend: backend.submit(SCENE, ALICE)) == RateLimited(5.0, reason="a teapot")
    assert isinstance(refusal(make, server, lambda backend: backend.submit(SCENE, ALICE)), Transient)


JOB_URL = "GET https://toy.example/jobs/p1"
STATES: dict[str, Any] = {"statuses": {"succeeded": "succeeded"}}
GOOD: dict[str, Any] = {
    "submit": "/jobs", "body": lambda scene: {}, "poll": "/jobs/{id}", "statuses": {"done": "succeeded"},
    "result": "url",
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"submit": "jobs"}, "submit must be a path under base_url"),
        ({"submit": "{url}"}, "submit must be a path under base_url"),
        ({"submit": "FETCH /jobs"}, "no HTTP method"),
        ({"poll": ""}, "poll must be a path"),
        ({"poll": "https://elsewhere.example/{id}"}, "poll must be a path under base_url"),
        ({"poll": "/jobs/{}"}, "poll must be a path"),
        ({"statuses": {"done": "finished"}}, "'finished' is none of these"),
        ({"statuses": {"failed": "failed"}}, "none is mapped to succeeded"),
        ({"result": None}, "result= .* or content="),
        ({"content": "/jobs/{id}/video"}, "not both"),
        ({"body": {"prompt": "{prompt}"}}, "body must be a function"),
        ({"images": "image"}, r"images must be a list .* \['image'\]"),
        ({"auth": KEY}, "auth must be the key's header"),
        ({"auth": "X-Api-Key: " + KEY}, "auth must be the key's header"),
        ({"headers": {"authorization": "Bearer " + KEY}}, "carries the profile's key"),
        ({"headers": [KEY]}, "headers must be a mapping"),
        ({"headers": {"X-Version": 2}}, "the value of X-Version must be plain ASCII"),
        ({"headers": {"X-Team": KEY + "\n"}}, "the value of X-Team must be plain ASCII"),
        ({"headers": {"X Team": "a"}}, "'X Team' can't be a header's name"),
        ({"statuses": [("done", "succeeded")]}, "statuses must be a mapping"),
        ({"job": 5}, "a place in an answer must be a text like"),
        ({"submit": None}, "submit must be a path .*, not None"),
        ({"poll": None}, "poll must be a path .*, not None"),
        ({"poll": "/jobs/{job_id}"}, r"poll: .* can't be filled in: \{job_id\}; .* \{id\}.* \"\{status_url\}\""),
        ({"poll": "/jobs/{id}/{foo}"}, r"poll: .* can't be filled in: \{foo\}"),
        ({"poll": "/jobs"}, r"poll: '/jobs' does not say which job: .* \{id\}"),
        ({"poll": "/jobs/{id"}, "poll: the braces of '/jobs/{id' do not match"),
        ({"poll": "/jobs/{{id}}"}, "poll: the braces of '/jobs/{{id}}' do not match"),
        ({"poll": "{{status_url}}"}, "poll: the braces of"),
        ({"submit": "/models/model}"}, "submit: the braces of"),
        ({"cancel": "DELETE /jobs/{job_id}"}, r"cancel: .* can't be filled in: \{job_id\}"),
        ({"cancel": "POST /cancel"}, "cancel: '/cancel' does not say which job"),
        ({"details": "/jobs/{job}/result"}, r"details: .* can't be filled in: \{job\}"),
        ({"details": "/result"}, "details: '/result' does not say which job"),
        ({"result": None, "content": "/jobs/{request}/video"}, r"content: .* can't be filled in: \{request\}"),
        ({"result": None, "content": "/video"}, "content: '/video' does not say which job"),
        ({"probe": "/teams/{team}"}, r"probe: .* can't be filled in: \{team\}"),
        ({"probe": "{account_url}"}, "probe must be a path under base_url"),
        ({"name": 5}, "name must be a non-empty text .*, not 5"),
        ({"name": None}, "name must be a non-empty text"),
        ({"name": " "}, "name must be a non-empty text"),
        ({"schedule": 5}, r"schedule must be a PollSchedule\(\.\.\.\) or None, not 5"),
        ({"schedule": 0}, "schedule must be a PollSchedule"),
    ],
)
def test_descriptions_that_cannot_work(options: dict[str, Any], says: str) -> None:
    """Each mistake is said when the backend is made, and no error quotes what may be a key."""
    with pytest.raises(InputError, match=says) as caught:
        HttpBackend("https://toy.example", **{**GOOD, **options})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"poll": "/jobs?id={id}", "cancel": "POST {urls.cancel}", "details": "{id}"},
        {"poll": "{urls.0}", "cancel": "DELETE /jobs/{id}", "details": "/{id}/of/{id}"},
        {"result": None, "content": "{video_url}", "probe": "/jobs/{id}"},
        {"submit": "/{owner}/{model}", "probe": "/account"},
    ],
)
def test_descriptions_that_can_work(options: dict[str, Any]) -> None:
    """The id wherever it stands, or a place of the submit's answer for a whole address."""
    HttpBackend("https://toy.example", **{**GOOD, **options})


@pytest.mark.parametrize(
    ("options", "scene", "says"),
    [
        ({"submit": "/{model}"}, Scene("s1", "a"), "needs the parameters model"),
        ({"submit": "/{model}"}, Scene("s1", "a", model="../admin"), "needs the parameters model"),
        ({"submit": "/{model}"}, Scene("s1", "a", model=""), "needs the parameters model"),
        ({"body": lambda scene: {"seconds": scene.params["seconds"]}}, Scene("s1", "a"), "KeyError: 'seconds'"),
        ({"body": lambda scene: [scene.prompt]}, Scene("s1", "a"), "returned list: return a mapping"),
        ({"body": lambda scene: {"x": {1}}}, Scene("s1", "a"), "failed: TypeError"),
        ({"body": lambda scene: {"x": scene.prompt}}, Scene("s1", "\ud800"), "failed: UnicodeEncodeError"),
    ],
)
def test_scenes_of_which_no_request_can_be_made(options: dict[str, Any], scene: Scene, says: str) -> None:
    """They are found before the run."""
    with pytest.raises(InputError, match=says):
        HttpBackend("https://toy.example", **{**GOOD, **options}).check_scene(scene)


class Toy(BaseHTTPRequestHandler):
    """A toy API: each key may submit twice, then has to wait; jobs are done when they are asked about twice."""

    jobs: dict[str, int]
    submits: dict[str, int]

    def do_POST(self) -> None:
        """Take a job, or refuse it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["X-Api-Key"]
        self.submits[key] = self.submits.get(key, 0) + 1
        if self.submits[key] == 3:
            self.answer(429, {"error": {"code": "too_many_requests"}}, {"Retry-After": "2"})
        else:
            job = f"j{len(self.jobs)}"
            self.jobs[job] = 0
            self.answer(200, {"job": {"id": job}})

    def do_GET(self) -> None:
        """Tell of a job, or send its video."""
        _, _, job, *rest = self.path.split("/")
        self.jobs[job] += 1
        if rest:
            self.answer(200, CLIP, {"Content-Type": "video/mp4"})
        else:
            self.answer(200, {"state": "done" if self.jobs[job] > 1 else "busy", "video": f"/files/{job}/video"})

    def answer(self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        """Send JSON or bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def toy_url() -> Iterator[str]:
    """The toy, served on loopback."""
    handler = type("Handler", (Toy,), {"jobs": {}, "submits": {}})
    queued = type("Queued", (ThreadingHTTPServer,), {"request_queue_size": 64})
    with queued(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_session_over_a_described_api(toy_url: str, tmp_path: Path) -> None:
    """A run over real HTTP: 429s cool, scenes move, all videos arrive; the rules hold."""
    backend = vg.HttpBackend(
        toy_url,
        submit="/jobs",
        body=lambda scene: {"prompt": scene.prompt},
        auth="X-Api-Key: {key}",
        job="job.id",
        poll="/jobs/{id}",
        status="state",
        statuses={"done": "succeeded"},
        result="video",
        name="toy",
    )
    profiles = [vg.Profile("p1", "toy-key-1", capacity=3), vg.Profile("p2", "toy-key-2", capacity=3)]
    with vg.Session(backend, profiles, mode="boost", output=tmp_path, speed=50) as session:
        run = session.run_blocking([f"scene {k}" for k in range(8)])
        saved = run.save(tmp_path / "run.jsonl").read_text()
    assert [scene.status for scene in run.scenes] == ["succeeded"] * 8
    assert run.metrics().rate_limited == 2
    audit(run.events, BOOST)
    assert all(Path(scene.path or "").read_bytes() == CLIP for scene in run.scenes)
    assert run.header["backend"]["name"] == "toy"
    assert "toy-key" not in saved


@pytest.mark.parametrize(("told", "progress"), [(0.5, 0.5), (50, 0.5), (10**400, 1.0), (-1, 0.0), ("half", None)])
def test_progress_of_whatever_size(told: object, progress: float | None) -> None:
    """A fraction, percent above 1, and nothing where it is no number; a number beyond all floats is 1."""
    server = Server({"GET https://toy.example/jobs/p1": ok(id="p1", status="working", progress=told)})

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, "progress": "progress", **options})

    found = call(make, server, lambda backend: backend.poll(Operation("p1"), ALICE))
    assert (found.status, found.progress) == ("running", progress)


@pytest.mark.parametrize(
    ("wrong", "mode", "sent"),
    [("job", "normal", 1), ("job", "boost", 1), ("status", "normal", 2), ("result", "normal", 2)],
)
def test_a_wrong_place_stops_the_run_before_more_is_paid(
    wrong: str, mode: str, sent: int, toy_url: str, tmp_path: Path
) -> None:
    """No answer has the place: what was sent by then is held, or asked about after a restore; the rest stays queued."""
    right: dict[str, Any] = {
        "submit": "/jobs", "body": lambda scene: {"prompt": scene.prompt}, "auth": "X-Api-Key: {key}",
        "job": "job.id", "poll": "/jobs/{id}", "status": "state", "statuses": {"done": "succeeded"}, "result": "video",
    }  # fmt: skip
    most = 1 if mode == "normal" else 10
    profiles = [Profile("alice", KEY, capacity=most), Profile("bob", "other-key-2", capacity=most)]
    wrongly = HttpBackend(toy_url, **{**right, wrong: "no.such"})
    session = vg.Session(wrongly, profiles, mode=mode, journal=tmp_path / "runs", output=tmp_path, speed=20.0)
    with (
        session,
        pytest.raises(InputError, match=f"no usable {wrong} at 'no.such'; it has: .*Correct {wrong}=") as caught,
    ):
        session.run_blocking([f"scene {i}" for i in range(20)])
    assert session.last_run is not None
    counts = Counter(scene.status for scene in session.last_run.scenes)
    assert 1 <= counts["held"] <= sent and counts["held"] + counts["queued"] == 20
    assert ("goes on with the run" in "".join(getattr(caught.value, "__notes__", ""))) == (wrong != "job")

    with vg.restore(tmp_path / "runs", HttpBackend(toy_url, **right), profiles, output=tmp_path) as again:
        run = again.run_blocking()
    found = Counter(scene.status for scene in run.scenes)
    assert found == ({"held": 1, "succeeded": 19} if wrong == "job" else {"succeeded": 20})


DONE: dict[str, Any] = {"id": "p1", "status": "succeeded"}


@pytest.mark.parametrize(
    ("result", "answer", "outline"),
    [
        (
            "output.url",
            {"output": {"video": VIDEO}},
            "at 'output.url'; its output has: video; it has: id, status, output",
        ),
        ("output", {"output": {"video": VIDEO}}, "at 'output'; its output has: video; it has: id, status, output"),
        ("output.0.url", {"output": [{"video": VIDEO}]}, "its output.0 has: video"),
        ("output.url", {"output": [VIDEO]}, "its output is a list of 1"),
        ("output.url", {"output": VIDEO}, "its output is a text"),
        ("output", {"result": VIDEO}, "at 'output'; it has: id, status, result"),
        (lambda answer: answer["output"]["url"], {"output": {"video": VIDEO}}, "at the place its function reads; it"),
        ("output.url", {"output": {KEY: VIDEO, "\u202ename": 1}}, r"its output has: \[key\], name; it has"),
    ],
)
def test_a_wrong_place_of_the_result_is_no_failure_of_the_job(
    result: Any, answer: dict[str, Any], outline: str
) -> None:
    """A first success that has something else there stops the run; once there was a video, it is the job's affair."""
    there = {"output": {"url": VIDEO}} if callable(result) or result == "output.url" else {}

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **STATES, "result": result, **options})

    def poll(*bodies: dict[str, Any]) -> Progress:
        async def work(backend: HttpBackend) -> Progress:
            return [await backend.poll(Operation("p1"), ALICE) for _ in bodies][-1]

        return call(make, Server({JOB_URL: [ok(**DONE, **body) for body in bodies]}), work)

    with pytest.raises(InputError, match=outline) as caught:
        poll(answer)
    assert KEY not in str(caught.value) and len(str(caught.value)) < 400
    with pytest.raises(InputError, match=r"Correct result=.* lambda"):
        poll({"output": None}, answer)
    assert poll({**answer, "detail": "filtered"}).status == "failed"
    if there:
        assert poll(there, answer).status == "failed"


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("output", {"output": None}), ("output", {"output": []}), ("output", {"output": [None]}),
        ("output.url", {"output": None}), ("output.url", {"output": {}}), ("output.url", {"output": {"url": ""}}),
        ("output.0.url", {"output": []}), (lambda answer: answer.get("output"), {}),
        (lambda answer: answer["output"]["url"], {"output": None}),
        (lambda answer: answer["output"][0], {"output": []}),
    ],
)  # fmt: skip
def test_a_job_without_a_result_fails_alone(result: Any, answer: dict[str, Any]) -> None:
    """Where nothing stands at the place, or on the way there, the description may be right."""

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **STATES, "result": result, **options})

    found = call(make, Server({JOB_URL: ok(**DONE, **answer)}), lambda backend: backend.poll(Operation("p1"), ALICE))
    assert found.status == "failed" and isinstance(found.outcome, Permanent) and found.outcome.cause == "no_result"


def test_a_wrong_place_in_the_details_stops_the_run_too() -> None:
    """There the result is looked for when it is fetched."""

    async def fetch(backend: HttpBackend) -> None:
        await backend.fetch(FAL_JOB, Artifact("with_key"), ALICE, MemorySink())

    server = Server({f"GET {LINKS['response_url']}": ok(video={"address": VIDEO})})
    with pytest.raises(InputError, match=r"at 'video\.url'; its video has: address; it has: video\. Correct result="):
        call(fal, server, fetch)
    found = refusal(fal, Server({f"GET {LINKS['response_url']}": ok(video=None)}), fetch)
    assert isinstance(found, Permanent) and found.cause == "no_result"


def test_a_result_that_is_gone_by_the_fetch_fails_its_job_alone() -> None:
    """A poll had shown it, maybe before a restore."""
    server = Server({GET: ok(id="p1", status="succeeded")})
    found = refusal(replicate, server, lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, MemorySink()))
    assert isinstance(found, Permanent) and found.cause == "no_result"


def test_a_first_answer_that_tells_of_an_error_is_one() -> None:
    """A 200 with an error in it says nothing about where the id stands: it is classified as ever."""
    body = {"error": {"code": "rate_limit_exceeded"}}
    assert isinstance(refusal(replicate, Server({POST: ok(**body)}), lambda b: b.submit(SCENE, ALICE)), RateLimited)
    failed = {"detail": "no idea"}
    assert isinstance(refusal(replicate, Server({POST: ok(**failed)}), lambda b: b.submit(SCENE, ALICE)), Ambiguous)
