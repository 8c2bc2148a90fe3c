"""A run as records: scenes, attempts, cooldowns, moves, built in one pass over its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSequence, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar

from vidgen_nb.analysis.kinds import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord
from vidgen_nb.analysis.quick import collector_paused, quick
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.errors import InputError

__all__ = ["AttemptRecord", "CooldownRecord", "MoveRecord", "RunData", "SceneRecord", "build"]

T = TypeVar("T")


def build(header: dict[str, Any], events: Sequence[ev.Event]) -> RunData:
    """Read a run's events into records, in one pass.

    Raises `InputError` for events that don't belong together, such as an attempt of a scene that was never added.
    """
    with collector_paused():
        return Builder().read(header, events)


# While events are read, plain drafts are changed in place, and each record is made once, an attempt's when it ends.
_attempt, _move = quick(AttemptRecord), quick(MoveRecord)
_MAKERS: dict[type[Any], Callable[..., Any]] = {
    kind: quick(kind) for kind in (SceneRecord, AttemptRecord, CooldownRecord)
}


@dataclass(slots=True)
class _Scene:
    id: str
    prompt: str
    queued: float
    waiting_since: float
    status: str = "queued"
    attempts: int = 0
    profile: str | None = None
    start: float | None = None
    end: float | None = None
    error: str | None = None
    path: str | None = None
    running: int | None = None
    """Place of its running attempt among all."""
    number: int = 0
    """Of its latest attempt."""
    started: float = 0.0
    """When that began."""


@dataclass(slots=True)
class _Window:
    profile: str
    group: str
    start: float
    end: float
    reason: str


@dataclass(slots=True)
class _Closed:
    """A quota group, or one profile's own gate, while it is closed."""

    group: str
    until: float
    reason: str
    members: dict[str, _Window] = field(default_factory=dict)


def freeze(kind: type[T], drafts: Iterable[Any]) -> list[T]:
    """Make records of drafts."""
    values = attrgetter(*(each.name for each in fields(kind)))  # type: ignore[arg-type]  # a dataclass, as all records
    make = _MAKERS[kind]
    return [make(*values(draft)) for draft in drafts]


def attempt_of(
    scene: _Scene, end: float | None, outcome: str | None, reason: str | None, retry_after: float | None
) -> AttemptRecord:
    """Make the record of a scene's latest attempt."""
    return _attempt(
        scene.id,
        scene.number,
        scene.profile or "",
        scene.waiting_since,
        scene.started,
        end,
        outcome,
        reason,
        retry_after,
    )


class Builder:
    """Reads events in order; `recent.Recent` is one that forgets."""

    def __init__(self) -> None:
        self._capacities: dict[str, int | None] = {}
        self._scenes: dict[str, _Scene] = {}
        self._attempts: list[Any] = []
        """In order of their start; None: it runs."""
        self._windows: list[_Window] = []
        self._closed: dict[tuple[str, bool], _Closed] = {}
        """What is closed now, by (group, alone)."""
        self._moves: MutableSequence[MoveRecord] = []
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.ProfileAdded: self._profile_added,
            ev.ProfileChanged: lambda event: self._capacities.update({event.profile: event.capacity}),
            ev.ProfileRemoved: self._profile_removed,
            ev.SceneAdded: self._scene_added,
            ev.AttemptStarted: self._started,
            ev.Accepted: self._accepted,
            ev.Generated: self._generated,
            ev.Fetched: self._fetched,
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
            ev.CooldownStarted: self._cooldown_started,
            ev.CooldownEnded: self._cooldown_ended,
        }

    def read(self, header: dict[str, Any], events: Sequence[ev.Event]) -> RunData:
        """Return the records of a whole run."""
        handler_of = self._handlers.get
        try:
            for event in events:
                if (handler := handler_of(type(event))) is not None:
                    handler(event)
        except KeyError as error:
            number = next(index for index, each in enumerate(events, 1) if each is event)
            what = f"event {number} of this run, {type(event).__name__}"
            raise InputError(f"{what}, is about {error.args[0]!r}, which was never added") from None
        for scene in self._scenes.values():
            self._end_attempt(scene, None, None, None, None)
        return RunData(
            header=header,
            events=events,
            profiles=list(self._capacities),
            scenes=freeze(SceneRecord, self._scenes.values()),
            attempts=self._attempts,
            cooldowns=freeze(CooldownRecord, self._windows),
            moves=list(self._moves),
            end=events[-1].at if events else 0.0,
            capacities=self._capacities,
        )

    def _scene_added(self, event: ev.SceneAdded) -> None:
        name, prompt, at = event.scene.id, event.scene.prompt, event.at
        scene = self._scenes.get(name)
        if scene is None:
            self._scenes[name] = _Scene(name, prompt, at, at)
        else:  # run again by hand: it is not settled any more
            scene.prompt, scene.waiting_since, scene.status = prompt, at, "queued"
            scene.end = scene.error = scene.path = None

    def _started(self, event: ev.AttemptStarted) -> None:
        scene, profile, at = self._scenes[event.scene], event.profile, event.at
        if profile not in self._capacities:
            raise KeyError(profile)
        if scene.profile is not None and scene.profile != profile:
            self._moves.append(_move(event.scene, scene.profile, profile, at))
        if scene.start is None:
            scene.start = at
        scene.status, scene.profile = "submitting", profile
        scene.attempts += 1
        scene.number, scene.started = event.number, at
        self._begin(scene)

    def _accepted(self, event: ev.Accepted) -> None:
        self._scenes[event.scene].status = "generating"

    def _generated(self, event: ev.Generated) -> None:
        self._scenes[event.scene].status = "fetching"

    def _fetched(self, event: ev.Fetched) -> None:
        scene = self._scenes[event.scene]
        scene.status, scene.end, scene.path = "succeeded", event.at, event.path
        if scene.running is not None:
            self._finish(scene.running, attempt_of(scene, event.at, "succeeded", None, None))
            scene.running = None

    def _requeued(self, event: ev.SceneRequeued) -> None:
        scene = self._scenes[event.scene]
        self._failed(scene, event.outcome, event.at)
        scene.status, scene.waiting_since = "queued", event.at

    def _settled(self, event: ev.SceneSettled) -> None:
        scene = self._scenes[event.scene]
        scene.status, scene.end, scene.error = event.status, event.at, event.reason
        if event.outcome is not None:  # else it was in the queue
            self._failed(scene, event.outcome, event.at)

    def _failed(self, scene: _Scene, outcome: Failure, at: float) -> None:
        """End the attempt as the provider ended it; what becomes of the scene may be another thing."""
        self._end_attempt(scene, at, outcome.kind, outcome.reason, getattr(outcome, "retry_after", None))

    def _end_attempt(self, scene: _Scene, *ending: Any) -> None:
        """Make the record of its running attempt; `ending`: end, outcome, reason, retry_after."""
        if scene.running is not None:
            self._finish(scene.running, attempt_of(scene, *ending))
            scene.running = None

    def _begin(self, scene: _Scene) -> None:
        scene.running = len(self._attempts)
        self._attempts.append(None)

    def _finish(self, place: int, record: AttemptRecord) -> None:
        self._attempts[place] = record

    def _profile_added(self, event: ev.ProfileAdded) -> None:
        name = event.profile
        self._capacities[name] = event.capacity
        for key in ((event.group or name, False), (name, True)):
            if closed := self._closed.get(key):  # it comes into a cooldown that is under way
                self._cool(closed, name, event.at)

    def _profile_removed(self, event: ev.ProfileRemoved) -> None:
        for closed in self._closed.values():
            if window := closed.members.pop(event.profile, None):
                window.end = event.at

    def _cooldown_started(self, event: ev.CooldownStarted) -> None:
        key = (event.group, event.alone)
        closed = self._closed.get(key)
        if closed is None:
            closed = self._closed[key] = _Closed(event.group, event.until, event.reason)
        closed.until = event.until
        for window in closed.members.values():
            window.end = event.until  # its end moves
        for profile in event.profiles:
            if profile not in closed.members:
                self._cool(closed, profile, event.at)

    def _cool(self, closed: _Closed, profile: str, at: float) -> None:
        window = closed.members[profile] = _Window(profile, closed.group, at, closed.until, closed.reason)
        self._windows.append(window)

    def _cooldown_ended(self, event: ev.CooldownEnded) -> None:
        if closed := self._closed.pop((event.group, event.alone), None):
            for window in closed.members.values():
                window.end = min(window.end, event.at)
