"""What the HTTP status of a refusal means where nothing more is known (providers.md, "The port every adapter fits")."""

from __future__ import annotations

from typing import Final

from vidgen_nb.backends.wire.http import Phase
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, ProfileUnusable, RateLimited, Transient

__all__ = ["failure_by_status", "unexpected_body"]

# 502 and 504 come from a gateway that may have passed the submit on; 520, 522 and 524 are Cloudflare's words for it
_MAYBE_ACCEPTED_STATUSES: Final = frozenset({502, 504, 520, 522, 524})
_RETRYABLE_STATUSES: Final = frozenset({408, 425})


def failure_by_status(
    status: int, phase: Phase, rate_limited: RateLimited, *, no_such_model: bool = False, not_ready: bool = False
) -> Failure:
    """Return what a status outside 2xx means.

    `rate_limited`: what a 429 is; its reason and wait serve the others, too. `no_such_model`: what a 404 to a submit says.
    `not_ready`: whether a refused fetch may be made again later.
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
    # 500 and 503 are the server's own answer: it did not take the job
    if status >= 500 or status in _RETRYABLE_STATUSES:
        return Transient(reason, wait)
    if status < 400:
        where = f"{reason}: it redirects to where we don't follow; set base_url to the address itself"
        return Permanent(where) if phase == "submit" else Transient(where)
    if phase == "fetch" and (status == 409 or not_ready):
        return Transient(f"{reason}; the result is not ready yet", wait)
    if status == 404 and phase == "submit" and no_such_model:
        return Permanent(reason, "no_such_model")
    return Permanent(reason, "no_result" if phase != "submit" and status in (404, 410) else "bad_request")


def unexpected_body(reason: str, phase: Phase) -> Failure:
    """Return what a 2xx means that does not hold what its phase needs."""
    missing = f"{reason}: the answer is not the JSON expected; is base_url right?"
    return Ambiguous(f"{missing} The job may have been accepted") if phase == "submit" else Transient(missing)
