"""Paths that lead to nothing stop the run before more is paid; a result that is null is waited for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

import vidgen_nb as vg
from tests.backends.described.described_apis import (
    ALICE,
    FAL_JOB,
    GET,
    GOOD,
    JOB,
    JOB_URL,
    KEY,
    LINKS,
    POST,
    SCENE,
    VIDEO,
    call,
    fal,
    ok,
    refusal,
    replicate,
)
from tests.backends.mock_server import MockApi
from tests.fakes import MemorySink
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Artifact, Operation
from vidgen_nb.core.outcomes import Ambiguous, Permanent, RateLimited
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Profile, Progress

STATES: dict[str, Any] = {"statuses": {"succeeded": "succeeded"}}


@pytest.mark.parametrize(
    ("wrong", "mode", "sent"),
    [("job", "normal", 1), ("job", "boost", 1), ("status", "normal", 2), ("result", "normal", 2)],
)
def test_a_wrong_place_stops_the_run_before_more_is_paid(
    wrong: str, mode: str, sent: int, toy_url: str, tmp_path: Path
) -> None:
    """No answer has the place: what was sent by then is held, or asked about after a restore; the rest stays queued."""
    right: dict[str, Any] = {
        "submit": "/jobs", "body": lambda scene: {"prompt": scene.prompt}, "auth": "X-Api-Key: {key}",
        "job": "job.id", "poll": "/jobs/{id}", "status": "state", "statuses": {"done": "succeeded"}, "result": "video",
    }  # fmt: skip
    most = 1 if mode == "normal" else 10
    profiles = [Profile("alice", KEY, capacity=most), Profile("bob", "other-key-2", capacity=most)]
    wrongly = HttpBackend(toy_url, **{**right, wrong: "no.such"})
    session = vg.Session(wrongly, profiles, mode=mode, journal=tmp_path / "runs", output=tmp_path, speed=60.0)
    with (
        session,
        pytest.raises(InputError, match=f"no usable {wrong} at 'no.such'; it has: .*Correct {wrong}=") as caught,
    ):
        session.run_blocking([f"scene {i}" for i in range(20)])
    assert session.last_run is not None
    counts = Counter(scene.status for scene in session.last_run.scenes)
    assert 1 <= counts["held"] <= sent and counts["held"] + counts["queued"] == 20
    assert ("goes on with the run" in "".join(getattr(caught.value, "__notes__", ""))) == (wrong != "job")

    with vg.restore(tmp_path / "runs", HttpBackend(toy_url, **right), profiles, output=tmp_path) as again:
        run = again.run_blocking()
    found = Counter(scene.status for scene in run.scenes)
    assert found == ({"held": 1, "succeeded": 19} if wrong == "job" else {"succeeded": 20})


DONE: dict[str, Any] = {"id": "p1", "status": "succeeded"}


@pytest.mark.parametrize(
    ("result", "answer", "outline"),
    [
        (
            "output.url",
            {"output": {"video": VIDEO}},
            "at 'output.url'; its output has: video; it has: id, status, output",
        ),
        ("output", {"output": {"video": VIDEO}}, "at 'output'; its output has: video; it has: id, status, output"),
        ("output.0.url", {"output": [{"video": VIDEO}]}, "its output.0 has: video"),
        ("output.url", {"output": [VIDEO]}, "its output is a list of 1"),
        ("output.url", {"output": VIDEO}, "its output is a text"),
        ("output", {"result": VIDEO}, "at 'output'; it has: id, status, result"),
        (lambda answer: answer["output"]["url"], {"output": {"video": VIDEO}}, "at the place its function reads; it"),
        ("output.url", {"output": {KEY: VIDEO, "\u202ename": 1}}, r"its output has: \[key\], name; it has"),
    ],
)
def test_a_wrong_place_of_the_result_is_no_failure_of_the_job(
    result: Any, answer: dict[str, Any], outline: str
) -> None:
    """A first success that has something else there stops the run; once there was a video, it is the job's affair."""
    there = {"output": {"url": VIDEO}} if callable(result) or result == "output.url" else {}

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **STATES, "result": result, **options})

    def poll(*bodies: dict[str, Any]) -> Progress:
        async def work(backend: HttpBackend) -> Progress:
            return [await backend.poll(Operation("p1"), ALICE) for _ in bodies][-1]

        return call(make, MockApi({JOB_URL: [ok(**DONE, **body) for body in bodies]}), work)

    with pytest.raises(InputError, match=outline) as caught:
        poll(answer)
    assert KEY not in str(caught.value) and len(str(caught.value)) < 400
    with pytest.raises(InputError, match=r"Correct result=.* lambda"):
        poll({"output": None}, answer)
    assert poll({**answer, "detail": "filtered"}).status == "failed"
    if there:
        assert poll(there, answer).status == "succeeded"  # the next fetch finds none, and is repeated


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("output", {"output": None}), ("output", {"output": []}), ("output", {"output": [None]}),
        ("output.url", {"output": None}), ("output.url", {"output": {}}), ("output.url", {"output": {"url": ""}}),
        ("output.0.url", {"output": []}), (lambda answer: answer.get("output"), {}),
        (lambda answer: answer["output"]["url"], {"output": None}),
        (lambda answer: answer["output"][0], {"output": []}),
    ],
)  # fmt: skip
def test_a_result_that_is_not_there_yet(result: Any, answer: dict[str, Any]) -> None:
    """If the value is null, or something on the way to it, it may come: the job is done and paid for, not failed."""

    def make(**options: Any) -> HttpBackend:
        return HttpBackend("https://toy.example", **{**GOOD, **STATES, "result": result, **options})

    server = MockApi({JOB_URL: ok(**DONE, **answer)})
    assert call(make, server, lambda backend: backend.poll(Operation("p1"), ALICE)).status == "succeeded"
    fetch = lambda backend: backend.fetch(Operation("p1"), Artifact("with_key"), ALICE, MemorySink())  # noqa: E731
    found = refusal(make, server, fetch)
    assert isinstance(found, Permanent) and found.cause == "no_result"
    said = MockApi({JOB_URL: ok(**DONE, **answer, error={"message": "filtered"})})
    assert call(make, said, lambda backend: backend.poll(Operation("p1"), ALICE)).status == "failed"


def test_a_wrong_place_in_the_details_stops_the_run_too() -> None:
    """There the result is looked for when it is fetched."""

    async def fetch(backend: HttpBackend) -> None:
        await backend.fetch(FAL_JOB, Artifact("with_key"), ALICE, MemorySink())

    server = MockApi({f"GET {LINKS['response_url']}": ok(video={"address": VIDEO})})
    with pytest.raises(InputError, match=r"at 'video\.url'; its video has: address; it has: video\. Correct result="):
        call(fal, server, fetch)
    found = refusal(fal, MockApi({f"GET {LINKS['response_url']}": ok(video=None)}), fetch)
    assert isinstance(found, Permanent) and found.cause == "no_result"


def test_a_result_that_is_gone_by_the_fetch_fails_its_job_alone() -> None:
    """A poll had shown it, maybe before a restore."""
    server = MockApi({GET: ok(id="p1", status="succeeded")})
    found = refusal(replicate, server, lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, MemorySink()))
    assert isinstance(found, Permanent) and found.cause == "no_result"


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, json=["p1"]), httpx.Response(202), httpx.Response(200, html="<title>UI</title>")]
)
def test_a_first_answer_of_another_kind_stops_the_run(answer: httpx.Response) -> None:
    """A list, nothing, a page: it has no place for a job at all, and the next scene would fare the same."""

    async def send(backend: HttpBackend) -> str:
        with pytest.raises(BackendError, match="has no job in it") as caught:
            await backend.submit(SCENE, ALICE)
        assert isinstance(caught.value.outcome, Ambiguous)
        return caught.value.stop

    assert "base_url" in call(replicate, MockApi({POST: answer}), send)


def test_a_first_answer_that_tells_of_an_error_is_one() -> None:
    """A 200 with an error in it says nothing about the path of the id: it is classified as usual."""
    body = {"error": {"code": "rate_limit_exceeded"}}
    assert isinstance(refusal(replicate, MockApi({POST: ok(**body)}), lambda b: b.submit(SCENE, ALICE)), RateLimited)
    failed = {"detail": "no idea"}
    assert isinstance(refusal(replicate, MockApi({POST: ok(**failed)}), lambda b: b.submit(SCENE, ALICE)), Ambiguous)


def test_a_first_answer_without_anything_at_the_place_stops_the_run() -> None:
    """An object that has no job where the description says: each further scene would be paid in vain."""
    with pytest.raises(InputError, match=r"no usable job at 'id'.*Correct job="):
        call(replicate, MockApi({POST: ok(data=None)}), lambda backend: backend.submit(SCENE, ALICE))
