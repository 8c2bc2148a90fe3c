"""The backend against the emulator, over real HTTP: the whole way of a scene, and the ways it ends early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Literal

import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import BackendError, Profile, Progress
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, Fault, FixedWindow, Limit, SimulatedProfile
from vidgen_nb.session.video_folder import VideoFolder

SCENE = Scene("szene/1", "a lighthouse", seconds=4, size="1280x720")
Work = Callable[[Emulator, OpenAIVideos, Profile], Coroutine[Any, Any, Any]]


def on_emulator(
    work: Work, *, limit: Limit | None = None, faults: Iterable[Fault] = (), service: float = 2, minimal: bool = False
) -> Any:
    """Return what the work gives on an emulator with one profile, at 100 times the speed."""

    async def go() -> Any:
        profile = SimulatedProfile("p1", limit=limit, service=Constant(service))
        async with Emulator([profile], speed=100, faults=faults, minimal=minimal) as emulator:
            backend = OpenAIVideos(emulator.base_url)
            try:
                return await work(emulator, backend, emulator.profiles[0])
            finally:
                await backend.aclose()

    return asyncio.run(go())


async def finished(emulator: Emulator, backend: OpenAIVideos, operation: Operation, profile: Profile) -> Progress:
    """Poll, as the server asks, until the job is over."""
    progress = await backend.poll(operation, profile)
    if progress.status not in ("queued", "running"):
        return progress
    await asyncio.sleep(emulator.clock.wall(backend.poll_schedule.delay(0, progress.poll_after)))
    return await finished(emulator, backend, operation, profile)


async def outcome(call: Coroutine[Any, Any, object]) -> Failure:
    """Return as what a call fails."""
    with pytest.raises(BackendError) as caught:
        await call
    return caught.value.outcome


@pytest.mark.parametrize("minimal", [False, True])
def test_from_submit_to_file(tmp_path: Path, minimal: bool) -> None:
    """A scene is submitted, polled, fetched into the folder and deleted, also with minimal answers."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> None:
        operation = await backend.submit(SCENE, profile)
        progress = await finished(emulator, backend, operation, profile)
        assert progress.status == "succeeded"
        sink = VideoFolder(tmp_path).sink(SCENE.id, 1)
        assert progress.artifact is not None
        await backend.fetch(operation, progress.artifact, profile, sink)
        assert sink.path is not None
        assert await backend.cancel(operation, profile) == "cancelled"
        assert await backend.cancel(operation, profile) == "too late"
        assert isinstance(await outcome(backend.poll(operation, profile)), Permanent)
        assert emulator.requests[0].scene == SCENE.id

    on_emulator(work, minimal=minimal)
    (video,) = tmp_path.iterdir()
    assert video.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (FixedWindow(1, per=3600), RateLimited), (Concurrency(1), RateLimited), (DailyQuota(1), ProfileUnusable),
    ],
)  # fmt: skip
def test_limits(limit: Limit, expected: type[Failure]) -> None:
    """The second submit is refused as what the limit is, with the wait in run seconds."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> Failure:
        await backend.submit(SCENE, profile)
        return await outcome(backend.submit(SCENE, profile))

    found = on_emulator(work, limit=limit, service=1000)
    assert isinstance(found, expected)
    if isinstance(limit, FixedWindow):
        assert isinstance(found, RateLimited)
        assert found.source == "retry-after-ms"
        assert found.retry_after is not None
        assert 3000 < found.retry_after <= 3600
    assert isinstance(limit, Concurrency) == (getattr(found, "cause", "") == "concurrency")


def test_a_wrong_key() -> None:
    """A key that isn't known makes the profile unusable, at every call."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> None:
        stranger = Profile("p1", "sk-wrong")
        operation = await backend.submit(SCENE, profile)
        sink = VideoFolder("never made").sink("s", 1)
        for call in (
            backend.submit(SCENE, stranger),
            backend.poll(operation, stranger),
            backend.fetch(operation, Artifact("with_key"), stranger, sink),
            backend.cancel(operation, stranger),
        ):
            found = await outcome(call)
            assert isinstance(found, ProfileUnusable)
            assert found.cause == "auth"

    on_emulator(work)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("lost_answer"), Ambiguous),
        (Fault("overload", retry_after=9), Transient),
        (Fault("content"), Permanent),
        (Fault("bad_request"), Permanent),
        (Fault("credit"), ProfileUnusable),
    ],
)
def test_faults_of_a_submit(fault: Fault, expected: type[Failure]) -> None:
    """A submit that goes wrong is what the fault is."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> Failure:
        return await outcome(backend.submit(SCENE, profile))

    found = on_emulator(work, faults=[fault])
    assert isinstance(found, expected)
    assert getattr(found, "retry_after", None) == fault.retry_after


@pytest.mark.parametrize(
    ("kind", "expected"), [("job_failure", Transient), ("job_content", Permanent), ("job_empty", Permanent)]
)
def test_jobs_that_fail(kind: Literal["job_failure", "job_content", "job_empty"], expected: type[Failure]) -> None:
    """A job that fails by itself may be tried again, one refused over its content may not."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> Progress:
        return await finished(emulator, backend, await backend.submit(SCENE, profile), profile)

    progress = on_emulator(work, faults=[Fault(kind)])
    assert progress.status == "failed"
    assert isinstance(progress.outcome, expected)


@pytest.mark.parametrize(
    ("kind", "expected"), [("cut_off", Transient), ("wrong_type", Transient), ("expired", Permanent)]
)
def test_downloads_that_fail(
    tmp_path: Path, kind: Literal["cut_off", "wrong_type", "expired"], expected: type[Failure]
) -> None:
    """A spoiled download leaves no file, and the next one gets it."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> None:
        operation = await backend.submit(SCENE, profile)
        await finished(emulator, backend, operation, profile)
        folder = VideoFolder(tmp_path)
        sink = folder.sink("s001", 1)
        assert isinstance(await outcome(backend.fetch(operation, Artifact("with_key"), profile, sink)), expected)
        sink.discard()
        await backend.fetch(operation, Artifact("with_key"), profile, folder.sink("s001", 1))

    on_emulator(work, faults=[Fault(kind, nth=1)])
    assert [file.name for file in tmp_path.iterdir()] == ["s001.mp4"]


def test_a_job_that_is_aborted() -> None:
    """A running job is cancelled at the provider."""

    async def work(emulator: Emulator, backend: OpenAIVideos, profile: Profile) -> str:
        return await backend.cancel(await backend.submit(SCENE, profile), profile)

    assert on_emulator(work, service=1000) == "cancelled"
