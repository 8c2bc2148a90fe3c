"""Four accounts to play with: what the demo runs on, and what the explorer and the teaching material begin with."""

from __future__ import annotations

from dataclasses import replace

from vidgen_nb.core.money import Price
from vidgen_nb.errors import InputError
from vidgen_nb.provider.limits import SlidingWindow, TokenBucket
from vidgen_nb.provider.model import SimulatedProfile
from vidgen_nb.provider.service import LogNormal

__all__ = ["demo_profiles"]

DEMO_PROFILES = (
    SimulatedProfile(
        "alice", TokenBucket(2, per=60), LogNormal(22, 0.25), capacity=3, price=Price(per_second=0.10, seconds=4)
    ),
    SimulatedProfile(
        "bruno", TokenBucket(4, per=60), LogNormal(18, 0.25), capacity=3, price=Price(per_second=0.10, seconds=4)
    ),
    SimulatedProfile(
        "chiara", SlidingWindow(5, per=60), LogNormal(14, 0.25), capacity=3, price=Price(per_second=0.12, seconds=4)
    ),
    SimulatedProfile(
        "delta", TokenBucket(30, per=60), LogNormal(26, 0.25), capacity=3, price=Price(per_second=0.08, seconds=4)
    ),
)
"""One with a tight limit, one with a generous one, and two in between, so that scenes move. The prices are invented."""


def demo_profiles(count: int = 4) -> list[SimulatedProfile]:
    """Return this many simulated profiles: the four kinds in turn."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"the number of profiles must be a whole number, at least 1, not {count!r}")
    kinds = len(DEMO_PROFILES)
    return [
        DEMO_PROFILES[index]
        if index < kinds
        else replace(DEMO_PROFILES[index % kinds], name=f"p{index + 1}", api_key="")
        for index in range(count)
    ]
