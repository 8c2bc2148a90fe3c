"""The backend for Google's Interactions API: what goes over the wire, and what comes back as which word."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.openai.test_videos import Server
from tests.fakes import MemorySink
from vidgen_nb.backends.google.interactions import GoogleInteractions, read_progress
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, Profile, Progress, Secret

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


def call(server: Server, work: Callable[[GoogleInteractions], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what a backend's call on the server gives."""

    async def go() -> T:
        backend = GoogleInteractions(transport=httpx.MockTransport(server), **options)
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    return asyncio.run(go())


def refusal(server: Server, work: Work) -> Failure:
    """Return as what a backend's call fails; no text of it shows the key."""
    with pytest.raises(BackendError) as caught:
        call(server, work)
    assert KEY not in str(caught.value)
    return caught.value.outcome


def submitting(scene: Scene = SCENE) -> Work:
    """Return the work of submitting a scene."""
    return lambda backend: backend.submit(scene, ALICE)


def fetching(artifact: Artifact) -> Work:
    """Return the work of fetching an artifact."""
    return lambda backend: backend.fetch(JOB, artifact, ALICE, MemorySink())


def sent(scene: Scene, **options: Any) -> dict[str, Any]:
    """Return the body that a submit of the scene sends."""
    server = Server(httpx.Response(200, json=ACCEPTED))
    call(server, submitting(scene), **options)
    body: dict[str, Any] = json.loads(server.requests[0].content)
    return body


def completed(**video: Any) -> dict[str, Any]:
    """Return a finished interaction whose model's output is a video with these fields."""
    content = [{"type": "text", "text": "here it is"}, {"type": "video", **video}]
    return {"id": "v1_abc", "status": "completed", "steps": [{"type": "model_output", "content": content}]}


def test_it_is_a_backend() -> None:
    """The class fits the port, and says about itself what a run's header holds."""
    backend: Backend = GoogleInteractions(poll=PollSchedule(first=2))
    assert backend.settings() == {
        "name": "google_interactions", "base_url": str(HOME), "model": "gemini-omni-1.2-flash", "delivery": "uri",
        "poll": {"first": 2, "factor": 1.5, "longest": 5.0, "shortest": 0.1},
    }  # fmt: skip


def test_submit_on_the_wire() -> None:
    """A background job with a video format; the key in its header alone."""
    server = Server(httpx.Response(200, json=ACCEPTED))
    scene = Scene("szene/1", "a lighthouse", seconds=8, aspect_ratio="9:16", resolution="720p", labels={"a": "b"})
    assert call(server, submitting(scene)) == JOB
    (request,) = server.requests
    assert (request.method, str(request.url)) == ("POST", f"{HOME}/interactions")
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
    assert request.headers["x-client-request-id"] == "szene/1"
    assert json.loads(request.content) == {
        "model": "gemini-omni-1.2-flash", "input": "a lighthouse", "background": True, "labels": {"a": "b"},
        "response_format": {
            "type": "video", "duration": "8s", "aspect_ratio": "9:16", "resolution": "720p", "delivery": "uri",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "duration"),
    [
        ({"seconds": 4.0}, "4s"), ({"seconds": "4"}, "4s"), ({"duration": "4s"}, "4s"), ({"duration": 4.5}, "4.5s"),
        ({"seconds": 9, "duration": 4}, "4s"), ({}, None), ({"seconds": None}, None),
        ({"response_format": {"duration": "4s"}, "seconds": 9}, "4s"),
    ],
)  # fmt: skip
def test_durations(params: dict[str, Any], duration: str | None) -> None:
    """Seconds are written as the API has them; what a scene says in the API's own words comes first."""
    assert sent(Scene("s", "p", **params))["response_format"].get("duration") == duration


def test_what_a_scene_cannot_change() -> None:
    """A scene names its model; it can't make the job wait or stream, for then nobody would learn its id."""
    body = sent(Scene("s", "p", model="m", background=False, stream=True, input="q", delivery="inline"), model="n")
    assert (body["model"], body["background"], body["input"], "stream" in body) == ("m", True, "p", False)
    assert body["response_format"]["delivery"] == "inline"
    assert sent(SCENE, delivery="inline")["response_format"]["delivery"] == "inline"
    assert "model" not in sent(SCENE, model=None), "nothing is sent for nothing"


def test_images_go_along(tmp_path: Path) -> None:
    """A path and a data URI become base64, an address stays one; several are several parts."""
    file = tmp_path / "first.png"
    file.write_bytes(PNG)
    data = base64.b64encode(PNG).decode()
    inline = {"type": "image", "mime_type": "image/png", "data": data}
    text = {"type": "text", "text": "p"}
    assert sent(Scene("s", "p", image=str(file)))["input"] == [text, inline]
    images = [f"data:image/png;base64,{data}", "https://example.com/a.png"]
    uri = {"type": "image", "uri": "https://example.com/a.png"}
    assert sent(Scene("s", "p", image=images))["input"] == [text, inline, uri]
    assert sent(Scene("s", "p", image=[]))["input"] == "p"


def test_the_images_parameter_of_another_api_is_refused() -> None:
    """Google would refuse each submit for it, and no scene would have its image; an empty column does no harm."""
    with pytest.raises(InputError, match=r"input_reference is a parameter of other APIs: .* image="):
        GoogleInteractions().check_scene(Scene("s", "p", input_reference="dawn.png"))
    GoogleInteractions().check_scene(Scene("s", "p", input_reference=None))


def test_an_image_that_is_none_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """A scene with an unreadable image fails for good, and `check_scene` says so beforehand."""
    text = tmp_path / "secrets.png"
    text.write_text("not an image")
    for image in (str(tmp_path / "missing.png"), str(text), "data:image/png;base64,%", 7, {"a": 1}):
        scene = Scene("s", "p", image=image)
        with pytest.raises(InputError):
            GoogleInteractions().check_scene(scene)
        server = Server()
        assert isinstance(refusal(server, submitting(scene)), Permanent)
        assert not server.requests
    GoogleInteractions().check_scene(Scene("s", "p", image="https://example.com/a.png"))


def test_text_that_is_no_unicode() -> None:
    """A lone surrogate can't be sent; the scene fails for good."""
    for scene in (Scene("s", "\ud800"), Scene("s", "p", labels={"a": "\ud800"})):
        found = refusal(Server(), submitting(scene))
        assert isinstance(found, Permanent)


@pytest.mark.parametrize("found", ["", "..", None, True, [], "x" * 513, "a\nb"])
def test_an_unusable_id_leaves_a_submit_in_doubt(found: object) -> None:
    """An answer without an id that can be asked about may mean a job that runs."""
    server = Server(httpx.Response(200, json={"id": found, "status": "in_progress"}))
    assert isinstance(refusal(server, submitting()), Ambiguous)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(429, json={"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}), RateLimited),
        (httpx.Response(502, text="<html>"), Ambiguous),
        (httpx.Response(200, text="<html>"), Ambiguous),
        (httpx.Response(503), Transient),
        (httpx.Response(403), ProfileUnusable),
        (httpx.Response(302, headers={"location": "https://elsewhere.example/"}), Permanent),
        (httpx.ConnectError("refused"), Transient),
        (httpx.ReadTimeout("slow"), Ambiguous),
    ],
)
def test_answers_to_a_submit(answer: httpx.Response | Exception, kind: type[Failure]) -> None:
    """What a submit gets is what the table says; a redirect is not followed."""
    server = Server(answer)
    assert isinstance(refusal(server, submitting()), kind)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        ({"status": "queued"}, "queued", None), ({"status": "in_progress"}, "running", None),
        ({"status": "pondering"}, "running", None),
        ({"status": "pondering", "errors": [{"code": "api_error"}]}, "failed", Transient),
        ({"status": "failed", "errors": [{"code": "safety", "message": "no"}]}, "failed", Permanent),
        ({"status": "failed", "steps": [{"type": "model_output", "error": {"code": 13}}]}, "failed", Transient),
        ({"status": "failed", "error": {"code": 8}}, "failed", RateLimited),
        ({"status": "failed"}, "failed", Permanent), ({"status": "cancelled"}, "cancelled", Cancelled),
        ({"status": "incomplete"}, "failed", Permanent), ({"status": "requires_action"}, "failed", Permanent),
        ({"status": "requires_continuation"}, "failed", Permanent), ({"status": "idle"}, "failed", Permanent),
        ({"status": "budget_exceeded"}, "failed", ProfileUnusable),
        ({"status": "completed"}, "failed", Permanent), ({"status": "completed", "steps": []}, "failed", Permanent),
        (completed(), "failed", Permanent), (completed(uri="gs://bucket/a.mp4"), "failed", Permanent),
        (completed(uri="http://"), "failed", Permanent), (completed(uri="http://[/"), "failed", Permanent),
        (completed(uri="http://a:65536/"), "failed", Permanent), (completed(uri=7), "failed", Permanent),
        (completed(data="AAAA"), "succeeded", None), (completed(uri=FILE), "succeeded", None),
        ({"status": "completed", "output_video": {"type": "video", "uri": FILE}}, "succeeded", None),
    ],
)  # fmt: skip
def test_polls(body: dict[str, Any], status: str, outcome: type[Failure] | None) -> None:
    """Every word of the vocabulary, and an unknown one."""
    server = Server(httpx.Response(200, json=body))
    progress = call(server, lambda backend: backend.poll(JOB, ALICE))
    assert (server.requests[0].method, str(server.requests[0].url)) == ("GET", f"{HOME}/interactions/v1_abc")
    assert progress.status == status
    assert type(progress.outcome) is (outcome or type(None))
    assert (progress.artifact is not None) == (status == "succeeded")


def test_completed_without_a_video_says_whose_fault_it_is() -> None:
    """An empty result is no result; one with a word of the content filter was refused for its content."""
    errors = [{"code": "image_safety", "message": "filtered"}]
    for body, cause in (({}, "no_result"), ({"errors": errors}, "content")):
        outcome = read_progress({"status": "completed", **body}, Secret(KEY), HOME).outcome
        assert isinstance(outcome, Permanent)
        assert outcome.cause == cause
        assert outcome.reason.startswith("completed without a video")


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
    server, sink = Server(httpx.Response(200, json=completed(uri=uri)), body), MemorySink()

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
    server = Server(httpx.Response(200, content=b"v", headers={"content-type": "video/mp4"}))
    artifact = Artifact("with_key", "https://evil.example/files/a")
    call(server, fetching(artifact))
    assert "x-goog-api-key" not in server.requests[0].headers
    for url in ("", "file:///etc/passwd", "https://[", "gs://a/b"):
        found = refusal(Server(), fetching(Artifact("with_key", url)))
        assert isinstance(found, Permanent)


@pytest.mark.parametrize(("location", "key"), [(f"{HOME}/moved", KEY), ("https://storage.example/a", None)])
def test_redirects_of_a_download_take_the_key_no_further(location: str, key: str | None) -> None:
    """A download is followed to another host, without the key."""
    server = Server(
        httpx.Response(302, headers={"location": location}),
        httpx.Response(200, content=b"v", headers={"content-type": "video/mp4"}),
    )
    call(server, fetching(Artifact("with_key", FILE)))
    assert [request.headers.get("x-goog-api-key") for request in server.requests] == [KEY, key]


def test_a_redirect_to_nowhere() -> None:
    """A redirect to an address that no connection can be tried to stands as the answer."""
    server = Server(httpx.Response(302, headers={"location": "https://storage.example:99999/a"}))
    assert isinstance(refusal(server, fetching(Artifact("with_key", FILE))), Transient)


@pytest.mark.parametrize("data", [b"video" * 3, b"\xfb\xff\xfe"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_inline_results(data: bytes, encode: Callable[[bytes], bytes]) -> None:
    """The run's event holds no video: the fetch asks again, and decodes either alphabet."""
    answer = httpx.Response(200, json=completed(data=encode(data).decode(), mime_type="video/mp4"))
    server, sink = Server(answer, answer), MemorySink()

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
        (httpx.Response(200, json=completed(uri=FILE)), Permanent),
        (httpx.Response(200, json={"status": "completed"}), Permanent),
        (httpx.Response(200, content=b'{"status": "completed", "steps": ' + b" " * (17 << 20)), Transient),
        (httpx.Response(404, json={"error": {"code": "not_found"}}), Permanent),
        (httpx.Response(503), Transient),
        (httpx.Response(200, text="<html>"), Transient),
    ],
)
def test_inline_results_that_are_none(answer: httpx.Response, kind: type[Failure]) -> None:
    """Broken base64, an endless answer, HTML, or a video that is no longer there."""
    found = refusal(Server(answer), fetching(Artifact("inline")))
    assert isinstance(found, kind)


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
    server = Server(answer)
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
    assert isinstance(refusal(Server(answer), lambda backend: backend.cancel(JOB, ALICE)), ProfileUnusable)


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
    """A key is tried by a question that costs nothing; what is no answer of the API tries nothing."""
    server = Server(httpx.Response(200, json={"models": []}))
    call(server, lambda backend: backend.probe(ALICE))
    assert str(server.requests[0].url) == f"{HOME}/models?pageSize=1"
    assert isinstance(refusal(Server(answer), lambda backend: backend.probe(ALICE)), kind)


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
