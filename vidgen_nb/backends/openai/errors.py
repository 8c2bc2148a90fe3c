"""What a refusal in OpenAI's error shape means: by status and code, never by prose (R13)."""

from __future__ import annotations

import re
from typing import Final, Literal

from vidgen_nb.backends.wire.fields import server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.rate_headers import rate_info
from vidgen_nb.backends.wire.retry_after import retry_after
from vidgen_nb.backends.wire.status_codes import failure_by_status, unexpected_body
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

__all__ = ["classify", "job_failure"]

_CONTENT_CODES: Final = re.compile(
    r"content_(policy_violation|filter(ed)?|moderated|blocked)|(input|output)_moderated|moderation_\w+|safety.*"
)
_CREDIT_CODES: Final = re.compile(
    r"insufficient_(quota|credits?|funds)|credit_balance_exhausted|\w+_spend_limit_exceeded|"
    r"billing_(hard_limit_reached|not_active)|payment_required|budget_exceeded"
)
_DAILY_CODES: Final = re.compile(r".*(daily|per_?day).*")
_CONCURRENCY_CODES: Final = re.compile(r".*concurren(t|cy).*")
_NOT_READY_CODES: Final = re.compile(r".*not_ready")
_RATE_CODES: Final = re.compile(r"rate_limit(ed|_exceeded|_error)?|too_many_requests")
_SERVER_CODES: Final = re.compile(
    r"(internal_)?server_error|internal(_error)?|internalservererror|(server_|engine_)?overloaded(_error)?|"
    r"(service_)?unavailable(_error)?|timeout|timed_out"
)


@record
class _Refusal:
    codes: tuple[str, ...]
    """`code` and `type` in lower case, the code first; missing ones and numbers are left out."""
    message: str
    param: str

    def matches(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.fullmatch(code) for code in self.codes)


def _refusal(data: object) -> _Refusal:
    """Parse `{"error": {message, type, param, code}}`, the same without the envelope, or FastAPI's `detail`."""
    body = data if isinstance(data, dict) else {}
    error = body.get("error") or body
    if not isinstance(error, dict):
        error = {"message": error}
    codes = tuple(value.lower() for value in (error.get("code"), error.get("type")) if isinstance(value, str) and value)
    message = next((value for value in map(error.get, ("message", "detail")) if isinstance(value, str)), "")
    return _Refusal(codes, message, str(error.get("param") or ""))


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float) -> Failure:
    """Return the failure that an answer means.

    `now_epoch`: epoch seconds, for dates in an answer without a `Date` of its own. A 2xx comes here if it lacks what
    its phase needs: without an error in it, a submit is then `Ambiguous` and anything else `Transient`.
    """
    refusal = _refusal(answer.data)
    if answer.ok and isinstance(answer.data, dict) and answer.data.get("error"):
        return job_failure(answer.data["error"], key, f"HTTP {answer.status} with an error")
    reason = _reason(f"HTTP {answer.status}", refusal, key)
    if answer.ok:
        return unexpected_body(reason, phase)
    now_epoch = server_epoch(answer, now_epoch)
    wait, source = retry_after(answer.headers, answer.data, now_epoch)
    if 400 <= answer.status < 500:
        by_code = _by_code(refusal, reason, wait)
        if by_code is not None:
            return by_code
    rate = rate_info(answer.headers, now_epoch) if phase == "submit" else None
    return failure_by_status(
        answer.status,
        phase,
        RateLimited(wait, source, reason, _cause(refusal), rate),
        no_such_model=refusal.param == "model",
        not_ready=refusal.matches(_NOT_READY_CODES),
    )


def job_failure(error: object, key: Secret, what: str = "the job failed") -> Failure:
    """Return the failure that the `error` of a failed job means: by its code; `Permanent` if that is unknown (R10)."""
    refusal = _refusal({"error": error})
    reason = _reason(what, refusal, key)
    if refusal.matches(_SERVER_CODES):
        return Transient(reason)
    if refusal.matches(_RATE_CODES) or refusal.matches(_CONCURRENCY_CODES):
        return RateLimited(reason=reason, cause=_cause(refusal))
    return _by_code(refusal, reason, None) or Permanent(reason, "no_result")


def _reason(what: str, refusal: _Refusal, key: Secret) -> str:
    code = redacted_line(refusal.codes[0], key, 80) if refusal.codes else ""
    message = redacted_line(refusal.message, key)
    return what + (f" {code}" if code else "") + (f": {message}" if message else "")


def _cause(refusal: _Refusal) -> Literal["rate", "concurrency"]:
    return "concurrency" if refusal.matches(_CONCURRENCY_CODES) else "rate"


def _by_code(refusal: _Refusal, reason: str, wait: float | None) -> Failure | None:
    """Return the failure that the code alone decides: content, model, credit, daily quota; else None."""
    if refusal.matches(_CONTENT_CODES):
        return Permanent(reason, "content")
    if "model_not_found" in refusal.codes:
        return Permanent(reason, "no_such_model")
    if refusal.matches(_CREDIT_CODES):
        # without a time: gateways put a Retry-After of a second on every 429, but credit does not return that soon
        return ProfileUnusable(reason, "credit")
    if refusal.matches(_DAILY_CODES):
        return ProfileUnusable(reason, "day_quota", wait)
    return None
