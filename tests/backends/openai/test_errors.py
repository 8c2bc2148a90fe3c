"""The table of refusals: status, code and phase in, the scheduler's word out."""

from __future__ import annotations

from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.backends.openai.errors import classify, job_failure
from vidgen_nb.backends.wire.http import Answer, Phase, is_loopback, redacted_line, transport_failure
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

KEY = Secret("sk-very-secret")
PHASES: tuple[Phase, ...] = get_args(Phase)


def outcome(status: int, phase: Phase = "submit", code: Any = None, headers: Any = (), **error: Any) -> Failure:
    """Classify an answer with an error in the OpenAI shape."""
    data = {"error": {"message": "m", "type": "t", "code": code, "param": None, **error}}
    return classify(Answer(status, list(headers), data), phase, key=KEY, now_epoch=0)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("status", "code", "kind", "cause"),
    [
        (429, None, RateLimited, "rate"), (429, "rate_limit_exceeded", RateLimited, "rate"),
        (429, "concurrency_limit_exceeded", RateLimited, "concurrency"),
        (429, "insufficient_quota", ProfileUnusable, "credit"),
        (429, "credit_balance_exhausted", ProfileUnusable, "credit"),
        (429, "project_spend_limit_exceeded", ProfileUnusable, "credit"),
        (400, "billing_hard_limit_reached", ProfileUnusable, "credit"), (402, None, ProfileUnusable, "credit"),
        (429, "daily_quota_exceeded", ProfileUnusable, "day_quota"), (401, "invalid_api_key", ProfileUnusable, "auth"),
        (403, None, ProfileUnusable, "auth"), (407, None, ProfileUnusable, "auth"),
        (403, "content_policy_violation", Permanent, "content"),
        (400, "moderation_blocked", Permanent, "content"), (404, "model_not_found", Permanent, "no_such_model"),
        (400, None, Permanent, "bad_request"), (413, None, Permanent, "bad_request"),
        (415, 415, Permanent, "bad_request"),
        (422, "invalid_value", Permanent, "bad_request"),
    ],
)  # fmt: skip
def test_what_status_and_code_decide_in_every_phase(
    phase: Phase, status: int, code: Any, kind: type[Failure], cause: str
) -> None:
    """Rate, concurrency, credit, daily quota, key, content and model are distinguished by status and code."""
    found = outcome(status, phase, code)
    assert isinstance(found, kind)
    assert getattr(found, "cause", None) == cause
    assert found.reason.startswith(f"HTTP {status}")


@pytest.mark.parametrize("status", [425, 500, 501, 503])
def test_the_servers_own_refusals_are_transient(status: int) -> None:
    """A server that reports its own failure did not accept the job, in any phase."""
    assert all(isinstance(outcome(status, phase), Transient) for phase in PHASES)


@pytest.mark.parametrize("status", [408, 499, 502, 504, 520, 521, 522, 523, 524, 598, 599])
def test_a_gateways_failure_makes_a_submit_ambiguous(status: int) -> None:
    """Behind a gateway a submit may have arrived; any other call may simply be made again."""
    assert isinstance(outcome(status, "submit"), Ambiguous)
    assert all(isinstance(outcome(status, phase), Transient) for phase in PHASES if phase != "submit")


SHOWN = [
    ([("x-litellm-call-id", "1")], {}), ([("via", "1.1 varnish")], {}), ([("cf-ray", "1-FRA")], {}),
    ([("server", "cloudflare")], {}), ([], {"code": "do_request_failed", "message": "EOF", "data": None}),
    ([], {"code": "invalid_response", "message": "task_id is empty", "data": None}),
    ([], {"error": {"message": "litellm.InternalServerError: OpenAIException - Server disconnected", "code": "500"}}),
    ([], {"error": {"message": "x", "code": 504}}), ([], {"error": {"message": "x", "code": "408"}}),
    ([], {"error": {"message": "x", "code": "timeout"}}), ([], {"error": {"message": "x", "type": "gateway_timeout"}}),
    ([], {"error": {"message": "x", "type": "upstream_connection_failed"}}),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "data"), SHOWN)
def test_a_500_that_shows_a_gateway_leaves_a_submit_in_doubt(headers: list[tuple[str, str]], data: object) -> None:
    """By a header, a code, or the form of its text; a server's own 500 is a refusal unless we are told otherwise."""
    own, shown = Answer(500, [], {"error": {"message": "out of memory"}}), Answer(500, headers, data)
    assert isinstance(classify(shown, "submit", key=KEY, now_epoch=0), Ambiguous)
    assert isinstance(classify(shown, "poll", key=KEY, now_epoch=0), Transient)
    assert isinstance(classify(own, "submit", key=KEY, now_epoch=0), Transient)
    assert isinstance(classify(own, "submit", key=KEY, now_epoch=0, gateway=True), Ambiguous)


def test_a_503_of_nginx_itself_is_its_limit() -> None:
    """`limit_req` answers 503 with nginx's page by default; a 503 of the API, or of another server, is none."""
    nginx, page = ("server", "nginx/1.27.3"), ("content-type", "text/html")
    limited = Answer(503, [nginx, page], None, "<503 Service Temporarily Unavailable>")
    assert isinstance(classify(limited, "submit", key=KEY, now_epoch=0), RateLimited)
    for other in (
        Answer(503, [nginx], {"detail": "x"}),
        Answer(503, [page], None, "<503>"),
        Answer(503, [nginx], None),
    ):
        assert isinstance(classify(other, "submit", key=KEY, now_epoch=0), Transient)
    assert isinstance(classify(limited, "poll", key=KEY, now_epoch=0), Transient)


@pytest.mark.parametrize("status", [400, 403, 409, 500, 502, 503])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_exceeded", RateLimited), ("rateLimitExceeded", RateLimited), ("too_many_requests", RateLimited),
        ("concurrency_limit_reached", RateLimited), ("429", RateLimited), (429, RateLimited),
        ("RequestLimitExceeded", RateLimited), ("ThrottlingException", RateLimited), ("QPSLimitExceeded", RateLimited),
        ("requests_per_minute_exceeded", RateLimited), ("parallel_task_over_limit", RateLimited),
        ("insufficient_user_quota", ProfileUnusable), ("budget_exceeded", ProfileUnusable),
        ("credits_exhausted", ProfileUnusable), ("InsufficientBalance", ProfileUnusable),
        ("AccountOverdueError", ProfileUnusable), ("credit_balance_too_low", ProfileUnusable),
        ("monthly_quota_exceeded", ProfileUnusable), ("invalid_api_key", ProfileUnusable),
        ("no_db_connection", ProfileUnusable),
    ],
)  # fmt: skip
def test_codes_that_count_with_any_status(status: int, code: Any, kind: type[Failure]) -> None:
    """Who says that it is a limit, money or the key, has not accepted anything."""
    assert isinstance(outcome(status, code=code), kind)


@pytest.mark.parametrize(
    "code", ["load_balancer_error_limit", "invalid_size", "day_mode", "limit_exceeded", "bad_token"]
)
def test_codes_that_mean_nothing_of_the_kind(code: str) -> None:
    """Words of limits and money inside other words do not count."""
    assert outcome(400, code=code) == Permanent(f"HTTP 400 {code}: m", "bad_request")


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("code", ["model_not_found", "invalid_model", "ModelNotFound", "unsupported_model", ""])
def test_an_unknown_model(status: int, code: str) -> None:
    """By its code, or because the field at fault is the model."""
    found = outcome(status, code=code, param=None if code else "model")
    assert isinstance(found, Permanent) and found.cause == "no_such_model"


def test_prose_decides_nothing() -> None:
    """A 400 whose words speak of a rate limit is a bad request (R13)."""
    assert isinstance(outcome(400, message="Rate limit exceeded, insufficient quota, retry in 5s"), Permanent)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(429, RateLimited), ("503", Transient), (402, ProfileUnusable), (502, Ambiguous), (400, Permanent)],
)
def test_an_error_in_a_200_counts_as_what_it_says(code: Any, kind: type[Failure]) -> None:
    """The upstream's status stands in the body, as a number or as digits."""
    assert isinstance(outcome(200, code=code), kind)


@pytest.mark.parametrize(
    ("code", "headers", "kind"),
    [
        ("timeout", [], Ambiguous), ("gateway_timeout", [], Ambiguous), ("do_request_failed", [], Ambiguous),
        ("upstream_error", [], Ambiguous), ("server_error", [("via", "1.1 x")], Ambiguous),
        ("server_error", [], Transient), ("bad_size", [("via", "1.1 x")], Permanent),
        ("content_filter", [("via", "1.1 x")], Permanent),
    ],
)  # fmt: skip
def test_words_of_an_error_in_a_200(code: str, headers: list[tuple[str, str]], kind: type[Failure]) -> None:
    """To a submit, a timeout and a gateway's word are in doubt there, too; of a job they are what they were."""
    assert isinstance(outcome(200, "submit", code=code, headers=headers), kind)
    assert not isinstance(outcome(200, "poll", code=code, headers=headers), Ambiguous)


def test_waits_go_where_they_mean_something() -> None:
    """Retry-After reaches rate limits, overload and daily quotas, but makes no money come back."""
    told = [("retry-after", "7")]
    assert outcome(429, headers=told) == RateLimited(7, "Retry-After", "HTTP 429 t: m")
    assert outcome(503, headers=told) == Transient("HTTP 503 t: m", 7)
    assert outcome(429, code="daily_quota_exceeded", headers=told) == ProfileUnusable(
        "HTTP 429 daily_quota_exceeded: m", "day_quota", 7
    )
    assert outcome(429, code="insufficient_quota", headers=told) == ProfileUnusable(
        "HTTP 429 insufficient_quota: m", "credit", None
    )


def test_dates_count_from_the_servers_own_clock() -> None:
    """A Retry-After date is read against the answer's Date, however wrong our clock is."""
    headers = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]
    assert outcome(429, headers=headers) == RateLimited(30, "Retry-After", "HTTP 429 t: m")


@pytest.mark.parametrize(
    ("status", "phase", "expected"),
    [
        (404, "submit", Permanent("HTTP 404 t: m", "bad_request")),
        (404, "poll", Permanent("HTTP 404 t: m", "no_result")),
        (410, "fetch", Permanent("HTTP 410 t: m", "no_result")),
        (409, "poll", Permanent("HTTP 409 t: m", "bad_request")),
        (409, "fetch", Transient("HTTP 409 t: m; the result is not ready yet")),
    ],
)  # fmt: skip
def test_what_the_phase_decides(status: int, phase: Phase, expected: Failure) -> None:
    """A missing job has no result, a missing endpoint is a bad request, and a paid result is waited for."""
    assert outcome(status, phase) == expected


def test_vllm_names_the_model_by_param() -> None:
    """A 404 about the parameter `model` means the model, with a number for a code too."""
    found = outcome(404, code=404, param="model", type="NotFoundError")
    assert found == Permanent("HTTP 404 notfounderror: m (model)", "no_such_model")


@pytest.mark.parametrize("data", [None, {}, [], "x", 3, {"id": None}])
def test_a_success_without_content(data: object) -> None:
    """A 2xx without content leaves a submit in doubt; other calls are repeated."""
    assert isinstance(classify(Answer(200, [], data), "submit", key=KEY, now_epoch=0), Ambiguous)
    assert isinstance(classify(Answer(200, [], data), "poll", key=KEY, now_epoch=0), Transient)


def test_a_success_with_an_error_in_it() -> None:
    """An error under status 200 is that error."""
    assert outcome(200, code="content_policy_violation") == Permanent(
        "HTTP 200 with an error content_policy_violation: m", "content"
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "server_error"}, Transient), ({"code": "overloaded"}, Transient),
        ({"type": "InternalServerError"}, Transient),
        ({"code": "rate_limit_exceeded"}, RateLimited), ({"code": "concurrency_limit_exceeded"}, RateLimited),
        ({"code": "moderation_blocked"}, Permanent), ({"code": "insufficient_quota"}, ProfileUnusable),
        ({"code": "odd"}, Permanent), ({}, Permanent), (None, Permanent), ("text", Permanent), ([1], Permanent),
    ],
)  # fmt: skip
def test_failed_jobs(error: object, kind: type[Failure]) -> None:
    """A failed job is classified by its error's code, and is permanent if the code is unknown."""
    found = job_failure(error, KEY)
    assert isinstance(found, kind)
    assert found.reason.startswith("the job failed")


def test_reasons_are_short_printable_and_without_the_key() -> None:
    """What a server writes is cut, cleaned of control and bidi characters, and never shows the key it echoes."""
    prose = "bad key sk-very-secret\x00\x1b[31m\u202e " + "x" * 190 + "sk-very-secret" + "y" * 500
    reason = outcome(400, code="code-sk-very-secret", message=prose).reason
    assert "secret" not in reason
    assert reason.isprintable()
    assert len(reason) < 320


bodies = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["error", "code", "message", "type"]), inner)
    ),
)


@given(st.integers(100, 999), st.sampled_from(PHASES), bodies)
def test_every_answer_is_classified(status: int, phase: Phase, data: object) -> None:
    """No status, phase or body makes the classification fail, and only a submit is ever ambiguous."""
    found = classify(Answer(status, [], data), phase, key=KEY, now_epoch=0)
    assert phase == "submit" or not isinstance(found, Ambiguous)
    assert found.reason.isprintable()


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
def test_nothing_sent_is_transient(kind: type[httpx.RequestError]) -> None:
    """Without a connection nothing was accepted, so a submit may be made again."""
    assert all(isinstance(transport_failure(kind("x"), phase), Transient) for phase in PHASES)


@pytest.mark.parametrize(
    "kind", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError]
)
def test_lost_after_sending_is_ambiguous_for_a_submit(kind: type[httpx.RequestError]) -> None:
    """A connection lost after sending leaves a submit in doubt and is transient for any other call."""
    assert isinstance(transport_failure(kind("sk-very-secret"), "submit", KEY), Ambiguous)
    found = transport_failure(kind("sk-very-secret"), "poll", KEY)
    assert isinstance(found, Transient)
    assert "secret" not in found.reason


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True), ("a.localhost", True), ("LOCALHOST.", True), ("127.0.0.1", True), ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True), ("10.0.0.1", False), ("localhost.example", False), ("127.0.0.1.example", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(host: str, own: bool) -> None:
    """Only names and addresses of this machine are loopback."""
    assert is_loopback(host) is own


@given(st.text())
def test_clean_text_is_one_short_printable_line(text: str) -> None:
    """Any text becomes one printable line of at most 200 characters."""
    assert redacted_line(text).isprintable()
    assert len(redacted_line(text)) <= 200


def test_a_key_in_a_code_is_redacted_in_whatever_case() -> None:
    """Codes are lowered before they are compared; a server that echoes the key in one must not get it into a log."""
    answer = Answer(401, [], {"error": {"code": "Invalid_Key:SK-Planted", "message": "SK-Planted"}})
    outcome = classify(answer, "submit", key=Secret("SK-Planted"), now_epoch=0.0)
    assert "planted" not in outcome.reason.lower()
    assert outcome.reason.count("[key]") == 2
