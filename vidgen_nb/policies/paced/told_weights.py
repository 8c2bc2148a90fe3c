"""Limits that `Paced` was told and that count what a scene weighs: which scene leaves next, and what it uses up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

from vidgen_nb.core import events as ev

__all__ = ["LeavingScenes", "weighed"]

_NOTHING: Mapping[str, Any] = {}
_Place = tuple[bool, bool, float]
"""Of a scene in the queue (R2): whether it is not in the front segment, whether it is not single, its order."""


class LeavingScenes:
    """The parameters of the scene that leaves now, and of the one that will leave next: the first one that waits."""

    def __init__(self) -> None:
        self.leaving: Mapping[str, Any] = _NOTHING
        self._params: dict[str, Mapping[str, Any]] = {}
        self._added = 0
        self._places: dict[str, _Place] = {}
        self._waiting: set[str] = set()
        self._heap: list[tuple[_Place, str]] = []
        """Scenes by their places; those that no longer wait, or have another place by now, are left in it."""

    def observe(self, event: ev.Event) -> None:
        """Follow the queue."""
        match event:
            case ev.SceneAdded(scene=scene):
                self._params[scene.id] = dict(scene.params)  # a policy may be copied, a read-only view can't be
                self._added += 1
                order = self._added if event.rank is None else event.rank
                self._wait(scene.id, (not event.single, not event.single, order))
            case ev.SceneRequeued(scene=scene_id) if scene_id in self._places:
                _, not_single, order = self._places[scene_id]
                self._wait(scene_id, (False, not_single, order))
            case ev.AttemptStarted(scene=scene_id):
                self._waiting.discard(scene_id)
                self.leaving = self._params.get(scene_id, _NOTHING)
            case ev.SceneSettled(scene=scene_id):
                self._waiting.discard(scene_id)

    def _wait(self, scene: str, place: _Place) -> None:
        self._waiting.add(scene)
        self._places[scene] = place
        heappush(self._heap, (place, scene))

    @property
    def next(self) -> Mapping[str, Any]:
        """The parameters of the first scene that waits."""
        while self._heap:
            place, scene = self._heap[0]
            if scene in self._waiting and self._places[scene] == place:
                return self._params[scene]
            heappop(self._heap)
        return _NOTHING


class _WeighedState:
    """A limit's state, asked about the scenes that leave."""

    def __init__(self, state: Any, scenes: LeavingScenes) -> None:
        self._state = state
        self._scenes = scenes
        self.holds = state.holds
        self.release = state.release

    def ready_at(self, now: float) -> float:
        """Return when the next scene would be admitted; one that never is leaves at once, to be refused."""
        ready: float = self._state.ready_for(now, self._scenes.next)
        return ready if ready < math.inf else self._state.ready_at(now)

    def take(self, now: float) -> None:
        """Count the scene that leaves."""
        self._state.take_for(now, self._scenes.leaving)


class _WeighedLimit:
    """A limit that counts what scenes weigh."""

    def __init__(self, limit: Any, scenes: LeavingScenes) -> None:
        self._limit = limit
        self._scenes = scenes

    def state(self) -> _WeighedState:
        """Return a fresh state."""
        return _WeighedState(self._limit.state(), self._scenes)


def weighed(given: Mapping[str, Any], scenes: LeavingScenes) -> dict[str, Any]:
    """Return limits by name, where those that count a parameter of scenes follow these; the others are as they are."""
    return {name: _WeighedLimit(limit, scenes) if _weighs(limit) else limit for name, limit in given.items()}


def _weighs(limit: Any) -> bool:
    return any(isinstance(getattr(part, "weight", 1), str) for part in getattr(limit, "parts", (limit,)))
