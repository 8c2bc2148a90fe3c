"""The order in which scenes wait: singles, then bounced ones in original order, then the rest (R2).

A FIFO deque holds the scenes that never ran, and a heap those of them that have a rank, if any: the lower
`SceneState.order` of their two heads is next. A heap holds the front segment; under a policy that does not move scenes,
a heap per profile holds those that wait for that profile alone. A scene removed from the middle (cancelled) leaves its
entry behind, which is skipped when it comes up: an entry counts only while its ticket is the scene's. All entries in
the deque have the same ticket, because a scene is never there twice.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from vidgen_nb.core.state import ProfileState, SceneState

__all__ = ["SceneQueue"]

BACK_TICKET = 1
"""Of all scenes that wait behind the front segment."""
Front = list[tuple[bool, float, int, SceneState]]


class SceneQueue:
    """Scenes that may be submitted now."""

    __slots__ = ("_back", "_front", "_ranked", "_tickets", "pinned", "size")

    def __init__(self) -> None:
        self._front: Front = []
        self._back: deque[SceneState] = deque()
        self._ranked: Front = []
        self.pinned: dict[ProfileState, Front] = {}
        """Scenes that wait for one profile alone."""
        self.size = 0
        self._tickets = BACK_TICKET

    def __len__(self) -> int:
        return self.size

    def push_back(self, scene: SceneState) -> None:
        """Queue a scene that was never queued behind all others."""
        scene.ticket = BACK_TICKET
        self.size += 1
        self._back.append(scene)

    def push_ranked(self, scene: SceneState) -> None:
        """Queue a scene that was never queued behind the front segment, at the place of its rank."""
        self._push(self._ranked, scene)

    def push_front(self, scene: SceneState) -> None:
        """Queue a scene in the front segment, in original order; a single scene goes first."""
        self._push(self._front, scene)

    def push_pinned(self, scene: SceneState, profile: ProfileState) -> None:
        """Queue a scene for one profile alone."""
        self._push(self.pinned.setdefault(profile, []), scene)

    def peek(self) -> SceneState | None:
        """Return the scene that is next for any profile, or None."""
        if self._front and (scene := _first(self._front)) is not None:
            return scene
        back = self._back
        while back:
            if (scene := back[0]).ticket == BACK_TICKET:
                return scene if not self._ranked else self._ranked_or(scene)
            back.popleft()
        return _first(self._ranked) if self._ranked else None

    def _ranked_or(self, scene: SceneState) -> SceneState:
        """Return the first scene with a rank if it is before this one, which has none."""
        ranked = _first(self._ranked)
        return scene if ranked is None or ranked.order > scene.order else ranked

    def peek_pinned(self, profile: ProfileState) -> SceneState | None:
        """Return the scene that is next for this profile alone, or None."""
        scene = _first(self.pinned.get(profile, []))
        if scene is None:
            self.pinned.pop(profile, None)
        return scene

    def unpin(self, profile: ProfileState) -> None:
        """Let the scenes that wait for a profile go to any other."""
        while (scene := self.peek_pinned(profile)) is not None:
            self.remove(scene)
            scene.pinned_to = None
            self.push_front(scene)

    def remove(self, scene: SceneState) -> None:
        """Remove a scene, wherever it stands; does nothing if it isn't queued."""
        if scene.ticket:
            scene.ticket = 0
            self.size -= 1

    def _push(self, front: Front, scene: SceneState) -> None:
        self._tickets = scene.ticket = ticket = self._tickets + 1
        self.size += 1
        heappush(front, (not scene.single, scene.order, ticket, scene))


def _first(front: Front) -> SceneState | None:
    while front:
        if front[0][3].ticket == front[0][2]:
            return front[0][3]
        heappop(front)
    return None
