"""How OpenAI's Videos API refuses: the answer to each refusal of the provider, with its rate-limit headers.

Codes that no source gives are ours: `concurrency_limit_exceeded`, `daily_quota_exceeded`, `overloaded`, `no_output`.
"""

from __future__ import annotations

from typing import Final

from vidgen_nb.core.model import RateInfo
from vidgen_nb.emulator.app import ApiError, round_up

__all__ = ["JOB_ERRORS", "rate_headers", "refusal"]

_REFUSALS: Final = {
    "rate": (429, "requests", "rate_limit_exceeded", "Rate limit reached."),
    "concurrency": (429, "requests", "concurrency_limit_exceeded", "Too many videos are being generated at once."),
    # the real API distinguishes a daily limit only by prose, which nobody should parse (R13)
    "day_quota": (429, "requests", "daily_quota_exceeded", "The day's quota is used up."),
    "credit": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "auth": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "overload": (503, "server_error", "overloaded", "The server is overloaded, please try again later."),
    "content": (400, "invalid_request_error", "content_policy_violation", "The prompt violates our content policy."),
    "bad_request": (400, "invalid_request_error", "invalid_value", "Invalid value."),
}
JOB_ERRORS: Final = {
    "internal": {"code": "server_error", "message": "The generation failed."},
    "content": {"code": "moderation_blocked", "message": "The video was blocked by our moderation system."},
    "empty": {"code": "no_output", "message": "The generation gave no video."},
}
"""The `error` of a failed job."""


def refusal(cause: str, retry_after: float | None, rate: RateInfo | None = None) -> ApiError:
    """Return the answer to a refusal; OpenAI has whole seconds in one header and milliseconds in another."""
    status, kind, code, message = _REFUSALS[cause]
    headers = rate_headers(rate) if cause in ("rate", "concurrency") else {}
    if retry_after is not None:
        headers |= {"Retry-After": str(round_up(retry_after)), "retry-after-ms": str(round_up(retry_after * 1000))}
    return ApiError(status, message, type=kind, code=code, headers=headers)


def rate_headers(rate: RateInfo | None) -> dict[str, str]:
    """Return a rate limit as OpenAI's headers."""
    values = (rate.limit, rate.remaining, _duration(rate.reset or 0.0)) if rate is not None else ()
    names = ("limit", "remaining", "reset")[: len(values)]
    return {f"x-ratelimit-{name}-requests": str(value) for name, value in zip(names, values, strict=True)}


def _duration(seconds: float) -> str:
    """Return seconds as Go writes them, in whole milliseconds: `6m0s`, `1.5s`, `120ms`."""
    ms = round_up(seconds * 1000)
    if ms < 1000:
        return f"{ms}ms" if ms else "0s"
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{parts}{ms / 1000:g}s"
