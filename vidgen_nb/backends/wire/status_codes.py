"""What the HTTP status of a refusal means if nothing more is known, and whether a gateway has given it.

A gateway's 500 to a submit may follow an acceptance: at LiteLLM and New API an upstream that broke the connection after
it had the job is a 500 of the same shape as one that was never reached.

Sources: docs.litellm.ai/docs/proxy/response_headers, and `litellm.InternalServerError: …` in its bodies; New API
(`relay/relay_task.go`, `types/error.go`); RFC 9110 §7.6.3 (`Via`); Cloudflare's `cf-ray`.
"""

from __future__ import annotations

import re
from typing import Final

from vidgen_nb.backends.wire.http import Answer, Phase
from vidgen_nb.backends.wire.reading.error_body import ErrorBody
from vidgen_nb.backends.wire.transport_errors import PROXY_ADVICE
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient

__all__ = ["failure_by_status", "is_limit_of_nginx", "shows_gateway", "submit_failure_in_2xx", "unexpected_body"]

_MAYBE_ACCEPTED_STATUSES: Final = frozenset({408, 499, 502, 504, *range(520, 525), 598, 599})
"""To a submit: from a gateway that may have passed it on; LiteLLM's 408 made seven jobs of one scene."""
_MAYBE_ACCEPTED: Final = "the job may have been accepted"
_RETRYABLE_STATUSES: Final = frozenset({408, 425, 499})
_OWN_REFUSALS: Final = ("nginx", "openresty", "tengine", "angie", "freenginx")
"""Servers that answer 503 by themselves to what exceeds their `limit_req` or `limit_conn` (nginx's default status)."""

_HEADERS: Final = re.compile(
    r"via|cf-ray|x-litellm-.+|llm_provider-.+|x-(oneapi|new-?api)-.+|cf-aig-.+|x-portkey-.+|helicone-.+|x-kong-.+|"
    r"x-envoy-upstream-.+"
)
_CODES: Final = re.compile(
    r"do_request_failed|fail_to_fetch_task|bad_response(_status_code|_body)?|(read|unmarshal)_response_body_failed|"
    r"invalid_response|"
    r"(new|one)_api_(error|panic)|upstream_\w*(error|timeout|failed)|get_channel_failed|channel[_:].+|bad_gateway"
)
_TIMEOUT_CODES: Final = re.compile(r"(\w+_)?time_?d?_?out(_error)?|deadline_exceeded")
"""Whoever says so has waited for another server, or for its own workers: those may have the job."""
_LITELLM: Final = re.compile(r"litellm\.\w+(Error|Timeout)?:")
"""How each of its messages begins: a class name, which stands there whatever the error is."""


def failure_by_status(
    status: int,
    phase: Phase,
    rate_limited: RateLimited,
    *,
    no_such_model: bool = False,
    not_ready: bool = False,
    gateway: bool = False,
) -> Failure:
    """Return the failure for a status outside 2xx.

    `rate_limited`: the outcome for a 429; its reason and wait are used for the others, too. `no_such_model`: whether a
    refused submit is about the model. `not_ready`: whether a refused fetch may be repeated later. `gateway`: whether a
    gateway stands before the server, so that a 500 to a submit may follow an acceptance.
    """
    reason, wait = rate_limited.reason, rate_limited.retry_after
    if status == 429:
        return rate_limited
    if status in (401, 403):
        return ProfileUnusable(reason, "auth")
    if status == 407:
        return ProfileUnusable(f"{reason}: a proxy wants a user and a password: {PROXY_ADVICE}")
    if status == 402:
        return ProfileUnusable(reason, "credit")
    if phase == "submit" and (status in _MAYBE_ACCEPTED_STATUSES or (gateway and status == 500)):
        return Ambiguous(f"{reason}; {_MAYBE_ACCEPTED}")
    if phase == "submit" and status == 303:  # "see other": it was processed
        return Ambiguous(f"{reason}: it redirects, as after an accepted submit; {_MAYBE_ACCEPTED}")
    # 503, and 500 without a gateway, are the server's own answer: it did not accept the job
    if status >= 500 or status in _RETRYABLE_STATUSES:
        return Transient(reason, wait)
    if status < 400:
        where = f"{reason}: it redirects, and that is not followed; set base_url to the final address"
        return Permanent(where) if phase == "submit" else Transient(where)
    if phase == "fetch" and (status == 409 or not_ready):
        return Transient(f"{reason}; the result is not ready yet", wait)
    if status in (400, 404, 422) and phase == "submit" and no_such_model:
        return Permanent(reason, "no_such_model")
    return Permanent(reason, "no_result" if phase != "submit" and status in (404, 410) else "bad_request")


def is_limit_of_nginx(answer: Answer) -> bool:
    """Return whether nginx itself refused a submit with 503: its limit, since that never came to the API.

    By status and server: an API's own 503 has a body of the API, and one that nginx passes on is not an HTML page.
    """
    server = answer.header("server").lower()
    return answer.status == 503 and answer.kind == "an HTML page" and server.startswith(_OWN_REFUSALS)


def shows_gateway(answer: Answer, error: ErrorBody) -> bool:
    """Return whether headers, codes or the form of an answer are those of a gateway."""
    if any(_HEADERS.fullmatch(name) for name, _ in answer.headers) or "cloudflare" in answer.header("server").lower():
        return True
    inner = any(number in _MAYBE_ACCEPTED_STATUSES for number in error.numbers)  # of the server behind it
    return inner or _has_gateways_code(error) or any(_LITELLM.match(text) for text in error.texts)


def _has_gateways_code(error: ErrorBody) -> bool:
    return error.matches(_CODES) or error.matches(_TIMEOUT_CODES)


def submit_failure_in_2xx(failure: Failure, answer: Answer, error: ErrorBody, *, gateway: bool) -> Failure:
    """Return what an error in the 2xx of a submit means; `failure`: by its code alone, as of a failed job.

    It is in doubt where that error is a timeout or a gateway's, or one of a server behind a gateway.
    """
    is_servers = isinstance(failure, Transient) and (gateway or shows_gateway(answer, error))
    is_unknown = isinstance(failure, Permanent) and failure.cause == "no_result" and _has_gateways_code(error)
    return Ambiguous(f"{failure.reason}; {_MAYBE_ACCEPTED}") if is_servers or is_unknown else failure


def unexpected_body(reason: str, phase: Phase, answer: Answer) -> Failure:
    """Return the failure for a 2xx whose body lacks what its phase needs."""
    problem = (
        "the answer broke off." if answer.is_cut_off else "the answer is not the expected JSON; is base_url right?"
    )
    problem = f"{reason}: {problem}"
    return Ambiguous(f"{problem} The job may have been accepted") if phase == "submit" else Transient(problem)
