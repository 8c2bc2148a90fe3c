"""A run as records: scenes, attempts, cooldowns, moves, built in one pass over its events.

Records are plain frozen dataclasses; times are seconds of the run (design.md section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Failure

__all__ = ["AttemptRecord", "CooldownRecord", "MoveRecord", "RunData", "SceneRecord", "build"]


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


def build(header: dict[str, Any], events: Sequence[ev.Event]) -> RunData:
    """Read a run's events into records, in one pass."""
    return _Builder(header).read(events)


class _Open:
    """A scene or an attempt that is not finished yet, as the fields of its record."""

    __slots__ = ("attempt", "record", "waiting_since")

    def __init__(self, record: SceneRecord, waiting_since: float) -> None:
        self.record = record
        self.waiting_since = waiting_since
        self.attempt: int | None = None
        """Index of its latest attempt."""


class _Builder:
    def __init__(self, header: dict[str, Any]) -> None:
        self._header = header
        self._capacities: dict[str, int | None] = {}
        self._scenes: dict[str, _Open] = {}
        self._attempts: list[AttemptRecord] = []
        self._cooldowns: list[CooldownRecord] = []
        self._windows: dict[tuple[str, bool], list[int]] = {}
        """Indices of the cooldowns that are open, by (group, alone)."""
        self._moves: list[MoveRecord] = []

    def read(self, events: Sequence[ev.Event]) -> RunData:
        handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.ProfileAdded: self._profile,
            ev.ProfileChanged: self._profile,
            ev.SceneAdded: self._scene_added,
            ev.AttemptStarted: self._started,
            ev.Accepted: lambda event: self._status(event.scene, "generating"),
            ev.Generated: lambda event: self._status(event.scene, "fetching"),
            ev.Fetched: self._fetched,
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
            ev.CooldownStarted: self._cooldown_started,
            ev.CooldownEnded: self._cooldown_ended,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        return RunData(
            header=self._header,
            events=events,
            profiles=list(self._capacities),
            scenes=[scene.record for scene in self._scenes.values()],
            attempts=self._attempts,
            cooldowns=self._cooldowns,
            moves=self._moves,
            end=events[-1].at if events else 0.0,
            capacities=self._capacities,
        )

    def _profile(self, event: ev.ProfileAdded | ev.ProfileChanged) -> None:
        self._capacities[event.profile] = event.capacity

    def _scene_added(self, event: ev.SceneAdded) -> None:
        scene, known = event.scene, self._scenes.get(event.scene.id)
        if known is None:
            record = SceneRecord(scene.id, scene.prompt, "queued", 0, None, event.at, None, None, None, None)
            self._scenes[scene.id] = _Open(record, event.at)
        else:  # run again by hand: it is not settled any more
            known.record = replace(known.record, prompt=scene.prompt, status="queued", end=None, error=None, path=None)
            known.waiting_since = event.at

    def _started(self, event: ev.AttemptStarted) -> None:
        scene = self._scenes[event.scene]
        old = scene.record
        if old.profile is not None and old.profile != event.profile:
            self._moves.append(MoveRecord(event.scene, old.profile, event.profile, event.at))
        scene.record = replace(
            old,
            status="submitting",
            attempts=old.attempts + 1,
            profile=event.profile,
            start=event.at if old.start is None else old.start,
        )
        scene.attempt = len(self._attempts)
        self._attempts.append(
            AttemptRecord(
                event.scene, event.number, event.profile, scene.waiting_since, event.at, None, None, None, None
            )
        )

    def _status(self, scene: str, status: str) -> None:
        self._scenes[scene].record = replace(self._scenes[scene].record, status=status)

    def _fetched(self, event: ev.Fetched) -> None:
        scene = self._scenes[event.scene]
        scene.record = replace(scene.record, status="succeeded", end=event.at, path=event.path)
        self._end_attempt(scene, event.at, "succeeded", None, None)

    def _requeued(self, event: ev.SceneRequeued) -> None:
        scene = self._scenes[event.scene]
        scene.record = replace(scene.record, status="queued")
        scene.waiting_since = event.at
        self._end_attempt(scene, event.at, event.outcome.kind, event.outcome.reason, event.outcome)

    def _settled(self, event: ev.SceneSettled) -> None:
        scene = self._scenes[event.scene]
        scene.record = replace(scene.record, status=event.status, end=event.at, error=event.reason)
        if event.profile is not None and event.outcome is not None:
            kind = "cancelled" if event.status == "cancelled" else event.outcome.kind
            self._end_attempt(scene, event.at, kind, event.reason, event.outcome)

    def _end_attempt(self, scene: _Open, at: float, outcome: str, reason: str | None, failure: Failure | None) -> None:
        index = scene.attempt
        if index is not None and self._attempts[index].end is None:
            asked = getattr(failure, "retry_after", None)
            self._attempts[index] = replace(
                self._attempts[index], end=at, outcome=outcome, reason=reason, retry_after=asked
            )

    def _cooldown_started(self, event: ev.CooldownStarted) -> None:
        key = (event.group, event.alone)
        if key in self._windows:  # its end moves
            for index in self._windows[key]:
                self._cooldowns[index] = replace(self._cooldowns[index], end=event.until)
            return
        self._windows[key] = []
        for profile in event.profiles:
            self._windows[key].append(len(self._cooldowns))
            self._cooldowns.append(CooldownRecord(profile, event.group, event.at, event.until, event.reason))

    def _cooldown_ended(self, event: ev.CooldownEnded) -> None:
        for index in self._windows.pop((event.group, event.alone), ()):
            window = self._cooldowns[index]
            self._cooldowns[index] = replace(window, end=min(window.end, event.at))
