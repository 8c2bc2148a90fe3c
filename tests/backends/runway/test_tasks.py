"""Runway's backend: what goes over the wire, and what comes back as which word."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.mock_server import MockServer
from tests.backends.runway.mocked_tasks import (
    ALICE,
    JSON,
    KEY,
    LOCAL,
    OLD,
    PHASES,
    STORE,
    TASK,
    call,
    refusal,
    task,
)
from tests.fakes import MemorySink
from vidgen_nb.backends.runway.errors import task_failure
from vidgen_nb.backends.runway.tasks import Runway, read_progress
from vidgen_nb.core.model import Artifact, Operation, PollSchedule
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Backend, BackendError, Progress, Secret


def test_it_is_a_backend() -> None:
    """The class implements the port, uses the real host by default, and gives the settings for a run's header."""
    backend: Backend = Runway()
    assert backend.settings() == {
        "name": "runway", "base_url": "https://api.dev.runwayml.com/v1", "model": "gen4.5", "ratio": "1280:720",
        "duration": 5, "poll": {"first": 5.0, "factor": 1.5, "longest": 5.0, "shortest": 5.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": ""}, {"ratio": 1.5}, {"duration": 0}, {"duration": True}, {"duration": 2.5}, {"model": " "},
        {"poll": PollSchedule()}, {"poll": PollSchedule(first=1, longest=9)},
        {"poll": PollSchedule(first=9, longest=4.9)}, {"poll": 5},
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_once(options: dict[str, Any]) -> None:
    """Wrong settings, and polls faster than every 5 s, are an error where they are made."""
    with pytest.raises(InputError):
        Runway(**options)


def test_no_word_of_a_server_makes_polls_faster() -> None:
    """A slower schedule is taken, and its floor is 5 s."""
    poll = Runway(poll=PollSchedule(first=6, longest=30)).poll_schedule
    assert (poll.delay(0, None), poll.delay(9, None), poll.delay(0, 0.1)) == (6, 30, 5)


@pytest.mark.parametrize(
    ("status", "headers", "submit", "poll"),
    [
        (400, {}, Permanent, Permanent),
        (401, {}, ProfileUnusable, ProfileUnusable),
        (403, {}, ProfileUnusable, ProfileUnusable),
        (404, {}, Permanent, Permanent),
        (405, {}, Permanent, Permanent),
        (408, {}, Ambiguous, Transient),
        (422, {}, Permanent, Permanent),
        (429, {}, ProfileUnusable, RateLimited),
        (429, {"Retry-After": "30"}, ProfileUnusable, RateLimited),
        (500, {}, Transient, Transient),
        (502, {}, Ambiguous, Transient),
        (503, {}, Transient, Transient),
        (504, {}, Ambiguous, Transient),
        (524, {}, Ambiguous, Transient),
        (200, {}, Permanent, Permanent),
        (302, {}, Permanent, Transient),
    ],
)
def test_refusals_by_status(status: int, headers: dict[str, str], submit: type[Failure], poll: type[Failure]) -> None:
    """The status alone decides, and the phase: a 429 at a create is the day's quota, elsewhere it is a rate."""
    for phase, kind in (("submit", submit), ("poll", poll)):
        server = MockServer(httpx.Response(status, json={"error": f"no {KEY}"}, headers=headers))
        found = refusal(server, PHASES[phase])
        assert type(found) is kind
        if status == 429:
            assert getattr(found, "retry_after", 0) == (30 if headers else None)
            assert getattr(found, "cause", "") == ("day_quota" if phase == "submit" else "rate")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"status": {}}', b'{"id": "..", "status": null}', b"{" * 9999]
)
def test_what_is_no_answer(body: bytes) -> None:
    """A 200 without content leaves a submit in doubt; a poll is repeated."""
    assert type(refusal(MockServer(httpx.Response(200, content=body)), PHASES["submit"])) is Ambiguous
    assert type(refusal(MockServer(httpx.Response(200, content=body)), PHASES["poll"])) is Transient


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (task("PENDING"), Progress("queued")),
        (task("THROTTLED", estimatedCost={"credits": 60}), Progress("queued")),
        (task("RUNNING", progress=0.25), Progress("running", 0.25)),
        (task("RUNNING", progress=7), Progress("running", 1.0)),
        (task("RUNNING", progress="half"), Progress("running")),
        (task("SOMETHING_NEW"), Progress("running")),
        (task("RUNNING", failure="retrying", failureCode="INTERNAL"), Progress("running")),
        (task("PENDING", failure={"message": ""}, failureCode=""), Progress("queued")),
        (task("DELETED"), Progress("failed", outcome=Permanent("the task ended: deleted", "no_result"))),
        (task("SUCCEEDED", output=["ftp://a", 3, OLD.url, STORE]), Progress("succeeded", 1.0, artifact=OLD)),
        (task("SUCCEEDED", output=["http://[::1]:80/a"]), Progress("succeeded", 1.0, artifact=LOCAL)),
        (task("CANCELLED"), Progress("cancelled", outcome=Cancelled("cancelled at the provider"))),
    ],
)
def test_what_a_task_says(answer: httpx.Response, expected: Progress) -> None:
    """Each status of the vocabulary, and words beside it."""
    server = MockServer(answer)
    assert call(server, lambda backend: backend.poll(TASK, ALICE)) == expected
    (request,) = server.requests
    assert (request.url.path, request.headers["x-runway-version"]) == ("/v1/tasks/4ba6-1", "2024-11-06")


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        "https://artifacts.test/a.mp4",
        ["", "a.mp4", "http://", "http://[", "http://a:99999/", "http://" + "a" * 64, "http://a..b", None],
    ],
)
def test_a_success_without_a_result_is_none(output: Any) -> None:
    """Succeeded, but no video: it is paid for, so that each fetch asks for it again."""
    answer = task("SUCCEEDED", output=output)
    found = call(MockServer(answer), lambda backend: backend.poll(TASK, ALICE))
    assert found == Progress("succeeded", 1.0, artifact=Artifact("public"))
    refused = refusal(MockServer(answer), lambda backend: backend.fetch(TASK, Artifact("public"), ALICE, MemorySink()))
    assert refused == Permanent("the task succeeded without a result", "no_result")


def test_a_success_with_a_refusal_and_no_result_has_failed() -> None:
    """What is told beside it counts, as of a failed task."""
    answer = task("SUCCEEDED", output=[], failureCode="SAFETY.OUTPUT.VIDEO", failure="no")
    found = call(MockServer(answer), lambda backend: backend.poll(TASK, ALICE))
    assert isinstance(found.outcome, Permanent) and found.outcome.cause == "content"


@pytest.mark.parametrize(
    ("code", "kind", "cause"),
    [
        ("SAFETY.INPUT.TEXT", Permanent, "content"),
        ("SAFETY.OUTPUT.VIDEO", Permanent, "content"),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", Permanent, "content"),
        ("INPUT_PREPROCESSING.SAFETY.THIRD_PARTY", Permanent, "content"),
        ("THIRD_PARTY.SAFETY", Permanent, "content"),
        ("INTERNAL.BAD_OUTPUT.CODE01", Transient, ""),
        ("INTERNAL", Transient, ""),
        ("INPUT_PREPROCESSING.INTERNAL", Transient, ""),
        ("THIRD_PARTY.UNAVAILABLE", Transient, ""),
        (None, Transient, ""),
        ("ASSET.INVALID", Permanent, "bad_request"),
        ("INPUT_PREPROCESSING.OTHER", Permanent, "bad_request"),
        ("SOMETHING.NEW", Permanent, "no_result"),
    ],
)
def test_what_a_failure_means(code: str | None, kind: type[Failure], cause: str) -> None:
    """Refused content is never retried; an internal failure is; an unknown code is not."""
    for status in ("FAILED", "failed", "A_NEW_END"):
        answer = task(status, failure=f"it broke, {KEY}", failureCode=code, cost={"credits": 0})
        found = call(MockServer(answer), lambda backend: backend.poll(TASK, ALICE))
        assert found.status == "failed"
        assert type(found.outcome) is kind
        assert getattr(found.outcome, "cause", "") == cause
        assert KEY not in repr(found) and (code or "it broke") in repr(found)


def test_a_result_is_fetched_without_the_key() -> None:
    """The store's host sees neither the key nor the API's version."""
    server = MockServer(httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"}))
    sink = MemorySink()
    call(server, lambda backend: backend.fetch(TASK, OLD, ALICE, sink))
    assert (sink.data, sink.committed) == (b"video", (5, "video/mp4"))
    (request,) = server.requests
    assert str(request.url) == OLD.url
    assert KEY not in str(request.headers) and not {"authorization", "x-runway-version"} & request.headers.keys()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_expired_address_is_asked_for_afresh_once(status: int) -> None:
    """The task is asked, with the key, and its new address fetched, without it."""
    video = httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"})
    server = MockServer(httpx.Response(status), task("SUCCEEDED", output=[STORE + "new"]), video)
    sink = MemorySink()
    call(server, lambda backend: backend.fetch(TASK, OLD, ALICE, sink))
    assert sink.data == b"video"
    assert [request.url.host for request in server.requests] == [
        "artifacts.test", "api.dev.runwayml.com", "artifacts.test",
    ]  # fmt: skip
    assert str(server.requests[2].url) == STORE + "new"
    assert [KEY in str(request.headers.raw) for request in server.requests] == [False, True, False]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([httpx.Response(403), task("SUCCEEDED", output=[STORE]), httpx.Response(403)], Transient),
        ([httpx.Response(403), task("SUCCEEDED", output=[STORE]), httpx.Response(404)], Permanent),
        ([httpx.Response(403), task("SUCCEEDED", output=[])], Permanent),
        ([httpx.Response(403), task("RUNNING")], Transient),
        ([httpx.Response(403), httpx.Response(404, json={"error": "gone"})], Permanent),
        ([httpx.Response(403), httpx.Response(401, json={"error": "no"})], ProfileUnusable),
        ([httpx.Response(404), httpx.Response(503)], Transient),
        ([httpx.Response(500)], Transient),
        ([httpx.Response(429)], Transient),
        ([httpx.Response(200, json={"error": "no"})], Transient),
        ([httpx.ReadError("gone")], Transient),
    ],
)
def test_a_result_that_cannot_be_had(answers: list[Any], expected: type[Failure]) -> None:
    """The store's answer says nothing about the profile; the API's answer about the task does."""
    server = MockServer(*answers)
    assert type(refusal(server, lambda backend: backend.fetch(TASK, OLD, ALICE, MemorySink()))) is expected
    assert not server.answers


def test_a_redirect_takes_no_key_along() -> None:
    """A store that sends on, back to the API's own host, gets no key there either."""
    video = httpx.Response(200, content=b"video", headers={"Content-Type": "video/mp4"})
    server = MockServer(
        httpx.Response(302, headers={"Location": "https://api.dev.runwayml.com/v1/organization"}), video
    )
    call(server, lambda backend: backend.fetch(TASK, OLD, ALICE, MemorySink()))
    assert [KEY in str(request.headers.raw) for request in server.requests] == [False, False]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(204, "cancelled"), (200, "cancelled"), (404, "too late"), (409, "too late"), (405, "unsupported")],
)
def test_cancel(status: int, answer: str) -> None:
    """A task is deleted; one that is gone already can't be."""
    server = MockServer(httpx.Response(status))
    assert call(server, lambda backend: backend.cancel(TASK, ALICE)) == answer
    assert (server.requests[0].method, server.requests[0].url.path) == ("DELETE", "/v1/tasks/4ba6-1")
    assert type(refusal(MockServer(httpx.Response(503)), PHASES["cancel"])) is Transient


def test_a_key_is_tried_without_a_submit() -> None:
    """The account is requested; a bad key and an account without credits are distinguished by status and balance."""
    server = MockServer(httpx.Response(200, json={"creditBalance": 100}))
    call(server, PHASES["probe"])
    assert (server.requests[0].method, server.requests[0].url.path) == ("GET", "/v1/organization")
    for answer, cause in (
        (httpx.Response(401, json={"error": "no"}), "auth"),
        (httpx.Response(200, json={"creditBalance": 0}), "credit"),
    ):
        found = refusal(MockServer(answer), PHASES["probe"])
        assert isinstance(found, ProfileUnusable) and found.cause == cause
    assert isinstance(refusal(MockServer(httpx.Response(200, content=b"<html>")), PHASES["probe"]), Transient)


STATUSES = st.sampled_from(["PENDING", "THROTTLED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "", "X"])
TASKS = st.builds(
    lambda more, known: {**more, **known},
    st.dictionaries(st.text(), JSON, max_size=2),
    st.fixed_dictionaries(
        {}, optional={"status": STATUSES | JSON, "progress": JSON, "output": JSON, "failure": JSON, "failureCode": JSON,
                      "id": JSON, "error": JSON, "issues": JSON},
    ),
)  # fmt: skip


@settings(deadline=None)
@given(TASKS | JSON)
def test_any_json_is_a_progress_or_none(data: Any) -> None:
    """Any task gives a progress that makes sense, or counts as no task."""
    found = read_progress(data, Secret(KEY))
    if found is not None:
        assert (found.artifact is not None) == (found.status == "succeeded")
        assert (found.outcome is not None) == (found.status in ("failed", "cancelled"))
        assert found.progress is None or 0 <= found.progress <= 1
    if isinstance(data, dict):
        assert isinstance(task_failure(data, Secret(KEY)), Permanent | Transient)


@settings(deadline=None, max_examples=60)
@given(TASKS | JSON, st.sampled_from([200, 204, 301, 400, 401, 404, 429, 500, 502]), st.sampled_from(sorted(PHASES)))
def test_any_answer_is_an_answer_or_a_backend_error(data: Any, status: int, phase: str) -> None:
    """Whatever the API answers, in every phase, nothing else is raised."""
    answer = httpx.Response(status, content=json.dumps(data).encode())
    try:
        found: Any = call(MockServer(answer), PHASES[phase])
    except BackendError:
        return
    assert status < 300 or phase == "cancel"
    assert isinstance(found, Operation | Progress | str | None)


def test_an_unknown_status_is_said_once_and_never_deleted(caplog: pytest.LogCaptureFixture) -> None:
    """It may mean that the task is done, and its result would be gone."""
    server = MockServer(*(httpx.Response(200, json={"id": TASK.id, "status": "PONDERING"}) for _ in range(2)))

    async def go() -> None:
        backend = Runway(transport=httpx.MockTransport(server))
        for _ in range(2):
            assert (await backend.poll(TASK, ALICE)).status == "running"
        assert await backend.cancel(TASK, ALICE) == "unsupported"

    asyncio.run(go())
    assert [record.message.count("'PONDERING'") for record in caplog.records] == [1]
    assert [each.method for each in server.requests] == ["GET", "GET"]
