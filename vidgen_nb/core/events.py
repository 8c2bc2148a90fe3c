"""What happens in a run, in the past tense. A run is the ordered list of these.

Three kinds, in this order below:

- what a user or the session asked for (`SceneAdded`, `Paused`, …), fed into the scheduler;
- what the driver found out (`Accepted`, `CallFailed`, …), fed into the scheduler;
- what the scheduler decided, with its reason (`AttemptStarted`, `CooldownStarted`, …; R20).

`at` is in seconds since the run began and is stamped by the scheduler. Scenes, profiles and groups are named by
their ids, so that an event can be written down as it is. An attempt is (scene, number), numbers from 1.
"""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any, Literal

from vidgen_nb.core.model import Artifact, Mode, Operation, RetryPolicy, Scene, record
from vidgen_nb.core.outcomes import Failure

SettledStatus = Literal["failed", "cancelled", "held"]
Phase = Literal["submit", "poll", "fetch", "cancel"]
EndReason = Literal["settled", "stopped", "no usable profile", "max_billed"]

BROKEN_OFF = "the program that ran it has ended"
"""Why a run that is restored was stopped: nobody asked for it."""

__all__ = [
    "BROKEN_OFF",
    "DECISIONS",
    "EVENTS",
    "Accepted",
    "AttemptAbandoned",
    "AttemptStarted",
    "BillingLimitChanged",
    "BillingLimitReached",
    "CallFailed",
    "CancelAnswered",
    "CancelRequested",
    "CooldownEnded",
    "CooldownImposed",
    "CooldownReleased",
    "CooldownStarted",
    "EndReason",
    "Event",
    "Fetched",
    "Generated",
    "JobFailed",
    "ModeChanged",
    "Paused",
    "Phase",
    "PolicyChanged",
    "ProfileAdded",
    "ProfileChanged",
    "ProfileRemoved",
    "Progressed",
    "RetryGranted",
    "RunEnded",
    "RunRestored",
    "RunStarted",
    "SceneAdded",
    "SceneRequeued",
    "SceneSettled",
    "SettledStatus",
    "Stopped",
    "Unpaused",
]


@record
class Event:
    """The base of all events."""

    at: float = field(default=math.nan, kw_only=True)
    """Run seconds; stamped when the scheduler handles the event."""


# -- asked for by a user or the session


@record
class ProfileAdded(Event):
    """A profile may be used from now on; also for one that was removed before."""

    profile: str
    capacity: int | None = None
    """Attempts it can generate at once; None: no bound."""
    group: str = ""
    """Its quota group; empty: the profile alone."""


@record
class ProfileChanged(Event):
    """A profile's capacity is another one from now on."""

    profile: str
    capacity: int | None


@record
class ProfileRemoved(Event):
    """A profile gets no new submissions; what runs on it goes on."""

    profile: str


@record
class SceneAdded(Event):
    """A scene waits to be run; also a settled one that is run again by hand."""

    scene: Scene
    single: bool = False
    """A single scene goes before all others (R2)."""
    attempts: int = 0
    """Attempts it already had in earlier runs: numbers go on from there."""


@record
class RunStarted(Event):
    """Submissions may begin, or go on after a stop."""


@record
class RunRestored(Event):
    """A run that was broken off is carried on, maybe by another program; what is under way is asked about anew."""

    epoch: float
    """The wall clock then, in seconds since 1970: run time went on meanwhile."""
    speed: float
    """Run seconds per wall second from now on."""
    seed: int
    """Of the jitter of back-off from now on."""
    retry: RetryPolicy
    on_ambiguous: Literal["hold", "retry"]
    max_wait: float


@record
class ModeChanged(Event):
    """Another mode holds for new submissions."""

    mode: Mode


@record
class PolicyChanged(Event):
    """Another policy holds for new decisions."""

    policy: Any
    """A `vidgen_nb.core.policy.Policy`; where its class was not found on loading, a `RecordedPolicy`."""


@record
class Paused(Event):
    """No new submissions; what runs goes on."""


@record
class Unpaused(Event):
    """Submissions go on."""


@record
class Stopped(Event):
    """No new submissions, and the run ends when what runs has settled; the rest stays queued."""

    reason: str = "stopped by the user"


@record
class BillingLimitChanged(Event):
    """Another `max_billed` holds from now on; a run that the last one stops goes on, and its count as well."""

    max_billed: int | None


@record
class CancelRequested(Event):
    """A scene, or with None every scene that is not settled, is to be cancelled."""

    scene: str | None = None


@record
class CooldownReleased(Event):
    """A user ended the cooldowns of a profile and of its group by hand."""

    profile: str


@record
class CooldownImposed(Event):
    """A cooldown known from elsewhere: an earlier run of the session, or another kernel."""

    profile: str
    until: float
    """Run seconds; inf: no end is known."""
    reason: str
    alone: bool = False
    """Whether it is the profile's own, not its quota group's."""
    unusable: bool = False


# -- found out by the driver


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


@record
class Fetched(Event):
    """The result is on disk (or was taken over otherwise): the attempt and its scene succeeded."""

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
    """Nobody carries the attempt on: the run was broken off."""

    scene: str
    number: int
    sent: bool = True
    """Whether its submit may have left: then the scene is in doubt, else it waits again."""
    reason: str = "broken off"


# -- decided by the scheduler


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


DECISIONS = (
    AttemptStarted, SceneRequeued, RetryGranted, SceneSettled, CooldownStarted, CooldownEnded, BillingLimitReached,
    RunEnded,
)  # fmt: skip
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        ProfileAdded, ProfileChanged, ProfileRemoved, SceneAdded, RunStarted, RunRestored, ModeChanged, PolicyChanged,
        Paused, Unpaused, Stopped, BillingLimitChanged, CancelRequested, CooldownReleased, CooldownImposed, Accepted,
        Progressed, Generated, Fetched, CallFailed, JobFailed, CancelAnswered, AttemptAbandoned, *DECISIONS,
    )
}  # fmt: skip
