"""How a run's submits were answered: per quota group, which were accepted and refused, and when.

A provider decides between the submit and its answer. In virtual time the answer comes at the moment of the decision; on
a real clock the decision lies between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Ambiguous, RateLimited

__all__ = ["RefusedSubmit", "Span", "SubmitHistory", "submit_history"]

Span = tuple[float, float]
"""The provider decided between these two run seconds."""


@dataclass(frozen=True, slots=True)
class RefusedSubmit:
    """A submit that got a 429 because of the rate."""

    between: Span
    retry_after: float | None
    sure: int = 0
    """Submits whose acceptance was known by then."""
    possible: int = 0
    """The same, plus those in doubt."""


@dataclass(slots=True)
class SubmitHistory:
    """How the submits to one quota group were answered."""

    group: str
    exact: bool = True
    """Whether this is virtual time: the moments of decisions are known, and windows begin with the run."""
    profiles: list[str] = field(default_factory=list)
    accepted: list[Span] = field(default_factory=list)
    in_doubt: list[Span] = field(default_factory=list)
    """May have been accepted: the answer was lost."""
    refused: list[RefusedSubmit] = field(default_factory=list)
    crowded: int = 0
    """429s because too many jobs ran at once; they say nothing about the rate."""


def submit_history(header: dict[str, Any], events: Sequence[ev.Event]) -> dict[str, SubmitHistory]:
    """Return each quota group's history, in the order in which the groups were added."""
    exact = header.get("backend", {}).get("name") == "simulated"
    groups: dict[str, SubmitHistory] = {}
    group_of: dict[str, SubmitHistory] = {}
    left: dict[tuple[str, int], tuple[SubmitHistory, float]] = {}
    for event in events:
        if isinstance(event, ev.AttemptStarted):
            left[event.scene, event.number] = (group_of[event.profile], event.at)
        elif isinstance(event, ev.Accepted | ev.CallFailed | ev.AttemptAbandoned):
            if isinstance(event, ev.CallFailed) and event.phase != "submit":
                continue
            met = left.pop((event.scene, event.number), None)
            if met is not None:
                _count(met[0], event, (event.at if exact else met[1], event.at))
        elif isinstance(event, ev.ProfileAdded):
            name = event.group or event.profile
            group = group_of[event.profile] = groups.setdefault(name, SubmitHistory(name, exact))
            if event.profile not in group.profiles:
                group.profiles.append(event.profile)
    return groups


def _count(group: SubmitHistory, event: ev.Accepted | ev.CallFailed | ev.AttemptAbandoned, between: Span) -> None:
    """Count an answer; of failures other than 429s, only those in doubt may have used up any of the limit."""
    if isinstance(event, ev.Accepted):
        group.accepted.append(between)
    elif isinstance(event, ev.AttemptAbandoned):
        if event.sent:
            group.in_doubt.append(between)
    elif isinstance(event.outcome, Ambiguous):
        group.in_doubt.append(between)
    elif isinstance(event.outcome, RateLimited):
        if event.outcome.cause == "rate":
            sure = len(group.accepted)
            group.refused.append(RefusedSubmit(between, event.outcome.retry_after, sure, sure + len(group.in_doubt)))
        else:
            group.crowded += 1
