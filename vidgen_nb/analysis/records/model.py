"""The records of a run: plain frozen dataclasses; times are seconds of the run (design.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vidgen_nb.core import events as ev

__all__ = ["AttemptRecord", "CooldownRecord", "MoveRecord", "RunData", "SceneRecord"]


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """One scene and how it stands."""

    id: str
    prompt: str
    status: str
    """`queued`, `submitting`, `generating`, `fetching`, `succeeded`, `failed`, `cancelled` or `held`."""
    attempts: int
    """How many it had in this run."""
    profile: str | None
    """The last one it was tried on."""
    queued: float
    """When it was added."""
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
    """Since when the scene had waited for it."""
    start: float
    """When the submit left."""
    end: float | None
    """None while it runs."""
    outcome: str | None
    """`succeeded`, `rate_limited`, `transient`, `permanent`, `unusable`, `ambiguous`, `cancelled`; None: it runs."""
    reason: str | None
    retry_after: float | None
    """Seconds the server asked for, or None."""


@dataclass(frozen=True, slots=True)
class CooldownRecord:
    """One window in which one profile got no new submissions."""

    profile: str
    group: str
    start: float
    end: float
    """inf: no end is known."""
    reason: str


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
    """Everything that charts and analysis need of a run."""

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
    """Time of the last event; what is open is drawn until here."""
    capacities: dict[str, int | None] = field(default_factory=dict)
    """Capacity of each profile; None: no bound."""
    capacity_steps: dict[str, list[tuple[float, int | None]]] = field(default_factory=dict)
    """Each profile's capacity from when on, as its events say; 0 while it is no part of the session."""
    readded_at: dict[str, float] = field(default_factory=dict)
    """When each scene that was run again by hand was added the last time."""
