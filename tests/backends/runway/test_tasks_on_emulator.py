"""Sessions over Runway's dialect, by HTTP: throttled tasks, the day's quota, expired addresses, and where keys go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import runwayml

from tests.audit import audit
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Operation, Scene
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.errors import InputError, NoUsableProfile
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, Fault, SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session
from vidgen_nb.session.video_folder import VideoFolder

SPEED, FAST = 60.0, 1500.0


def scenes(count: int) -> list[Scene]:
    """Return this many scenes."""
    return [Scene(f"s{k}", f"prompt {k}", seconds=2) for k in range(1, count + 1)]


def live(folder: Path, count: int, simulated: Iterable[SimulatedProfile], **options: Any) -> tuple[Run, list[Any]]:
    """Run scenes over an emulator in boost mode; return the run and the emulator's log, both checked."""
    with (
        Emulator(simulated, speed=SPEED, dialect="runway", **options) as emulator,
        Session(Runway(emulator.base_url), emulator.profiles, mode="boost", speed=SPEED, output=folder) as session,
    ):
        run = session.run_blocking(scenes(count))
        log = emulator.requests
    audit(run.events, BOOST)
    accepted = [each.scene for each in log if each.method == "POST" and each.status == 200]
    assert len(accepted) == len(set(accepted)), "a scene was billed twice"
    return run, log


def test_throttled_tasks_wait_at_the_provider(tmp_path: Path) -> None:
    """Six scenes on two slots: accepted at once, no 429, no cooldown, every video whole."""
    run, log = live(tmp_path, 6, [SimulatedProfile("p1", Concurrency(2), Constant(10))])
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert not run.cooldowns and len(run.attempts) == 6
    assert {each.status for each in log} == {200}
    accepted = min(event.at for event in run.events if isinstance(event, ev.Accepted))
    ends = {event.scene: event.at - accepted for event in run.events if isinstance(event, ev.Generated)}
    assert min(sorted(ends.values())[4:]) > 20, "the third turn of 10 s ends at 30"
    assert [Path(scene.path or "").read_bytes() for scene in run.scenes] == [CLIP] * 6


def test_throttled_is_waiting_and_not_service(tmp_path: Path) -> None:
    """Two of six at a time, 30 s each: four are THROTTLED for one turn or two, as if they had waited with us."""
    run, _ = live(tmp_path, 6, [SimulatedProfile("p1", Concurrency(2), Constant(30))])
    numbers = run.metrics()
    assert numbers.wait is not None and numbers.split is not None and numbers.queue_length is not None
    tolerance = 12  # polls come every 5 s, so a start is seen up to that much late, and calls take some ms at 60 times
    waits = sorted(each.queued_at_provider for each in run.attempts)
    assert waits == pytest.approx([0, 0, 30, 30, 60, 60], abs=tolerance) and waits[:2] == [0, 0]
    assert [numbers.wait.p50, numbers.wait.max] == pytest.approx([30, 60], abs=tolerance)
    assert numbers.queue_length == pytest.approx(2, abs=0.5)
    assert numbers.split.ok > 0.8, "both slots of the provider are busy nearly all the time"
    assert {each.status for each in run.events if isinstance(each, ev.Progressed)} == {"queued", "running"}
    pale = next(run.gantt().select_traces({"meta": "queued"}))
    assert len(pale.x) == 4 and pale.showlegend and sum(pale.x) == pytest.approx(sum(waits))


def test_the_days_quota_takes_a_profile_out(tmp_path: Path) -> None:
    """p1 has two tasks a day: the others go to p2, which is slower, and nothing is lost."""
    simulated = [
        SimulatedProfile("p1", DailyQuota(2), Constant(10), retry_after=False, capacity=1),
        SimulatedProfile("p2", service=Constant(30), capacity=1),
    ]
    run, log = live(tmp_path, 5, simulated)
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert sum(scene.profile == "p1" for scene in run.scenes) == 2
    assert {each.outcome for each in run.attempts} == {"succeeded", "unusable"}
    assert sum(each.status == 429 for each in log) == 1, "one submit at a time leaves on p1"


def test_a_run_ends_when_every_days_quota_is_used_up(tmp_path: Path) -> None:
    """With the reset a day away, the run ends, and the other scenes stay queued."""
    with pytest.raises(NoUsableProfile) as caught:
        live(tmp_path, 3, [SimulatedProfile("p1", DailyQuota(2), Constant(5), capacity=1)])
    run: Any = caught.value.run
    assert sorted(scene.status for scene in run.scenes) == ["queued", "succeeded", "succeeded"]


def test_an_expired_address_is_fetched_afresh(tmp_path: Path) -> None:
    """The first address of each result is refused: the task is asked once more, and no submit is."""
    faults = [Fault("expired", scene=f"s{k}", nth=1) for k in (1, 2)]
    run, log = live(tmp_path, 2, [SimulatedProfile("p1", service=Constant(5))], faults=faults)
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    for scene in run.scenes:
        told = [(each.path.split("/")[1], each.status) for each in log if each.scene == scene.id]
        assert told[-3:] == [("artifacts", 403), ("v1", 200), ("artifacts", 200)], "the task is asked in between"
    assert sum(each.method == "POST" for each in log) == 2


def test_what_failed_inside_is_tried_again_and_content_is_not(tmp_path: Path) -> None:
    """A bad output gets another task; a refused content fails its scene with one; a result that is empty holds it."""
    faults = [Fault("job_failure", scene="s1", nth=1), Fault("job_content", scene="s2"), Fault("job_empty", scene="s3")]
    with (
        Emulator(
            [SimulatedProfile("p1", service=Constant(5))], speed=FAST, dialect="runway", faults=faults
        ) as emulator,
        Session(Runway(emulator.base_url), emulator.profiles, speed=FAST, output=tmp_path) as session,
    ):
        run = session.run_blocking(scenes(3))
    assert [(scene.status, scene.attempts) for scene in run.scenes] == [("succeeded", 2), ("failed", 1), ("held", 1)]
    assert "SAFETY" in (run.scenes[1].error or "")


def test_no_key_goes_to_another_origin(tmp_path: Path) -> None:
    """Results lie on a host of their own: it sees each download, no key, and the API's host sees each key."""
    emulator = Emulator([SimulatedProfile("p1", service=Constant(5))], speed=SPEED, dialect="runway",
                        faults=[Fault("expired", nth=1)])  # fmt: skip
    inside = httpx.ASGITransport(emulator.app)
    seen: list[tuple[str, bool]] = []

    class Hosts(httpx.AsyncBaseTransport):
        """Puts the emulator behind two hosts: the URLs of results name the second."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append((request.url.host, emulator.profiles[0].api_key.reveal() in str(request.headers.raw)))
            answer = await inside.handle_async_request(request)
            text = (await answer.aread()).replace(b"api.test/artifacts", b"store.test/artifacts")
            headers = {"Content-Type": answer.headers.get("content-type", "")}
            return httpx.Response(answer.status_code, content=text, headers=headers)

    backend = Runway("https://api.test/v1", transport=Hosts())
    with Session(backend, emulator.profiles, speed=SPEED, output=tmp_path) as session:
        run = session.run_blocking(scenes(2))
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert set(seen) == {("api.test", True), ("store.test", False)}
    assert sum(host == "store.test" for host, _ in seen) == 3


def test_keys_are_tried_and_images_seen_before_a_run(tmp_path: Path) -> None:
    """A session distinguishes good keys from bad ones without a submit, and refuses a scene whose image is missing."""
    with (
        Emulator([SimulatedProfile("p1")], speed=SPEED, dialect="runway") as emulator,
        Session(
            Runway(emulator.base_url), [*emulator.profiles, Profile("p2", "sk-nobody")], output=tmp_path
        ) as session,
    ):
        assert [check.ok for check in session.check()] == [True, False]
        with pytest.raises(InputError, match=r"nowhere\.png"):
            session.run_blocking([Scene("s1", "a pier", image="nowhere.png")])
        assert not [each for each in emulator.requests if each.method == "POST"]


@pytest.mark.parametrize("kind", [None, "job_failure", "job_content"])
def test_the_adapter_and_the_sdk_agree(kind: Any, tmp_path: Path) -> None:
    """For the same task, at the same moment of a stopped clock, both see the same."""
    hands = [1000.0]
    clock = Clock(monotonic=lambda: hands[0])
    profile = SimulatedProfile("p1", Concurrency(1), Constant(40))
    faults = [Fault(kind, nth=2)] if kind else []
    with Emulator([profile], clock=clock, faults=faults, dialect="runway") as emulator:
        alice = emulator.profiles[0]
        root = emulator.base_url.removesuffix("/v1")

        async def go() -> None:
            backend = Runway(emulator.base_url)
            client = runwayml.AsyncRunwayML(
                api_key=alice.api_key.reveal(), base_url=root, max_retries=0, _strict_response_validation=True
            )
            async with client:
                await backend.submit(Scene("s1", "a harbour"), alice)
                ours = await backend.submit(Scene("s2", "a lighthouse"), alice)
                words = []
                for at in (0, 20, 40, 60, 80):
                    hands[0] = 1000.0 + at
                    told: Any = await client.tasks.retrieve(ours.id)
                    seen = await backend.poll(ours, alice)
                    words.append((told.status, seen.status))
                    assert getattr(told, "progress", None) == (
                        seen.progress if seen.status == "running" and at > 40 else None
                    )
                end = ("SUCCEEDED", "succeeded") if kind is None else ("FAILED", "failed")
                throttled, going = ("THROTTLED", "queued"), ("RUNNING", "running")
                assert words == [throttled, throttled, ("PENDING", "queued"), going, end]
                if kind is not None:
                    assert told.failure_code in str(seen.outcome)
                else:
                    assert seen.artifact is not None and seen.artifact.url == told.output[0]
                    sink = VideoFolder(tmp_path).sink("s2", 1)
                    await backend.fetch(ours, seen.artifact, alice, sink)
                    assert sink.path is not None
                theirs = await client.text_to_video.create(
                    model="gen4.5", prompt_text="a pier", ratio="720:1280", duration=4
                )
                assert (await backend.poll(Operation(theirs.id, "runway"), alice)).status in ("queued", "running")
                assert await backend.cancel(Operation(theirs.id, "runway"), alice) == "cancelled"
                with pytest.raises(runwayml.NotFoundError):
                    await client.tasks.delete(theirs.id)
                assert await backend.cancel(Operation(theirs.id, "runway"), alice) == "too late"
            await backend.probe(alice)
            await backend.aclose()

        asyncio.run(go())
    assert [video.read_bytes() for video in tmp_path.iterdir()] == ([] if kind else [CLIP])


def test_a_body_is_what_the_sdk_sends() -> None:
    """For the same scene, adapter and SDK send the same JSON to the same path."""
    sent: list[tuple[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"id": "t1", "estimatedCost": {"credits": 24.0}})

    image = "https://pictures.test/a.png"
    with runwayml.RunwayML(api_key="k", http_client=httpx.Client(transport=httpx.MockTransport(answer))) as client:
        client.text_to_video.create(model="gen4.5", prompt_text="a pier", ratio="720:1280", duration=4, seed=7)
        client.image_to_video.create(
            model="gen4.5", prompt_text="a pier", ratio="1280:720", duration=5, prompt_image=image
        )

    async def go() -> None:
        backend = Runway(transport=httpx.MockTransport(answer))
        with Emulator([SimulatedProfile("p1")]) as emulator:
            (alice,) = emulator.profiles
        await backend.submit(Scene("s1", "a pier", ratio="720:1280", seconds=4, seed=7), alice)
        await backend.submit(Scene("s2", "a pier", image=image), alice)
        await backend.aclose()

    asyncio.run(go())
    assert sent[2:] == sent[:2]
