"""What a provider tells of a rate limit in its headers, as OpenAI does."""

from __future__ import annotations

import math

from vidgen_nb.core.model import RateInfo
from vidgen_nb.provider.limit_states import EDGE, Bucket, LimitState, Log, Window

__all__ = ["rate_info"]


def rate_info(state: LimitState, now: float) -> RateInfo | None:
    """Return limit, remaining and reset of one bucket or window; None for other limits, and sums of them.

    The reset is the time until the limit is at its initial state, in whole milliseconds, rounded up, as on the wire;
    for a sliding window that is when the latest request no longer counts. Takes as long as `n` is large.
    """
    match state:
        case Bucket():
            reset = max(0.0, state.full_at + state.taken * state.interval - now)
            return _told(state.n, math.ceil((reset - EDGE) / state.interval), reset)
        case Log():
            counting = [at for at in state.admitted if at + state.per > now + EDGE]
            return _told(state.n, len(counting), counting[-1] + state.per - now if counting else 0.0)
        case Window() if state.cause == "rate":
            index = int((now + EDGE) // state.per)
            taken = state.taken if index == state.index else 0
            return _told(state.n, taken, (index + 1) * state.per - now if taken else 0.0)
        case _:
            return None


def _told(limit: int, taken: int, reset: float) -> RateInfo:
    return RateInfo(limit, max(0, limit - taken), math.ceil(round(reset * 1000, 3)) / 1000)
