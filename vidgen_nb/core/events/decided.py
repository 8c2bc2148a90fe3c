"""What the scheduler decided, with its reason (R20)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from vidgen_nb.core.events.requested import Event
from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import Failure

SettledStatus = Literal["failed", "cancelled", "held"]
__all__ = [
    "AttemptStarted",
    "BillingLimitReached",
    "CooldownEnded",
    "CooldownStarted",
    "EndReason",
    "RetryGranted",
    "RunEnded",
    "SameFailureRepeated",
    "SceneRequeued",
    "SceneSettled",
    "SettledStatus",
    "SpendingCapReached",
]


class EndReason(StrEnum):
    """Why a run ended; the values are what files hold and people read."""

    SETTLED = "settled"
    STOPPED = "stopped"
    NO_USABLE_PROFILE = "no usable profile"
    MAX_BILLED = "max_billed"
    MAX_COST = "spending cap reached"
    SAME_FAILURE = "paused after the same failure"
    RESULTS_UNWRITABLE = "results can't be written"

    def __repr__(self) -> str:
        return repr(self.value)


@record
class AttemptStarted(Event):
    """A scene is given to a profile; the submit leaves now."""

    scene: str
    number: int
    profile: str
    reason: str
    cost: int | None = None
    """What the job costs if it is accepted and done, in millionths of the price's currency; None: not known."""


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
    """The back-off's end in run seconds; None: it may go at once; inf: its client has not said."""
    unpaid: bool = False
    """Whether it waits for the retry budget (`RetryGranted`)."""


@record
class RetryGranted(Event):
    """The retry budget lets a scene try again."""

    scene: str
    number: int
    """The attempt that failed."""
    reason: str
    not_before: float | None = None
    """The back-off's end in run seconds; None: it is over."""


@record
class SceneSettled(Event):
    """A scene ended other than by `Fetched`."""

    scene: str
    number: int
    """The attempt that ended, or the latest; 0: there was none."""
    profile: str | None
    """The profile of that attempt; None: no attempt was running."""
    status: SettledStatus
    reason: str
    outcome: Failure | None = None


@record
class CooldownStarted(Event):
    """A quota group, or one profile alone, gets no new submissions until a time; recorded again when the end moves."""

    group: str
    """The group's name; for one profile alone, the profile's name."""
    alone: bool
    """False: the quota group cools. True: this one profile does, because of its own failures (R9, R11)."""
    profile: str
    """The profile that was rate limited, or that failed."""
    profiles: tuple[str, ...]
    """All profiles that cool."""
    until: float
    """Run seconds; inf: no end is known."""
    reason: str
    scene: str | None = None
    unusable: bool = False
    """Whether the profiles are out of the rotation, which is more than a cooldown (R11)."""


@record
class CooldownEnded(Event):
    """The cooldown is over; a probe goes next (R18)."""

    group: str
    alone: bool
    profiles: tuple[str, ...]


@record
class BillingLimitReached(Event):
    """While scenes wait, `max_billed` submits were, or may have been, accepted: the run ends as after `Stopped`."""

    max_billed: int


@record
class SpendingCapReached(Event):
    """No waiting scene fits under `max_cost` any more, whatever is under way: the run ends as after `Stopped`."""

    max_cost: float


@record
class SameFailureRepeated(Event):
    """Scenes failed one after the other for the same reason: nothing new is submitted until `Unpaused`.

    If nobody says that before what is under way has settled, the run ends, and can go on.
    """

    scenes: tuple[str, ...]
    reason: str


@record
class RunEnded(Event):
    """No attempt is in flight, and none will start."""

    reason: EndReason
