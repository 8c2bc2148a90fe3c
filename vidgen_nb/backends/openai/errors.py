"""What a refusal in OpenAI's error shape means: by status and code, never by prose (R13)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final, Literal

from vidgen_nb.backends.wire.fields import server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.reading.error_body import ErrorBody, read_error, tells_error
from vidgen_nb.backends.wire.reading.rate_headers import rate_info
from vidgen_nb.backends.wire.reading.retry_after import retry_after
from vidgen_nb.backends.wire.status_codes import failure_by_status, is_limit_of_nginx, shows_gateway, unexpected_body
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

__all__ = ["classify", "job_failure"]

_CONTENT_CODES: Final = re.compile(
    r"content_(policy_violation|filter(ed)?|moderated|blocked)|(input|output)_moderated|moderation_\w+|safety.*"
)
_AUTH_CODES: Final = re.compile(
    r"no_db_connection|token_not_found_in_db|expired_key|auth_error|(invalid|incorrect)_api_key|authentication_error"
)
"""The key is refused, with whatever status: LiteLLM without a database answers 400 to a key that it can't know."""
_CREDIT_CODES: Final = re.compile(
    r"(\w+_)?insufficient_(\w+_)?(quota|credits?|funds|balance)|credit_balance_exhausted|\w+_spend_limit_exceeded|"
    r"billing_\w*(limit|not_active|inactive|disabled)\w*|payment_required|(\w+_)?budget_?(\w+_)?exceeded|"
    r"(quota|credits?|balance)_not_enough|(out_of|no)_credits?|pre_consume_token_quota_failed|arrearage"
)
_DAILY_CODES: Final = re.compile(r".*(daily|per_?day).*")
_CONCURRENCY_CODES: Final = re.compile(r".*concurren(t|cy).*")
_TOO_MANY_AT_ONCE_CODES: Final = re.compile(r"(?=.*concurren(t|cy))(?=.*(limit|exceed|many|max|quota|reach)).*")
"""Such a code is a limit with whatever status."""
_MODEL_CODES: Final = re.compile(r"(model_not_found|unknown_model|no_such_model|model_not_supported)(_error)?")
_NOT_READY_CODES: Final = re.compile(r".*not_ready")
_RATE_CODES: Final = re.compile(
    r"(\w+_)?rate_?limit(s|ed|_(exceeded|reached|hit|error|exceeded_error|exception))?|(\w+_)?too_many_requests(_\w+)?|"
    r"throttl(ed|ing)(_\w+)?|slow_?down"
)
_SERVER_CODES: Final = re.compile(
    r"(internal_)?server_error|internal(_error)?|internal_?server_?error|(server_|engine_)?overloaded(_error)?|"
    r"(service_)?unavailable(_error)?|timeout|timed_out"
)


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float, gateway: bool = False) -> Failure:
    """Return the failure that an answer means.

    `now_epoch`: epoch seconds, for dates in an answer without a `Date` of its own. `gateway`: whether a gateway is
    known to stand before the server. A 2xx comes here if it lacks what its phase needs: an error in it counts as what
    its code or number says; without one, a submit is then `Ambiguous` and anything else `Transient`.
    """
    error = read_error(answer.data)
    status, what = answer.status, f"HTTP {answer.status}"
    if answer.ok:
        what += " with an error"
        if not (isinstance(answer.data, dict | list) and _has_error(answer.data)):
            return unexpected_body(_reason(f"HTTP {status}", error, answer, key), phase, answer)
        if not error.numbers:
            return job_failure(answer.data, key, what)
        status = error.numbers[0]  # the upstream's
    reason = _reason(what, error, answer, key)
    now_epoch = server_epoch(answer, now_epoch)
    wait, source = retry_after(answer.headers, answer.data, now_epoch)
    rate = rate_info(answer.headers, now_epoch) if phase == "submit" else None
    rate_limited = RateLimited(wait, source, reason, _cause(error), rate)
    by_code = _by_code(error, reason, wait)
    if by_code is not None:
        return by_code
    if error.matches(_RATE_CODES) or error.matches(_TOO_MANY_AT_ONCE_CODES) or 429 in error.numbers:
        return rate_limited
    if phase == "submit" and is_limit_of_nginx(answer):
        return replace(rate_limited, reason=f"{reason}: a limit of nginx, before the server")
    return failure_by_status(
        status,
        phase,
        rate_limited,
        no_such_model=error.field == "model",
        not_ready=error.matches(_NOT_READY_CODES),
        gateway=gateway or shows_gateway(answer, error),
    )


def _has_error(data: dict[str, Any] | list[Any]) -> bool:
    """Return whether a 2xx contains an error."""
    if isinstance(data, list):
        return bool(data) and isinstance(data[0], dict) and _has_error(data[0])
    return any(tells_error(data.get(name)) for name in ("error", "errors"))


def job_failure(error: object, key: Secret, what: str = "the job failed") -> Failure:
    """Return the failure that the `error` of a failed job means: by its code; `Permanent` if that is unknown (R10)."""
    read = read_error(error)
    reason = _reason(what, read, None, key)
    if read.matches(_SERVER_CODES):
        return Transient(reason)
    if read.matches(_RATE_CODES) or read.matches(_CONCURRENCY_CODES):
        return RateLimited(reason=reason, cause=_cause(read))
    return _by_code(read, reason, None) or Permanent(reason, "no_result")


def _reason(what: str, error: ErrorBody, answer: Answer | None, key: Secret) -> str:
    """Return a line with code, message and the field at fault, if the message does not name that itself."""
    code = redacted_line(error.codes[0], key, 80) if error.codes else ""
    message = redacted_line(error.message or (answer.text if answer is not None else ""), key)
    field = redacted_line(error.field, key, 80)
    where = f" ({field})" if field and field.lower() not in message.lower() else ""
    return what + (f" {code}" if code else "") + (f": {message}" if message else "") + where


def _cause(error: ErrorBody) -> Literal["rate", "concurrency"]:
    return "concurrency" if error.matches(_CONCURRENCY_CODES) else "rate"


def _by_code(error: ErrorBody, reason: str, wait: float | None) -> Failure | None:
    """Return the failure that the code alone decides: content, model, credit, key, daily quota; else None."""
    if error.matches(_CONTENT_CODES):
        return Permanent(reason, "content")
    if error.matches(_MODEL_CODES):
        return Permanent(reason, "no_such_model")
    if error.matches(_CREDIT_CODES) or 402 in error.numbers:
        # without a time: gateways put a Retry-After of a second on every 429, but credit does not return that soon
        return ProfileUnusable(reason, "credit")
    if error.matches(_AUTH_CODES):
        return ProfileUnusable(reason, "auth")
    if error.matches(_DAILY_CODES):
        return ProfileUnusable(reason, "day_quota", wait)
    return None
