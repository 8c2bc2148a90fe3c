"""What a simulated provider's refusals and faults mean to a client: the outcomes that its backend would find."""

from __future__ import annotations

from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import Failure, Permanent, ProfileUnusable, RateLimited, Transient

__all__ = ["failure"]


def failure(kind: str, retry_after: float | None, rate: RateInfo | None = None, reason: str = "") -> Failure:
    """Return what the model's refusal or fault means to the scheduler: the same as from the emulator over HTTP."""
    match kind:
        case "rate" | "concurrency":
            source = "model" if retry_after is not None else ""
            if retry_after is None and rate is not None and rate.remaining == 0:
                retry_after, source = rate.reset, "x-ratelimit-reset-requests"
            return RateLimited(retry_after, source, f"429 {kind}", kind, rate)
        case "day_quota":
            return ProfileUnusable("the day's quota is used up", "day_quota", retry_after)
        case "credit" | "auth":
            return ProfileUnusable({"credit": "no credit", "auth": "bad key"}[kind], kind)
        case "content" | "bad_request":
            return Permanent(reason or kind.replace("_", " "), kind)
        case "expired" | "empty":
            reason = {"expired": "the result has expired", "empty": "it failed to give a video"}[kind]
            return Permanent(reason, "no_result")
        case "overload":
            return Transient("503 overload", retry_after)
        case _:
            return Transient(kind.replace("_", " "))
