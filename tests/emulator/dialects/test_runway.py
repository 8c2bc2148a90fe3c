"""Runway's official client, strict and without retries, drives the served emulator: the proof that it is faithful."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
import runwayml
from runwayml.lib import polling

from tests.emulator.dialects.served import ServedEmulator, serve
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, Fault, FixedWindow, Limit, SimulatedProfile

PNG = "data:image/png;base64,iVBORw0KGgo="


def official(service: ServedEmulator[runwayml.RunwayML], key: str, **options: Any) -> runwayml.RunwayML:
    """Return the official client, as strict as it can be."""
    return runwayml.RunwayML(
        api_key=key, base_url=service.root, max_retries=0, _strict_response_validation=True, **options
    )


def served(*profiles: SimulatedProfile, **options: Any) -> AbstractContextManager[ServedEmulator[runwayml.RunwayML]]:
    """Serve an emulator of the dialect."""
    return serve(official, *profiles, dialect="runway", **options)


def create(client: runwayml.RunwayML, prompt: str = "a lighthouse") -> Any:
    """Create the smallest task there is."""
    return client.text_to_video.create(model="gen4.5", prompt_text=prompt, ratio="1280:720", duration=5)


def test_a_task_from_create_to_download() -> None:
    """Create, pending, running with progress, succeeded; its address gives the MP4 without a key; delete, then 404."""
    with served(SimulatedProfile("p1", service=Constant(60))) as service:
        client = service.client()
        made = create(client)
        assert made.estimated_cost.credits == 60
        first: Any = client.tasks.retrieve(made.id)
        assert (first.status, first.estimated_cost.credits) == ("PENDING", 60)
        assert abs(first.created_at.timestamp() - service.emulator.clock.epoch) < 0.01

        service.now += 15
        running: Any = client.tasks.retrieve(made.id)
        assert (running.status, running.progress) == ("RUNNING", 0.25)

        service.now += 45
        done: Any = client.tasks.retrieve(made.id)
        assert (done.status, done.cost.credits, len(done.output)) == ("SUCCEEDED", 60, 1)
        answer = httpx.get(done.output[0])
        assert (answer.content, answer.headers["content-type"]) == (CLIP, "video/mp4")

        client.tasks.delete(made.id)
        assert service.emulator.requests[-1].status == 204
        with pytest.raises(runwayml.NotFoundError):
            client.tasks.retrieve(made.id)
        with pytest.raises(runwayml.NotFoundError):
            client.tasks.delete(made.id)
        assert httpx.get(done.output[0]).status_code == 404


def test_an_image_begins_a_video() -> None:
    """An image goes along as a data URI, an address or a list of positions; nonsense does not."""
    with served() as service:
        client = service.client()
        for image in (PNG, "https://pictures.test/a.png", [{"uri": PNG, "position": "first"}]):
            given: Any = {"model": "gen4_turbo", "prompt_image": image, "ratio": "960:960"}
            made: Any = client.image_to_video.create(**given)
            assert made.estimated_cost.credits == 25
        for image in ("http://pictures.test/a.png", "data:image/png;base64," + "A" * (5 << 20), [], "a.png"):
            given = {"model": "gen4_turbo", "prompt_image": image, "ratio": "960:960"}
            with pytest.raises(runwayml.BadRequestError, match="promptImage"):
                client.image_to_video.create(**given)


def test_over_the_concurrency_a_task_is_throttled_not_refused() -> None:
    """The third of three is THROTTLED until there is room; a cancelled one before it makes room at once."""
    with served(SimulatedProfile("p1", Concurrency(2), Constant(60))) as service:
        client = service.client()
        tasks = [create(client, f"a lighthouse, {i}") for i in range(4)]
        service.now += 10

        def statuses() -> list[str]:
            return [client.tasks.retrieve(task.id).status for task in tasks]

        assert statuses() == ["RUNNING", "RUNNING", "THROTTLED", "THROTTLED"]
        client.tasks.delete(tasks.pop(0).id)
        service.now += 10
        assert statuses() == ["RUNNING", "RUNNING", "THROTTLED"]
        service.now += 40
        assert statuses() == ["SUCCEEDED", "RUNNING", "PENDING"]
        assert [record.status for record in service.emulator.requests if record.method == "POST"] == [200] * 4


def test_a_capacity_throttles_too() -> None:
    """What waits in a profile's own queue shows as THROTTLED."""
    with served(SimulatedProfile("p1", service=Constant(60), capacity=1)) as service:
        create(service.client())
        assert service.client().tasks.retrieve(create(service.client()).id).status == "THROTTLED"


@pytest.mark.parametrize(("limit", "told"), [(DailyQuota(1), "86400"), (FixedWindow(1, per=60), "60")])
@pytest.mark.parametrize("retry_after", [True, False])
def test_a_429_is_for_the_day_alone(limit: Limit, told: str, retry_after: bool) -> None:
    """Over the day's quota, or a rate, a create answers 429, with the wait or without."""
    with served(SimulatedProfile("p1", limit & Concurrency(1), retry_after=retry_after)) as service:
        client = service.client()
        create(client)
        with pytest.raises(runwayml.RateLimitError) as caught:
            create(client)
        assert caught.value.response.headers.get("retry-after") == (told if retry_after else None)
        assert isinstance(caught.value.body, dict) and isinstance(caught.value.body["error"], str)


def test_the_account_says_what_it_is_allowed_and_has_used() -> None:
    """Limits of the tier are those of the profile; the day's tasks are counted, also deleted ones, and for a day."""
    with served(SimulatedProfile("p1", Concurrency(2) & DailyQuota(9)), SimulatedProfile("p2")) as service:
        client = service.client()
        client.tasks.delete(create(client).id)
        account = client.organization.retrieve()
        allowed = account.tier.models["gen4.5"]
        assert (allowed.max_concurrent_generations, allowed.max_daily_generations) == (2, 9)
        assert account.usage.models["gen4.5"].daily_generations == 1
        assert (
            service.client("sk-emulated-p2").organization.retrieve().tier.models["gen4.5"].max_daily_generations is None
        )
        service.now += 86_400
        assert client.organization.retrieve().usage.models["gen4.5"].daily_generations == 0


def test_addresses_expire_and_are_fresh_when_asked_again() -> None:
    """An address is good for so long, whoever asks later gets another one; a key, or a changed one, is refused."""
    with served(SimulatedProfile("p1", service=Constant(10)), expires_after=30) as service:
        client = service.client()
        task = create(client)
        service.now += 10
        old: Any = client.tasks.retrieve(task.id)
        service.now += 29
        assert httpx.get(old.output[0]).status_code == 200
        service.now += 1
        assert httpx.get(old.output[0]).status_code == 403
        fresh: Any = client.tasks.retrieve(task.id)
        assert fresh.output != old.output
        assert httpx.get(fresh.output[0]).content == CLIP
        assert httpx.get(fresh.output[0], headers={"Authorization": "Bearer sk-emulated-p1"}).status_code == 400
        address = httpx.URL(fresh.output[0])
        for token in ("", "ffffffffffff." + "0" * 32, address.params["_jwt"] + "0", "é.é"):
            assert httpx.get(address.copy_set_param("_jwt", token)).status_code == 403


@pytest.mark.parametrize(
    ("kind", "code", "paid"),
    [("job_failure", "INTERNAL.BAD_OUTPUT.CODE01", 0), ("job_content", "SAFETY.INPUT.TEXT", 60)],
)
def test_tasks_fail_with_a_code(kind: Any, code: str, paid: int) -> None:
    """A failure of its own is refunded; one over its content is paid for."""
    with served(SimulatedProfile("p1", service=Constant(5)), faults=[Fault(kind)]) as service:
        task = create(service.client())
        service.now += 5
        failed: Any = service.client().tasks.retrieve(task.id)
        assert (failed.status, failed.failure_code, failed.cost.credits) == ("FAILED", code, paid)
        assert failed.failure


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overload", runwayml.InternalServerError),
        ("credit", runwayml.BadRequestError),
        ("auth", runwayml.AuthenticationError),
        ("content", runwayml.BadRequestError),
        ("lost_answer", runwayml.InternalServerError),
    ],
)
def test_faults_are_the_errors_that_the_client_knows(kind: Any, error: type[Exception]) -> None:
    """Each fault of a submit reaches the client as the error it has for it."""
    with served(faults=[Fault(kind)]) as service, pytest.raises(error):
        create(service.client())


def test_who_is_refused_before_anything_else() -> None:
    """No key, another's key, no version or an old one, another's task, an unknown address: in the API's envelope."""
    with served(SimulatedProfile("p1"), SimulatedProfile("p2")) as service:
        with pytest.raises(runwayml.AuthenticationError):
            create(service.client("sk-nobody"))
        with pytest.raises(runwayml.BadRequestError, match="X-Runway-Version"):
            create(service.client(runway_version="2024-09-13"))
        bare = httpx.post(f"{service.root}/v1/text_to_video", headers={"Authorization": "Bearer sk-emulated-p1"})
        assert bare.status_code == 400 and "X-Runway-Version" in bare.json()["error"]
        task = create(service.client())
        with pytest.raises(runwayml.NotFoundError):
            service.client("sk-emulated-p2").tasks.retrieve(task.id)
        assert isinstance(httpx.get(f"{service.root}/v1/nowhere").json()["error"], str)


def test_a_wrong_body_is_told_field_by_field() -> None:
    """A 400 lists every wrong field; a body that is no JSON object is a 400, too."""
    with served() as service:
        client = service.client()
        with pytest.raises(runwayml.BadRequestError) as caught:
            client.text_to_video.create(model="gen4.5", prompt_text="", ratio="16:9", duration=11)  # type: ignore[call-overload]
        body: Any = caught.value.body
        assert sorted(issue["path"][0] for issue in body["issues"]) == ["duration", "promptText", "ratio"]
        with pytest.raises(runwayml.BadRequestError, match="model"):
            client.text_to_video.create(model="gen4_turbo", prompt_text="a", ratio="1280:720", duration=5)  # type: ignore[call-overload]
        with pytest.raises(runwayml.BadRequestError, match="promptText"):
            create(client, "a" * 999 + "😀")
        create(client, "a" * 998 + "😀")
        headers = {"Authorization": "Bearer sk-emulated-p1", "X-Runway-Version": "2024-11-06"}
        for content in (b"", b"[]", b"{", b"[" * 100_000):
            answer = httpx.post(
                f"{service.root}/v1/text_to_video",
                content=content,
                headers={**headers, "Content-Type": "application/json"},
            )
            assert answer.status_code == 400


def test_the_clients_own_waiting_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's waiters, sync and async, go through THROTTLED to the output, or to the failure."""
    monkeypatch.setattr(polling, "POLL_TIME", 0.005)
    monkeypatch.setattr(polling, "POLL_JITTER", 0.0)
    faults = [Fault("job_failure", scene="bad")]
    profile = SimulatedProfile("p1", Concurrency(1), Constant(2))
    with Emulator([profile], speed=100, faults=faults, dialect="runway") as emulator:
        options: Any = {
            "api_key": "sk-emulated-p1",
            "base_url": emulator.base_url.removesuffix("/v1"),
            "max_retries": 0,
            "_strict_response_validation": True,
        }
        with runwayml.RunwayML(**options) as client:
            tasks = [create(client, f"a lighthouse, {i}") for i in range(2)]
            assert [task.wait_for_task_output(timeout=30).status for task in tasks] == ["SUCCEEDED"] * 2
            with pytest.raises(polling.TaskFailedError):
                create(client, "bad").wait_for_task_output(timeout=30)

        async def wait() -> str:
            async with runwayml.AsyncRunwayML(**options) as client:
                task = await client.text_to_video.create(
                    model="gen4.5", prompt_text="a harbour", ratio="720:1280", duration=2
                )
                return (await task.wait_for_task_output(timeout=30)).status

        assert asyncio.run(wait()) == "SUCCEEDED"


@pytest.mark.parametrize(("kind", "status"), [("expired", 403), ("overload", 503), ("wrong_type", 200), ("slow", 200)])
def test_downloads_go_wrong_as_told(kind: Any, status: int) -> None:
    """The first download meets the fault, the second one is whole."""
    fault = Fault(kind, nth=1, call="fetch", seconds=0.01)
    with served(SimulatedProfile("p1", service=Constant(5)), faults=[fault]) as service:
        client = service.client()
        task = create(client)
        service.now += 5
        done: Any = client.tasks.retrieve(task.id)
        first = httpx.get(done.output[0])
        assert first.status_code == status
        assert (first.content == CLIP) == (kind == "slow")
        assert httpx.get(done.output[0]).content == CLIP


def test_a_cut_off_download_is_seen_as_one() -> None:
    """A download that breaks off is an error of the connection."""
    with served(SimulatedProfile("p1", service=Constant(5)), faults=[Fault("cut_off", nth=1)]) as service:
        task = create(service.client())
        service.now += 5
        done: Any = service.client().tasks.retrieve(task.id)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(done.output[0])
