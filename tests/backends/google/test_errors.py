"""The table of Google's refusals: status, codes, details and phase in, the scheduler's word out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.backends.google.errors import classify, is_content, job_failure, seconds_to_reset
from vidgen_nb.backends.wire.http import Answer, Phase
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

KEY = Secret("AIza-very-secret")
PHASES: tuple[Phase, ...] = get_args(Phase)
RPC = "type.googleapis.com/google.rpc."
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "error", "errors", "code", "status", "message", "details", "reason", "violations", "quotaId", "retryDelay",
    ]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def retry(delay: object) -> dict[str, Any]:
    """Return a RetryInfo."""
    return {"@type": f"{RPC}RetryInfo", "retryDelay": delay}


def quota(*names: str) -> dict[str, Any]:
    """Return a QuotaFailure."""
    return {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": name} for name in names]}


def info(reason: str) -> dict[str, Any]:
    """Return an ErrorInfo."""
    return {"@type": f"{RPC}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def rpc(status: int, name: str, *details: dict[str, Any], phase: Phase = "submit", now: float = 0.0) -> Failure:
    """Classify an answer in the shape of google.rpc.Status."""
    error = {"code": status, "message": "m", "status": name, "details": list(details)}
    return classify(Answer(status, [], {"error": error}), phase, key=KEY, now_epoch=now)


def coded(status: int, code: str | None, phase: Phase = "submit", headers: Any = ()) -> Failure:
    """Classify an answer in the shape of the API's page of error codes."""
    data = {"error": {"code": code, "message": "m"}} if code else None
    return classify(Answer(status, list(headers), data), phase, key=KEY, now_epoch=0)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("status", "name", "details", "kind", "cause"),
    [
        (429, "RESOURCE_EXHAUSTED", [], RateLimited, "rate"),
        (429, "RESOURCE_EXHAUSTED", [quota("GenerateRequestsPerMinutePerProjectPerModel")], RateLimited, "rate"),
        (429, "RESOURCE_EXHAUSTED", [quota("ConcurrentRequestsPerProject")], RateLimited, "concurrency"),
        (429, "RESOURCE_EXHAUSTED", [quota("XPerMinute", "GenerateRequestsPerDayPerProject-FreeTier")],
         ProfileUnusable, "day_quota"),
        (400, "INVALID_ARGUMENT", [info("API_KEY_INVALID")], ProfileUnusable, "auth"),
        (403, "PERMISSION_DENIED", [info("API_KEY_SERVICE_BLOCKED")], ProfileUnusable, "auth"),
        (403, "PERMISSION_DENIED", [info("SERVICE_DISABLED")], ProfileUnusable, "auth"),
        (401, "UNAUTHENTICATED", [], ProfileUnusable, "auth"),
        (402, "FAILED_PRECONDITION", [], ProfileUnusable, "credit"),
        (403, "PERMISSION_DENIED", [info("CONSUMER_SUSPENDED")], ProfileUnusable, "auth"),
        (400, "FAILED_PRECONDITION", [info("BILLING_DISABLED")], ProfileUnusable, "credit"),
        (400, "INVALID_ARGUMENT", [info("PROHIBITED_CONTENT")], Permanent, "content"),
        (400, "INVALID_ARGUMENT", [], Permanent, "bad_request"),
        (413, "INVALID_ARGUMENT", [], Permanent, "bad_request"),
        (501, "UNIMPLEMENTED", [], Permanent, "bad_request"),
    ],
)  # fmt: skip
def test_what_names_and_details_decide_in_every_phase(
    phase: Phase, status: int, name: str, details: list[dict[str, Any]], kind: type[Failure], cause: str
) -> None:
    """Rate, daily quota, key, credit and content are distinguished by status, names and details."""
    found = rpc(status, name, *details, phase=phase)
    assert isinstance(found, kind)
    assert getattr(found, "cause", None) == cause
    assert found.reason.startswith(f"HTTP {status} ")


@pytest.mark.parametrize(
    ("status", "code", "kind", "cause"),
    [
        (400, "invalid_request", Permanent, "bad_request"), (400, "parameter_unknown", Permanent, "bad_request"),
        (400, "failed_precondition", Permanent, "bad_request"), (416, "out_of_range", Permanent, "bad_request"),
        (401, "authentication", ProfileUnusable, "auth"), (403, "permission_denied", ProfileUnusable, "auth"),
        (402, "payment_required", ProfileUnusable, "credit"), (404, "not_found", Permanent, "no_such_model"),
        (404, "model_not_found", Permanent, "no_such_model"), (409, "already_exists", Permanent, "bad_request"),
        (409, "aborted", Transient, None), (429, "rate_limit_exceeded", RateLimited, "rate"),
        (429, "too_many_requests", RateLimited, "rate"), (429, "quota_exceeded", ProfileUnusable, "day_quota"),
        (499, "cancelled", Ambiguous, None), (500, "api_error", Transient, None),
        (501, "unimplemented", Permanent, "bad_request"), (503, "service_unavailable", Transient, None),
        (504, "deadline_exceeded", Ambiguous, None),
        *((400, code, Permanent, "content") for code in (
            "safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "image_safety",
            "image_prohibited_content", "image_recitation", "image_other", "content_blocked", "video_safety",
        )),
    ],
)  # fmt: skip
def test_the_codes_of_the_apis_page(status: int, code: str, kind: type[Failure], cause: str | None) -> None:
    """Every code that Google documents for this API, at a submit."""
    found = coded(status, code)
    assert isinstance(found, kind)
    assert getattr(found, "cause", None) == cause
    assert found.reason == f"HTTP {status} {code}: m" + ("; the job may have been accepted" * (kind is Ambiguous))


@pytest.mark.parametrize(
    ("status", "phase", "kind", "cause"),
    [
        (404, "poll", Permanent, "no_result"), (404, "fetch", Permanent, "no_result"),
        (404, "submit", Permanent, "bad_request"), (502, "submit", Ambiguous, None), (502, "poll", Transient, None),
        (504, "fetch", Transient, None), (499, "poll", Transient, None), (408, "submit", Ambiguous, None),
        (403, "submit", ProfileUnusable, "auth"), (403, "fetch", Permanent, "no_result"),
        (409, "fetch", Transient, None), (307, "submit", Permanent, "bad_request"), (307, "poll", Transient, None),
    ],
)  # fmt: skip
def test_what_status_and_phase_decide(status: int, phase: Phase, kind: type[Failure], cause: str | None) -> None:
    """Without a word in the body the status counts: nobody knows of a model there, and an expired file is a 403."""
    found = coded(status, None, phase)
    assert isinstance(found, kind)
    assert getattr(found, "cause", None) == cause


def test_waits_come_from_the_body() -> None:
    """RetryInfo's delay is fractional, and reaches rate limits and overload; a header comes first."""
    assert rpc(429, "RESOURCE_EXHAUSTED", retry("34.4s")) == RateLimited(
        34.4, "RetryInfo", "HTTP 429 resource_exhausted: m"
    )
    assert rpc(503, "UNAVAILABLE", retry("0.5s")) == Transient("HTTP 503 unavailable: m", 0.5)
    assert getattr(coded(429, "too_many_requests", headers=[("retry-after-ms", "1")]), "retry_after", None) == 0.001
    for junk in ("soon", "-3s", [5], None, "9e99s"):
        assert getattr(rpc(429, "RESOURCE_EXHAUSTED", retry(junk)), "retry_after", 0) is None


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 24, 12, tzinfo=UTC), 20),  # 4:00 in California
        (datetime(2026, 6, 24, 12, tzinfo=UTC), 19),  # 5:00 in California
        (datetime(2026, 11, 1, 7, tzinfo=UTC), 25),  # midnight, before the longest day of the year
        (datetime(2026, 11, 24, 7, 30, tzinfo=UTC), 0.5),
    ],
)
def test_daily_quotas_are_reset_at_midnight_pacific_time(now: datetime, hours: float) -> None:
    """Without a delay a day's quota is over at Google's documented reset, in summer and in winter."""
    assert seconds_to_reset(now.timestamp()) == hours * 3600


@pytest.mark.parametrize("now", [1e15, -1e15, 253402300799.0])
def test_a_servers_clock_beyond_all_calendars(now: float) -> None:
    """A date that no calendar has makes it a day."""
    assert seconds_to_reset(now) == 86400


def test_the_minutes_delay_beside_a_daily_quota_is_not_the_days() -> None:
    """A delay of 47 s beside a daily quota is ignored, one of 10 h is taken at its word."""
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
    for told, wait in (([], 72000.0), ([retry("47s")], 72000.0), ([retry("36000.5s")], 36000.5)):
        found = rpc(429, "RESOURCE_EXHAUSTED", quota("XPerDay", "XPerMinute"), *told, now=noon)
        assert isinstance(found, ProfileUnusable)
        assert found.retry_after == wait


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        ({"code": "api_error"}, Transient, None), ({"code": 13}, Transient, None), ({"code": 14}, Transient, None),
        ({"code": 3}, Permanent, "no_result"), ({"code": "safety"}, Permanent, "content"),
        ({"code": "https://ai.google.dev/errors#prohibited_content"}, Permanent, "content"),
        ({"code": "https://ai.google.dev/errors/SAFETY"}, Permanent, "content"),
        ({"code": 8}, RateLimited, "rate"), ({"code": "rate_limit_exceeded"}, RateLimited, "rate"),
        ({"code": 7}, ProfileUnusable, "auth"), ({"code": 16}, ProfileUnusable, "auth"),
        ({"code": "quota_exceeded"}, ProfileUnusable, "day_quota"),
        ({"code": "budget_exceeded"}, ProfileUnusable, "credit"), ({"code": 99}, Permanent, "no_result"),
        ({"code": True}, Permanent, "no_result"), ("broken", Permanent, "no_result"), (None, Permanent, "no_result"),
    ],
)  # fmt: skip
def test_errors_of_jobs(error: object, kind: type[Failure], cause: str | None) -> None:
    """A job's error is read by its word, the end of its URI, or its number of google.rpc.Code."""
    found = job_failure([error], KEY)
    assert isinstance(found, kind)
    assert getattr(found, "cause", None) == cause
    assert is_content([error]) == (cause == "content")


def test_no_key_in_a_reason() -> None:
    """A key that the server quotes, wherever, is not repeated."""
    error = {"code": "AIza-very-SECRET", "message": "not AIza-very-secret", "details": [quota("AIza-very-secret")]}
    found = classify(Answer(429, [], {"error": error}), "submit", key=KEY, now_epoch=0)
    assert found.reason == "HTTP 429 [key] ([key]): not [key]"


@given(JSON, st.sampled_from([200, 302, 400, 401, 403, 404, 409, 429, 499, 500, 502]), st.sampled_from(PHASES))
@settings(deadline=None)
def test_any_json_is_some_failure(data: Any, status: int, phase: Phase) -> None:
    """Whatever JSON comes, it is a failure with a reason, and a wait that can be waited."""
    for body in (data, {"error": data}, [{"error": data}]):
        found = classify(Answer(status, [], body), phase, key=KEY, now_epoch=1e9)
        assert found.reason
        wait = getattr(found, "retry_after", None)
        assert wait is None or 0 <= wait < 400 * 86400
    assert job_failure([data], KEY).reason
