"""What a user or the session asked for: events that are fed into the scheduler."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any, Literal

from vidgen_nb.core.model import Mode, RetryPolicy, Scene, record

__all__ = [
    "BillingLimitChanged",
    "CancelRequested",
    "CooldownImposed",
    "CooldownReleased",
    "Event",
    "ModeChanged",
    "Paused",
    "PolicyChanged",
    "ProfileAdded",
    "ProfileChanged",
    "ProfileRemoved",
    "RunRestored",
    "RunStarted",
    "SceneAdded",
    "Stopped",
    "Unpaused",
]


@record
class Event:
    """The base of all events."""

    at: float = field(default=math.nan, kw_only=True)
    """Run seconds; stamped when the scheduler handles the event."""


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
    wary: bool = False
    """Whether a job of before is held that the provider does not know: it may be another server, or another account."""


@record
class ModeChanged(Event):
    """Another mode holds for new submissions."""

    mode: Mode


@record
class PolicyChanged(Event):
    """Another policy holds for new decisions."""

    policy: Any
    """A `vidgen_nb.policies.registry.Policy`; where its class was not found on loading, a `RecordedPolicy`."""


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
    """The cooldowns of a profile and of its group were ended by hand, or those without an end by a restore."""

    profile: str
    alone: bool = False
    """Only its own, not its quota group's."""


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
