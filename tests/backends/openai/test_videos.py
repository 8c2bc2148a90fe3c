"""The OpenAI-compatible backend: what goes over the wire, and what comes back as which word."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.fakes import MemorySink
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.images import read_image
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError, MissingKey
from vidgen_nb.ports import Backend, BackendError, Profile

T = TypeVar("T")
KEY = "sk-very-secret"
ALICE = Profile("alice", KEY)
SCENE = Scene("s001", "a lighthouse")
JOB = Operation("video_1", "openai_videos")


class Server:
    """Answers every request with the next of its answers, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | BaseException) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def call(server: Server, work: Callable[[OpenAIVideos], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives."""

    async def go() -> T:
        backend = OpenAIVideos(transport=httpx.MockTransport(server), **options)
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(go())


def refusal(server: Server, work: Callable[[OpenAIVideos], Coroutine[Any, Any, object]], **options: Any) -> Failure:
    """Return as what a backend's call fails; no text of it shows the key."""
    with pytest.raises(BackendError) as caught:
        call(server, work, **options)
    assert KEY not in str(caught.value)
    return caught.value.outcome


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


def test_it_is_a_backend() -> None:
    """The class fits the port, and says about itself what a run's header holds."""
    backend: Backend = OpenAIVideos("http://127.0.0.1:1/v1", "m", poll=PollSchedule(first=2))
    assert backend.settings() == {
        "name": "openai_videos", "base_url": "http://127.0.0.1:1/v1", "model": "m",
        "poll": {"first": 2, "factor": 1.5, "longest": 5.0, "shortest": 0.1},
    }  # fmt: skip


def test_submit_on_the_wire() -> None:
    """A submit is multipart without a file, with the key, the scene's id and its parameters as texts."""
    server = Server(httpx.Response(200, json={"id": "video_1", "status": "queued", "created_at": 1},
                                   headers={"openai-poll-after-ms": "1500"}))  # fmt: skip
    scene = Scene(
        "s001", "ein Leuchtturm, früh", seconds=4.0, size="1280x720", cfg=1.5, loop=True, none=None, x={"a": 1}
    )
    operation = call(server, lambda backend: submit(backend, scene), model="sora")
    assert operation == Operation("video_1", "openai_videos", poll_after=1.5)
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:8000/v1/videos")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-client-request-id"] == "s001"
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    texts = {"prompt": "ein Leuchtturm, früh", "model": "sora", "seconds": "4", "size": "1280x720", "cfg": "1.5",
             "loop": "true", "x": '{"a": 1}'}  # fmt: skip
    assert form(request) == {name: (text, None) for name, text in texts.items()}


def test_an_image_goes_along_as_a_file(tmp_path: Path) -> None:
    """A path and a data URI become a part with name and type, which tell nothing of this machine."""
    image = b"\xff\xd8\xff\xe0 a picture"
    (tmp_path / "private name.png").write_bytes(image)
    uri = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
    for reference in (tmp_path / "private name.png", uri):
        server = Server(httpx.Response(200, json={"id": "video_1"}))
        scene = Scene("s001", "a lighthouse", input_reference=reference)
        call(server, lambda backend, scene=scene: submit(backend, scene))  # type: ignore[misc]
        content = server.requests[0].content
        assert (
            b'Content-Disposition: form-data; name="input_reference"; filename="input_reference.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n" + image + b"\r\n"
        ) in content
        assert b"private" not in content


@pytest.mark.parametrize(
    ("reference", "fields"),
    [
        ("https://images.example/a.png", {"input_reference[image_url]": "https://images.example/a.png"}),
        ({"file_id": "file_1"}, {"input_reference[file_id]": "file_1"}),
        (None, {}),
    ],
)
def test_an_image_elsewhere_is_told_as_the_sdk_does(reference: object, fields: dict[str, str]) -> None:
    """An address or an object becomes fields in brackets."""
    server = Server(httpx.Response(200, json={"id": "video_1"}))
    call(server, lambda backend: submit(backend, Scene("s001", "a", input_reference=reference)))
    assert form(server.requests[0]) == {name: (text, None) for name, text in {"prompt": "a", **fields}.items()}


def test_an_image_that_is_gone_at_the_submit_fails_its_scene_alone() -> None:
    """Nothing is sent, and the scene is not tried again by itself."""
    server = Server()
    outcome = refusal(server, lambda backend: submit(backend, Scene("s001", "a", input_reference="gone.png")))
    assert isinstance(outcome, Permanent) and "'gone.png' can't be read" in outcome.reason
    assert server.requests == []


def test_images_of_waiting_submits_are_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read when a connection is free for its submit, not before."""
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 9)
    monkeypatch.setattr("vidgen_nb.backends.wire.http.MAX_CONNECTIONS", 1)
    order: list[str] = []

    def read(value: object) -> tuple[str, bytes]:
        order.append("read")
        return read_image(value)

    monkeypatch.setattr("vidgen_nb.backends.openai.videos.read_image", read)

    async def server(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        order.append("sent")
        return httpx.Response(200, json={"id": "video_1"})

    async def go() -> None:
        backend = OpenAIVideos(transport=httpx.MockTransport(server))
        await asyncio.gather(*(backend.submit(Scene(f"s{k}", "a", input_reference=str(path)), ALICE) for k in range(3)))
        await backend.aclose()

    asyncio.run(go())
    assert order == ["read", "sent"] * 3


def test_a_scenes_model_and_a_profiles_address_come_first() -> None:
    """A scene's own model replaces the backend's, and a profile's base_url the backend's."""
    server = Server(httpx.Response(200, json={"id": 7}))
    bob = Profile("bob", KEY, base_url="https://gateway.example/api/v1/")
    operation = call(server, lambda backend: submit(backend, Scene("s", "x", model="own"), bob), model="other")
    assert operation.id == "7"
    assert str(server.requests[0].url) == "https://gateway.example/api/v1/videos"
    assert form(server.requests[0])["model"] == ("own", None)


@pytest.mark.parametrize(
    ("scene_id", "header"),
    [("a b/c", "a b/c"), ("50%", "50%25"), ("szene ä", "szene%20%C3%A4"), ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"),
     ("x" * 600, "x" * 512)],
)  # fmt: skip
def test_scene_ids_are_header_safe(scene_id: str, header: str) -> None:
    """What a header can't carry is percent-encoded; nothing is injected."""
    server = Server(httpx.Response(200, json={"id": "v"}))
    call(server, lambda backend: submit(backend, Scene(scene_id, "x")))
    assert server.requests[0].headers["x-client-request-id"] == header
    assert "x-evil" not in server.requests[0].headers


@pytest.mark.parametrize("found", ["", "..", ".", "a\nb", "x" * 600, None, True, ["v"], {"a": 1}])
def test_an_unusable_job_id_leaves_a_submit_in_doubt(found: object) -> None:
    """An accepted job that can't be asked about is ambiguous: sending it again could cost twice."""
    assert isinstance(refusal(Server(httpx.Response(200, json={"id": found})), submit), Ambiguous)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(200, html="<html>sign in</html>"), Ambiguous), (httpx.Response(204), Ambiguous),
        (httpx.Response(200, content=b'{"id": "v"' + b" " * (5 << 20) + b"}"), Ambiguous),
        (httpx.Response(200, content=b"[" * 100_000), Ambiguous), (httpx.Response(200, json=["v"]), Ambiguous),
        (httpx.Response(200, json={"error": {"code": "server_error", "message": KEY}}), Transient),
        (httpx.Response(502, html="<html>bad gateway</html>"), Ambiguous), (httpx.Response(503), Transient),
        (httpx.Response(429, headers=[("Retry-After", "9"), ("Retry-After", "3")]), RateLimited),
        (httpx.Response(401, json={"error": {"message": f"bad key {KEY}"}}), ProfileUnusable),
        (httpx.Response(404, json={"detail": "Not Found"}), Permanent),
        (httpx.Response(200, content=b"x", headers={"Content-Encoding": "gzip"}), Ambiguous),
        (httpx.Response(500, content=b"x", headers={"Content-Encoding": "gzip"}), Transient),
        (httpx.Response(307, headers={"Location": "/v1/videos/"}), Permanent),
        (httpx.Response(301, headers={"Location": "https://elsewhere.example/"}), Permanent),
    ],
)  # fmt: skip
def test_answers_to_a_submit(response: httpx.Response, kind: type[Failure]) -> None:
    """Whatever comes back instead of a job is one of the scheduler's words; nothing is sent twice."""
    server = Server(response)
    found = refusal(server, submit)
    assert isinstance(found, kind)
    assert len(server.requests) == 1
    if isinstance(found, RateLimited):
        assert found.retry_after == 9


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    """An error body without an end is read up to a limit, then the connection is closed."""
    pulled = 0

    async def endless() -> Any:
        nonlocal pulled
        while True:
            pulled += 1
            yield b"x" * 65536

    assert isinstance(refusal(Server(httpx.Response(503, content=endless())), submit), Transient)
    assert pulled < 80


def test_bugs_and_cancellation_come_through() -> None:
    """An unexpected exception is no provider's failure, and a cancelled submit stays cancelled."""
    for error in (KeyError("bug"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            call(Server(error), submit)


@pytest.mark.parametrize(
    ("body", "status", "progress", "outcome"),
    [
        ({"status": "queued"}, "queued", None, None),
        ({"status": "in_progress", "progress": 42}, "running", 0.42, None),
        ({"status": "completed", "progress": 100}, "succeeded", 1.0, None),
        ({"status": "warming up"}, "running", None, None),
        ({"status": "in_progress", "progress": 900}, "running", 1.0, None),
        ({"status": "x", "progress": "9"}, "running", None, None),
        ({"status": "in_progress", "progress": 10**400}, "running", 1.0, None),
        ({"status": "failed", "error": {"code": "moderation_blocked", "message": KEY}}, "failed", None, Permanent),
        ({"status": "failed", "error": {"code": "server_error"}}, "failed", None, Transient),
        ({"status": "failed"}, "failed", None, Permanent),
        ({"status": "odd", "error": {"message": "x"}}, "failed", None, Permanent),
        ({"status": "cancelled"}, "cancelled", None, Cancelled),
    ],
)  # fmt: skip
def test_polls(body: dict[str, Any], status: str, progress: float | None, outcome: type[Failure] | None) -> None:
    """Each status of the vocabulary has its word; an unknown one is running until an error stands beside it."""
    server = Server(httpx.Response(200, json=body, headers={"openai-poll-after-ms": "250"}))
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
    server = Server(response)
    assert isinstance(refusal(server, lambda backend: backend.poll(JOB, ALICE)), kind)
    assert len(server.requests) == 1


def test_job_ids_are_encoded() -> None:
    """A job id cannot leave its place in the address."""
    server = Server(httpx.Response(200, json={"status": "queued"}))
    call(server, lambda backend: backend.poll(Operation("a/../b?x=1#é"), ALICE))
    assert server.requests[0].url.raw_path == b"/v1/videos/a%2F..%2Fb%3Fx%3D1%23%C3%A9"


def fetch(sink: MemorySink) -> Callable[[OpenAIVideos], Coroutine[Any, Any, None]]:
    """Return a call that fetches into the sink."""
    return lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, sink)


def test_fetch_streams_into_the_sink() -> None:
    """The content goes into the sink, which is told length and type; the key goes with the request."""
    server, sink = (
        Server(httpx.Response(200, content=b"x" * 200_000, headers={"Content-Type": "video/mp4"})),
        MemorySink(),
    )
    call(server, fetch(sink))
    assert (len(sink.data), sink.committed) == (200_000, (200_000, "video/mp4"))
    assert str(server.requests[0].url) == "http://127.0.0.1:8000/v1/videos/video_1/content"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_redirects_of_a_download_take_the_key_no_further() -> None:
    """A redirect to the same origin is followed with the key, one to a storage host without it."""
    server, sink = (
        Server(
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
        ([httpx.Response(404)], Permanent), ([httpx.Response(401)], ProfileUnusable),
        ([httpx.Response(500)], Transient),
        ([httpx.Response(404, json={"error": {"code": "video_not_ready"}})], Transient),
        ([httpx.Response(409)], Transient),
        ([httpx.Response(200, json={"error": {"code": "content_filter"}})], Permanent),
        ([httpx.Response(200, json={"status": "in_progress"})], Transient),
        ([httpx.Response(302, headers={"Location": "https://store.example/"}), httpx.Response(403)], Transient),
        ([httpx.Response(302, headers={"Location": "ftp://store.example/"})], Transient),
        ([httpx.Response(302, headers={"Location": "/again"}) for _ in range(6)], Transient),
    ],
)  # fmt: skip
def test_fetches_that_fail(responses: list[httpx.Response], kind: type[Failure]) -> None:
    """What holds no result is classified and nothing of it is committed; a storage host says nothing about the key."""
    sink = MemorySink()
    assert isinstance(refusal(Server(*responses), fetch(sink)), kind)
    assert sink.committed is None


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (httpx.Response(200, json={"id": "video_1", "deleted": True}), "cancelled"), (httpx.Response(204), "cancelled"),
        (httpx.Response(202), "requested"), (httpx.Response(200, json={"status": "in_progress"}), "requested"),
        (httpx.Response(404), "too late"), (httpx.Response(409), "too late"), (httpx.Response(405), "unsupported"),
    ],
)  # fmt: skip
def test_cancel(response: httpx.Response, answer: str) -> None:
    """DELETE has four answers."""
    server = Server(response)
    assert call(server, lambda backend: backend.cancel(JOB, ALICE)) == answer
    assert (server.requests[0].method, server.requests[0].url.path) == ("DELETE", "/v1/videos/video_1")


def test_a_cancel_that_fails() -> None:
    """A DELETE that gets no answer, or another one, may be sent again."""
    for answer in (httpx.Response(503), httpx.ReadError("lost")):
        assert isinstance(refusal(Server(answer), lambda backend: backend.cancel(JOB, ALICE)), Transient)


@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", f"{KEY} x", f"{KEY}é"])
def test_keys_that_no_header_carries(key: str) -> None:
    """A key with line breaks or spaces is an input error that doesn't show it; nothing is sent."""
    server = Server()
    with pytest.raises(InputError) as caught:
        call(server, lambda backend: submit(backend, profile=Profile("a", key)))
    assert KEY not in str(caught.value)
    assert server.requests == []


def test_profiles_are_checked() -> None:
    """A profile without a key, or with an address that is none, is refused before anything is sent."""
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


def test_a_prompt_that_is_no_unicode() -> None:
    """A prompt with half a character can't be sent: permanent, and nothing is sent."""
    server = Server()
    assert isinstance(refusal(server, lambda backend: submit(backend, Scene("s", "x\ud800"))), Permanent)
    assert server.requests == []
