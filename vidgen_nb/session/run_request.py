"""A call that asks for scenes to be run, and the ids under which they are queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidgen_nb.core.model import Scene
from vidgen_nb.core.state import SceneState

__all__ = ["RunOwner", "RunRequest", "with_free_ids"]


@dataclass(eq=False)
class RunRequest:
    """One call that asks for scenes to be run."""

    scenes: Sequence[Scene] | None
    """None: go on with those that are left. Once it is carried out: as they were queued."""
    counted: frozenset[str] = frozenset()
    """Ids that are no scene's own: its place in the list has given them."""
    single: bool = False
    """Before all that wait."""
    in_last_run: bool = False
    """Go on with the last run even if all its scenes have settled."""
    may_repeat: bool = True
    """A scene without an id that the last run has at the same place is that one, run again; else it is a new one."""


@dataclass(frozen=True)
class RunOwner:
    """The request that began the run under way."""

    asked: RunRequest
    carried_out: RunRequest
    """The same, or the default where no scenes were given."""


def with_free_ids(request: RunRequest, used: Mapping[str, SceneState]) -> list[Scene]:
    """Return a request's scenes with ids that no other scene of a run has. `used`: the run's scenes by id.

    Ids of their own stay. Where a counted one is that of another scene there, all counted scenes that are new get the
    next free numbers, in order.
    """
    scenes = list(request.scenes or ())
    if not request.counted or not used:
        return scenes
    numbered = {number: state.scene for name, state in used.items() if (number := _number(name)) is not None}
    new, collides = list[int](), bool(numbered and not request.may_repeat)
    for place, scene in enumerate(scenes):
        if scene.id in request.counted:
            there = numbered.get(_number(scene.id) or 0)
            if request.may_repeat and there is not None and _is_same(there, scene):
                scenes[place] = there
            else:
                new.append(place)
                collides = collides or there is not None
    if collides:
        own = (_number(scene.id) or 0 for scene in scenes if scene.id not in request.counted)
        last = max([*numbered, *own])
        for number, place in enumerate(new, last + 1):
            scenes[place] = Scene(f"s{number:03}", scenes[place].prompt, **scenes[place].params)
    return scenes


def _number(scene: str) -> int | None:
    """Return the number in an id such as s001, as `load_scenes` counts; None for any other."""
    return int(scene[1:]) if scene[0] == "s" and scene[1:].isdecimal() else None


def _is_same(one: Scene, other: Scene) -> bool:
    return (one.prompt, one.params) == (other.prompt, other.params)
