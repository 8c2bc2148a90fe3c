"""What a refusal in OpenAI's error shape means: by status and code, never by prose (R13)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, Literal

from vidgen_nb.backends.wire.fields import server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.reading.error_body import ErrorBody, read_error
from vidgen_nb.backends.wire.reading.rate_headers import rate_info
from vidgen_nb.backends.wire.reading.refusals import error_of, is_refusal
from vidgen_nb.backends.wire.reading.retry_after import retry_after
from vidgen_nb.backends.wire.status_codes import (
    failure_by_status,
    is_limit_of_nginx,
    shows_gateway,
    submit_failure_in_2xx,
    unexpected_body,
)
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

__all__ = ["classify", "job_failure"]

_CONTENT_CODES: Final = re.compile(
    r"content_(policy_violation|filter(ed)?|moderated|blocked)|(input|output)_moderated|moderation_\w+|safety.*"
)
_CREDIT_CODES: Final = re.compile(
    r"(\w+_)?insufficient_(\w+_)?(quota|credits?|funds|balance)(_\w+)?|(quota|credits?|balance)_not_enough|"
    r"(?=.*(credits?|(?<!load_)balance(?!r)|funds|spend(ing)?|billing|payment|prepaid|wallet)(_|$))"
    r"(?=.*(insufficient|exhaust|exceed|reach|enough|low|limit|required|negative|deplet|out_of|(^|_)no_|overdue|"
    r"not_active|inactive|disabled|unpaid|past_due|error)).*|(\w+_)?budget_?(\w+_)?(exceeded|exhausted|reached)|"
    r"exceeded_(\w+_)?budget|(\w+_)?overdue(_\w+)?|arrear(s|age)?|pre_consume_token_quota_failed|"
    r"exceeded_current_quota(_error)?"
)
"""The last one: Moonshot's, for an account without money (platform.moonshot.ai/docs/api/chat, "error")."""
_PERIOD_CODES: Final = re.compile(
    r".*(daily|per_?day).*|(?=.*(weekly|monthly|per_?(week|month)|(^|_)(rpd|tpd|day|week|month)(_|$)))"
    r"(?=.*(limit|quota|exceed|reach|exhaust|usage)).*"
)
"""Quotas of a day, or longer."""
_KEY_CODES: Final = re.compile(
    r"(\w+_)?(invalid|incorrect|missing|no|expired|revoked|disabled|deactivated|unknown|bad)_(api_?key|access_?key|apikey)"
    r"(_\w+)?|api_?key_(\w+_)?(invalid|missing|expired|revoked|disabled|blocked|not_found|required)|"
    r"authentication(_failed|_error|_required)?|unauthenticated|unauthori[sz]ed|invalid_authentication(_error)?|"
    r"account_(deactivated|suspended|disabled|locked)|unrecognized_client_exception|"
    r"no_db_connection|token_not_found_in_db|expired_key|auth_error"
)
"""Of a key, or an account, with whatever status: LiteLLM without a database answers 400 to a key that it can't know."""
_CONCURRENCY_CODES: Final = re.compile(r".*(concurren(t|cy)|parallel).*")
_TOO_MANY_AT_ONCE_CODES: Final = re.compile(
    r"(?=.*(concurren(t|cy)|parallel))(?=.*(limit|exceed|many|max|quota|reach)).*"
)
"""Such a code is a limit with whatever status."""
_MODEL_CODES: Final = re.compile(
    r"(unknown|invalid|unsupported|no_such)_model(_name|_id)?(_error)?|"
    r"model_(is_)?(not_(found|exists?|available|supported)|unavailable|unsupported|unknown|invalid|does_not_exist)(_error)?"
)
_NOT_READY_CODES: Final = re.compile(r".*not_ready")
_RATE_CODES: Final = re.compile(
    r"(\w+_)?rate_?limit(s|ed|er|ing|_(exceeded|reached|hit|error|exceeded_error|exception|reached_error))?|"
    r"(\w+_)?too_many_requests(_\w+)?|(\w+_)?throttl(e|ed|ing)(_\w+)?|(\w+_)?slow_?down(_\w+)?|rate_exceeded|"
    r"(\w+_)?(request|requests|request_rate|frequency|burst|qps|rps|tps|qpm|rpm|tpm|(requests|tokens)_per_(second|minute|hour)|"
    r"provisioned_throughput)(_limit(s|ed)?)?_(exceeded|reached)(_\w+)?|(qps|rps|tps|qpm|rpm|tpm|request|burst)_limit(_\w+)?"
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
    error = error_of(answer)
    status, what = answer.status, f"HTTP {answer.status}"
    if answer.ok:
        status = error.numbers[0] if error.numbers else status  # the upstream's
        what += " with an error"
    reason = _reason(what, error, key)
    now_epoch = server_epoch(answer, now_epoch)
    wait, source = retry_after(answer.headers, answer.said, now_epoch)
    rate = rate_info(answer.headers, now_epoch) if phase == "submit" else None
    rate_limited = RateLimited(wait, source, reason, _cause(error), rate)
    by_code = _by_code(error, reason, wait)
    if by_code is not None:
        return by_code
    if error.matches(_RATE_CODES) or error.matches(_TOO_MANY_AT_ONCE_CODES) or 429 in error.numbers:
        return rate_limited
    if answer.ok:
        if not is_refusal(answer.data):
            return unexpected_body(_reason(f"HTTP {answer.status}", error, key), phase, answer)
        if not error.numbers:
            is_servers, is_submit = error.matches(_SERVER_CODES), phase == "submit"
            failure = Transient(reason, wait) if is_servers else Permanent(reason, "no_result")
            return submit_failure_in_2xx(failure, answer, error, gateway=gateway) if is_submit else failure
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


def job_failure(error: object, key: Secret, what: str = "the job failed") -> Failure:
    """Return the failure that the `error` of a failed job means: by its code; `Permanent` if that is unknown (R10)."""
    read = read_error(error)
    reason = _reason(what, read, key)
    if read.matches(_SERVER_CODES):
        return Transient(reason)
    if read.matches(_RATE_CODES) or read.matches(_CONCURRENCY_CODES):
        return RateLimited(reason=reason, cause=_cause(read))
    return _by_code(read, reason, None) or Permanent(reason, "no_result")


def _reason(what: str, error: ErrorBody, key: Secret) -> str:
    """Return a line with code, message and the field at fault, if the message does not name that itself."""
    code = redacted_line(error.shown_code, key, 80)
    message = redacted_line(error.message, key)
    field = redacted_line(error.field, key, 80)
    where = f" ({field})" if field and field.lower() not in message.lower() else ""
    said = message if message.lower() != code.lower() else ""
    return what + (f" {code}" if code else "") + (f": {said}" if said else "") + where


def _cause(error: ErrorBody) -> Literal["rate", "concurrency"]:
    return "concurrency" if error.matches(_CONCURRENCY_CODES) else "rate"


def _by_code(error: ErrorBody, reason: str, wait: float | None) -> Failure | None:
    """Return the failure that the code alone decides: content, model, key, credit, quota of a day; else None."""
    if error.matches(_CONTENT_CODES):
        return Permanent(reason, "content")
    if error.matches(_MODEL_CODES):
        return Permanent(reason, "no_such_model")
    if error.matches(_KEY_CODES):
        return ProfileUnusable(reason, "auth")
    if error.matches(_CREDIT_CODES) or 402 in error.numbers:
        # without a time: gateways put a Retry-After of a second on every 429, but credit does not return that soon
        return ProfileUnusable(reason, "credit")
    if error.matches(_PERIOD_CODES):
        return ProfileUnusable(reason, "day_quota", wait)
    return None
