"""A run as records: scenes, attempts, cooldowns, moves, built in one pass over its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableSequence, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

from vidgen_nb.analysis.records.cooldowns import CooldownReader
from vidgen_nb.analysis.records.fast_dataclass import collector_paused, draft_class, fast_constructor
from vidgen_nb.analysis.records.hand_marks import hand_marks
from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord
from vidgen_nb.analysis.records.off_time import off_spans
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


# While events are read, records are drafts that can be changed; they become records when all events are read.
_scene, _attempt, _move = map(draft_class, (SceneRecord, AttemptRecord, MoveRecord))
_MAKERS: dict[type[Any], Callable[..., Any]] = {
    kind: fast_constructor(kind) for kind in (SceneRecord, AttemptRecord, CooldownRecord)
}


def records_of(kind: type[T], drafts: Iterable[Any]) -> list[T]:
    """Make records of drafts that will still change."""
    values = attrgetter(*(each.name for each in fields(kind)))  # type: ignore[arg-type]  # a dataclass, as all records
    make = _MAKERS[kind]
    return [make(*values(each)) for each in drafts]


def _completed(kind: type[T], drafts: list[Any]) -> list[T]:
    """Turn drafts into the records that they are."""
    for each in drafts:
        each.__class__ = kind
    return drafts


class Builder:
    """Reads events in order; `live_window.Recent` is one that forgets."""

    def __init__(self) -> None:
        self._capacities: dict[str, int | None] = {}
        self._steps: dict[str, list[tuple[float, int | None]]] = {}
        self._scenes: dict[str, Any] = {}
        self._readded_at: dict[str, float] = {}
        self._waited: dict[str, float] = {}
        """Since when scenes wait, or waited before their running attempt, if not since they were added."""
        self._running: dict[str, Any] = {}
        """Running attempts, by scene."""
        self._generating = set[str]()
        """Scenes whose job a poll has found running: it does not go back into its provider's queue."""
        self._attempts: list[Any] = []
        """In order of their start."""
        self._windows: list[Any] = []
        self._cooldowns = CooldownReader(self._window_opened)
        self._moves: MutableSequence[MoveRecord] = []
        self._was_restored = False
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.ProfileAdded: self._profile_added,
            ev.ProfileChanged: self._profile_changed,
            ev.ProfileRemoved: self._profile_removed,
            ev.SceneAdded: self._scene_added,
            ev.SceneEdited: self._scene_edited,
            ev.AskedAgain: self._asked_again,
            ev.AttemptStarted: self._started,
            ev.Accepted: self._accepted,
            ev.Progressed: self._progressed,
            ev.Generated: self._generated,
            ev.Fetched: self._fetched,
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
            ev.CooldownStarted: self._cooldowns.started,
            ev.CooldownEnded: self._cooldowns.ended,
            ev.RunRestored: self._restored,
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
        return RunData(
            header=header,
            events=events,
            profiles=list(self._capacities),
            scenes=_completed(SceneRecord, list(self._scenes.values())),
            attempts=_completed(AttemptRecord, self._attempts),
            cooldowns=_completed(CooldownRecord, self._windows),
            moves=list(self._moves),
            end=events[-1].at if events else 0.0,
            capacities=self._capacities,
            capacity_steps=self._steps,
            readded_at=self._readded_at,
            off=off_spans(events) if self._was_restored else [],
            marks=hand_marks(events),
        )

    def _scene_added(self, event: ev.SceneAdded) -> None:
        given, at = event.scene, event.at
        name = given.id
        scene = self._scenes.get(name)
        if scene is None:
            self._scenes[name] = _scene(name, given.prompt, "queued", 0, None, at, None, None, None, None)
        else:  # run again by hand, so no longer settled
            self._readded_at[name] = self._waited[name] = at
            scene.prompt, scene.status = given.prompt, "queued"
            scene.end = scene.error = scene.path = None

    def _scene_edited(self, event: ev.SceneEdited) -> None:
        if (scene := self._scenes.get(event.scene.id)) is not None:  # a live window forgets
            scene.prompt = event.scene.prompt

    def _started(self, event: ev.AttemptStarted) -> None:
        name, profile, at = event.scene, event.profile, event.at
        scene = self._scenes[name]
        if profile not in self._capacities:
            raise KeyError(profile)
        before = scene.profile
        if before != profile:
            scene.profile = profile
            if before is not None:
                move = _move(name, before, profile, at)
                move.__class__ = MoveRecord
                self._moves.append(move)
        if scene.start is None:
            scene.start = at
        scene.status = "submitting"
        scene.attempts += 1
        since = self._waited.pop(name, scene.queued)
        attempt = _attempt(name, event.number, profile, since, at, None, None, None, None, None, None, None)
        self._running[name] = attempt
        self._attempt_started(attempt)

    def _asked_again(self, event: ev.AskedAgain) -> None:
        name, at = event.scene.id, event.at
        self._scene_added(ev.SceneAdded(event.scene, at=at))  # as if run again by hand, but without a wait
        self._waited.pop(name, None)
        scene = self._scenes[name]
        scene.profile, scene.status = event.profile, "generating"
        scene.attempts += 1
        attempt = _attempt(name, event.number, event.profile, at, at, None, None, None, None, at, at, None)
        self._running[name] = attempt
        self._generating.discard(name)
        self._attempt_started(attempt)

    def _accepted(self, event: ev.Accepted) -> None:
        name = event.scene
        self._scenes[name].status = "generating"
        self._generating.discard(name)
        if (attempt := self._running.get(name)) is not None:
            attempt.accepted = attempt.began = event.at

    def _progressed(self, event: ev.Progressed) -> None:
        name = event.scene
        if (attempt := self._running.get(name)) is None:
            return
        if event.status != "queued":
            self._generating.add(name)
            if attempt.began is None:
                attempt.began = event.at
        elif name not in self._generating:  # it has waited there since it was accepted
            attempt.began = None

    def _generated(self, event: ev.Generated) -> None:
        name = event.scene
        self._scenes[name].status = "fetching"
        if (attempt := self._running.get(name)) is None or attempt.generated is not None:
            return
        attempt.generated = event.at
        if attempt.began is None:
            attempt.began = event.at
        self._slot_freed(attempt)

    def _fetched(self, event: ev.Fetched) -> None:
        name, at = event.scene, event.at
        scene = self._scenes[name]
        scene.status, scene.end, scene.path = "succeeded", at, event.path
        if (attempt := self._running.pop(name, None)) is not None:
            attempt.end, attempt.outcome = at, "succeeded"
            self._attempt_ended(attempt)

    def _requeued(self, event: ev.SceneRequeued) -> None:
        name, at = event.scene, event.at
        self._scenes[name].status = "queued"
        self._attempt_failed(name, event.outcome, at)
        self._waited[name] = at

    def _settled(self, event: ev.SceneSettled) -> None:
        scene = self._scenes[event.scene]
        scene.status, scene.end, scene.error = event.status, event.at, event.reason
        self._waited.pop(event.scene, None)
        if event.outcome is not None:  # otherwise it was waiting
            self._attempt_failed(event.scene, event.outcome, event.at)

    def _attempt_failed(self, scene: str, outcome: Failure, at: float) -> None:
        """End the attempt as the provider ended it; its scene may end differently, such as cancelled."""
        if (attempt := self._running.pop(scene, None)) is not None:
            attempt.end, attempt.outcome, attempt.reason = at, outcome.kind, outcome.reason
            attempt.retry_after = getattr(outcome, "retry_after", None)
            self._attempt_ended(attempt)

    def _attempt_started(self, attempt: Any) -> None:
        self._attempts.append(attempt)

    def _attempt_ended(self, attempt: Any) -> None:
        """Hook: an attempt has ended."""

    def _slot_freed(self, attempt: Any) -> None:
        """Hook: the provider has finished an attempt, and its download begins."""

    def _restored(self, event: ev.RunRestored) -> None:
        self._was_restored = True

    def _profile_added(self, event: ev.ProfileAdded) -> None:
        name = event.profile
        self._capacities[name] = event.capacity
        self._steps.setdefault(name, []).append((event.at, event.capacity))
        self._cooldowns.profile_added(event)

    def _profile_changed(self, event: ev.ProfileChanged) -> None:
        self._capacities[event.profile] = event.capacity
        self._steps.setdefault(event.profile, []).append((event.at, event.capacity))

    def _profile_removed(self, event: ev.ProfileRemoved) -> None:
        self._steps.setdefault(event.profile, []).append((event.at, 0))
        self._cooldowns.profile_removed(event)

    def _window_opened(self, window: Any) -> None:
        self._windows.append(window)
