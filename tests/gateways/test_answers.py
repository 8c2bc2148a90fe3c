"""Refusals in the shapes of other people's servers: what they mean, how long they ask to wait, what a person reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response

from tests.gateways.harness import SPEED, backend_of, failures, run_scenes, session_of, statuses
from tests.gateways.servers import NewApi, Sglang, VllmOmni
from tests.gateways.video_server import VideoServer
from vidgen_nb.clock import Clock
from vidgen_nb.core.outcomes import Failure, ProfileUnusable, RateLimited


def first_refusal(folder: Path, status: int, body: object, headers: Mapping[str, str] | None = None) -> Failure:
    """Return what the product makes of a refusal of its first submit; the second is accepted."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", lambda: JSONResponse(body, status, headers), times=1)
        return failures(run_scenes(backend_of(server.base_url), folder, max_wait=0))[0]


def test_the_quota_of_a_gateways_account(tmp_path: Path) -> None:
    """New API's `insufficient_user_quota` with 403 is money: no scene is lost, and no key is blamed."""
    with NewApi(speed=SPEED, quota=8) as server:
        run = run_scenes(backend_of(server.base_url), tmp_path, 4, max_wait=0)
    refused = failures(run)[0]
    assert server.billed_seconds == 8
    assert statuses(run).count("succeeded") == 2 and "failed" not in statuses(run)
    assert isinstance(refused, ProfileUnusable) and refused.cause == "credit"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "insufficient_quota"),
        (400, "insufficient_quota"),
        (403, "billing_hard_limit_reached"),
        (429, "insufficient_user_quota"),
        (500, "insufficient_quota"),
    ],
)
def test_money_with_any_status(status: int, code: str, tmp_path: Path) -> None:
    """What is not paid for is not a matter of the status."""
    refused = first_refusal(tmp_path, status, {"error": {"code": code, "message": "top up"}})
    assert isinstance(refused, ProfileUnusable)
    assert refused.cause == "credit"


GOOGLE = {
    "code": 403,
    "message": "Rate Limit Exceeded",
    "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "Rate Limit Exceeded"}],
}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": "429", "type": "throttling_error", "message": "litellm.RateLimitError"}),
        (403, {"code": "rate_limit_exceeded", "message": "slow down"}),
        (400, {"code": "too_many_requests", "message": "slow down"}),
        (403, {"code": "concurrency_limit_reached", "message": "two jobs run"}),
        (503, {"code": "rate_limit_exceeded", "message": "slow down"}),
        (403, GOOGLE),
        (400, {"code": "429", "type": "throttling_error", "message": "slow down"}),
        (200, {"code": 429, "message": "Provider returned error"}),
        (200, {"code": "429", "message": "Provider returned error"}),
    ],
)
def test_a_rate_limit_by_its_code(status: int, error: object, tmp_path: Path) -> None:
    """A rate code is a rate limit with whatever status: the profile cools, the scene goes on."""
    assert isinstance(first_refusal(tmp_path, status, {"error": error}), RateLimited)


def test_a_servers_error_in_a_200(tmp_path: Path) -> None:
    """HTTP 200 with a 503 in it is a 503: tried again."""
    with VllmOmni(speed=SPEED) as server:
        body = {"error": {"code": 503, "message": "Provider returned error"}}
        server.fail("submit", lambda: JSONResponse(body), times=1)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["succeeded"]
    assert server.billed_seconds == 4


NESTED = (
    "litellm.BadRequestError: OpenAIException - "
    '{"error":{"message":"Invalid value: \'5\'.","type":"invalid_request_error","param":"seconds",'
    '"code":"invalid_value"}}\n\nLiteLLM: model group \'film\' failed with the error above.'
)
FASTAPI = [{"type": "int_parsing", "loc": ["body", "seconds"], "msg": "Input should be a valid integer", "input": "x"}]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"detail": "Model mismatch"}, ["Model mismatch"]),
        (400, {"error": "no such thing"}, ["no such thing"]),
        (400, {"message": "no such thing", "code": "invalid_request"}, ["no such thing", "invalid_request"]),
        pytest.param(422, {"detail": FASTAPI}, ["seconds", "valid integer"], id="FastAPI"),
        pytest.param(400, [{"error": {"code": 400, "message": "bad size"}}], ["bad size"], id="a list"),
        pytest.param(400, {"error": [{"message": "bad size"}]}, ["bad size"], id="errors as a list"),
        pytest.param(400, {"errors": [{"message": "bad size"}]}, ["bad size"], id="errors"),
        pytest.param(400, {"error": {"message": "Invalid value", "param": "size"}}, ["size"], id="param"),
        (400, {"error": {"message": NESTED, "type": "x", "param": None, "code": "400"}}, ["Invalid value", "seconds"]),
        pytest.param(400, {"error": {"message": NESTED, "code": "400"}}, ["invalid_value: Invalid value"], id="nested"),
    ],
)  # fmt: skip
def test_what_a_person_reads(status: int, body: object, words: list[str], tmp_path: Path) -> None:
    """Reason and field of a refusal are in the scene's error, whatever its shape."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", lambda: JSONResponse(body, status))
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert statuses(run) == ["failed"]
    assert [word for word in words if word not in (run.scenes[0].error or "")] == []


WAIT_FORMS: dict[str, tuple[Mapping[str, str], object]] = {
    "Retry-After": ({"Retry-After": "40"}, {}),
    "Retry-After, a date": ({"Retry-After": "{date}"}, {}),
    "x-ratelimit-reset-requests": ({"x-ratelimit-reset-requests": "40s"}, {}),
    "RetryInfo": ({}, {"error": {"details": [{"retryDelay": "40s"}]}}),
    "retry_after": ({}, {"error": {"retry_after": 40}}),
    "Retry-After, with a unit": ({"Retry-After": "40s"}, {}),
    "Retry-After, an epoch": ({"Retry-After": "{epoch}"}, {}),
    "Retry-After, an epoch in ms": ({"Retry-After": "{epoch}000"}, {}),
    "Retry-After, RFC 3339": ({"Retry-After": "{iso}"}, {}),
    "x-rate-limit-reset": ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "{epoch}"}, {}),
    "RateLimit, draft 7": ({"RateLimit": "limit=10, remaining=0, reset=40"}, {}),
    "llm_provider-retry-after": ({"llm_provider-retry-after": "40"}, {"error": {"type": "throttling_error"}}),
    "retryAfter": ({}, {"error": "too many requests", "retryAfter": 40}),
    "retry_after_seconds": ({}, {"error": {"message": "slow down", "retry_after_seconds": 40}}),
    "retry_after with a unit": ({}, {"error": {"message": "slow down", "retry_after": "40s"}}),
    "retry_after_ms": ({}, {"error": {"message": "slow down", "retry_after_ms": 40_000}}),
    "detail.retry_after": ({}, {"detail": {"message": "slow down", "retry_after": 40}}),
    "Retry-After, ISO 8601": ({"Retry-After": "PT40S"}, {}),
    "Retry-After, a TimeSpan": ({"Retry-After": "00:00:40"}, {}),
    "Retry-After, quoted": ({"Retry-After": '"40"'}, {}),
    "retry-after-ms with a unit": ({"retry-after-ms": "40s"}, {}),
    "x-ratelimit-reset with a window": ({"x-ratelimit-reset": "40;w=60"}, {}),
    "retryDelay": ({}, {"error": {"message": "slow down", "retryDelay": "40s"}}),
    "google.protobuf.Duration": ({}, {"error": {"details": [{"retryDelay": {"seconds": "40"}}]}}),
    "resetTime": ({}, {"error": {"message": "slow down", "resetTime": "{iso}"}}),
    "rate_limit.reset": ({}, {"error": "slow down", "rate_limit": {"remaining": 0, "reset": 40}}),
    "GraphQL": ({}, {"errors": [{"message": "slow down", "extensions": {"retryAfter": 40}}]}),
    "an error in a text": ({}, {"error": {"message": 'OpenAIException - {"error": {"retry_after": 40}}'}}),
    "Replicate's prose": ({}, {"detail": "Request was throttled. Your rate limit resets in ~40s."}),
}


@pytest.mark.parametrize("form", WAIT_FORMS)
def test_how_long_to_wait(form: str, tmp_path: Path) -> None:
    """Each form says forty seconds."""
    headers, body = WAIT_FORMS[form]
    then = datetime.fromtimestamp(Clock().epoch, UTC).replace(microsecond=0) + timedelta(seconds=40)
    date, iso = format_datetime(then, usegmt=True), then.isoformat().replace("+00:00", "Z")
    sent = {name: text.format(date=date, iso=iso, epoch=int(then.timestamp())) for name, text in headers.items()}
    dated = json.loads(json.dumps(body).replace("{iso}", iso))
    refused = first_refusal(tmp_path, 429, dated, sent)
    assert isinstance(refused, RateLimited)
    assert refused.retry_after is not None
    assert 20 < refused.retry_after <= 41


@pytest.mark.parametrize(("code", "kind"), [("rate_limit_exceeded", RateLimited), ("daily_quota", ProfileUnusable)])
def test_how_long_to_wait_stands_in_a_200(code: str, kind: type[Failure], tmp_path: Path) -> None:
    """The wait of an error inside a success is not lost."""
    refused = first_refusal(tmp_path, 200, {"error": {"code": code, "message": "x"}}, {"Retry-After": "40"})
    assert isinstance(refused, kind)
    assert getattr(refused, "retry_after", None) == 40


@pytest.mark.parametrize("kind", [VllmOmni, Sglang, NewApi])
def test_a_good_key_is_told_from_a_bad_one(kind: type[VideoServer], tmp_path: Path) -> None:
    """New API lists no videos, but models, and refuses a bad key there as everywhere; each has a refusal of its own."""
    with kind() as server, session_of(backend_of(server.base_url), tmp_path) as session:
        assert [each.ok for each in session.check()] == [True]
        server.keys = {"sk-another-5678"}
        assert [each.ok for each in session.check()] == [False]


def test_a_refusal_without_any_body(tmp_path: Path) -> None:
    """A 429 without a body is a 429."""
    with VllmOmni(speed=SPEED) as server:
        server.fail("submit", lambda: Response(b"", 429), times=1)
        run = run_scenes(backend_of(server.base_url), tmp_path)
    assert isinstance(failures(run)[0], RateLimited)
    assert statuses(run) == ["succeeded"]
