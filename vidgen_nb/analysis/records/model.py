"""The records of a run: plain frozen dataclasses; times are seconds of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vidgen_nb.core import events as ev

__all__ = ["AttemptRecord", "CooldownRecord", "HandMark", "MoveRecord", "RunData", "SceneRecord"]


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """One scene and how it stands."""

    id: str
    prompt: str
    status: str
    """`queued`, `submitting`, `generating`, `fetching`, `succeeded`, `failed`, `cancelled` or `held`."""
    attempts: int
    """How many attempts it had in this run."""
    profile: str | None
    """The last profile it was tried on."""
    queued: float
    """When it was first added."""
    start: float | None
    """Start of its first attempt in this run."""
    end: float | None
    """When it settled."""
    error: str | None
    path: str | None
    """The file of the result."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try of one scene on one profile."""

    scene: str
    number: int
    profile: str
    queued: float
    """When the scene began to wait for it."""
    start: float
    """When the submit left."""
    end: float | None
    """None while it runs."""
    outcome: str | None
    """`succeeded`, `rate_limited`, `transient`, `permanent`, `unusable`, `ambiguous`, `cancelled`; None: it runs."""
    reason: str | None
    retry_after: float | None
    """Seconds the server asked for, or None."""
    accepted: float | None = None
    """When the provider accepted it; None: it did not, or has not answered."""
    began: float | None = None
    """When the provider began to generate: as it accepted it, or later if polls found it `queued` there. Then it is the
    first poll that found it no longer queued, so up to a poll's interval late. None: it waits there, or ended so."""
    generated: float | None = None
    """When the provider had finished it and its download began, which takes no slot; None: it came to no download."""

    @property
    def slot_end(self) -> float | None:
        """When it gave its slot back: at the end of generating; None: it has it."""
        return self.end if self.generated is None else self.generated

    @property
    def waits_at_provider(self) -> bool:
        """Whether it waits in its provider's queue now."""
        return self.end is None and self.began is None and self.accepted is not None

    @property
    def queued_at_provider(self) -> float:
        """Seconds in the provider's queue, until it began or ended; 0 as well while it still waits there."""
        if self.accepted == self.began or self.accepted is None:
            return 0.0
        until = self.end if self.began is None else self.began
        return 0.0 if until is None else until - self.accepted


@dataclass(frozen=True, slots=True)
class CooldownRecord:
    """One window in which one profile got no new submissions."""

    profile: str
    group: str
    start: float
    end: float
    """inf: its end is not known."""
    reason: str
    unusable: bool = False
    """Whether the profile is out of the rotation, which is more than a cooldown: a refused key, a used daily quota."""


@dataclass(frozen=True, slots=True)
class HandMark:
    """Something that a hand did while the run went on."""

    at: float
    text: str
    """What it was, in a few words."""


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """Two consecutive attempts of a scene on different profiles."""

    scene: str
    from_profile: str
    to_profile: str
    at: float
    """Start of the second attempt."""


@dataclass(frozen=True, slots=True)
class RunData:
    """Everything that charts and analysis need to know about a run."""

    header: dict[str, Any]
    events: Sequence[ev.Event]
    profiles: list[str]
    """Names in the order in which they were added."""
    scenes: list[SceneRecord]
    attempts: list[AttemptRecord]
    """In order of their start."""
    cooldowns: list[CooldownRecord]
    moves: list[MoveRecord]
    end: float
    """Time of the last event; open attempts are drawn up to here."""
    capacities: dict[str, int | None] = field(default_factory=dict)
    """Capacity of each profile; None: no bound."""
    capacity_steps: dict[str, list[tuple[float, int | None]]] = field(default_factory=dict)
    """Each profile's capacity over time as (from when on, capacity); 0 while it is not part of the session."""
    readded_at: dict[str, float] = field(default_factory=dict)
    """When each scene that was run again by hand was added the last time."""
    off: list[tuple[float, float]] = field(default_factory=list)
    """When no program ran the run (`off_time`): sorted, disjoint."""
    marks: list[HandMark] = field(default_factory=list)
    """What a hand did (`hand_marks`), in order; of a live window, the latest."""
