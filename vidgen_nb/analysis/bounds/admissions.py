"""How many jobs a limit can admit at most, in closed form: A_p(t), the curve of a client that tries all the time.

No policy is admitted more often. The provider model also admits a submit that is a microsecond early (`EDGE`), and so
do these.
"""

from __future__ import annotations

from math import floor, inf

from vidgen_nb.provider.limit_states import EDGE
from vidgen_nb.provider.limits import DAY, All, Concurrency, DailyQuota, FixedWindow, Limit, SlidingWindow, TokenBucket
from vidgen_nb.provider.weights import SLACK

__all__ = ["at_once", "most_admitted", "most_at_any_phase", "parts"]


def parts(limit: Limit | None) -> tuple[Limit, ...]:
    """Return the limits of a sum; none for None."""
    return () if limit is None else limit.parts if isinstance(limit, All) else (limit,)


def most_admitted(limit: Limit | None, t: float, since: float = 0.0) -> float:
    """Return the most admissions from `since` to `t`, both included, if none came before; inf: no bound is known.

    Token bucket ⌊n + (t - since)·n/per⌋; fixed window n times the windows touched; sliding window
    n·(1 + ⌊(t - since)/per⌋); a sum has the least of its parts; for a concurrency limit see `at_once`. A limit of a
    scene's parameter may admit any number of light requests. Refusals that count only make it fewer.
    """
    if t < since - EDGE:
        return 0
    return min((_most(part, t, since) for part in parts(limit)), default=inf)


def _most(limit: Limit, t: float, since: float) -> float:
    weight = getattr(limit, "weight", 1)
    if isinstance(weight, str):
        return inf
    if weight != 1:  # the provider allows for the rounding of sums, and so does this
        weight /= 1 + 2 * SLACK
    match limit:
        case TokenBucket(n, per=per):
            return floor((n + (t - since + EDGE) * n / per) / weight)
        case FixedWindow(n, per=per):
            return floor(n / weight) * _windows(t, since, per)
        case DailyQuota(n):
            return floor(n / weight) * _windows(t, since, DAY)
        case SlidingWindow(n, per=per):
            return floor(n / weight) * (1 + floor((t - since + EDGE) / (per - EDGE)))
        case _:
            return inf


def _windows(t: float, since: float, per: float) -> int:
    return 1 + floor((t + EDGE) / per) - floor((since + EDGE) / per)


def most_at_any_phase(limit: Limit | None, t: float, since: float = 0.0) -> float:
    """Return the most admissions if it is not known when windows and days begin: n·(1 + ⌈(t - since)/per⌉) for those.

    That is what `most_admitted` says if the first window ends right after `since`.
    """
    if t < since - EDGE:
        return 0
    return min((most_admitted(part, t + (shift := _shift(part, since)), since + shift) for part in parts(limit)),
               default=inf)  # fmt: skip


def _shift(part: Limit, since: float) -> float:
    """Return by how much later a window would end two microseconds after `since`; other limits have no phase."""
    if not isinstance(part, FixedWindow | DailyQuota):
        return 0.0
    return (-since - 2 * EDGE) % (part.per if isinstance(part, FixedWindow) else DAY)


def at_once(limit: Limit | None) -> float:
    """Return how many jobs a limit lets run at once; inf: any number."""
    return min((part.n for part in parts(limit) if isinstance(part, Concurrency)), default=inf)
