"""The ASGI app in process: what the official client can't do, and what is logged."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from vidgen_nb.clock import Clock
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.provider import Constant, Exponential, Fault, SimulatedProfile

KEY = {"Authorization": "Bearer sk-emulated-p1"}
# httpx sends a form with a file part as multipart; (None, value) is a part without a file name
PROMPT = {"prompt": (None, "a lighthouse")}


class World:
    """An emulator in process, on a clock that the test moves."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        options = {"profiles": [SimulatedProfile("p1", service=Constant(60))]} | options
        self.emulator = Emulator(clock=Clock(monotonic=lambda: self.now), **options)

    def run(self, talk: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        """Let a client talk to the emulator."""

        async def main() -> None:
            transport = httpx.ASGITransport(app=self.emulator.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://emulator/v1", headers=KEY) as client:
                await talk(client)

        asyncio.run(main())

    async def finished(self, client: httpx.AsyncClient) -> str:
        """Create a video, let it finish, and return the path of its content."""
        video = (await client.post("/videos", files=PROMPT)).json()
        self.now += 60
        return f"/videos/{video['id']}/content"


def test_the_clip_is_a_video(tmp_path: Path) -> None:
    """Ffprobe takes the delivered bytes for one second of H.264."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP)
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    try:
        probe = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("ffprobe is not installed")
    found = json.loads(probe.stdout)
    assert probe.stderr == ""
    assert (found["streams"][0]["codec_name"], found["format"]["duration"]) == ("h264", "1.000000")


def test_all_eight_fields_are_sent() -> None:
    """A Video has id, object, created_at, status, model, progress, seconds and size."""
    world = World()

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/videos", files=PROMPT)
        assert answer.status_code == 200
        assert {"id", "object", "created_at", "status", "model", "progress", "seconds", "size"} <= set(answer.json())
        assert answer.headers["openai-poll-after-ms"] == "5000"

    world.run(talk)


def test_minimal_servers_send_three_fields() -> None:
    """`minimal` sends id, status and created_at, no header, and the error of a failed job."""
    world = World(minimal=True, faults=[Fault("job_failure", nth=2)])

    async def talk(client: httpx.AsyncClient) -> None:
        good, bad = [await client.post("/videos", files=PROMPT) for _ in range(2)]
        assert set(good.json()) == {"id", "status", "created_at"}
        assert "openai-poll-after-ms" not in good.headers
        world.now += 60
        done = (await client.get(f"/videos/{good.json()['id']}")).json()
        failed = (await client.get(f"/videos/{bad.json()['id']}")).json()
        assert (done["status"], failed["status"], failed["error"]["code"]) == ("completed", "failed", "server_error")

    world.run(talk)


def test_other_bodies_than_multipart() -> None:
    """An urlencoded form and JSON are read as the servers' frameworks and gateways do; anything else is refused."""

    async def talk(client: httpx.AsyncClient) -> None:
        refused = await client.post("/videos", content="a", headers={"Content-Type": "text/plain"})
        assert (refused.status_code, set(refused.json()["error"])) == (400, {"message", "type", "param", "code"})
        assert (await client.post("/videos", data={"prompt": "a"})).status_code == 200

    World().run(talk)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="prompt"; filename="a"\r\n'),
        ("", b""),
    ],
)
def test_broken_forms_are_400(content_type: str, body: bytes) -> None:
    """A form that can't be read is the client's mistake, in the envelope."""

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/videos", content=body, headers={"Content-Type": content_type})
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"

    World().run(talk)


def test_a_file_is_no_prompt() -> None:
    """A prompt that comes as a file is refused."""

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/videos", files={"prompt": ("prompt.txt", b"a")})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "prompt")

    World().run(talk)


def test_unknown_paths_are_answered_in_the_envelope() -> None:
    """404 and 405 have the same form as every error, and are logged."""
    world = World()

    async def talk(client: httpx.AsyncClient) -> None:
        for method, path, status in (("GET", "/images", 404), ("PUT", "/videos", 405)):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, None)

    world.run(talk)
    assert [request.status for request in world.emulator.requests] == [404, 405]


@pytest.mark.parametrize("header", ["", "sk-emulated-p1", "Basic sk-emulated-p1", "Bearer ", "Bearer sk-other"])
def test_no_key_no_answer(header: str) -> None:
    """Anything but `Bearer` and a known key is a 401."""

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/videos", files=PROMPT, headers={"Authorization": header})
        assert answer.status_code == 401

    World().run(talk)


def test_the_scene_header_names_the_scene() -> None:
    """The scene id comes percent-encoded in a header and decides the draw, the script and the log's line."""
    world = World(
        profiles=[SimulatedProfile("p1", service=Exponential(60))], faults=[Fault("rate", scene="Szene ä", nth=1)]
    )

    async def talk(client: httpx.AsyncClient) -> None:
        for scene in ("s1", "Szene%20%C3%A4", None):
            headers = {} if scene is None else {"X-Client-Request-Id": scene}
            await client.post("/videos", files=PROMPT, headers=headers)

    world.run(talk)
    assert [(request.scene, request.status) for request in world.emulator.requests] == [
        ("s1", 200),
        ("Szene ä", 429),
        ("a lighthouse", 200),
    ]


def test_the_log_tells_everything_but_keys() -> None:
    """Method, path, profile, status, scene, job and run time of each request; the key nowhere."""
    world = World()

    async def talk(client: httpx.AsyncClient) -> None:
        path = await world.finished(client)
        await client.get(path)

    world.run(talk)
    made, fetched = world.emulator.requests
    assert (made.time, made.method, made.path, made.status, made.profile) == (0.0, "POST", "/v1/videos", 200, "p1")
    assert (fetched.time, fetched.path) == (60.0, f"/v1/videos/{made.job}/content")
    assert (made.scene, fetched.scene, fetched.job) == ("a lighthouse", "a lighthouse", made.job)
    assert "sk-" not in repr(world.emulator.requests) + repr(world.emulator.profiles)


def test_results_expire() -> None:
    """After `expires_after` seconds the content is gone; the Video says when."""
    world = World(expires_after=3600)

    async def talk(client: httpx.AsyncClient) -> None:
        path = await world.finished(client)
        video = (await client.get(path.removesuffix("/content"))).json()
        assert video["expires_at"] == int(world.emulator.clock.epoch + 3660)
        world.now = 3659
        assert (await client.get(path)).status_code == 200
        world.now = 3660
        gone = await client.get(path)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "video_expired")

    world.run(talk)


def test_downloads_go_wrong_as_scripted() -> None:
    """Expired, refused, and no video at all; the next fetch is good again."""
    faults = [Fault("expired", nth=1), Fault("overload", call="fetch", nth=2), Fault("wrong_type", nth=3)]
    world = World(faults=faults)

    async def talk(client: httpx.AsyncClient) -> None:
        path = await world.finished(client)
        answers = [await client.get(path) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 503, 200, 200]
        assert answers[2].headers["content-type"].startswith("text/html")
        assert answers[3].content == CLIP

    world.run(talk)


def test_a_cut_off_download_is_short() -> None:
    """In process, where no connection can break, half of the body comes under the length of the whole."""
    world = World(faults=[Fault("cut_off")])

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.get(await world.finished(client))
        assert answer.headers["content-length"] == str(len(CLIP))
        assert answer.content == CLIP[: len(CLIP) // 2]

    world.run(talk)


def test_a_slow_download_comes_whole() -> None:
    """A slow body is spread over its seconds and complete in the end."""
    world = World(faults=[Fault("slow", seconds=0.01)])

    async def talk(client: httpx.AsyncClient) -> None:
        assert (await client.get(await world.finished(client))).content == CLIP

    world.run(talk)


def test_polls_can_be_refused_too() -> None:
    """A fault of polls leaves submits alone."""
    world = World(faults=[Fault("rate", call="poll", nth=1, retry_after=2)])

    async def talk(client: httpx.AsyncClient) -> None:
        path = (await world.finished(client)).removesuffix("/content")
        first, second = [await client.get(path) for _ in range(2)]
        assert (first.status_code, first.headers["retry-after"], second.status_code) == (429, "2", 200)

    world.run(talk)


def test_ids_differ_between_services() -> None:
    """A job's id at one service is unknown at another with other scenes."""
    ids = []
    for scene in ("s1", "s2"):

        async def talk(client: httpx.AsyncClient, scene: str = scene) -> None:
            answer = await client.post("/videos", files=PROMPT, headers={"X-Client-Request-Id": scene})
            ids.append(answer.json()["id"])

        World().run(talk)
    assert len(set(ids)) == 2


def test_other_variants_are_not_there() -> None:
    """Thumbnails and spritesheets are refused by name."""
    world = World()

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.get(await world.finished(client), params={"variant": "thumbnail"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "variant")

    world.run(talk)


def test_our_own_bugs_are_500s_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A bug of the emulator is a 500 in the envelope, and logged with its trace."""

    def bug(prompt: str) -> bool:
        raise RuntimeError(prompt)

    world = World(faults=[Fault("content", prompt=bug)])

    async def talk(client: httpx.AsyncClient) -> None:
        with pytest.raises(RuntimeError):
            await client.post("/videos", files=PROMPT)

    world.run(talk)
    assert [request.status for request in world.emulator.requests] == [500]
    assert "the emulator failed" in caplog.text
