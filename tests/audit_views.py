"""What the audit keeps of a run: of each scene, profile and gate, what its events say."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["GateView", "ProfileView", "SceneView"]


@dataclass
class SceneView:
    """What the events say of a scene."""

    order: float  # its rank, or its number of those added
    single: bool
    status: str = "queued"
    number: int = 0
    bounced: bool = False
    not_before: float = -math.inf
    profile: str = ""
    pinned: bool = False
    unpaid: bool = False
    started: float = -math.inf
    group: str = ""
    avoid: set[tuple[str, bool]] = field(default_factory=set)
    probing: set[tuple[str, bool]] = field(default_factory=set)
    open_job: bool = False  # accepted, and its provider has not said that the job ended

    @property
    def precedence(self) -> tuple[bool, bool, float]:
        """R2: singles, then bounced scenes, then the others, each in the queue's order."""
        front = self.single or self.bounced
        return (not front, not self.single, self.order)


@dataclass
class ProfileView:
    """What the events say of a profile."""

    capacity: int | None
    group: str
    index: int
    removed: bool = False


@dataclass
class GateView:
    """What the events say of a cooldown window; keyed by (name, alone)."""

    until: float = -math.inf
    since: float = -math.inf
    open: bool = True
    probe_due: bool = False
    probe: str | None = None
    strikes: int = 0
    opens_when_heard: bool = False  # closed by a poll, a fetch or this machine: an answer about a job opens it
    accepted: int = 0
