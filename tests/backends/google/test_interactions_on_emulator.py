"""Google's backend against the emulator's dialect: the whole way of a scene, and how limits and faults come back."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.fakes import MemorySink
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.clock import Clock
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.ports import BackendError, Profile
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, Fault, FixedWindow, Limit, SimulatedProfile
from vidgen_nb.provider.faults import FaultKind

Delivery = Literal["uri", "inline"]
SCENE = Scene("szene/1", "a lighthouse", seconds=8, aspect_ratio="9:16")


class World:
    """A served emulator on a clock that only the test moves, and a backend for it."""

    def __init__(self, emulator: Emulator, backend: GoogleInteractions, hands: list[float]) -> None:
        self.emulator, self.backend, self.hands = emulator, backend, hands
        self.profile = emulator.profiles[0]

    def submit(self, scene: Scene = SCENE) -> Coroutine[Any, Any, Operation]:
        """Submit a scene on the first profile."""
        return self.backend.submit(scene, self.profile)

    def fetch(self, operation: Operation, artifact: Artifact, sink: MemorySink) -> Coroutine[Any, Any, None]:
        """Fetch a result on the first profile."""
        return self.backend.fetch(operation, artifact, self.profile, sink)


def on_emulator(
    work: Callable[[World], Coroutine[Any, Any, Any]],
    *,
    delivery: Delivery = "uri",
    limit: Limit | None = None,
    **options: Any,
) -> Any:
    """Return what the work gives on an emulator with one profile, whose jobs take 60 s."""

    async def go() -> Any:
        hands = [1000.0]
        profile = SimulatedProfile("p1", limit=limit, service=Constant(60))
        clock = Clock(monotonic=lambda: hands[0])
        async with Emulator([profile], clock=clock, dialect="google_interactions", **options) as emulator:
            backend = GoogleInteractions(emulator.base_url, delivery=delivery)
            try:
                return await work(World(emulator, backend, hands))
            finally:
                await backend.aclose()

    return asyncio.run(go())


async def outcome(call: Coroutine[Any, Any, object]) -> Failure:
    """Return as what a call fails."""
    with pytest.raises(BackendError) as caught:
        await call
    return caught.value.outcome


@pytest.mark.parametrize("delivery", ["uri", "inline"])
def test_from_submit_to_file(delivery: Delivery) -> None:
    """A scene is submitted, polled and fetched; the log knows it by its id."""

    async def work(world: World) -> None:
        operation = await world.submit()
        assert (await world.backend.poll(operation, world.profile)).status == "running"
        world.hands[0] += 60
        progress = await world.backend.poll(operation, world.profile)
        assert progress.artifact is not None
        assert progress.artifact.kind == {"uri": "with_key", "inline": "inline"}[delivery]
        sink = MemorySink()
        await world.fetch(operation, progress.artifact, sink)
        assert (sink.data, sink.committed) == (CLIP, (len(CLIP), "video/mp4"))
        assert await world.backend.cancel(operation, world.profile) == "too late"
        assert {request.scene for request in world.emulator.requests} == {SCENE.id}

    on_emulator(work, delivery=delivery)


def test_an_image_goes_along(tmp_path: Path) -> None:
    """The emulator takes images as parts of the input, and the prompt stays the scene's."""
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    image = [str(file), f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}", "https://a.example/b"]

    async def work(world: World) -> None:
        await world.submit(Scene("s", "p", image=image))

    on_emulator(work)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (FixedWindow(1, per=3600), RateLimited(3574.5, "RetryInfo", "")),
        (Concurrency(1), RateLimited(None, "", "", "concurrency")),
        (DailyQuota(1), ProfileUnusable("", "day_quota", 86374.5)),
    ],
)
def test_limits(limit: Limit, expected: Failure) -> None:
    """The second submit is refused as what the limit is, with the fractional wait of the body."""

    async def work(world: World) -> Failure:
        await world.submit()
        world.hands[0] += 25.5
        return await outcome(world.submit())

    found = on_emulator(work, limit=limit)
    for field in ("kind", "cause", "retry_after", "source"):
        assert getattr(found, field, None) == getattr(expected, field, None)


@pytest.mark.parametrize("error_codes", [False, True])
@pytest.mark.parametrize(
    ("kind", "expected", "cause"),
    [
        ("rate", RateLimited, "rate"), ("day_quota", ProfileUnusable, "day_quota"),
        ("credit", ProfileUnusable, "credit"), ("auth", ProfileUnusable, "auth"), ("overload", Transient, None),
        ("content", Permanent, "content"), ("bad_request", Permanent, "bad_request"), ("lost_answer", Ambiguous, None),
    ],
)  # fmt: skip
def test_faults_of_a_submit(kind: FaultKind, expected: type[Failure], cause: str | None, error_codes: bool) -> None:
    """A submit that goes wrong is what the fault is, in both of the API's shapes."""

    async def work(world: World) -> Failure:
        return await outcome(world.submit())

    found = on_emulator(work, faults=[Fault(kind)], error_codes=error_codes)
    assert isinstance(found, expected)
    assert getattr(found, "cause", None) == cause


@pytest.mark.parametrize(
    ("kind", "expected", "cause"),
    [
        ("job_failure", Transient, None), ("job_content", Permanent, "content"),
    ],
)  # fmt: skip
def test_jobs_that_fail(kind: FaultKind, expected: type[Failure], cause: str | None) -> None:
    """A job that fails by itself may be tried again; one that is blocked or brings no video may not."""

    async def work(world: World) -> Failure | None:
        operation = await world.submit()
        world.hands[0] += 60
        progress = await world.backend.poll(operation, world.profile)
        assert progress.status == "failed"
        return progress.outcome

    found = on_emulator(work, faults=[Fault(kind)])
    assert isinstance(found, expected)
    assert getattr(found, "cause", None) == cause


@pytest.mark.parametrize("delivery", ["uri", "inline"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [("cut_off", Transient), ("wrong_type", Transient), ("expired", Permanent), ("rate", RateLimited)],
)
def test_downloads_that_fail(kind: FaultKind, expected: type[Failure], delivery: Delivery) -> None:
    """A spoiled download fails as what it is, and the next one gets the video."""
    # within the answer, the poll that finds the job finished is the first look at the result
    fault = Fault(kind, nth=1 if delivery == "uri" else 2, call="fetch")

    async def work(world: World) -> Failure:
        operation = await world.submit()
        world.hands[0] += 60
        artifact = (await world.backend.poll(operation, world.profile)).artifact
        assert artifact is not None
        sink = MemorySink()
        if (kind, delivery) == ("wrong_type", "uri"):  # a sink of a folder looks at what it gets
            await world.fetch(operation, artifact, sink)
            assert sink.committed is not None
            assert sink.committed[1] != "video/mp4"
            return Transient("no video")
        found = await outcome(world.fetch(operation, artifact, sink))
        again = MemorySink()
        await world.fetch(operation, artifact, again)
        assert again.data == CLIP
        return found

    assert isinstance(on_emulator(work, faults=[fault], delivery=delivery), expected)


def test_a_wrong_key() -> None:
    """A key that isn't known makes the profile unusable, at every call but a download (which a poll goes before)."""

    async def work(world: World) -> None:
        stranger = Profile("p1", "AIza-wrong")
        operation = await world.submit()
        await world.backend.probe(world.profile)
        for call in (
            world.backend.probe(stranger),
            world.backend.submit(SCENE, stranger),
            world.backend.poll(operation, stranger),
            world.backend.cancel(operation, stranger),
            world.backend.fetch(operation, Artifact("inline"), stranger, MemorySink()),
        ):
            found = await outcome(call)
            assert isinstance(found, ProfileUnusable)
            assert found.cause == "auth"

    on_emulator(work)


def test_a_job_that_is_cancelled() -> None:
    """A running job is cancelled at the provider, and its status shows it."""

    async def work(world: World) -> None:
        operation = await world.submit()
        assert await world.backend.cancel(operation, world.profile) == "cancelled"
        progress = await world.backend.poll(operation, world.profile)
        assert (progress.status, type(progress.outcome)) == ("cancelled", Cancelled)

    on_emulator(work)


def test_the_backend_and_the_official_client_see_the_same_job() -> None:
    """What one submits, the other finds, with the same end and the same bytes; a refusal has the same wait for both."""
    from google import genai
    from google.genai import types
    from google.genai._interactions import RateLimitError

    def client_of(emulator: Emulator) -> genai.Client:
        return genai.Client(
            api_key=emulator.provider.profiles["p1"].api_key,
            http_options=types.HttpOptions(
                base_url=emulator.base_url.removesuffix("/v1"), retry_options=types.HttpRetryOptions(attempts=1)
            ),
        )

    async def work(world: World) -> None:
        client = client_of(world.emulator)
        ours = await world.submit()
        create: Any = client.interactions.create
        theirs = create(model="gemini-omni-1.2-flash", input="a harbour", background=True)
        world.hands[0] += 30.25
        refusal = await outcome(world.submit())
        with pytest.raises(RateLimitError) as caught:
            create(model="gemini-omni-1.2-flash", input="a harbour", background=True)
        body: Any = caught.value.body
        assert isinstance(refusal, RateLimited)
        assert body["error"]["details"][-1]["retryDelay"] == f"{refusal.retry_after:.3f}s" == "69.750s"

        world.hands[0] += 30
        seen = client.interactions.get(id=ours.id).output_video
        assert seen is not None
        mine = await world.backend.poll(ours, world.profile)
        assert mine.artifact == Artifact("with_key", seen.uri or "")
        sink = MemorySink()
        await world.fetch(ours, mine.artifact, sink)
        file = (seen.uri or "").partition("/v1/")[2].partition(":")[0]
        assert client.files.download(file=file) == sink.data == CLIP

        theirs_here = Operation(theirs.id, "google_interactions")
        assert (await world.backend.poll(theirs_here, world.profile)).artifact == Artifact("inline")
        sink = MemorySink()
        await world.fetch(theirs_here, Artifact("inline"), sink)
        video = client.interactions.get(id=theirs.id).output_video
        assert video is not None
        assert base64.b64decode(video.data or "") == sink.data
        client.close()

    on_emulator(work, limit=FixedWindow(2, per=100))
