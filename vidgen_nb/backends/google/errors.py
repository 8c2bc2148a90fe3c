"""What Google's refusals mean: by status, code and details, never by prose (R13).

There are two shapes: google.rpc.Status, `{"error": {code: 429, message, status: "RESOURCE_EXHAUSTED", details: […]}}`,
and that of the Interactions API's documentation, `{"error": {code: "rate_limit_exceeded", message}}`. Jobs have their
errors in `errors[]` (code: a word, or a URI that ends in one) and in `steps[].error` (code: a number of
google.rpc.Code).

Sources: ai.google.dev/gemini-api/docs/api-errors; google/rpc/code.proto, google/rpc/error_details.proto,
google/api/error_reason.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vidgen_nb.backends.openai.errors import classify as classify_in_any_shape
from vidgen_nb.backends.wire.fields import server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.reading.error_body import read_error, tells_error
from vidgen_nb.backends.wire.reading.refusals import error_of
from vidgen_nb.backends.wire.reading.retry_after import retry_after
from vidgen_nb.backends.wire.status_codes import failure_by_status, submit_failure_in_2xx
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.ports import Secret

__all__ = ["classify", "is_content", "job_failure", "seconds_to_reset"]

MIN_DAILY_WAIT_SECONDS: Final = 600.0
"""A shorter delay with a daily quota belongs to the quota per minute (seen: 47 s, python-genai #2044)."""
_RPC_CODE_NAMES: Final = (
    "ok", "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
    "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
    "internal", "unavailable", "data_loss", "unauthenticated",
)  # fmt: skip
_CONTENT_CODES: Final = re.compile(
    r"(\w+_)?(safety|recitation|prohibited_content)|(image|video|audio)_other|language|spii|blocklist|content_blocked"
)
_KEY_CODES: Final = re.compile(r"api_key_\w+|service_disabled|consumer_(invalid|suspended)")
_AUTH_CODES: Final = re.compile(rf"authentication|unauthenticated|permission_denied|{_KEY_CODES.pattern}")
_CREDIT_CODES: Final = re.compile(r"payment_required|billing_disabled|budget_exceeded")
_LIMIT_CODES: Final = re.compile(r"resource_exhausted|(user_)?rate_limit_exceeded|too_many_requests|quota_exceeded")
_RATE_CODES: Final = re.compile(r"(user_)?rate_limit_exceeded|too_many_requests")
"""With whatever status: the older APIs answer 403 with them (googleapis/python-api-core#679)."""
_SERVER_CODES: Final = re.compile(
    r"api_error|internal|unknown|(service_)?unavailable|deadline_exceeded|aborted|cancelled|data_loss"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNKNOWN_MODEL_CODES: Final = re.compile(r"not_found|model_not_found")
_OWN_CODES: Final = re.compile(r"not_found|failed_precondition|resource_exhausted")
"""What they mean depends on the status."""


@record
class _Refusal:
    codes: tuple[str, ...]
    """`code`, `status` and the reasons in the details, in lower case; numbers as google.rpc.Code names them."""
    quotas: tuple[str, ...]
    """The exhausted quotas."""
    message: str

    def matches(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.fullmatch(code) for code in self.codes)


def _refusal(errors: Iterable[object]) -> _Refusal:
    """Parse errors of either shape into one refusal."""
    codes: list[str] = []
    quotas: list[str] = []
    message = ""
    for error in errors:
        fields: dict[str, Any] = error if isinstance(error, dict) else {}
        codes += map(_normalised_code, (fields.get("code"), fields.get("status")))
        codes += (_normalised_code(each.get("reason")) for each in _dicts(fields.get("errors")))
        message = message or _text(error)
        for detail in _dicts(fields.get("details")):
            codes.append(_normalised_code(detail.get("reason")))
            quotas += [str(each.get("quotaId") or "") for each in _dicts(detail.get("violations"))]
    return _Refusal(tuple(filter(None, codes)), tuple(filter(None, quotas)), message)


def _text(error: object) -> str:
    """Return what an error says to people, with the field at fault."""
    read = read_error(error)
    where = f" ({read.field})" if read.field and read.field not in read.message else ""
    return read.message + where


def _normalised_code(code: object) -> str:
    """Return a code as one lower-case word: the end of a URI, or a google.rpc.Code's name; "" for an HTTP status."""
    if isinstance(code, int) and not isinstance(code, bool):
        return _RPC_CODE_NAMES[code] if 0 <= code < len(_RPC_CODE_NAMES) else ""
    if not isinstance(code, str) or code.isdecimal():
        return ""
    return _CAMEL.sub("_", re.split(r"[/#:]", code)[-1]).lower()


def _dicts(found: object) -> Iterator[dict[str, Any]]:
    yield from (each for each in (found if isinstance(found, list) else ()) if isinstance(each, dict))


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float) -> Failure:
    """Return the failure that an answer means.

    `now_epoch`: epoch seconds, for dates in an answer without a `Date` of its own. A 2xx comes here if it lacks what
    its phase needs: without an error in it, a submit is then `Ambiguous` and anything else `Transient`.
    """
    data = answer.data[0] if isinstance(answer.data, list) and answer.data else answer.data
    error = data.get("error") if isinstance(data, dict) else None
    refusal, read = _refusal([error if tells_error(error) else data or answer.text]), error_of(answer)
    reason = _reason(f"HTTP {answer.status}" + (" with an error" if answer.ok else ""), refusal, key)
    if answer.status == 403 and phase == "fetch" and not refusal.matches(_KEY_CODES):
        # this is the Files API's answer for expired files; the key is good, as the poll before has shown
        return Permanent(reason, "no_result")
    epoch = server_epoch(answer, now_epoch)
    wait, source = retry_after(answer.headers, answer.said, epoch)
    rate_limited = RateLimited(wait, source, reason, _cause(refusal))
    if refusal.matches(_RATE_CODES) or 429 in read.numbers:
        return _by_quota(refusal, reason, wait, epoch) or rate_limited
    if (by_code := _by_code(refusal, reason, wait, epoch)) is not None:
        return by_code
    if answer.status == 501:
        return Permanent(reason)
    if answer.status in (200, 409) and not read.numbers and refusal.matches(_SERVER_CODES):
        failure, in_success = Transient(reason, wait), answer.ok and phase == "submit"
        return submit_failure_in_2xx(failure, answer, read, gateway=False) if in_success else failure
    if answer.ok and not read.numbers and refusal.matches(_LIMIT_CODES):
        return rate_limited
    if answer.status in (404, 400, 429) and (refusal.quotas or refusal.matches(_OWN_CODES)):
        return failure_by_status(
            answer.status,
            phase,
            rate_limited,
            no_such_model=refusal.matches(_UNKNOWN_MODEL_CODES),
            not_ready="failed_precondition" in refusal.codes,
        )
    return classify_in_any_shape(answer, phase, key=key, now_epoch=now_epoch)  # a proxy's, or a gateway's


def job_failure(errors: Iterable[object], key: Secret, what: str = "the job failed") -> Failure:
    """Return the failure that the errors of a failed job mean: by code; `Permanent` if that is unknown (R10)."""
    refusal = _refusal(errors)
    reason = _reason(what, refusal, key)
    found = _by_code(refusal, reason, None, None)
    if found is not None:
        return found
    if refusal.matches(_LIMIT_CODES):
        return RateLimited(reason=reason, cause=_cause(refusal))
    return Transient(reason) if refusal.matches(_SERVER_CODES) else Permanent(reason, "no_result")


def is_content(errors: Iterable[object]) -> bool:
    """Return whether one of a job's errors is about its content."""
    return _refusal(errors).matches(_CONTENT_CODES)


def _reason(what: str, refusal: _Refusal, key: Secret) -> str:
    # the last one is the most exact: a detail's reason, or the name beside a number
    code = redacted_line(refusal.codes[-1], key, 80) if refusal.codes else ""
    quota = f" ({redacted_line(refusal.quotas[0], key, 80)})" if refusal.quotas else ""
    message = redacted_line(refusal.message, key)
    return what + (f" {code}" if code else "") + quota + (f": {message}" if message else "")


def _cause(refusal: _Refusal) -> Literal["rate", "concurrency"]:
    return "concurrency" if any("concurren" in quota.lower() for quota in refusal.quotas) else "rate"


def _by_code(refusal: _Refusal, reason: str, wait: float | None, now_epoch: float | None) -> Failure | None:
    """Return the failure that codes and quotas alone decide: content, model, key, credit, daily quota; else None."""
    if refusal.matches(_CONTENT_CODES):
        return Permanent(reason, "content")
    if "model_not_found" in refusal.codes:
        return Permanent(reason, "no_such_model")
    if refusal.matches(_AUTH_CODES):
        return ProfileUnusable(reason, "auth")
    if refusal.matches(_CREDIT_CODES):
        return ProfileUnusable(reason, "credit")
    return _by_quota(refusal, reason, wait, now_epoch)


def _by_quota(refusal: _Refusal, reason: str, wait: float | None, now_epoch: float | None) -> Failure | None:
    """Return the failure of a quota of the day; None if the refusal names none."""
    if "quota_exceeded" in refusal.codes or any("perday" in quota.lower() for quota in refusal.quotas):
        if now_epoch is not None and (wait is None or wait < MIN_DAILY_WAIT_SECONDS):
            wait = seconds_to_reset(now_epoch)
        return ProfileUnusable(reason, "day_quota", wait)
    return None


def seconds_to_reset(now_epoch: float) -> float:
    """Return the seconds until daily quotas are reset, at midnight Pacific time (ai.google.dev, "Rate limits")."""
    try:
        zone: tzinfo = ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:  # a system without time zone data: an hour late in summer, never early
        zone = timezone(timedelta(hours=-8))
    try:
        today = datetime.fromtimestamp(now_epoch, zone).date()
        return datetime.combine(today + timedelta(days=1), time(), zone).timestamp() - now_epoch
    except (ValueError, OverflowError, OSError):  # a server's clock outside the calendar
        return 86400.0
