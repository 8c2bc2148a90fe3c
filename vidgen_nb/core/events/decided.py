"""What the scheduler decided, with its reason (R20)."""

from __future__ import annotations

from typing import Literal

from vidgen_nb.core.events.requested import Event
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Failure

SettledStatus = Literal["failed", "cancelled", "held"]
EndReason = Literal["settled", "stopped", "no usable profile", "max_billed", "results can't be written"]

__all__ = [
    "AttemptStarted",
    "BillingLimitReached",
    "CooldownEnded",
    "CooldownStarted",
    "EndReason",
    "RetryGranted",
    "RunEnded",
    "SceneRequeued",
    "SceneSettled",
    "SettledStatus",
]


@record
class AttemptStarted(Event):
    """A scene was given to a profile; the submit leaves now."""

    scene: str
    number: int
    profile: str
    reason: str


@record
class SceneRequeued(Event):
    """An attempt ended without a result and the scene waits again."""

    scene: str
    number: int
    """The attempt that ended."""
    profile: str
    outcome: Failure
    reason: str
    not_before: float | None = None
    """The back-off's end in run seconds, or None: it may go at once."""
    unpaid: bool = False
    """It waits until the retry budget lets it go (`RetryGranted`)."""


@record
class RetryGranted(Event):
    """The retry budget lets a scene try again."""

    scene: str
    number: int
    """The attempt that failed."""
    reason: str
    not_before: float | None = None
    """The back-off's end in run seconds, or None: it is over."""


@record
class SceneSettled(Event):
    """A scene ended in another way than by `Fetched`."""

    scene: str
    number: int
    """The attempt that ended, or the latest; 0: none."""
    profile: str | None
    """The profile of that attempt; None: no attempt was running."""
    status: SettledStatus
    reason: str
    outcome: Failure | None = None


@record
class CooldownStarted(Event):
    """A quota group, or one profile alone, gets no new submissions until a time; again when the end moves."""

    group: str
    """Its name; the profile's own where it stands alone."""
    alone: bool
    """False: the quota group cools. True: this one profile does, for failures of its own (R9, R11)."""
    profile: str
    """The profile that was rate limited, or alone is affected."""
    profiles: tuple[str, ...]
    """All profiles that cool."""
    until: float
    """Run seconds; inf: no end is known."""
    reason: str
    scene: str | None = None
    unusable: bool = False
    """True where this is no cooldown but a profile out of the rotation (R11)."""


@record
class CooldownEnded(Event):
    """The window is over; a probe goes next (R18)."""

    group: str
    alone: bool
    profiles: tuple[str, ...]


@record
class BillingLimitReached(Event):
    """So many submits were accepted, or may have been, while scenes wait: the run ends as after `Stopped`."""

    max_billed: int


@record
class RunEnded(Event):
    """Nothing is under way and nothing will be."""

    reason: EndReason
