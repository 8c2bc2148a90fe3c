"""How a run's submits were answered: per quota group, which were accepted and refused, and when.

A provider decides between the submit and its answer. In virtual time the answer comes at the moment of the decision; on
a real clock the decision lies between the two. The provider's limit goes on while no program runs a run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vidgen_nb.analysis.limits.header_counts import Departure, HeaderCount
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.provider.weights import weight_of

__all__ = ["Job", "RefusedSubmit", "Span", "SubmitHistory", "submit_history"]

UNDER_WAY_SECONDS: Final = 60.0
"""A submit whose program ended was decided on within this time."""
Span = tuple[float, float]
"""The provider decided between these two run seconds."""


@dataclass(frozen=True, slots=True)
class RefusedSubmit:
    """A submit that got a 429 because of the rate."""

    between: Span
    retry_after: float | None
    """When one more would be accepted, in seconds; a header that tells when all of the limit is back is none."""
    sure: int = 0
    """Submits whose acceptance was known by then."""
    possible: int = 0
    """The same, plus those in doubt."""
    weight: float = 1.0


@dataclass(slots=True)
class Job:
    """An accepted submit, as long as its job was known to run."""

    start: float
    end: float | None = None
    """When a poll found it ended; None: it runs."""


@dataclass(slots=True)
class SubmitHistory:
    """How the submits to one quota group were answered."""

    group: str
    exact: bool = True
    """Whether this is virtual time: the moments of decisions are known, and windows begin with the run."""
    profiles: list[str] = field(default_factory=list)
    accepted: list[Span] = field(default_factory=list)
    in_doubt: list[Span] = field(default_factory=list)
    """May have been accepted: the answer was lost, or has not come yet."""
    refused: list[RefusedSubmit] = field(default_factory=list)
    crowded: int = 0
    """429s because too many jobs ran at once; they say nothing about the rate."""
    jobs: list[Job] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    """Of the accepted submits, if it was asked for."""
    doubts: list[float] = field(default_factory=list)
    """Those of the submits in doubt."""
    headers: HeaderCount = field(default_factory=HeaderCount)
    """What the answers' rate-limit headers count."""


def submit_history(
    header: dict[str, Any], events: Sequence[ev.Event], *, together: Collection[str] = (), weight: str | None = None
) -> dict[str, SubmitHistory]:
    """Return each quota group's history, in the order in which the groups were added.

    `together`: names of groups to be taken as one, which gets the name of the first. `weight`: the scenes' parameter
    that says what each weighs.
    """
    reader = _Reader(header.get("backend", {}).get("name") == "simulated", together, weight)
    for event in events:
        reader.take(event)
    return reader.finished(events[-1].at if events else 0.0)


class _Reader:
    """Follows a run's events."""

    def __init__(self, exact: bool, together: Collection[str], weight: str | None) -> None:
        self._exact = exact
        self._weight = weight
        self._weights: dict[str, float] = {}
        self._together = together
        self._groups: dict[str, SubmitHistory] = {}
        self._group_of: dict[str, SubmitHistory] = {}
        self._left: dict[tuple[str, int], tuple[SubmitHistory, float, Departure]] = {}
        self._jobs: dict[tuple[str, int], Job] = {}
        self._abandoned: list[SubmitHistory] = []
        """Groups of the submits in doubt since the last program ended."""

    def take(self, event: ev.Event) -> None:
        """Take in the next event."""
        if isinstance(event, ev.AttemptStarted):
            group = self._group_of[event.profile]
            self._left[event.scene, event.number] = (group, event.at, group.headers.left())
        elif isinstance(event, ev.Accepted | ev.CallFailed | ev.AttemptAbandoned):
            if not isinstance(event, ev.CallFailed) or event.phase == "submit":
                self._answer(event)
        elif isinstance(event, ev.Generated | ev.JobFailed | ev.Fetched):
            if job := self._jobs.pop((event.scene, event.number), None):
                job.end = event.at
        elif isinstance(event, ev.ProfileAdded):
            name = event.group or event.profile
            shared = next(iter(self._together)) if name in self._together else name
            group = self._groups.setdefault(
                shared, SubmitHistory(shared, self._exact, headers=HeaderCount(self._exact))
            )
            self._group_of[event.profile] = group
            if event.profile not in group.profiles:
                group.profiles.append(event.profile)
        elif isinstance(event, ev.RunRestored):
            self._restored(event)
        elif isinstance(event, ev.SceneAdded) and self._weight is not None:
            self._weights[event.scene.id] = weight_of(self._weight, event.scene.params)

    def _answer(self, event: ev.Accepted | ev.CallFailed | ev.AttemptAbandoned) -> None:
        met = self._left.pop((event.scene, event.number), None)
        if met is None:
            return
        group, left, departure = met
        between = (event.at if self._exact else left, event.at)
        group.headers.answered(departure, _rate(event), accepted=isinstance(event, ev.Accepted))
        if isinstance(event, ev.Accepted):
            group.jobs.append(job := Job(event.at))
            self._jobs[event.scene, event.number] = job
        elif isinstance(event, ev.AttemptAbandoned) and event.sent:
            self._abandoned.append(group)
        _count(group, event, between, self._weights.get(event.scene, 1.0))

    def _restored(self, event: ev.RunRestored) -> None:
        """What was under way when a program ended was decided soon after that, not when the next one said so."""
        for group in {id(each): each for each in self._abandoned}.values():
            if event.off_since is not None:
                latest = event.off_since + UNDER_WAY_SECONDS
                group.in_doubt[:] = [(low, max(low, min(high, latest))) for low, high in group.in_doubt]
        self._abandoned.clear()

    def finished(self, end: float) -> dict[str, SubmitHistory]:
        """Return what was found; on a real clock, submits without an answer yet may have been accepted."""
        if not self._exact:
            for (scene, _), (group, left, _) in self._left.items():
                group.in_doubt.append((left, end))
                group.doubts.append(self._weights.get(scene, 1.0))
        return self._groups


def _rate(event: ev.Accepted | ev.CallFailed | ev.AttemptAbandoned) -> RateInfo | None:
    """Return what the headers of an answer say."""
    if isinstance(event, ev.Accepted):
        return event.operation.rate
    return event.outcome.rate if isinstance(event, ev.CallFailed) and isinstance(event.outcome, RateLimited) else None


def _count(
    group: SubmitHistory, event: ev.Accepted | ev.CallFailed | ev.AttemptAbandoned, between: Span, weight: float
) -> None:
    """Count an answer; of failures other than 429s, only those in doubt may have used up any of the limit."""
    outcome = event.outcome if isinstance(event, ev.CallFailed) else None
    if isinstance(event, ev.Accepted):
        group.accepted.append(between)
        group.weights.append(weight)
    elif isinstance(outcome, Ambiguous) or (isinstance(event, ev.AttemptAbandoned) and event.sent):
        group.in_doubt.append(between)
        group.doubts.append(weight)
    elif isinstance(outcome, RateLimited):
        if outcome.cause == "rate":
            sure = len(group.accepted)
            wait = None if "ratelimit" in outcome.source.lower() else outcome.retry_after
            group.refused.append(RefusedSubmit(between, wait, sure, sure + len(group.in_doubt), weight))
        else:
            group.crowded += 1
