"""Other people's clients at the emulator: their seconds, and what they expect of any such server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import openai
import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.clock import Clock
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.ports import BackendError
from vidgen_nb.provider import Constant, Fault, FixedWindow, SimulatedProfile, TokenBucket

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

SUBMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_videos": ("/v1/videos", {"prompt": "a fox", "seconds": 4}),
    "google_interactions": (
        "/v1beta/interactions",
        {"model": "gemini-omni-1.2-flash", "input": "a fox", "background": True,
         "response_format": {"type": "video", "delivery": "uri"}},
    ),
    "runway": (
        "/v1/text_to_video",
        {"model": "gen4.5", "promptText": "a fox", "ratio": "1280:720", "duration": 4},
    ),
}  # fmt: skip
KEYS = {
    "Authorization": "Bearer sk-emulated-p1", "x-goog-api-key": "sk-emulated-p1", "X-Runway-Version": "2024-11-06",
}  # fmt: skip
DIALECTS = pytest.mark.parametrize("dialect", SUBMITS)


class World:
    """An emulator in process, 20 times faster than the wall, on a clock that the test moves."""

    def __init__(self, dialect: str = "openai_videos", limit: Any = None, **options: Any) -> None:
        self.wall = 0.0
        self.path, self.body = SUBMITS[dialect]
        profile = SimulatedProfile("p1", limit, Constant(60), rate_headers=dialect == "openai_videos")
        self.emulator = Emulator(
            [profile], clock=Clock(20, monotonic=lambda: self.wall), dialect=dialect, **options
        )  # fmt: skip

    def run(self, talk: Callable[[httpx.AsyncClient], Awaitable[None]], **headers: str) -> None:
        """Let a client talk to the emulator, by default not one of ours."""

        async def main() -> None:
            transport = httpx.ASGITransport(app=self.emulator.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://emulator", headers={**KEYS, **headers}
            ) as client:
                await talk(client)

        asyncio.run(main())

    async def result(self, client: httpx.AsyncClient) -> httpx.URL:
        """Return where a finished job's video is."""
        job = (await client.post(self.path, json=self.body)).json()["id"]
        self.wall += 10
        if self.path == "/v1/videos":
            return httpx.URL(f"/v1/videos/{job}/content")
        done = (await client.get(f"{self.path if 'interactions' in self.path else '/v1/tasks'}/{job}")).json()
        found = done["output"][0] if "output" in done else done["steps"][0]["content"][0]["uri"]
        if "output" in done:
            del client.headers["Authorization"]
        return httpx.URL(found)


def waits(dialect: str, answer: httpx.Response) -> float:
    """Return the wait that a refusal tells."""
    if dialect == "google_interactions":
        [delay] = [each["retryDelay"] for each in answer.json()["error"]["details"] if "retryDelay" in each]
        return float(delay.removesuffix("s"))
    return float(answer.headers["retry-after"])


@DIALECTS
def test_waits_are_in_seconds_of_the_client(dialect: str) -> None:
    """60 run seconds are 3 of the wall: that is what other clients are told; ours reckon in run seconds."""
    world = World(dialect, FixedWindow(1, per=60) if dialect != "runway" else None, faults=(
        [Fault("rate", nth=2, retry_after=60), Fault("rate", nth=3, retry_after=60)] if dialect == "runway" else []
    ))  # fmt: skip

    async def talk(client: httpx.AsyncClient) -> None:
        made = await client.post(world.path, json=world.body)
        theirs = await client.post(world.path, json=world.body)
        ours = await client.post(world.path, json=world.body, headers={"User-Agent": "vidgen_nb"})
        assert (made.status_code, theirs.status_code, ours.status_code) == (200, 429, 429)
        assert (waits(dialect, theirs), waits(dialect, ours)) == (3, 60)
        if dialect == "openai_videos":
            assert (theirs.headers["retry-after-ms"], ours.headers["retry-after-ms"]) == ("3000", "60000")
            reset = "x-ratelimit-reset-requests"
            assert (theirs.headers[reset], ours.headers[reset]) == ("3s", "1m0s")
            assert made.headers["openai-poll-after-ms"] == "3000"

    world.run(talk)


def test_our_own_backends_are_known() -> None:
    """A backend is told run seconds, at any speed: it calls itself by the name that the emulator knows."""
    world = World(limit=FixedWindow(1, per=60))

    async def main() -> None:
        backend = OpenAIVideos("http://emulator/v1", transport=httpx.ASGITransport(app=world.emulator.app))
        [profile] = world.emulator.profiles
        await backend.submit(Scene("s1", "a fox"), profile)
        with pytest.raises(BackendError) as caught:
            await backend.submit(Scene("s2", "an owl"), profile)
        await backend.aclose()
        assert isinstance(caught.value.outcome, RateLimited) and caught.value.outcome.retry_after == 60

    asyncio.run(main())


def test_times_of_a_job_are_by_the_clock_on_the_wall() -> None:
    """`created_at`, `completed_at` and `expires_at` do not run ahead of `Date`."""
    world = World(expires_after=600)
    epoch = world.emulator.clock.epoch

    async def talk(client: httpx.AsyncClient) -> None:
        world.wall = 100
        path = str(await world.result(client)).removesuffix("/content")
        theirs = (await client.get(path)).json()
        ours = (await client.get(path, headers={"User-Agent": "vidgen_nb"})).json()
        names = ("created_at", "completed_at", "expires_at")
        assert [theirs[name] for name in names] == [int(epoch + wall) for wall in (100, 103, 133)]
        assert [ours[name] for name in names] == [int(epoch + run) for run in (2000, 2060, 2660)]

    world.run(talk)


def test_the_official_client_waits_as_long_as_it_takes() -> None:
    """With its retries on, over a limit that refills in a moment of the wall, and through its own polling."""
    bucket = TokenBucket(1, per=60)
    with Emulator([SimulatedProfile("p1", bucket, Constant(20))], speed=200) as emulator:
        client = openai.OpenAI(api_key="sk-emulated-p1", base_url=emulator.base_url, max_retries=3)
        began = time.monotonic()  # noqa: TID251
        with client:
            assert client.videos.create_and_poll(prompt="a fox").status == "completed"
            client.videos.create(prompt="an owl")
        assert time.monotonic() - began < 5  # noqa: TID251 - in run seconds: 80


def test_models_are_listed() -> None:
    """As a list and one by one, also with a slash in the name; what isn't served is not found."""
    with (
        Emulator([SimulatedProfile("p1")], models=("acme/film-2", "film")) as emulator,
        openai.OpenAI(api_key="sk-emulated-p1", base_url=emulator.base_url, max_retries=0) as client,
    ):
        assert [model.id for model in client.models.list()] == ["acme/film-2", "film"]
        assert client.models.retrieve("acme/film-2").object == "model"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("film-9")
        assert caught.value.code == "model_not_found"
        assert caught.value.request_id is not None


def test_one_model_of_google() -> None:
    """Google's models are found by name, too."""
    world = World("google_interactions")

    async def talk(client: httpx.AsyncClient) -> None:
        listed = (await client.get("/v1beta/models")).json()["models"]
        one = await client.get(f"/v1beta/{listed[0]['name']}")
        assert one.json() == listed[0]
        assert (await client.get("/v1beta/models/none")).json()["error"]["status"] == "NOT_FOUND"

    world.run(talk)


def test_json_says_the_same_as_a_form() -> None:
    """Numbers of seconds, an image by address; mistakes are refused by name."""
    world = World()

    async def talk(client: httpx.AsyncClient) -> None:
        image = {"image_url": "https://images.example/a.png"}
        good = await client.post("/v1/videos", json={"prompt": "a", "seconds": 8, "input_reference": image})
        assert (good.status_code, good.json()["seconds"]) == (200, "8")
        for wrong, param in (
            ({"seconds": 4}, "prompt"), ({"prompt": 3}, "prompt"), ({"prompt": "a", "seconds": 5}, "seconds"),
            ({"prompt": "a", "size": ["x"]}, "size"), ({"prompt": "a", "input_reference": "x"}, "input_reference"),
            ({"prompt": "a", "input_reference": {"image_url": "file:///a"}}, "input_reference"),
        ):  # fmt: skip
            refused = await client.post("/v1/videos", json=wrong)
            assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
        for body in (b"{", b"[]", b'"a"', b"[" * 100_000):
            refused = await client.post("/v1/videos", content=body, headers={"Content-Type": "application/json"})
            assert refused.status_code == 400 and "JSON object" in refused.json()["error"]["message"]

    world.run(talk)


@DIALECTS
def test_parts_of_a_file(dialect: str) -> None:
    """A player seeks and a download goes on: 206 for a part, 416 for none, the whole for what is no single range."""
    world, size = World(dialect), len(CLIP)

    async def talk(client: httpx.AsyncClient) -> None:
        url = await world.result(client)
        for asked, begin, end in (("0-9", 0, 10), ("100-", 100, size), ("-7", size - 7, size), ("5-99999", 5, size),
                                  ("-99999", 0, size)):  # fmt: skip
            part = await client.get(url, headers={"Range": f"bytes={asked}"})
            assert (part.status_code, part.content) == (206, CLIP[begin:end])
            assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
            assert part.headers["content-length"] == str(end - begin)
        for asked in (f"bytes={size}-", "bytes=-0"):
            none = await client.get(url, headers={"Range": asked})
            assert (none.status_code, none.headers["content-range"]) == (416, f"bytes */{size}")
            assert "error" in none.json()
        for asked in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=-", ""):
            whole = await client.get(url, headers={"Range": asked})
            assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, CLIP, "bytes")
        head = await client.head(url)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))

    world.run(talk)


@DIALECTS
def test_every_answer_has_an_id(dialect: str) -> None:
    """Good ones, refusals, unknown paths and keys: each its own."""
    world = World(dialect, faults=[Fault("overload", nth=2)])

    async def talk(client: httpx.AsyncClient) -> None:
        answers = [await client.post(world.path, json=world.body) for _ in range(2)]
        answers += [await client.get("/none"), await client.put(world.path), await client.options(world.path)]
        answers.append(await client.post(world.path, headers={"Authorization": "", "x-goog-api-key": ""}))
        ids = [answer.headers["x-request-id"] for answer in answers]
        assert len(set(ids)) == len(answers) and all(each.startswith("req_") for each in ids)

    world.run(talk)


@DIALECTS
def test_methods_that_are_not_there(dialect: str) -> None:
    """405 and 404 have the shape of the API's errors; `Allow` says what there is, and so does OPTIONS."""
    world = World(dialect)

    async def talk(client: httpx.AsyncClient) -> None:
        refused = await client.put(world.path)
        assert refused.status_code == 405 and "POST" in refused.headers["allow"] and refused.json()["error"]
        allowed = await client.options(world.path)
        assert (allowed.status_code, allowed.content) == (204, b"")
        assert set(allowed.headers["allow"].split(", ")) >= {"POST", "OPTIONS"}
        for method in ("GET", "OPTIONS"):
            unknown = await client.request(method, "/none")
            assert unknown.status_code == 404 and unknown.json()["error"]
        assert (await client.head("/none")).status_code == 404

    world.run(talk)


@DIALECTS
@pytest.mark.parametrize(
    "body", [b'{"prompt": "\\ud800", "input": "\\ud800", "promptText": "\\udfff"}', b'{"seconds": NaN}']
)
def test_a_body_that_no_server_takes(dialect: str, body: bytes) -> None:
    """Half a character and NaN are refused, and spoil nothing that is asked afterwards."""
    world = World(dialect)

    async def talk(client: httpx.AsyncClient) -> None:
        refused = await client.post(world.path, content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code == 400 and "JSON" in str(refused.json()["error"])
        made = await client.post(world.path, json=world.body)
        assert made.status_code == 200
        if dialect == "openai_videos":
            assert len((await client.get(world.path)).json()["data"]) == 1

    world.run(talk)


@DIALECTS
def test_a_page_of_another_origin(dialect: str) -> None:
    """A browser asks before it sends a key, and lets the page read answers and refusals with all their headers."""
    world, origin = World(dialect), {"Origin": "http://localhost:3000"}

    async def talk(client: httpx.AsyncClient) -> None:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-a"}
        before = await client.options(world.path, headers={**origin, **asked, "Authorization": ""})
        assert before.status_code == 204 and before.headers["access-control-allow-headers"] == "authorization,x-a"
        assert "POST" in before.headers["access-control-allow-methods"].split(", ")
        for answer in (before, await client.post(world.path, json=world.body, headers=origin),
                       await client.get("/none", headers=origin)):  # fmt: skip
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["access-control-expose-headers"] == "*"
        assert "access-control-allow-origin" not in (await client.get("/none")).headers

    world.run(talk)
