"""Limits drawn from those that explain a run's answers so far; each with what it has admitted already."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Final

from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_group
from vidgen_nb.analysis.limits.submit_history import SubmitHistory, submit_history
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.provider import Limit, LimitState

__all__ = ["drawn_limits"]

DRAWS_PER_GROUP: Final = 10
"""Limits drawn per quota group."""
MAX_DECISIONS: Final = 400
"""How many of a group's first decisions its limit is estimated from."""
OPEN_WINDOW_FACTOR: Final = 2.5
"""If no reset of a window was seen, assume at most this many times the length that it is known to have."""
BRISK_FACTOR: Final = 8
"""If every probe found the window reset, assume at least its upper bound divided by this."""
UNLIMITED_CHANCE: Final = 0.5
"""The chance that a group that has met no limit has none, if others have met theirs."""


def drawn_limits(data: RunData) -> list[tuple[list[str], list[UsedLimit | None]]]:
    """Return each quota group's profiles and some limits that explain its answers; None: no limit."""
    rng = Random("limits")  # noqa: S311 - no secret
    found = []
    for group in submit_history(data.header, data.events).values():
        estimate = estimate_group(_beginning(group), most=100)
        found.append((group, [_draw(estimate, group, rng) for _ in range(DRAWS_PER_GROUP)]))
    others = [used for _, drawn in found for used in drawn if used is not None]
    return [
        (list(group.profiles), drawn if group.refused else [_like(others, group, rng) for _ in drawn])
        for group, drawn in found
    ]


class UsedLimit(Limit):
    """A limit with what it has admitted so far."""

    __slots__ = ("_state", "limit", "true")

    def __init__(self, limit: Limit, admitted: list[float]) -> None:
        self.limit = limit
        self._state = limit.state()
        self.true = True
        """Whether it would have admitted all of them."""
        for at in admitted:
            self.true = self._state.ready_at(at) <= at and self.true
            self._state.take(at)

    def state(self) -> LimitState:
        """Return a copy of its current state."""
        return deepcopy(self._state)


def _draw(estimate: LimitEstimate, group: SubmitHistory, rng: Random) -> UsedLimit | None:
    """Draw one of the limits that explain everything so far; None: no limit was met."""
    if not estimate.candidates:
        return None
    tried = max(each.between[1] for each in group.refused)
    lengths = []
    for each in estimate.candidates:
        high = min(each.high, max(OPEN_WINDOW_FACTOR * each.low, tried))
        lengths.append((max(each.low, high / BRISK_FACTOR), high))
    weights = [1e-9 + math.log(high / low) for low, high in lengths]
    place = rng.choices(range(len(lengths)), weights)[0]
    low, high = lengths[place]
    each, per = estimate.candidates[place], math.exp(rng.uniform(math.log(low), math.log(high)))
    return UsedLimit(each.limit(per), _times([*group.accepted, *group.in_doubt]))


def _like(others: list[UsedLimit], group: SubmitHistory, rng: Random) -> UsedLimit | None:
    """Draw a limit for a group that has met none: None, or another group's that would have admitted everything."""
    if not others or rng.random() < UNLIMITED_CHANCE:
        return None
    found = UsedLimit(rng.choice(others).limit, _times(group.accepted))
    return found if found.true else None


def _times(between: Iterable[tuple[float, float]]) -> list[float]:
    """Return about when submits were decided on; only the latest ones."""
    return sorted((low + high) / 2 for low, high in between)[-2000:]


def _beginning(group: SubmitHistory) -> SubmitHistory:
    """Return the first decisions of a group."""
    accepted = sorted(group.accepted)
    if len(accepted) + len(group.refused) <= MAX_DECISIONS:
        return group
    until = sorted([each[1] for each in accepted] + [each.between[1] for each in group.refused])[MAX_DECISIONS]
    refused = [each for each in group.refused if each.between[1] < until]
    return replace(group, accepted=accepted, refused=refused)
