"""How Google's Interactions API refuses: the answer to each refusal of the provider, and its two envelopes.

Sources: google/rpc/error_details.proto; ai.google.dev/gemini-api/docs/api-errors. Not in any source, so ours: the full
quota names (real ones also contain `PerMinute`, `PerDay` or `Concurrent`), and that a refused prompt has its reason in
an `ErrorInfo`.
"""

from __future__ import annotations

from typing import Any, Final

from vidgen_nb.emulator.app import ApiError, round_up

__all__ = ["JOB_ERRORS", "bad_request", "expired", "not_found", "refusal", "rpc_status"]

_TYPE_PREFIX: Final = "type.googleapis.com/google.rpc."
_REFUSALS: Final = {
    "rate": (429, "RESOURCE_EXHAUSTED", "rate_limit_exceeded", "You exceeded your current quota."),
    "concurrency": (429, "RESOURCE_EXHAUSTED", "too_many_requests", "Too many videos are being generated at once."),
    "day_quota": (429, "RESOURCE_EXHAUSTED", "quota_exceeded", "You exceeded your current quota."),
    "credit": (402, "FAILED_PRECONDITION", "payment_required", "Your prepaid credit is used up."),
    "auth": (400, "INVALID_ARGUMENT", "authentication", "API key not valid. Please pass a valid API key."),
    "overload": (503, "UNAVAILABLE", "service_unavailable", "The model is overloaded. Please try again later."),
    "content": (400, "INVALID_ARGUMENT", "prohibited_content", "The request was blocked by prohibited content rules."),
    "bad_request": (400, "INVALID_ARGUMENT", "invalid_request", "Request contains an invalid argument."),
}
_QUOTA_IDS: Final = {
    "rate": "GenerateRequestsPerMinutePerProjectPerModel",
    "concurrency": "ConcurrentGenerateRequestsPerProjectPerModel",
    "day_quota": "GenerateRequestsPerDayPerProjectPerModel",
}
_STATUS_NAMES: Final = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 416: "OUT_OF_RANGE"}
_ERROR_INFO_REASONS: Final = {"auth": "API_KEY_INVALID", "content": "PROHIBITED_CONTENT", "credit": "BILLING_DISABLED"}
JOB_ERRORS: Final = {
    "internal": {"code": "api_error", "message": "The generation failed."},
    "content": {"code": "safety", "message": "The video was blocked by the safety filters."},
}
"""The entry in `errors[]` of a failed job."""


def refusal(cause: str, retry_after: float | None) -> ApiError:
    """Return the answer to a refusal; the wait is only in its details, never in a header."""
    status, name, code, message = _REFUSALS[cause]
    details: list[dict[str, Any]] = []
    if cause in _ERROR_INFO_REASONS:
        info = {"reason": _ERROR_INFO_REASONS[cause], "domain": "googleapis.com"}
        details.append({"@type": f"{_TYPE_PREFIX}ErrorInfo", **info})
    if cause in _QUOTA_IDS:
        metric = "generativelanguage.googleapis.com/generate_requests"
        violation = {"quotaMetric": metric, "quotaId": _QUOTA_IDS[cause], "quotaDimensions": {"location": "global"}}
        details.append({"@type": f"{_TYPE_PREFIX}QuotaFailure", "violations": [violation]})
    if retry_after is not None:
        details.append({"@type": f"{_TYPE_PREFIX}RetryInfo", "retryDelay": _delay(retry_after)})
    return ApiError(status, message, type=name, code=code, details=details)


def bad_request(message: str, code: str = "invalid_request") -> ApiError:
    """Return the answer to an invalid request."""
    return ApiError(400, message, type="INVALID_ARGUMENT", code=code)


def not_found(message: str, code: str = "not_found") -> ApiError:
    """Return the answer to a request for something unknown."""
    return ApiError(404, message, type="NOT_FOUND", code=code)


def expired(name: str) -> ApiError:
    """Return what the Files API answers for an expired file, and also for one of another account."""
    message = f"You do not have permission to access the File {name} or it may not exist."
    return ApiError(403, message, type="PERMISSION_DENIED", code="permission_denied")


def rpc_status(error: ApiError) -> dict[str, Any]:
    """Return an error in the shape of google.rpc.Status."""
    name = error.type if error.type.isupper() else _STATUS_NAMES.get(error.status)
    name = name or ("INTERNAL" if error.status >= 500 else "INVALID_ARGUMENT")
    body: dict[str, Any] = {"code": error.status, "message": error.message, "status": name}
    return body | ({"details": list(error.details)} if error.details else {})


def _delay(seconds: float) -> str:
    """Return a google.protobuf.Duration in whole milliseconds."""
    ms = round_up(seconds * 1000)
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms // 1000}.{ms % 1000:03d}s"
