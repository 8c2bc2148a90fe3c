"""The queue's order, against a list that is sorted again for every question."""

from __future__ import annotations

from itertools import count

from hypothesis import example, given
from hypothesis import strategies as st

from vidgen_nb.core.model import Scene
from vidgen_nb.core.queue import SceneQueue
from vidgen_nb.core.state import Gate, ProfileState, SceneState

DOORS = [ProfileState(name, index, None, Gate(name)) for index, name in enumerate("ab")]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["back", "ranked", "front", "pin a", "pin b", "remove", "take", "unpin a"]), st.integers(0, 7)
    ),
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
        """R2: singles before others, each in the queue's order."""
        return min(place, key=lambda scene: (not scene.single, scene.order), default=None)


@given(
    actions=ACTIONS,
    singles=st.sets(st.integers(0, 7)),
    ranks=st.lists(st.sampled_from([-1.5, 0.5, 9.5, 12.5, 12.5, 30.5]), min_size=8, max_size=8),
)
@example(actions=[("back", 0), ("ranked", 1), ("ranked", 2), ("take", 0)], singles=set(), ranks=[0.5] * 8)
@example(actions=[("back", 0), ("ranked", 1), ("remove", 0)], singles=set(), ranks=[12.5] * 8)
def test_the_queue_is_in_order(actions: list[tuple[str, int]], singles: set[int], ranks: list[float]) -> None:
    """Singles, then bounced scenes, then the others, each by rank or number; pinned ones by profile.

    Of equal ranks, the one that joined first is first. A scene that is added again is another one to the queue.
    """
    numbers = count(1)

    def added(index: int, rank: float | None = None) -> SceneState:
        order = next(numbers)
        scene = Scene(f"s{index}", "x")
        return SceneState(scene, order if rank is None else rank, 0, single=index in singles, now=0.0)

    scenes = [added(index) for index in range(8)]
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
            elif action == "front" or scene.single:
                queue.push_front(scene)
                model.front.append(scene)
            else:
                scenes[index] = scene = added(index, ranks[index] if action == "ranked" else None)
                (queue.push_ranked if action == "ranked" else queue.push_back)(scene)
                model.back.append(scene)
        expected = model.first(model.front) or min(model.back, key=lambda scene: scene.order, default=None)
        assert queue.peek() is expected
        assert [queue.peek_pinned(door) for door in DOORS] == [model.first(model.pinned[door]) for door in DOORS]
        held = len(model.front) + len(model.back) + sum(map(len, model.pinned.values()))
        assert len(queue) == held == sum(scene.ticket > 0 for scene in scenes)
        assert {door for door in DOORS if model.pinned[door]} == set(queue.pinned)
