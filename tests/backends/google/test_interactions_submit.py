"""Submits of the Google backend: what is sent, and what the answers mean."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backends.google.mocked_interactions import (
    ACCEPTED,
    HOME,
    JOB,
    KEY,
    PNG,
    SCENE,
    call,
    refusal,
    sent,
    submitting,
)
from tests.backends.mock_server import MockServer
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError


def test_submit_on_the_wire() -> None:
    """A background job with a video format; the key in its header alone."""
    server = MockServer(httpx.Response(200, json=ACCEPTED))
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
    """Seconds are written as the API wants them; the API's own parameter takes precedence."""
    assert sent(Scene("s", "p", **params))["response_format"].get("duration") == duration


def test_what_a_scene_cannot_change() -> None:
    """A scene may name its model; it can't make the job block or stream, which would hide its id."""
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
    """A scene with an unreadable image fails for good, and `check_scene` raises before the run."""
    text = tmp_path / "secrets.png"
    text.write_text("not an image")
    for image in (str(tmp_path / "missing.png"), str(text), "data:image/png;base64,%", 7, {"a": 1}):
        scene = Scene("s", "p", image=image)
        with pytest.raises(InputError):
            GoogleInteractions().check_scene(scene)
        server = MockServer()
        assert isinstance(refusal(server, submitting(scene)), Permanent)
        assert not server.requests
    GoogleInteractions().check_scene(Scene("s", "p", image="https://example.com/a.png"))


def test_text_that_is_no_unicode() -> None:
    """A lone surrogate can't be sent; the scene fails for good."""
    for scene in (Scene("s", "\ud800"), Scene("s", "p", labels={"a": "\ud800"})):
        found = refusal(MockServer(), submitting(scene))
        assert isinstance(found, Permanent)


@pytest.mark.parametrize("found", ["", "..", None, True, [], "x" * 2049, "a\nb"])
def test_an_unusable_id_leaves_a_submit_in_doubt(found: object) -> None:
    """An answer without an id that can be asked about may mean a job that runs."""
    server = MockServer(httpx.Response(200, json={"id": found, "status": "in_progress"}))
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
    """Each answer to a submit has its outcome; a redirect is not followed."""
    server = MockServer(answer)
    assert isinstance(refusal(server, submitting()), kind)
    assert len(server.requests) == 1
