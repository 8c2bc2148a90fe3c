"""Submits of the Runway backend: what is sent, and what the answers mean."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.backends.mock_server import MockServer
from tests.backends.runway.mocked_tasks import (
    ALICE,
    KEY,
    PHASES,
    PNG,
    SCENE,
    call,
    refusal,
    sent,
)
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent, Transient
from vidgen_nb.errors import InputError


def test_submit_on_the_wire() -> None:
    """A submit is JSON with the key, the version, the scene's id, the defaults, and its own parameters before them."""
    server = MockServer(httpx.Response(200, json={"id": "t1", "estimatedCost": {"credits": 60}}))
    scene = Scene("s001", "ein Leuchtturm, früh", seconds=4.0, ratio="720:1280", seed=7, none=None)
    assert call(server, lambda backend: backend.submit(scene, ALICE)) == Operation("t1", "runway")
    (request,) = server.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.dev.runwayml.com/v1/text_to_video")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-runway-version"] == "2024-11-06"
    assert request.headers["x-client-request-id"] == "s001"
    assert json.loads(request.content) == {
        "model": "gen4.5", "promptText": "ein Leuchtturm, früh", "ratio": "720:1280", "duration": 4, "seed": 7,
    }  # fmt: skip


def test_defaults_can_be_left_out() -> None:
    """None is not sent; digits become a number of seconds, and anything else is left for the API to judge."""
    assert sent(SCENE, model=None, ratio=None, duration=None)[1] == {"promptText": "a lighthouse"}
    assert [sent(Scene("s", "p", seconds=given))[1]["duration"] for given in ("8", 2.5, "auto")] == [8, 2.5, "auto"]


@pytest.mark.parametrize("name", ["image", "input_reference", "promptImage"])
def test_an_image_goes_to_the_other_endpoint(name: str, tmp_path: Path) -> None:
    """A path becomes a data URI; addresses and lists go as they are."""
    (tmp_path / "a.png").write_bytes(PNG)
    path, body = sent(Scene("s", "p", **{name: str(tmp_path / "a.png")}))
    assert path == "/v1/image_to_video"
    assert body["promptImage"] == "data:image/png;base64,iVBORw0KGgoAAAAAAAAAAA=="
    for image in ("https://pictures.test/a.png", "runway://u1", body["promptImage"], [{"uri": "runway://u1"}]):
        assert sent(Scene("s", "p", **{name: image}))[1]["promptImage"] == image


@pytest.mark.parametrize("image", ["nowhere.png", "http://pictures.test/a.png", "data:image/png;base64,AAAA"])
def test_what_is_no_image_is_seen_before_anything_is_sent(image: str) -> None:
    """The check of a scene names the parameter; a submit that gets it all the same fails for good, unsent."""
    with pytest.raises(InputError, match="image: "):
        Runway().check_scene(Scene("s", "p", image=image))
    server = MockServer()
    assert isinstance(refusal(server, lambda backend: backend.submit(Scene("s", "p", image=image), ALICE)), Permanent)
    assert not server.requests


def test_an_http_address_is_told_that_https_works() -> None:
    """Runway fetches only from https, and the error says that such an address needs no download."""
    scene = Scene("s", "p", input_reference="http://pictures.test/a.png")
    with pytest.raises(InputError, match=r"input_reference: .* only from https://.*file's path"):
        Runway().check_scene(scene)


def test_a_large_image_is_refused(tmp_path: Path) -> None:
    """A data URI has to stay below 5 MiB, so the image below 3.75."""
    (tmp_path / "a.png").write_bytes(PNG + b"\0" * (5 << 20))
    with pytest.raises(InputError, match="make it smaller"):
        Runway().check_scene(Scene("s", "p", image=str(tmp_path / "a.png")))
    (tmp_path / "a.png").write_bytes(PNG + b"\0" * ((5 << 20) * 3 // 4 - 120))
    assert len(sent(Scene("s", "p", image=str(tmp_path / "a.png")))[1]["promptImage"]) < 5 << 20


def test_half_a_character_is_not_sent() -> None:
    """A prompt that is no valid Unicode fails for good, unsent."""
    server = MockServer()
    assert isinstance(refusal(server, lambda backend: backend.submit(Scene("s", "\ud800"), ALICE)), Permanent)
    assert not server.requests


def test_a_lost_connection_leaves_a_submit_in_doubt() -> None:
    """What breaks after sending may have been accepted; what never connected was not."""
    assert type(refusal(MockServer(httpx.ReadError("gone")), PHASES["submit"])) is Ambiguous
    assert type(refusal(MockServer(httpx.ConnectError("refused")), PHASES["submit"])) is Transient
    assert type(refusal(MockServer(httpx.ReadError("gone")), PHASES["poll"])) is Transient


def test_a_wrong_body_is_told_with_its_first_issue() -> None:
    """The reason of a 400 names the field."""
    issues = [{"code": "invalid_value", "path": ["ratio"], "message": "Invalid option"}, {"path": ["duration"]}]
    answer = httpx.Response(400, json={"error": "Validation of body failed", "issues": issues})
    found = refusal(MockServer(answer), PHASES["submit"])
    assert found == Permanent("HTTP 400: Validation of body failed: ratio: Invalid option", "bad_request")
