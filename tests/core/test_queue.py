"""The queue's order, against a list that is sorted again for every question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.core.model import Scene
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.state import Gate, ProfileState, SceneState

DOORS = [ProfileState(name, index, None, Gate(name)) for index, name in enumerate("ab")]
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["back", "front", "pin a", "pin b", "remove", "take", "unpin a"]), st.integers(0, 7)),
    max_size=60,
)


class Model:
    """What a queue should hold: plain lists of scenes."""

    def __init__(self) -> None:
        self.front: list[SceneState] = []
        self.back: list[SceneState] = []
        self.pinned: dict[ProfileState, list[SceneState]] = {door: [] for door in DOORS}

    def remove(self, scene: SceneState) -> None:
        """Take a scene out, wherever it is."""
        for place in (self.front, self.back, *self.pinned.values()):
            if scene in place:
                place.remove(scene)

    def first(self, place: list[SceneState]) -> SceneState | None:
        """R2: singles before others, each in original order."""
        return min(place, key=lambda scene: (not scene.single, scene.order), default=None)


@given(actions=ACTIONS, singles=st.sets(st.integers(0, 7)))
def test_the_queue_is_in_order(actions: list[tuple[str, int]], singles: set[int]) -> None:
    """Singles, then bounced scenes in original order, then the others as they came; pinned ones by profile."""
    scenes = [SceneState(Scene(f"s{index}", "x"), index, 0, single=index in singles, now=0.0) for index in range(8)]
    queue, model = SceneQueue(), Model()
    for action, index in actions:
        scene = scenes[index]
        door = DOORS["ab".index(action[-1])] if action[-2] == " " else None
        if action == "take" and (taken := queue.peek()) is not None:
            queue.remove(taken)
            model.remove(taken)
        elif action == "remove":
            queue.remove(scene)
            model.remove(scene)
        elif action.startswith("unpin") and door is not None:
            queue.unpin(door)
            model.front += model.pinned[door]
            model.pinned[door] = []
        elif action != "take" and not scene.ticket:
            if door is not None:
                queue.push_pinned(scene, door)
                model.pinned[door].append(scene)
            elif action == "front":
                queue.push_front(scene)
                model.front.append(scene)
            else:
                queue.push_back(scene)
                model.back.append(scene)
        expected = model.first(model.front) or (model.back[0] if model.back else None)
        assert queue.peek() is expected
        assert [queue.peek_pinned(door) for door in DOORS] == [model.first(model.pinned[door]) for door in DOORS]
        held = len(model.front) + len(model.back) + sum(map(len, model.pinned.values()))
        assert len(queue) == held == sum(scene.ticket > 0 for scene in scenes)
        assert {door for door in DOORS if model.pinned[door]} == set(queue.pinned)
