"""The rate-limit headers of a provider, as OpenAI sends them."""

from __future__ import annotations

import math

from vidgen_nb.core.model import RateInfo
from vidgen_nb.provider.limit_states import EDGE, BucketState, LimitState, SlidingLogState, WindowState

__all__ = ["rate_info"]


def rate_info(state: LimitState, now: float) -> RateInfo | None:
    """Return limit, remaining and reset of one bucket or window of requests; None for other limits and combinations.

    The reset is the time until the limit is back in its initial state, in whole milliseconds, rounded up, as in HTTP;
    for a sliding window that is when the latest request no longer counts. Takes time proportional to `n`.
    """
    match state:
        case BucketState() if state.counts_requests:
            reset = max(0.0, state.full_at + state.taken * state.interval - now)
            return _rate_info(state.n, math.ceil((reset - EDGE) / state.interval), reset)
        case SlidingLogState():
            counting = [at for at in state.admitted if at + state.per > now + EDGE]
            return _rate_info(state.n, len(counting), counting[-1] + state.per - now if counting else 0.0)
        case WindowState() if state.cause == "rate" and state.counts_requests:
            index = int((now + EDGE) // state.per)
            taken = state.taken if index == state.index else 0
            return _rate_info(state.n, taken, (index + 1) * state.per - now if taken else 0.0)
        case _:
            return None


def _rate_info(limit: int, taken: float, reset: float) -> RateInfo:
    return RateInfo(limit, max(0, math.floor(limit - taken)), math.ceil(round(reset * 1000, 3)) / 1000)
