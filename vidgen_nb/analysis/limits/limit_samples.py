"""Limits drawn from those that explain a run's answers so far; each with what it has admitted already."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from vidgen_nb.analysis.limits.candidates import Candidate
from vidgen_nb.analysis.limits.estimate import LimitEstimate, estimate_group
from vidgen_nb.analysis.limits.feasible import Evidence
from vidgen_nb.analysis.limits.fit import LENGTHS_RANGE, log_chance, most_jobs, partly
from vidgen_nb.analysis.limits.parts_of_history import since, until
from vidgen_nb.analysis.limits.submit_history import SubmitHistory, submit_history
from vidgen_nb.analysis.limits.two_limits import two_limits
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.provider import Fault, Limit, LimitState

__all__ = ["Drawn", "drawn_limits", "jobs_admitted"]

DRAWS_PER_GROUP: Final = 10
"""Limits drawn per quota group."""
MAX_DECISIONS: Final = 400
"""How many of a group's first decisions its limit is estimated from."""
OPEN_WINDOW_FACTOR: Final = 2.5
"""If no reset of a window was seen, assume at most this many times the length that it is known to have."""
BRISK_FACTOR: Final = 8
"""If every probe found the window reset, assume at least its upper bound divided by this."""
RARE_CHANCE: Final = 0.1
"""The chance, before anything is known, that 429s come at random as well; and that a group's limit changed."""
CLOSE_WIDTH: Final = 0.05
"""A limit that leaves 429s unexplained stands for the lengths within 5 % of its own."""
UNLIMITED_CHANCE: Final = 0.5
"""The chance that a group that has met no limit has none, if others have met theirs."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A limit that may be a quota group's."""

    limit: UsedLimit | None
    """None: it has no limit."""
    refused_by_chance: float = 0.0
    """Share of its submits that get a 429 for no reason that is known."""

    def fault(self, profile: str) -> Fault:
        """Return these 429s as a fault."""
        return Fault("rate", profile=profile, probability=self.refused_by_chance)


def drawn_limits(data: RunData) -> list[tuple[list[str], list[Drawn]]]:
    """Return each quota group's profiles and some limits that explain its answers."""
    rng = Random("limits")  # noqa: S311 - no secret
    found = []
    for group in submit_history(data.header, data.events).values():
        explained = _explanations(group)
        weights = [math.exp(each.log_weight - max(one.log_weight for one in explained)) for each in explained]
        chosen = rng.choices(explained, weights, k=DRAWS_PER_GROUP)
        found.append((group, [each.drawn(group, rng) for each in chosen]))
    others = [each.limit for _, drawn in found for each in drawn if each.limit is not None]
    return [
        (list(group.profiles), drawn if group.refused else [Drawn(_like(others, group, rng)) for _ in drawn])
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
    lengths = _lengths(estimate, group)
    weights = [1e-9 + math.log(high / low) for low, high in lengths]
    place = rng.choices(range(len(lengths)), weights)[0]
    low, high = lengths[place]
    each, per = estimate.candidates[place], math.exp(rng.uniform(math.log(low), math.log(high)))
    return UsedLimit(each.limit(per), _times([*group.accepted, *group.in_doubt]))


def _lengths(estimate: LimitEstimate, group: SubmitHistory) -> list[tuple[float, float]]:
    """Return between which lengths each limit is drawn; those that may be endless are bounded."""
    tried = max(each.between[1] for each in group.refused)
    lengths = []
    for each in estimate.candidates:
        high = min(each.high, max(OPEN_WINDOW_FACTOR * each.low, tried))
        lengths.append((max(each.low, high / BRISK_FACTOR), high))
    return lengths


def _log_share(estimate: LimitEstimate, group: SubmitHistory, most: int) -> float:
    """Return the logarithm of the share of all limits with n up to `most` that an estimate leaves (see `fit`)."""
    left = zip(estimate.candidates, _lengths(estimate, group), strict=True)
    width = math.fsum((1e-9 + math.log(high / low)) / each.n for each, (low, high) in left)
    return math.log(width * _share_of_all(most))


def _share_of_all(most: int) -> float:
    """Return by what ln(longest / shortest) / n of some limits becomes their share of all those with n up to `most`."""
    return 1 / (3 * LENGTHS_RANGE * math.fsum(1 / n for n in range(1, most + 1)))


@dataclass(frozen=True)
class _Explanation:
    """One way in which a group's answers may have come about."""

    log_weight: float
    """How likely the answers are, if it is true: the share of all limits that would have given them."""
    limit: Limit | Candidate | LimitEstimate | None
    by_chance: float = 0.0
    """Share of the answers that are 429s at random."""

    def drawn(self, group: SubmitHistory, rng: Random) -> Drawn:
        """Draw a limit, with what it has admitted."""
        if isinstance(self.limit, LimitEstimate):
            return Drawn(_draw(self.limit, group, rng))
        limit = self.limit
        if isinstance(limit, Candidate):
            limit = limit.limit(math.exp(rng.uniform(math.log(limit.low), math.log(limit.high))))
        used = None if limit is None else UsedLimit(limit, _times([*group.accepted, *group.in_doubt]))
        return Drawn(used, self.by_chance)


def _explanations(group: SubmitHistory) -> list[_Explanation]:
    """Return what may explain a group's answers, each with its weight.

    A limit that explains every 429; limits that leave some to chance; chance alone; two at a time; or one that explains
    the later half or the first third of the 429s, and another one that was there at other times.
    """
    begins = _beginning(group)
    estimate = estimate_group(begins, most=100)
    if not group.refused:
        return [_Explanation(0.0, estimate)]
    evidence, answers = Evidence(begins, None), len(begins.accepted) + len(begins.refused)
    most = max(1, evidence.most)
    found = [_Explanation(_log_share(estimate, group, most), estimate)] if estimate.candidates else []
    all_limits, refused = _share_of_all(most), len(begins.refused)
    share = CLOSE_WIDTH * all_limits
    near = partly(evidence)
    rest = min((each[0] for each in near), default=refused)
    for left, kind, n, low, high in near:
        weight = _by_chance(left, answers) + math.log(all_limits * math.log(high / low) / n)
        found.append(_Explanation(weight, Candidate(kind, n, low, high), left / answers))
    found.append(_Explanation(_by_chance(refused, answers), None, min(0.9, refused / answers)))
    if not estimate.candidates:
        if pair := two_limits(evidence):
            first, second = (Candidate(each.kind, each.n, each.per, each.per).limit() for each in pair)
            weight = math.fsum(math.log(share / each.n) for each in pair)
            found.append(_Explanation(weight, first & second))
        for part in _parts(group):
            others = answers - part.accepted - part.refused
            left = round(rest * (1 - part.refused / refused))
            weight = _by_chance(left, max(left, others)) + math.log(share * RARE_CHANCE / answers)
            found.append(_Explanation(weight + _log_share(part, group, most), part))
    return found


def _parts(group: SubmitHistory) -> list[LimitEstimate]:
    """Return what explains the first third of a group's 429s, and its later half: its limit may have changed.

    Or something has come between that may pass, or has passed.
    """
    moments = sorted(each.between[1] for each in group.refused)
    middle = moments[len(moments) // 2]
    parts = since(group, middle, moments[-1] - middle), until(group, moments[len(moments) // 3])
    found = [estimate_group(_beginning(part), most=100, whole=False) for part in parts]
    return [each for each in found if each.candidates]


def _by_chance(left: int, answers: int) -> float:
    """Return the log chance that so many of all answers are 429s at random, of unknown share (beta prior of ½)."""
    return log_chance(left, answers - left) + math.log(RARE_CHANCE) if left else 0.0


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
