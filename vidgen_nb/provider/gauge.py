"""How much of a limit is left now, and the limit in words: what a gauge shows."""

from __future__ import annotations

from vidgen_nb.provider.limit_states import EDGE, BucketState, LimitState, SlidingLogState, WindowState
from vidgen_nb.provider.limits import DAY, All, Concurrency, DailyQuota, FixedWindow, Limit, SlidingWindow, TokenBucket

__all__ = ["available", "in_words", "rate_parts"]


def rate_parts(limit: Limit) -> list[Limit]:
    """Return the parts of a limit that fill up by themselves and count each request as one."""
    parts = limit.parts if isinstance(limit, All) else (limit,)
    return [part for part in parts if not isinstance(part, Concurrency) and getattr(part, "weight", 1) == 1]


def available(state: LimitState, now: float) -> float:
    """Return how many requests a bucket or window would admit now; a bucket fills evenly, so with a fraction.

    Takes time proportional to `n` for a sliding window.
    """
    match state:
        case BucketState():
            missing = max(0.0, state.full_at + state.taken * state.interval - now) / state.interval
            return max(0.0, state.n - missing)
        case SlidingLogState():
            return float(state.n - sum(at + state.per > now + EDGE for at in state.admitted))
        case WindowState():
            return float(state.n - (state.taken if int((now + EDGE) // state.per) == state.index else 0))
        case _:
            raise TypeError(f"{type(state).__name__} is no bucket or window of requests")


def in_words(limit: Limit) -> str:
    """Return a limit in words, such as `2, then 1 every 30 s`."""
    match limit:
        case All():
            return "; ".join(in_words(part) for part in limit.parts)
        case TokenBucket():
            what = "" if limit.weight == 1 else f" {limit.weight}"
            every = limit.per / limit.n
            then = f"1{what} every {every:.3g} s" if every >= 1 else f"{1 / every:.3g}{what} a second"
            return then if limit.n == 1 else f"{limit.n:,}{what}, then {then}"
        case DailyQuota():
            return f"{limit.n:,} a day"
        case FixedWindow() | SlidingWindow():
            word = "each" if isinstance(limit, FixedWindow) else "any"
            what = "" if limit.weight == 1 else f" {limit.weight}"
            return f"{limit.n:,}{what} in {word} {_period(limit.per)}"
        case Concurrency():
            return f"{limit.n:,} at once" + (", others queue" if limit.over == "queue" else "")
    return str(limit)


def _period(seconds: float) -> str:
    names = {60.0: "minute", 3600.0: "hour", DAY: "day"}
    return names.get(float(seconds), f"{seconds:.3g} s")
