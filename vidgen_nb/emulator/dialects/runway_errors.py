"""How Runway's API refuses: the answer to each refusal of the provider, and why a task failed. The texts are ours."""

from __future__ import annotations

from typing import Final

from vidgen_nb.emulator.app import ApiError, round_up

__all__ = ["TASK_FAILURES", "refusal"]

_REFUSALS: Final = {
    "rate": (429, "Too many requests."),
    "concurrency": (429, "Too many tasks."),
    "day_quota": (429, "You have reached your daily task limit."),
    "credit": (400, "You do not have enough credits to run this task."),
    "auth": (401, "The API key is not valid."),
    "overload": (503, "The server is shedding load."),
    "content": (400, "The prompt was rejected by content moderation."),
    "bad_request": (400, "Invalid request."),
}
TASK_FAILURES: Final = {
    "internal": ("INTERNAL.BAD_OUTPUT.CODE01", "An unexpected error occurred."),
    "content": ("SAFETY.INPUT.TEXT", "The prompt was flagged by content moderation."),
}
"""The `failureCode` and `failure` of a failed task."""


def refusal(cause: str, retry_after: float | None) -> ApiError:
    """Return the answer to a refusal; the wait in whole seconds."""
    status, message = _REFUSALS[cause]
    headers = {} if retry_after is None else {"Retry-After": str(round_up(retry_after))}
    return ApiError(status, message, headers=headers)
