"""What the HTTP status of a refusal means if nothing more is known."""

from __future__ import annotations

from typing import Final

from vidgen_nb.backends.wire.http import Phase
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient

__all__ = ["failure_by_status", "unexpected_body"]

# 502 and 504 come from a gateway that may have forwarded the submit; 520, 522 and 524 are Cloudflare's codes for it
_MAYBE_ACCEPTED_STATUSES: Final = frozenset({502, 504, 520, 522, 524})
_RETRYABLE_STATUSES: Final = frozenset({408, 425})


def failure_by_status(
    status: int, phase: Phase, rate_limited: RateLimited, *, no_such_model: bool = False, not_ready: bool = False
) -> Failure:
    """Return the failure for a status outside 2xx.

    `rate_limited`: the outcome for a 429; its reason and wait are used for the others, too. `no_such_model`: whether a
    404 to a submit is about the model. `not_ready`: whether a refused fetch may be repeated later.
    """
    reason, wait = rate_limited.reason, rate_limited.retry_after
    if status == 429:
        return rate_limited
    if status in (401, 403):
        return ProfileUnusable(reason, "auth")
    if status == 402:
        return ProfileUnusable(reason, "credit")
    if phase == "submit" and status in _MAYBE_ACCEPTED_STATUSES:
        return Ambiguous(f"{reason}; the job may have been accepted")
    # 500 and 503 are the server's own answer: it did not accept the job
    if status >= 500 or status in _RETRYABLE_STATUSES:
        return Transient(reason, wait)
    if status < 400:
        where = f"{reason}: it redirects, and that is not followed; set base_url to the final address"
        return Permanent(where) if phase == "submit" else Transient(where)
    if phase == "fetch" and (status == 409 or not_ready):
        return Transient(f"{reason}; the result is not ready yet", wait)
    if status == 404 and phase == "submit" and no_such_model:
        return Permanent(reason, "no_such_model")
    return Permanent(reason, "no_result" if phase != "submit" and status in (404, 410) else "bad_request")


def unexpected_body(reason: str, phase: Phase) -> Failure:
    """Return the failure for a 2xx whose body lacks what its phase needs."""
    problem = f"{reason}: the answer is not the expected JSON; is base_url right?"
    return Ambiguous(f"{problem} The job may have been accepted") if phase == "submit" else Transient(problem)
