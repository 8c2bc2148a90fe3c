"""What is wrong with the set-up is found before it costs; and what servers need: images, ids, ways of a result."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from tests.gateways.harness import FAST_POLLS, SPEED, backend_of, run_scenes, session_of, statuses
from tests.gateways.servers import NewApi, Sglang, VllmOmni
from tests.gateways.video_server import PNG, VideoServer
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Scene
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.session.session import Session


def outcome(session: Session, scenes: int) -> str:
    """Run scenes to the end, and return all that was said of it."""
    try:
        run = session.run_blocking([f"prompt {k}" for k in range(scenes)])
    except VidgenError as error:
        return str(error)
    return "; ".join(scene.error or "" for scene in run.scenes)


@pytest.mark.parametrize("path", ["", "/v1/v1", "/v1/videos", "/v1/videos/"])
@pytest.mark.parametrize("kind", [VllmOmni, Sglang])
def test_a_wrong_base_url(kind: type[VideoServer], path: str, tmp_path: Path) -> None:
    """The version is missing or doubled, or the endpoint is given whole: one submit finds it out, and it is named."""
    with kind(speed=SPEED) as server, session_of(backend_of(server.root + path), tmp_path) as session:
        said = outcome(session, 6)
        posts = sum(each.method == "POST" for each in server.seen)
    assert "base_url" in said
    assert posts <= 1
    assert not server.made


def test_another_models_name(tmp_path: Path) -> None:
    """vLLM-Omni refuses each scene for its model: that is the set-up, and one scene is enough to know it."""
    with VllmOmni(speed=SPEED) as server, session_of(backend_of(server.base_url, "sora-2"), tmp_path) as session:
        said = outcome(session, 6)
    assert "Model mismatch" in said
    assert server.count("submit") <= 1


@pytest.mark.parametrize("model", ["sora-2", None])
def test_a_model_without_a_channel(model: str | None, tmp_path: Path) -> None:
    """New API answers 503 to a model that it has no channel for, 400 to none at all: the run stops at once."""
    with (
        NewApi(model="film", channels=["film"], speed=SPEED) as server,
        session_of(backend_of(server.base_url, model), tmp_path) as session,
    ):
        said = outcome(session, 6)
    assert "model" in said and "film" in said
    assert server.count("submit") <= 1


def test_a_gateway_that_takes_no_202_of_its_upstream(tmp_path: Path) -> None:
    """New API answers an upstream's 201 with an error under that status: a job was made, and no second one is."""
    with (
        NewApi(speed=SPEED) as server,
        session_of(backend_of(server.base_url), tmp_path, profiles=2, mode="boost") as session,
    ):
        server.fail("submit", server.unread, makes_job=True)
        said = outcome(session, 6)
        ends = statuses(session.last_run) if session.last_run else []
    assert len(server.made) == 1
    assert ends.count("held") == 1 and ends.count("queued") == 5
    assert "video_1" in said


@pytest.mark.parametrize("path", ["", "/v1/videos"])
def test_the_check_finds_a_wrong_base_url(path: str, tmp_path: Path) -> None:
    """`session.check()` says that it is base_url, without a submit."""
    with VllmOmni() as server, session_of(backend_of(server.root + path), tmp_path) as session:
        checks = session.check()
    assert not any(each.ok for each in checks)
    assert all("base_url" in each.message for each in checks)


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/v1"])
def test_the_check_finds_it_where_a_gateway_asks_elsewhere(path: str, tmp_path: Path) -> None:
    """LiteLLM takes `/v1/videos/videos` for a job, and asks OpenAI's own servers about it: a 500 after a while."""
    with VllmOmni() as server, session_of(backend_of(server.root + path), tmp_path) as session:
        server.no_route = lambda *_: server.error(500, "Cannot connect")  # type: ignore[method-assign]
        server.missing = lambda: server.error(500, "Cannot connect")  # type: ignore[method-assign]
        checks = session.check()
    assert not any(each.ok for each in checks)
    assert all("base_url" in each.message for each in checks)


@pytest.mark.parametrize("address", ["an address", "a file"])
@pytest.mark.parametrize("kind", [VllmOmni, Sglang, NewApi])
def test_an_image_reaches_the_server(kind: type[VideoServer], address: str, tmp_path: Path) -> None:
    """Whatever the server reads images from, it has the one of a job that is billed; or the scene was refused."""
    file = tmp_path / "fox.png"
    file.write_bytes(PNG)
    with kind(speed=SPEED) as server:
        image = f"{server.root}/image.png" if address == "an address" else str(file)
        with suppress(InputError):
            run_scenes(backend_of(server.base_url), tmp_path, [Scene("s", "a fox", input_reference=image)])
    assert [job.image for job in server.made] in ([PNG], [])


def test_unknown_fields_are_billed(tmp_path: Path) -> None:
    """What a server does not know it ignores: the job is made, and paid for."""
    with VllmOmni(speed=SPEED) as server:
        scenes = [Scene("s", "a fox", seconds=8, style="noir")]
        run = run_scenes(backend_of(server.base_url), tmp_path, scenes)
    assert statuses(run) == ["succeeded"]
    assert server.made[0].fields["style"] == "noir"
    assert server.billed_seconds == 8


def test_a_submit_as_json(tmp_path: Path) -> None:
    """`body="json"`: for servers that take no form."""
    with Sglang(speed=SPEED) as server:
        run = run_scenes(backend_of(server.base_url, body="json"), tmp_path)
    assert statuses(run) == ["succeeded"]


VARIABLES = {
    "ALL_PROXY": "socks://127.0.0.1:9/",
    "HTTPS_PROXY": "socks5://127.0.0.1:9",
    "SSL_CERT_FILE": "/no/such/cacert.pem",
}


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_environment_that_cannot_work(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is sent, with the variable's name. No such host exists, behind no such proxy."""
    for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, VARIABLES[variable])
    with session_of(backend_of("https://videos.invalid/v1"), tmp_path) as session:
        with pytest.raises(InputError, match=variable):
            session.start(["prompt 0"])
        session.abandon()


@pytest.mark.parametrize("encoding", ["identity", *(each for each in ("aws-chunked", "binary", "UTF-8", "none"))])
def test_encodings_of_object_stores(encoding: str, tmp_path: Path) -> None:
    """They leave the upload's encoding on the object: the bytes are whole, and taken as they are."""
    with VllmOmni(speed=SPEED) as server:
        headers = {"Content-Encoding": encoding}
        server.fail("fetch", lambda: Response(CLIP, media_type="binary/octet-stream", headers=headers))
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert (tmp_path / "videos" / "s001.mp4").read_bytes() == CLIP


@pytest.mark.parametrize("length", [242, 446, 512, 546, 2048])
def test_long_ids(length: int, tmp_path: Path) -> None:
    """LiteLLM's ids hold provider, model, upstream id and deployment."""
    with VllmOmni(speed=SPEED) as server:
        server.new_id = lambda: "video_" + "a" * (length - 8) + "=="  # type: ignore[method-assign]
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]


def described(server: VideoServer, **options: Any) -> HttpBackend:
    """Return a description of the server's own routes."""
    words = {"queued": "queued", "in_progress": "running", "completed": "succeeded", "failed": "failed"}
    given = {"poll": "/videos/{id}", "statuses": words, "result": "url", **options}
    return HttpBackend(
        server.base_url, submit="/videos", body=lambda scene: {"prompt": scene.prompt}, schedule=FAST_POLLS, **given
    )


def shown(server: VideoServer, answer: Callable[[Any, str], dict[str, Any]]) -> None:
    """Have a server show its jobs in another way."""
    server.show = lambda job, status: JSONResponse(answer(job, status))  # type: ignore[method-assign]


DATA_URI = "data:video/mp4;base64," + base64.b64encode(CLIP).decode()


@pytest.mark.parametrize("url", [DATA_URI, base64.b64encode(CLIP).decode()], ids=["a data URI", "base64"])
def test_a_result_in_the_answer(url: str, tmp_path: Path) -> None:
    """The video stands in the poll's answer itself."""
    with VllmOmni(speed=SPEED) as server:
        shown(server, lambda job, status: {"id": job.id, "status": status, "url": url})
        run = run_scenes(described(server), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert (tmp_path / "videos" / "s001.mp4").read_bytes() == CLIP


def test_statuses_that_are_numbers(tmp_path: Path) -> None:
    """Some APIs count their states: 1 waits, 2 runs, 3 is done."""
    numbers = {"queued": 1, "in_progress": 2, "completed": 3}
    with Sglang(speed=SPEED, s3=True) as server:
        shown(server, lambda job, status: {"id": job.id, "status": numbers[status], "url": server.url(job)})
        words = {"1": "queued", "2": "running", "3": "succeeded"}
        run = run_scenes(described(server, statuses=words), tmp_path)
    assert statuses(run) == ["succeeded"]


def test_ids_with_slashes_and_colons(tmp_path: Path) -> None:
    """A job is named as a resource, `models/m/operations/1:2`: it is asked about under that path."""
    with Sglang(speed=SPEED, s3=True) as server:
        names = iter(f"models/m/operations/{k}:2" for k in range(1, 9))
        server.new_id = lambda: next(names)  # type: ignore[method-assign]
        run = run_scenes(described(server), tmp_path)
        asked = {each.path for each in server.seen if each.phase == "poll"}
    assert statuses(run) == ["succeeded"]
    assert asked == {"/v1/videos/models/m/operations/1:2"}
