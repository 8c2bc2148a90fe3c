"""Several limits that admit together: the state behind `a & b`, and behind an account within an organisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from vidgen_nb.provider.limit_states import LimitCause, LimitRefusal, LimitState
from vidgen_nb.provider.weights import NOTHING

__all__ = ["CombinedState", "parts_of"]

_WORST_FIRST: Final[tuple[LimitCause, ...]] = ("day_quota", "concurrency", "rate")


class CombinedState(LimitState):
    """Several limits that admit together; if there are none, everything is admitted."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[LimitState, ...]) -> None:
        self.parts = parts

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a request of which nothing is known will be admitted."""
        return self.ready_for(now, NOTHING)

    def take(self, now: float) -> None:
        """Count an admission of which nothing is known."""
        self.take_for(now, NOTHING)

    def ready_for(self, now: float, request: Mapping[str, Any]) -> float:
        """Return `now`, or when a request will be admitted."""
        return max((part.ready_for(now, request) for part in self.parts), default=now)

    def take_for(self, now: float, request: Mapping[str, Any]) -> None:
        """Count an admission."""
        for part in self.parts:
            part.take_for(now, request)

    def holds(self) -> bool:
        """Say whether a slot is held until the job's end."""
        return any(part.holds() for part in self.parts)

    def release(self) -> None:
        """Give a slot back."""
        for part in self.parts:
            part.release()

    def refuse(self, now: float, request: Mapping[str, Any] = NOTHING) -> None:
        """Count a refused request in the parts that count refusals."""
        for part in self.parts:
            part.refuse(now, request)

    def admit(self, now: float, request: Mapping[str, Any] = NOTHING) -> LimitRefusal | None:
        """Admit in all of them, or in none."""
        waits = [(part.cause, ready) for part in self.parts if (ready := part.ready_for(now, request)) > now]
        if not waits:
            self.take_for(now, request)
            return None
        cause = min((cause for cause, _ in waits), key=_WORST_FIRST.index)
        self.refuse(now, request)
        # the daily quota lasts longer than the jobs that hold slots today
        ends = [ready for part in self.parts if now < (ready := part.ready_for(now, request)) < math.inf]
        return LimitRefusal(cause, None if cause == "concurrency" or not ends else max(ends) - now)


def parts_of(state: LimitState) -> tuple[LimitState, ...]:
    """Return the states that admit together in this one."""
    return state.parts if isinstance(state, CombinedState) else (state,)
