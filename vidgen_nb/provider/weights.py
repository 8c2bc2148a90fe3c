"""What a request weighs: the share of a limit that it uses up, such as its tokens at a limit of tokens a minute.

A limit's `weight` is the name of a scene's parameter (1 for a scene without it), or one number for every request.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["NOTHING", "SLACK", "WeightedLog", "weight_of"]

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
"""The parameters of a request of which nothing is known."""
SLACK: Final = 1e-9
"""A sum of weights may exceed a limit by this share: sums of floats are rounded."""


def weight_of(weight: str | float, request: Mapping[str, Any]) -> float:
    """Return what a request with these parameters weighs; inf if the parameter is no number from 0 up.

    >>> weight_of("tokens", {"tokens": 1500})
    1500.0
    """
    if not isinstance(weight, str):
        return weight
    value = request.get(weight, 1)
    if isinstance(value, bool):
        return math.inf
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return number if number >= 0 else math.inf


class WeightedLog:
    """The requests of a sliding window that still count, with their weights."""

    __slots__ = ("_entries", "_most", "_per", "_total")

    def __init__(self, n: int, per: float) -> None:
        self._most = n * (1 + SLACK)
        self._per = per
        self._entries: deque[tuple[float, float]] = deque()
        self._total = 0.0

    def ready_at(self, now: float, weight: float) -> float:
        """Return when so much room is free, at the earliest at `now`; inf: never. O(entries)."""
        while self._entries and self._entries[0][0] + self._per <= now:
            self._drop()
        over, ready = self._total + weight - self._most, now
        for at, each in self._entries:
            if over <= 0:
                break
            over, ready = over - each, at + self._per
        return ready if over <= 0 else math.inf

    def add(self, now: float, weight: float) -> None:
        """Count a request; those before it that no longer make a difference are forgotten."""
        self._entries.append((now, weight))
        self._total += weight
        while len(self._entries) > 1 and self._total - self._entries[0][1] > self._most:
            self._drop()

    def _drop(self) -> None:
        self._total -= self._entries.popleft()[1]
        if not self._entries:
            self._total = 0.0
