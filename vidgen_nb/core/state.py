"""What the scheduler knows of the run, and of each scene, profile and gate.

A *gate* stands before submissions and is closed until a time. Each quota group has one, which a 429 closes; each
profile has one of its own, which repeated transient failures or a bad key close. A profile may submit when both are
open. A gate that has been closed lets one probe through before everyone else (R18).
A group's gate also bounds how many of its submits may be unanswered (R21).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vidgen_nb.core.events import EndReason
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.core.money import Price
from vidgen_nb.core.outcomes import Failure

__all__ = [
    "IN_FLIGHT",
    "SLOW_START_SUBMITS",
    "UNSETTLED",
    "Gate",
    "ProfileState",
    "RunState",
    "SceneState",
    "Status",
    "Trouble",
    "operation_id",
    "profile_of",
]

IN_FLIGHT = ("submitting", "generating", "fetching")
"""Statuses of a scene with an attempt in flight."""
UNSETTLED = ("queued", *IN_FLIGHT)
SLOW_START_SUBMITS = 4
"""Unanswered submits that a quota group may have when nothing is known of its limit (R21)."""
Status = Literal["queued", "submitting", "generating", "fetching", "succeeded", "failed", "cancelled", "held"]


class RunState:
    """Whether the run goes on, and if not, why."""

    __slots__ = ("ended", "goes_on", "paused", "stopped", "stopped_by")

    def __init__(self) -> None:
        self.goes_on = self.paused = self.stopped = False
        self.stopped_by: EndReason | None = None
        """The limit that stopped it; None: a person did, or nobody."""
        self.ended: EndReason | None = None

    def take_back(self, limit: EndReason) -> None:
        """Go on if this limit is what stopped it."""
        if self.stopped_by is limit:
            self.stopped, self.stopped_by = False, None


class Gate:
    """Closed until `until`; then `probe_due` until a probe is accepted."""

    __slots__ = (
        "blocked", "closed", "closed_at", "local_since", "local_strikes", "max_unanswered", "members", "name",
        "opens_when_heard", "probe", "probe_due", "reason", "scope", "shared", "strikes", "unanswered", "until",
        "unusable", "withheld",
    )  # fmt: skip

    def __init__(self, name: str, scope: Literal["group", "profile"] = "group", *, shared: bool = False) -> None:
        self.name = name
        self.scope = scope
        """Whether it stands before a quota group, or before one profile alone."""
        self.shared = shared
        """Whether profiles name this quota group; False: it is a profile's default group."""
        self.members: list[ProfileState] = []
        self.until = -math.inf
        self.closed_at = -math.inf
        """When it last went from open to closed."""
        self.strikes = 0
        """Consecutive failures that count against it."""
        self.local_strikes = 0
        """Times in a row that this machine's own trouble closed it."""
        self.local_since = 0.0
        """When the first of them was."""
        self.closed = False
        """True until `CooldownEnded` is recorded."""
        self.probe_due = False
        self.probe: SceneState | None = None
        """The scene whose submit is the probe now; nobody else may submit."""
        self.blocked = False
        """Whether it is closed, or waits for its probe's answer."""
        self.reason = ""
        """Why it closed."""
        self.unusable = False
        """Its profiles are out of the rotation: more than a cooldown (R11)."""
        self.opens_when_heard: float | None = None
        """It closed because the key was refused when an accepted job was asked about: from this time on, an answer
        about a job opens it. None: that was not why."""
        self.unanswered = 0
        """Submits of the group without an answer."""
        self.max_unanswered = SLOW_START_SUBMITS
        """How many there may be: a few, and as many as were accepted since the last 429 (R21)."""
        self.withheld = False
        """Whether one of its profiles could submit, were fewer unanswered: the next answer offers them again."""

    @property
    def is_own(self) -> bool:
        """Whether this is one profile's own gate; events record it as `alone`."""
        return self.scope == "profile"

    def member_names(self) -> tuple[str, ...]:
        """Return the names of the profiles behind it that are in the rotation."""
        return tuple(each.name for each in self.members if not each.removed)


class ProfileState:
    """A profile in the rotation."""

    __slots__ = (
        "active",
        "capacity",
        "group",
        "index",
        "limit",
        "name",
        "offered",
        "own_gate",
        "paced_until",
        "price",
        "removed",
    )

    def __init__(self, name: str, index: int, capacity: int | None, group: Gate) -> None:
        self.name = name
        self.index = index
        """Its place in the round-robin order."""
        self.capacity = capacity
        self.limit: float = math.inf
        """The smaller of its capacity and the mode's cap; 0: it was removed."""
        self.group = group
        """The gate of its quota group."""
        self.own_gate = Gate(name, "profile")
        self.own_gate.members.append(self)
        self.active = 0
        """Attempts submitting or generating."""
        self.offered = False
        """Whether the rotation has it; cleared when it turns out not to be eligible, until something changes."""
        self.removed = False
        self.price: Price | None = None
        self.paced_until = -math.inf
        """Until when the policy holds it back; a timer is set for then."""

    def cost_of(self, scene: Scene) -> int | None:
        """Return what a job of a scene costs here, in millionths; None: not known."""
        return None if self.price is None else self.price.of(scene)

    @property
    def in_rotation(self) -> bool:
        """Whether waiting for it makes sense: it is neither removed nor unusable."""
        return not (self.removed or self.group.unusable or self.own_gate.unusable)

    @property
    def gates(self) -> tuple[Gate, Gate]:
        """What must be open for it to submit."""
        return (self.group, self.own_gate)


@dataclass(slots=True, eq=False)
class Trouble:
    """Polls and fetches in a row without a word of the job."""

    since: float
    count: int = 0
    refused_since: float | None = None
    """Since when every answer has been a refusal, such as 404."""


class SceneState:
    """A scene and its latest attempt."""

    __slots__ = (
        "artifact",
        "avoid",
        "awaiting_answer",
        "call_at",
        "called_at",
        "calls",
        "cancel_due",
        "cancel_from",
        "cancel_tries",
        "cancelling",
        "counted_at",
        "failures",
        "has_open_job",
        "is_known",
        "not_before",
        "number",
        "operation",
        "order",
        "outcome",
        "pinned_to",
        "previous",
        "probing",
        "profile",
        "progress",
        "queued_at",
        "scene",
        "single",
        "started",
        "status",
        "ticket",
        "timed_out",
        "trouble",
    )

    # set by an attempt's submit, by its acceptance, or by the cancel that they belong to
    counted_at: Gate
    """The group's gate that counts its submit as unanswered."""
    is_known: bool
    """Whether its provider has told how far the job is, since the submit or the restore."""
    calls: int
    """Polls and fetches of this attempt so far."""
    call_at: float
    """When the next of them is due; inf: none is planned."""
    called_at: float
    """When the latest poll or fetch was decided."""
    awaiting_answer: bool
    """Whether the latest of them has no answer yet."""
    cancel_from: float
    """When it was first to be cancelled because it takes too long; -inf: it was not."""
    cancel_tries: int
    """Cancels that failed."""
    cancel_due: bool
    """Such a cancel has to be sent again, once the job is known to run still."""

    def __init__(self, scene: Scene, order: float, number: int, single: bool, now: float) -> None:
        self.number = number
        """Attempts so far; the number of the running one."""
        self.profile: ProfileState | None = None
        """The running attempt's profile."""
        self.previous: ProfileState | None = None
        """The profile of the attempt before."""
        self.scene = scene
        self.order = order
        """Its place in the queue's order: its rank, or its number of those added."""
        self.single = single
        self.status: Status = "queued"
        self.queued_at = now
        self.failures = 0
        self.avoid: set[Gate] | None = None
        """Gates that bounced it since it was last accepted (R3, R9)."""
        self.not_before: float | None = None
        """End of its back-off."""
        self.pinned_to: ProfileState | None = None
        self.ticket = 0
        """Its place in the queue; 0: not in it."""
        self.started = 0.0
        """When the latest attempt began; `job_timeout` counts from here."""
        self.operation: Operation | None = None
        self.artifact: Artifact | None = None
        self.progress: str | None = None
        """What the provider says of the job: `queued` or `running`."""
        self.cancelling = False
        self.timed_out = False
        """It is being cancelled because it takes too long, not by the user."""
        self.probing: tuple[Gate, ...] = ()
        """Gates whose probe its submit is."""
        self.outcome: Failure | None = None
        """What it failed of, or is held for, once it is settled."""
        self.has_open_job = False
        """Whether its latest attempt was accepted, and its provider has not said that the job ended."""
        self.trouble: Trouble | None = None
        """In asking about the job; None: asking works."""

    def start_cancelling(self, *, timed_out: bool = False, now: float = -math.inf) -> None:
        """Note that its job is to be cancelled: by the user, or from now on because it takes too long."""
        self.cancelling, self.timed_out = True, timed_out
        self.cancel_from, self.cancel_tries, self.cancel_due = now, 0, False


def profile_of(state: SceneState) -> ProfileState:
    """Return the profile of the running attempt."""
    assert state.profile is not None  # noqa: S101 - an attempt in flight has one
    return state.profile


def operation_id(state: SceneState) -> str:
    """Return the provider's id of the latest accepted attempt."""
    return state.operation.id if state.operation is not None else "?"
