"""The official client, without retries, drives the emulator's dialect of Google's Interactions API."""

from __future__ import annotations

import base64
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from tests.emulator.dialects.served import ServedEmulator, serve
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
from vidgen_nb.provider.faults import FaultKind

if TYPE_CHECKING:
    from google import genai  # a second to import: only where a test needs it
    from google.genai import interactions

MODEL = "gemini-omni-1.2-flash"
KEY = {"x-goog-api-key": "sk-emulated-p1"}
ASKED = {"model": MODEL, "input": "a lighthouse", "background": True}


def official(service: ServedEmulator[genai.Client], key: str) -> genai.Client:
    """Return the official client, which tries each call once."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=service.root, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=key, http_options=options)


def served(*profiles: SimulatedProfile, **options: Any) -> AbstractContextManager[ServedEmulator[genai.Client]]:
    """Serve an emulator of the dialect."""
    return serve(official, *profiles, dialect="google_interactions", **options)


def created(client: genai.Client, prompt: str = "a lighthouse", **options: Any) -> interactions.Interaction:
    """Return the background job that the SDK creates."""
    return cast("interactions.Interaction", client.interactions.create(
        **{"model": MODEL, "input": prompt, "background": True, **options}
    ))  # fmt: skip


def seen(client: genai.Client, job: interactions.Interaction) -> interactions.Interaction:
    """Return the job as it is now."""
    return client.interactions.get(id=job.id or "")


def refused(call: Any) -> tuple[int, dict[str, Any], httpx.Headers]:
    """Return status, error and headers of a call that the SDK reports as refused."""
    from google.genai._interactions import APIStatusError

    with pytest.raises(APIStatusError) as caught:
        call()
    error = caught.value
    body = cast("dict[str, Any]", error.body)
    return error.status_code or 0, body["error"], httpx.Headers(dict(error.response.headers))


def details(error: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return an error's details by their type."""
    return {each["@type"].rpartition(".")[2]: each for each in error.get("details", [])}


@pytest.mark.parametrize("delivery", ["uri", "inline"])
def test_a_video_from_create_to_download(delivery: str) -> None:
    """Create, poll, and get the MP4: within the answer, or through the SDK's own download of a file."""
    with served(SimulatedProfile("p1", service=Constant(60))) as service:
        client = service.client()
        shape: Any = {"type": "video", "aspect_ratio": "9:16", "duration": "8s", "delivery": delivery}
        job = created(client, response_format=shape)
        assert (job.status, job.model, job.steps, job.errors) == ("in_progress", MODEL, None, None)
        service.now += 59
        assert seen(client, job).status == "in_progress"

        service.now += 1
        done = seen(client, job)
        assert (done.status, done.errors) == ("completed", None)
        video = done.output_video
        assert video is not None
        assert (video.type, video.mime_type) == ("video", "video/mp4")
        if delivery == "inline":
            assert video.uri is None
            assert base64.b64decode(video.data or "") == CLIP
        else:
            assert video.data is None
            file = (video.uri or "").removeprefix(f"{service.emulator.base_url}/")
            assert client.files.download(file=file.partition(":")[0]) == CLIP
            plain = httpx.get(video.uri or "", headers=KEY)
            assert (plain.content, plain.headers["content-type"]) == (CLIP, "video/mp4")
            assert httpx.get(video.uri or "").status_code == 403
        assert {request.job for request in service.emulator.requests if request.profile} == {job.id}
        assert {request.scene for request in service.emulator.requests if request.profile} == {"a lighthouse"}


def test_the_models() -> None:
    """The SDK lists the models that are served, and finds no other."""
    with served(models=[MODEL, "another"]) as service:
        assert [model.name for model in service.client().models.list()] == [f"models/{MODEL}", "models/another"]


def test_a_queued_job_and_a_cancelled_one() -> None:
    """A job waits its turn as `queued`; a cancelled one stays cancelled, and one that has ended refuses."""
    with served(SimulatedProfile("p1", service=Constant(60), capacity=1)) as service:
        client = service.client()
        first, second = (created(client, text) for text in "ab")
        assert (first.status, second.status) == ("in_progress", "queued")
        assert client.interactions.cancel(id=second.id or "").status == "cancelled"
        assert seen(client, second).status == "cancelled"
        service.now += 60
        status, error, _ = refused(lambda: client.interactions.cancel(id=first.id or ""))
        assert (status, error["status"]) == (400, "FAILED_PRECONDITION")
        client.interactions.delete(id=first.id or "")
        assert refused(lambda: seen(client, first))[0] == 404


@pytest.mark.parametrize(
    ("limit", "mark", "wait"),
    [
        (FixedWindow(1, per=60), "PerMinute", "34.434s"),
        (DailyQuota(1), "PerDay", "86374.434s"),
        (Concurrency(1), "Concurrent", None),
    ],
)
def test_429_tells_its_wait_in_the_body_alone(limit: Limit, mark: str, wait: str | None) -> None:
    """A refused submit has no Retry-After; its details name the quota, and a fractional delay where there is one."""
    with served(SimulatedProfile("p1", limit, Constant(1000))) as service:
        client = service.client()
        created(client, "a")
        service.now += 25.5664
        status, error, headers = refused(lambda: created(client, "b"))
        assert (status, error["code"], error["status"]) == (429, 429, "RESOURCE_EXHAUSTED")
        assert "retry-after" not in headers
        assert len(service.emulator.requests) == 2, "the SDK tries once"
        told = details(error)
        assert mark in told["QuotaFailure"]["violations"][0]["quotaId"]
        assert told.get("RetryInfo", {}).get("retryDelay") == wait


def test_profiles_of_one_project_share_its_quota() -> None:
    """What one key of a quota group uses up, the other lacks; a third one does not care."""
    limit = FixedWindow(1, per=60)
    team = [SimulatedProfile(name, limit, Constant(60), quota_group="project") for name in ("p1", "p2")]
    with served(*team, SimulatedProfile("p3", limit)) as service:
        first, second, third = (service.client(f"sk-emulated-p{k}") for k in (1, 2, 3))
        created(first, "a")
        assert refused(lambda: created(second, "b"))[0] == 429
        assert created(third, "c").status == "in_progress"


@pytest.mark.parametrize(
    ("kind", "status", "name", "code"),
    [
        ("rate", 429, "RESOURCE_EXHAUSTED", "rate_limit_exceeded"),
        ("concurrency", 429, "RESOURCE_EXHAUSTED", "too_many_requests"),
        ("day_quota", 429, "RESOURCE_EXHAUSTED", "quota_exceeded"),
        ("credit", 402, "FAILED_PRECONDITION", "payment_required"),
        ("auth", 400, "INVALID_ARGUMENT", "authentication"),
        ("overload", 503, "UNAVAILABLE", "service_unavailable"),
        ("content", 400, "INVALID_ARGUMENT", "prohibited_content"),
        ("bad_request", 400, "INVALID_ARGUMENT", "invalid_request"),
    ],
)
def test_every_refusal_has_its_error_in_both_shapes(kind: FaultKind, status: int, name: str, code: str) -> None:
    """Refusals come as google.rpc.Status, or by the word of the API's page of error codes."""
    for error_codes in (False, True):
        with served(faults=[Fault(kind, retry_after=1.5)], error_codes=error_codes) as service:
            client = service.client()
            found, error, _ = refused(lambda client=client: created(client))
            assert found == (401 if error_codes and kind == "auth" else status)
            assert error.get("status" if not error_codes else "code") == (name if not error_codes else code)
            assert ("details" in error) == (not error_codes)
            if not error_codes:
                assert details(error)["RetryInfo"]["retryDelay"] == "1.500s"


def test_wrong_keys_and_wrong_requests() -> None:
    """A wrong key is a 400 with API_KEY_INVALID, none a 403, an unknown model a 404, an unknown field a 400."""
    with served() as service:
        stranger = service.client("sk-wrong")
        status, error, _ = refused(lambda: stranger.interactions.get(id="x"))
        assert (status, details(error)["ErrorInfo"]["reason"]) == (400, "API_KEY_INVALID")
        client = service.client()
        assert refused(lambda: client.interactions.get(id="x"))[1]["status"] == "NOT_FOUND"
        status, error, _ = refused(lambda: created(client, model="m"))
        assert (status, error["status"]) == (404, "NOT_FOUND")
        assert refused(lambda: created(client, background=None))[0] == 400
        url = f"{service.emulator.base_url}/interactions"
        assert httpx.post(url, json=ASKED).status_code == 403
        for wrong in (
            {"inputs": "a"}, {"input": ""}, {"input": [{"type": "audio"}]}, {"input": {"type": "image", "data": "%"}},
            {"input": [{"type": "image", "mime_type": "image/png", "data": "%"}]}, {"stream": True},
            {"response_format": {"type": "text"}}, {"response_format": {"type": "video", "duration": 8}},
            {"response_format": {"type": "video", "size": "1"}}, {"response_format": {"type": "video", "delivery": 1}},
        ):  # fmt: skip
            assert httpx.post(url, json=ASKED | wrong, headers=KEY).status_code == 400, wrong
        for body in (b"{", b"[]", b"\xff"):
            assert httpx.post(url, content=body, headers=KEY).status_code == 400
        assert httpx.get(f"{url}/x?stream=true", headers=KEY).status_code == 404
        assert httpx.get(f"{service.emulator.base_url}/caches", headers=KEY).json()["error"]["status"] == "NOT_FOUND"
        job = httpx.post(url, json=ASKED, headers=KEY).json()["id"]
        assert httpx.get(f"{url}/{job}?stream=true", headers=KEY).status_code == 400
        assert httpx.get(f"{url}/{job}?stream=false", headers=KEY).status_code == 200


def test_both_versions_of_the_api_serve_the_same_jobs() -> None:
    """A job made under /v1beta is seen under /v1, and its result's address has the version it was made under."""
    with served(SimulatedProfile("p1", service=Constant(0))) as service:
        beta = service.emulator.base_url + "beta"
        asked = ASKED | {"response_format": {"type": "video", "delivery": "uri"}}
        job = httpx.post(f"{beta}/interactions", json=asked, headers=KEY).json()["id"]
        video = service.client().interactions.get(id=job).output_video
        assert video is not None
        assert (video.uri or "").startswith(f"{beta}/files/")
        assert httpx.get(video.uri or "", headers=KEY).content == CLIP


def test_jobs_that_end_without_a_video() -> None:
    """A failed job has its reason in `errors`; an empty one is completed, without video and error."""
    faults = [Fault("job_failure", scene="a"), Fault("job_content", scene="b"), Fault("job_empty", scene="c")]
    with served(faults=faults) as service:
        client = service.client()
        jobs = [created(client, text) for text in "abc"]
        service.now += 60
        failed, blocked, empty = (seen(client, job) for job in jobs)
        assert (failed.status, blocked.status, empty.status) == ("failed", "failed", "completed")
        assert [error.code for job in (failed, blocked) for error in job.errors or []] == ["api_error", "safety"]
        assert (empty.output_video, empty.errors) == (None, None)


def test_a_lost_answer_leaves_a_job() -> None:
    """The SDK sees a 502, while the job runs."""
    with served(faults=[Fault("lost_answer")]) as service:
        from google.genai._interactions import InternalServerError

        with pytest.raises(InternalServerError):
            created(service.client())
        (request,) = service.emulator.requests
        assert (request.status, request.job is not None) == (502, True)


@pytest.mark.parametrize("delivery", ["uri", "inline"])
def test_results_that_go_wrong(delivery: str) -> None:
    """Results are cut off, no video, refused or gone, once each; and gone for good when they have expired."""
    kinds: list[FaultKind] = ["cut_off", "wrong_type", "expired", "rate", "slow"]
    faults = [Fault(kind, nth=k + 1, call="fetch", seconds=0) for k, kind in enumerate(kinds)]
    with served(SimulatedProfile("p1", service=Constant(1)), faults=faults, expires_after=9) as service:
        asked = ASKED | {"response_format": {"type": "video", "delivery": delivery}}
        url = f"{service.emulator.base_url}/interactions"
        url = f"{url}/{httpx.post(url, json=asked, headers=KEY).json()['id']}"
        service.now += 2
        if delivery == "uri":
            url = httpx.get(url, headers=KEY).json()["steps"][0]["content"][0]["uri"]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url, headers=KEY)
        assert httpx.get(url, headers=KEY).text.startswith("<html>")
        gone = 403 if delivery == "uri" else 404
        assert [httpx.get(url, headers=KEY).status_code for _ in range(4)] == [gone, 429, 200, 200]
        service.now += 9
        assert httpx.get(url, headers=KEY).status_code == gone
