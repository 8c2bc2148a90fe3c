"""The official client, strict and without retries, drives the served emulator: the proof that it is faithful."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import openai
import pytest

from tests.emulator.dialects.served import ServedEmulator, serve
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    Fault,
    FixedWindow,
    Limit,
    SimulatedProfile,
)

# the SDK marks each of these calls as deprecated: the hosted API is gone, its shape lives on
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def official(service: ServedEmulator[openai.OpenAI], key: str) -> openai.OpenAI:
    """Return the official client, as strict as it can be."""
    return openai.OpenAI(
        api_key=key, base_url=service.emulator.base_url, max_retries=0, _strict_response_validation=True
    )


def served(*profiles: SimulatedProfile, **options: Any) -> AbstractContextManager[ServedEmulator[openai.OpenAI]]:
    """Serve an emulator of the dialect."""
    return serve(official, *profiles, **options)


def test_a_video_from_create_to_download() -> None:
    """Create, poll with progress and poll-after, download the MP4, list, delete."""
    with served(SimulatedProfile("p1", service=Constant(60))) as service:
        client = service.client()
        video = client.videos.create(prompt="a lighthouse", model="sora-2", seconds="8", size="1280x720")
        assert (video.object, video.status, video.model) == ("video", "in_progress", "sora-2")
        assert (video.progress, video.seconds, video.size, video.prompt) == (0, "8", "1280x720", "a lighthouse")
        assert video.created_at == int(service.emulator.clock.epoch)

        service.now += 58
        raw = client.videos.with_raw_response.retrieve(video.id)
        assert raw.headers["openai-poll-after-ms"] == "2000"
        assert (raw.parse().status, raw.parse().progress) == ("in_progress", 96)
        with pytest.raises(openai.NotFoundError):
            client.videos.download_content(video.id)

        service.now += 2
        done = client.videos.retrieve(video.id)
        assert (done.status, done.progress, done.error) == ("completed", 100, None)
        assert done.completed_at == int(service.emulator.clock.epoch + 60)

        content = client.videos.download_content(video.id)
        assert content.read() == CLIP
        assert content.response.headers["content-type"] == "video/mp4"
        assert content.response.headers["content-length"] == str(len(CLIP))

        gone = client.videos.delete(video.id)
        assert (gone.id, gone.deleted, gone.object) == (video.id, True, "video.deleted")
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(video.id)


def test_create_and_poll_follows_the_poll_after_header() -> None:
    """The SDK's own waiting loop comes to an end by the emulator's header."""
    with Emulator([SimulatedProfile("p1", service=Constant(0.1))], speed=2) as emulator:
        client = openai.OpenAI(api_key="sk-emulated-p1", base_url=emulator.base_url, max_retries=0)
        with client:
            assert client.videos.create_and_poll(prompt="a lighthouse").status == "completed"
        assert [request.method for request in emulator.requests].count("GET") <= 2


def test_failed_jobs_say_why() -> None:
    """A job that fails ends as `failed` with an error code, and has no content."""
    faults = [Fault("job_failure", scene="a"), Fault("job_content", scene="b")]
    with served(faults=faults) as service:
        client = service.client()
        ids = [client.videos.create(prompt=prompt).id for prompt in "ab"]
        service.now += 60
        codes = []
        for video in map(client.videos.retrieve, ids):
            assert video.status == "failed"
            assert video.error is not None
            codes.append(video.error.code)
        assert codes == ["server_error", "moderation_blocked"]
        with pytest.raises(openai.NotFoundError):
            client.videos.download_content(ids[0])


def test_a_wrong_key_is_401_everywhere() -> None:
    """No call is answered without a known key, and the answer does not repeat it."""
    with served() as service:
        client = service.client("sk-wrong")
        for call in (
            lambda: client.videos.create(prompt="a"),
            lambda: client.videos.retrieve("video_1"),
            lambda: client.videos.download_content("video_1"),
            lambda: client.videos.delete("video_1"),
            lambda: client.videos.list(),
        ):
            with pytest.raises(openai.AuthenticationError) as caught:
                call()
            assert caught.value.code == "invalid_api_key"
            assert "sk-wrong" not in caught.value.response.text
        assert {(request.status, request.profile) for request in service.emulator.requests} == {(401, None)}


@pytest.mark.parametrize(
    ("limit", "code", "retry_after", "milliseconds"),
    [
        (FixedWindow(1, per=60), "rate_limit_exceeded", "50", "49500"),
        (FixedWindow(1, per=600), "rate_limit_exceeded", "590", "589500"),
        (Concurrency(1), "concurrency_limit_exceeded", None, None),
        (DailyQuota(1), "daily_quota_exceeded", "86390", "86389500"),
    ],
)
def test_limits_are_429s_that_differ_by_code(
    limit: Limit, code: str, retry_after: str | None, milliseconds: str | None
) -> None:
    """Rate, concurrency and day are distinguished by code; the reset is given in whole seconds and in milliseconds."""
    with served(SimulatedProfile("p1", limit)) as service:
        client = service.client()
        client.videos.create(prompt="a")
        service.now += 10.5
        with pytest.raises(openai.RateLimitError) as caught:
            client.videos.create(prompt="b")
        headers = caught.value.response.headers
        assert caught.value.code == code
        assert (headers.get("retry-after"), headers.get("retry-after-ms")) == (retry_after, milliseconds)
        assert set(caught.value.response.json()["error"]) == {"message", "type", "param", "code"}
        if milliseconds is not None:
            service.now += int(milliseconds) / 1000
            client.videos.create(prompt="b")


def test_a_429_may_say_nothing() -> None:
    """`retry_after=False` sends a 429 without any hint."""
    with served(SimulatedProfile("p1", FixedWindow(1, per=60), retry_after=False)) as service:
        client = service.client()
        client.videos.create(prompt="a")
        with pytest.raises(openai.RateLimitError) as caught:
            client.videos.create(prompt="b")
        assert not any("retry" in name for name in caught.value.response.headers)


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault("rate", retry_after=30), openai.RateLimitError, "rate_limit_exceeded"),
        (Fault("credit"), openai.RateLimitError, "insufficient_quota"),
        (Fault("auth"), openai.AuthenticationError, "invalid_api_key"),
        (Fault("overload"), openai.InternalServerError, "overloaded"),
        (Fault("content"), openai.BadRequestError, "content_policy_violation"),
        (Fault("bad_request"), openai.BadRequestError, "invalid_value"),
    ],
)
def test_scripted_refusals_reach_the_client(fault: Fault, error: type[openai.APIStatusError], code: str) -> None:
    """Each refusal is the SDK's own exception, with its code."""
    with served(faults=[fault]) as service:
        with pytest.raises(error) as caught:
            service.client().videos.create(prompt="a")
        assert caught.value.code == code
        assert caught.value.response.headers.get("retry-after") == ("30" if fault.retry_after else None)


def test_accepted_but_502() -> None:
    """A lost answer is a 502 to the client while the job exists at the server."""
    with served(faults=[Fault("lost_answer", nth=1)]) as service:
        client = service.client()
        with pytest.raises(openai.InternalServerError) as caught:
            client.videos.create(prompt="a")
        assert caught.value.status_code == 502
        assert [video.prompt for video in client.videos.list()] == ["a"]


@pytest.mark.parametrize(
    ("parameters", "param", "error"),
    [
        ({"prompt": " "}, "prompt", openai.BadRequestError),
        ({"seconds": "5"}, "seconds", openai.BadRequestError),
        ({"size": "64x36"}, "size", openai.BadRequestError),
        ({"model": "sora-9"}, "model", openai.NotFoundError),
    ],
)
def test_parameters_are_validated(parameters: Any, param: str, error: type[openai.APIStatusError]) -> None:
    """Wrong parameters are refused by name before any limit is used up."""
    with served(SimulatedProfile("p1", FixedWindow(1, per=60))) as service:
        client = service.client()
        with pytest.raises(error) as caught:
            client.videos.create(**({"prompt": "a"} | parameters))
        assert caught.value.param == param
        client.videos.create(prompt="a")


def test_another_profiles_job_does_not_exist() -> None:
    """A job can be seen, fetched, deleted and listed by its owner alone."""
    with served(SimulatedProfile("p1"), SimulatedProfile("p2")) as service:
        video = service.client().videos.create(prompt="a")
        other = service.client("sk-emulated-p2")
        for call in (other.videos.retrieve, other.videos.delete, other.videos.download_content):
            with pytest.raises(openai.NotFoundError):
                call(video.id)
        assert list(other.videos.list()) == []


def test_lists_are_paged_both_ways() -> None:
    """The SDK's pager goes through all videos, newest first or oldest first."""
    with served() as service:
        client = service.client()
        ids = [client.videos.create(prompt=f"scene {i}").id for i in range(5)]
        assert [video.id for video in client.videos.list(limit=2)] == ids[::-1]
        assert [video.id for video in client.videos.list(limit=2, order="asc")] == ids
        with pytest.raises(openai.BadRequestError):
            client.videos.list(limit=0)


def test_deleting_a_running_job_frees_its_slot() -> None:
    """DELETE aborts a running job, and the concurrency limit lets the next one in."""
    with served(SimulatedProfile("p1", Concurrency(1))) as service:
        client = service.client()
        client.videos.delete(client.videos.create(prompt="a").id)
        client.videos.create(prompt="b")


def test_an_uploaded_reference_is_accepted() -> None:
    """An image or its URL is accepted; a file that is no image, and an unknown file id, are refused.

    The SDK's own argument takes files alone; objects go as extra fields, which it writes with brackets.
    """
    with served() as service:
        create = service.client().videos.create
        png, webp = b"\x89PNG\r\n\x1a\n" + b"\0" * 9, b"RIFF\0\0\0\0WEBPVP8 "
        assert create(prompt="a", input_reference=("a.png", png, "image/png")).status == "in_progress"
        assert create(prompt="a", input_reference=webp).status == "in_progress"
        address = {"input_reference": {"image_url": "https://images.example/a.png"}}
        assert create(prompt="a", extra_body=address).status == "in_progress"
        refused: list[dict[str, Any]] = [
            {"input_reference": ("a.png", b"GIF89a", "image/png")},
            {"extra_body": {"input_reference": {"image_url": "file:///a.png"}}},
            {"extra_body": {"input_reference": {"file_id": "file_1"}}},
            {"extra_body": {"input_reference": "a.png"}},
        ]
        for wrong in refused:
            with pytest.raises(openai.BadRequestError) as caught:
                create(prompt="a", **wrong)
            assert isinstance(caught.value.body, dict) and caught.value.body["param"] == "input_reference"
