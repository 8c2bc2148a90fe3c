"""Submits of the OpenAI backend: what is sent, and what the answers mean."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer
from tests.backends.openai.mocked_videos import ALICE, KEY, call, form, refusal, submit
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.images import read_image
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Profile


def test_submit_on_the_wire() -> None:
    """A submit is multipart without a file, with the key, the scene's id and its parameters as texts."""
    server = MockServer(httpx.Response(200, json={"id": "video_1", "status": "queued", "created_at": 1},
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
    """A path and a data URI become a part with name and type, which reveal nothing about this machine."""
    image = b"\xff\xd8\xff\xe0 a picture"
    (tmp_path / "private name.png").write_bytes(image)
    uri = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
    for reference in (tmp_path / "private name.png", uri):
        server = MockServer(httpx.Response(200, json={"id": "video_1"}))
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
        ({"file_id": "file_1"}, {"input_reference[file_id]": "file_1"}),
        (None, {}),
    ],
)
def test_an_image_at_the_server_is_told_as_the_sdk_does(reference: object, fields: dict[str, str]) -> None:
    """An object becomes fields in brackets."""
    server = MockServer(httpx.Response(200, json={"id": "video_1"}))
    call(server, lambda backend: submit(backend, Scene("s001", "a", input_reference=reference)))
    assert form(server.requests[0]) == {name: (text, None) for name, text in {"prompt": "a", **fields}.items()}


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 9
ADDRESS = "https://images.example/a.png"


@pytest.mark.parametrize("reference", [ADDRESS, {"image_url": ADDRESS}])
def test_an_image_by_address_is_sent_as_a_file(reference: object) -> None:
    """Servers that take files only would ignore the address, and bill the video; its host gets no key."""
    image = httpx.Response(200, content=PNG, headers={"Content-Type": "image/png"})
    server = MockServer(image, httpx.Response(200, json={"id": "video_1"}))
    call(server, lambda backend: submit(backend, Scene("s001", "a", input_reference=reference)))
    assert [each.headers.get("authorization") for each in server.requests] == [None, f"Bearer {KEY}"]
    assert b'name="input_reference"; filename="input_reference.png"' in server.requests[1].content
    assert PNG in server.requests[1].content


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(404), Permanent), (httpx.Response(200, html="<html>"), Permanent),
        (httpx.Response(200, json={}), Permanent), (httpx.Response(503), Transient), (httpx.Response(429), Transient),
        (httpx.Response(200, content=b"x" * (21 << 20), headers={"Content-Type": "image/png"}), Permanent),
        (httpx.ConnectError("x"), Transient),
    ],
)  # fmt: skip
def test_an_image_that_cannot_be_fetched_is_no_submit(answer: httpx.Response | Exception, kind: type[Failure]) -> None:
    """Nothing is sent without its image, whatever is wrong with it."""
    server = MockServer(answer)
    found = refusal(server, lambda backend: submit(backend, Scene("s001", "a", input_reference=ADDRESS)))
    assert isinstance(found, kind) and "input_reference" in found.reason
    assert len(server.requests) == 1


def test_a_submit_as_json(tmp_path: Path) -> None:
    """Numbers stay numbers, None is left out, a file becomes a data URI as OpenAI's API takes it there."""
    (tmp_path / "a.png").write_bytes(PNG)
    server = MockServer(httpx.Response(200, json={"id": "video_1"}))
    scene = Scene("s001", "a", seconds=4, size=None, input_reference=str(tmp_path / "a.png"))
    call(server, lambda backend: submit(backend, scene), body="json")
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    sent = {"prompt": "a", "seconds": 4, "input_reference": {"image_url": uri}}
    assert json.loads(server.requests[0].content) == sent


def test_an_image_that_is_gone_at_the_submit_fails_its_scene_alone() -> None:
    """Nothing is sent, and the scene is not tried again by itself."""
    server = MockServer()
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

    monkeypatch.setattr("vidgen_nb.backends.openai.submit_body.read_image", read)

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
    server = MockServer(httpx.Response(200, json={"id": 7}))
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
    server = MockServer(httpx.Response(200, json={"id": "v"}))
    call(server, lambda backend: submit(backend, Scene(scene_id, "x")))
    assert server.requests[0].headers["x-client-request-id"] == header
    assert "x-evil" not in server.requests[0].headers


@pytest.mark.parametrize("found", ["", "..", ".", "a\nb", "x" * 2049, None, True, ["v"], {"a": 1}])
def test_an_unusable_job_id_leaves_a_submit_in_doubt(found: object) -> None:
    """An accepted job that can't be polled is ambiguous: repeating it could cost twice."""
    assert isinstance(refusal(MockServer(httpx.Response(200, json={"id": found})), submit), Ambiguous)


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
        (httpx.Response(302, headers={"Location": "/v1/videos/"}), Permanent),
        (httpx.Response(301, headers={"Location": "https://elsewhere.example/"}), Permanent),
    ],
)  # fmt: skip
def test_answers_to_a_submit(response: httpx.Response, kind: type[Failure]) -> None:
    """Whatever comes back instead of a job is one of the scheduler's words; nothing is sent twice."""
    server = MockServer(response)
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

    assert isinstance(refusal(MockServer(httpx.Response(503, content=endless())), submit), Transient)
    assert pulled < 80


def test_bugs_and_cancellation_come_through() -> None:
    """An unexpected exception is no provider's failure, and a cancelled submit stays cancelled."""
    for error in (KeyError("bug"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            call(MockServer(error), submit)


def test_a_prompt_that_is_no_unicode() -> None:
    """A prompt with half a character can't be sent: permanent, and nothing is sent."""
    server = MockServer()
    assert isinstance(refusal(server, lambda backend: submit(backend, Scene("s", "x\ud800"))), Permanent)
    assert server.requests == []
