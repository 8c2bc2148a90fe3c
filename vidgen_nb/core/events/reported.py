"""What a driver found out: events that are fed into the scheduler."""

from __future__ import annotations

from typing import Literal

from vidgen_nb.core.events.requested import Event
from vidgen_nb.core.model import Artifact, Operation, record
from vidgen_nb.core.outcomes import Failure

Phase = Literal["submit", "poll", "fetch", "cancel"]

__all__ = [
    "Accepted",
    "AttemptAbandoned",
    "CallFailed",
    "CancelAnswered",
    "Fetched",
    "Generated",
    "JobFailed",
    "Phase",
    "Progressed",
]


@record
class Accepted(Event):
    """The provider took the attempt; it generates now."""

    scene: str
    number: int
    operation: Operation


@record
class Progressed(Event):
    """A poll found the job not finished. Recorded when `status` changed."""

    scene: str
    number: int
    status: str
    """`queued` or `running` at the provider."""
    progress: float | None = None
    """0 to 1, or None."""
    poll_after: float | None = None
    """Seconds the server asked to wait, or None."""


@record
class Generated(Event):
    """The job is done; its result can be fetched."""

    scene: str
    number: int
    artifact: Artifact
    cost: int | None = None
    """What the provider says that it charges, in millionths of a US dollar, or None."""


@record
class Fetched(Event):
    """The result is on disk, or was handled in another way: the attempt and its scene succeeded."""

    scene: str
    number: int
    path: str | None = None
    """The file, or None where nothing was written."""


@record
class CallFailed(Event):
    """A call of the attempt failed, classified by the backend."""

    scene: str
    number: int
    phase: Phase
    outcome: Failure


@record
class JobFailed(Event):
    """The provider says that the job itself ended without a result."""

    scene: str
    number: int
    outcome: Failure


@record
class CancelAnswered(Event):
    """The provider answered a cancel."""

    scene: str
    number: int
    answer: Literal["cancelled", "requested", "too late", "unsupported"]


@record
class AttemptAbandoned(Event):
    """Nobody continues the attempt: the run was broken off."""

    scene: str
    number: int
    sent: bool = True
    """Whether its submit may have left: if so the scene is in doubt, otherwise it waits again."""
    reason: str = "broken off"
