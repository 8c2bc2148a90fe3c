"""What the scheduler knows of each scene, profile and gate.

A *gate* stands before submissions and is closed until a time. Each quota group has one, which a 429 closes; each
profile has one of its own, which repeated transient failures or a bad key close. A profile may submit when both are
open. A gate that has been closed lets one probe through before it lets everyone (R18).
"""

from __future__ import annotations

import math
from typing import Literal

from vidgen_nb.core.model import Artifact, Operation, Scene

__all__ = ["LIVE", "UNSETTLED", "Gate", "ProfileState", "SceneState", "Status", "operation_id", "running_on"]

LIVE = ("submitting", "generating", "fetching")
"""Statuses of a scene with an attempt in flight."""
UNSETTLED = ("queued", *LIVE)
Status = Literal["queued", "submitting", "generating", "fetching", "succeeded", "failed", "cancelled", "held"]


class Gate:
    """Closed until `until`; afterwards `probe_due` until a probe was accepted."""

    __slots__ = (
        "alone",
        "members",
        "name",
        "probe",
        "probe_due",
        "reason",
        "shared",
        "since",
        "strikes",
        "until",
        "unusable",
        "waiting",
    )

    def __init__(self, name: str, *, alone: bool = False, shared: bool = False) -> None:
        self.name = name
        self.shared = shared
        """Whether this is a quota group that profiles name."""
        self.alone = alone
        """Whether this is one profile's own gate, not a quota group's."""
        self.members: list[ProfileState] = []
        self.until = -math.inf
        self.since = -math.inf
        """When it last went from open to closed."""
        self.strikes = 0
        """Consecutive failures that count against it."""
        self.waiting = False
        """Closed, with a `CooldownEnded` still to come."""
        self.probe_due = False
        self.probe: SceneState | None = None
        """The scene whose submit probes now; nobody else may submit."""
        self.reason = ""
        """Why it closed."""
        self.unusable = False
        """Closed with its profiles out of the rotation: no mere cooldown (R11)."""


class ProfileState:
    """A profile in the rotation."""

    __slots__ = ("active", "capacity", "group", "index", "limit", "name", "own", "paced_until", "ready", "removed")

    def __init__(self, name: str, index: int, capacity: int | None, group: Gate) -> None:
        self.name = name
        self.index = index
        """Its place in the round-robin order."""
        self.capacity = capacity
        self.limit: float = math.inf
        """The smaller one of its capacity and the mode's cap."""
        self.group = group
        self.own = Gate(name, alone=True)
        self.own.members.append(self)
        self.active = 0
        """Attempts submitting or generating."""
        self.ready = False
        """Offered to the rotation; cleared when found not eligible, until something changes."""
        self.removed = False
        self.paced_until = -math.inf
        """Until when the policy holds it back; a timer is set for that."""

    @property
    def in_rotation(self) -> bool:
        """Whether it can be waited for: not removed, and not unusable."""
        return not (self.removed or self.group.unusable or self.own.unusable)

    @property
    def gates(self) -> tuple[Gate, Gate]:
        """What must be open for it to submit."""
        return (self.group, self.own)


class SceneState:
    """A scene and its latest attempt."""

    __slots__ = (
        "artifact",
        "asked",
        "avoid",
        "calls",
        "cancelling",
        "failures",
        "not_before",
        "number",
        "operation",
        "order",
        "overdue",
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
    )

    def __init__(self, scene: Scene, order: int, number: int, *, single: bool, now: float) -> None:
        self.number = number
        """Attempts so far; the number of the running one."""
        self.profile: ProfileState | None = None
        """Of the running attempt."""
        self.previous: ProfileState | None = None
        """Of the attempt before."""
        self.reset(scene, order, single=single, now=now)

    def reset(self, scene: Scene, order: int, *, single: bool, now: float) -> None:
        """Begin a scene's life in the queue, the first time or when it is run again by hand."""
        self.scene = scene
        self.order = order
        """Its place in the original queue."""
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
        self.operation: Operation | None = None
        self.artifact: Artifact | None = None
        self.calls = 0
        """Polls and fetches of this attempt so far."""
        self.asked = False
        """The last of them has no answer yet."""
        self.progress: str | None = None
        """The provider's word on the job, `queued` or `running`."""
        self.cancelling = False
        self.overdue = False
        """It is cancelled for the time it takes, not by the user."""
        self.probing: tuple[Gate, ...] = ()
        """Gates that wait for its submit."""


def running_on(state: SceneState) -> ProfileState:
    """Return the profile of the running attempt."""
    assert state.profile is not None  # noqa: S101 - an attempt in flight has one
    return state.profile


def operation_id(state: SceneState) -> str:
    """Return the provider's id of the latest accepted attempt."""
    return state.operation.id if state.operation is not None else "?"
