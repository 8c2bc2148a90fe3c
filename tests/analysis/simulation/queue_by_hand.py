"""A queue before one or several slots, in which the order is decided whenever one is free."""

from __future__ import annotations

__all__ = ["waits_by_hand"]


def waits_by_hand(order: str, slots: int, come: list[float], work: list[float]) -> list[float]:
    """Return how long each scene waits for a slot: whenever one is free, the first of those that are there is next."""
    key = {"given": lambda k: k, "shortest": lambda k: work[k], "longest": lambda k: -work[k]}[order]
    free, left, waited = [0.0] * slots, set(range(len(come))), [0.0] * len(come)
    while left:
        slot = min(range(slots), key=lambda each: free[each])
        now = max(free[slot], min(come[k] for k in left))
        chosen = min((k for k in left if come[k] <= now), key=key)
        left.remove(chosen)
        waited[chosen], free[slot] = now - come[chosen], now + work[chosen]
    return waited
