"""Limits drawn from those that explain a run's answers so far; each with what it has admitted already."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Final

from vidgen_nb.analysis.limits.candidates import Candidate
from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_group
from vidgen_nb.analysis.limits.feasible import Evidence
from vidgen_nb.analysis.limits.fit import closest, most_jobs
from vidgen_nb.analysis.limits.parts_of_history import since, until
from vidgen_nb.analysis.limits.submit_history import SubmitHistory, submit_history
from vidgen_nb.analysis.limits.two_limits import two_limits
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.provider import Limit, LimitState

__all__ = ["drawn_limits", "jobs_admitted"]

DRAWS_PER_GROUP: Final = 10
"""Limits drawn per quota group."""
FROM_PARTS: Final = 6
"""Of these, so many are drawn from what a part of the 429s shows, where no limit explains all of them."""
MAX_DECISIONS: Final = 400
"""How many of a group's first decisions its limit is estimated from."""
OPEN_WINDOW_FACTOR: Final = 2.5
"""If no reset of a window was seen, assume at most this many times the length that it is known to have."""
BRISK_FACTOR: Final = 8
"""If every probe found the window reset, assume at least its upper bound divided by this."""
CLOSE_SHARE: Final = 0.05
"""Where no limit explains every 429, those count that leave so many more of them unexplained than the best."""
UNLIMITED_CHANCE: Final = 0.5
"""The chance that a group that has met no limit has none, if others have met theirs."""


def drawn_limits(data: RunData) -> list[tuple[list[str], list[UsedLimit | None]]]:
    """Return each quota group's profiles and some limits that explain its answers; None: no limit."""
    rng = Random("limits")  # noqa: S311 - no secret
    found = []
    for group in submit_history(data.header, data.events).values():
        estimate = estimate_group(_beginning(group), most=100)
        if estimate.refused and not estimate.candidates:
            limits, parts = _closest(group), _parts(group)
            known = [_draw(parts[k % len(parts)], group, rng) for k in range(FROM_PARTS if parts else 0)]
            found.append((group, known + [rng.choice(limits) for _ in range(DRAWS_PER_GROUP - len(known))]))
        else:
            found.append((group, [_draw(estimate, group, rng) for _ in range(DRAWS_PER_GROUP)]))
    others = [used for _, drawn in found for used in drawn if used is not None]
    return [
        (list(group.profiles), drawn if group.refused else [_like(others, group, rng) for _ in drawn])
        for group, drawn in found
    ]


def jobs_admitted(data: RunData) -> dict[str, int]:
    """Return how many jobs at once the profiles admit whose 429s said that there were too many."""
    groups = submit_history(data.header, data.events).values()
    return {name: max(1, most_jobs(group)) for group in groups if group.crowded for name in group.profiles}


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


def _parts(group: SubmitHistory) -> list[LimitEstimate]:
    """Return what explains the first third of a group's 429s, and its later half: its limit may have changed.

    Or something has come between that may pass, or has passed.
    """
    moments = sorted(each.between[1] for each in group.refused)
    middle = moments[len(moments) // 2]
    parts = since(group, middle, moments[-1] - middle), until(group, moments[len(moments) // 3])
    found = [estimate_group(_beginning(part), most=100, whole=False) for part in parts]
    return [each for each in found if each.candidates]


def _closest(group: SubmitHistory) -> list[UsedLimit | None]:
    """Return limits for a group whose answers no single one explains: two together, or those that explain most."""
    evidence, used = Evidence(_beginning(group), None), _times([*group.accepted, *group.in_doubt])
    if pair := two_limits(evidence):
        first, second = (Candidate(each.kind, each.n, each.per, each.per).limit() for each in pair)
        return [UsedLimit(first & second, used)]
    found = sorted(closest(evidence))
    most = found[0][0] + CLOSE_SHARE * len(evidence.refusals) if found else 0
    return [UsedLimit(Candidate(*each[1:], each[3]).limit(), used) for each in found if each[0] <= most] or [None]


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
