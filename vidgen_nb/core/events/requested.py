"""What a user or the session asked for: events that are fed into the scheduler."""

from __future__ import annotations

import math
from dataclasses import field
from enum import StrEnum
from typing import Any, Literal

from vidgen_nb.core.model import Mode, RetryPolicy, Scene, record
from vidgen_nb.core.money import Price

__all__ = [
    "AskedAgain",
    "BillingLimitChanged",
    "CancelRequested",
    "CooldownImposed",
    "CooldownReleased",
    "Event",
    "ModeChanged",
    "Paused",
    "PolicyChanged",
    "PriceChanged",
    "ProfileAdded",
    "ProfileChanged",
    "ProfileRemoved",
    "RunRestored",
    "RunStarted",
    "SceneAdded",
    "SceneEdited",
    "SpendingCapChanged",
    "StopReason",
    "Stopped",
    "SubmitAgainRequested",
    "Unpaused",
]


class StopReason(StrEnum):
    """Reasons for a stop that code asks about; `Stopped.reason` may be any other text, too."""

    BY_USER = "stopped by the user"
    BROKEN_OFF = "the program that ran it has ended"
    """Recorded by the program that restores the run: nobody asked for this stop."""

    def __repr__(self) -> str:
        return repr(self.value)


@record
class Event:
    """The base of all events."""

    at: float = field(default=math.nan, kw_only=True)
    """Run seconds; stamped when the scheduler handles the event."""


@record
class ProfileAdded(Event):
    """A profile may be used from now on; also brings back a removed one."""

    profile: str
    capacity: int | None = None
    """Attempts it can generate at once; None: no bound."""
    group: str = ""
    """Its quota group; empty: the profile alone."""
    price: Price | None = None
    """What a job costs on it from now on; None: not known."""


@record
class ProfileChanged(Event):
    """A profile has a new capacity."""

    profile: str
    capacity: int | None


@record
class PriceChanged(Event):
    """Jobs of a profile cost something else from now on."""

    profile: str
    price: Price | None = None


@record
class ProfileRemoved(Event):
    """A profile gets no new submissions; running attempts continue."""

    profile: str


@record
class SceneAdded(Event):
    """A scene waits to be run, for the first time or again by hand after it settled."""

    scene: Scene
    single: bool = False
    """A single scene goes before all others (R2)."""
    attempts: int = 0
    """Attempts it already had in earlier runs: numbers continue from there."""
    rank: float | None = None
    """Its place in the queue's order, a lower one first; None: its number, from 1, of those added: first come, first
    served."""


@record
class SceneEdited(Event):
    """A scene that is not running has another prompt or other parameters, for its next attempt; its status stays."""

    scene: Scene


@record
class AskedAgain(Event):
    """A settled scene's job may exist: it is asked about again, as a new attempt without a submit."""

    scene: Scene
    number: int
    """The new attempt's."""
    profile: str
    """Where the job is."""
    job: str
    """The provider's job id."""


@record
class SubmitAgainRequested(Event):
    """A held scene is to be submitted again although its job may exist, and be billed twice; `SceneAdded` follows."""

    scene: str


@record
class RunStarted(Event):
    """Submissions may begin, or continue after a stop."""


@record
class RunRestored(Event):
    """A run that was broken off continues, maybe in another program; jobs in flight are polled again."""

    epoch: float
    """The wall clock at the restore, in seconds since 1970: run time went on meanwhile."""
    speed: float
    """Run seconds per wall second from now on."""
    seed: int
    """Of the back-off's jitter from now on."""
    retry: RetryPolicy
    on_ambiguous: Literal["hold", "retry"]
    max_wait: float
    hold_unknown_jobs: bool = field(default=False, metadata={"recorded_as": "wary"})
    """Whether to hold an earlier job that the provider doesn't know: it may be another server, or another account.

    Files call it `wary`."""
    off_since: float | None = None
    """When the last program recorded its last event; None in files that don't say so."""
    pause_after_same_failure: int | None = None
    """As the setting from now on; None: off."""


@record
class ModeChanged(Event):
    """New submissions follow another mode."""

    mode: Mode


@record
class PolicyChanged(Event):
    """New decisions follow another policy."""

    policy: Any
    """A `Policy`; if its class was not found when the run was loaded, a `RecordedPolicy`."""


@record
class Paused(Event):
    """No new submissions; running attempts continue."""


@record
class Unpaused(Event):
    """Submissions go on, also after the pause of `SameFailureRepeated`."""


@record
class Stopped(Event):
    """No new submissions, and the run ends when running attempts have settled; other scenes stay queued."""

    reason: str = StopReason.BY_USER


@record
class BillingLimitChanged(Event):
    """`max_billed` has a new value; a run that the old one stopped continues, and so does the count."""

    max_billed: int | None


@record
class SpendingCapChanged(Event):
    """`max_cost` has a new value; a run that the old one stopped continues, and so does the count."""

    max_cost: float | None


@record
class CancelRequested(Event):
    """Cancel a scene, or with None every scene that has not settled."""

    scene: str | None = None


@record
class CooldownReleased(Event):
    """End the cooldowns of a profile and its group: by hand, or in a restore those without a known end."""

    profile: str
    alone: bool = False
    """Only the profile's own, not its quota group's."""


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
