"""Which failed scenes are run again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.core.state import SceneState
from vidgen_nb.errors import InputError

__all__ = ["chosen_scenes", "failed_scenes", "is_moderated", "scene_to_answer", "scenes_to_retry"]

log = logging.getLogger("vidgen_nb")


def is_moderated(state: SceneState) -> bool:
    """Say whether the provider's content policy blocked a scene: with the same prompt it would again."""
    return isinstance(state.outcome, Permanent) and state.outcome.cause == "content"


def failed_scenes(known: Mapping[str, SceneState], *, moderated: bool) -> list[Scene]:
    """Return the scenes that have failed; those that were blocked by a content policy only if asked for."""
    failed = [state for state in known.values() if state.status == "failed" and not state.has_open_job]
    left = [] if moderated else [state for state in failed if is_moderated(state)]
    if left:
        log.warning(
            "%d scene%s blocked by the provider's content policy %s left alone: edit the prompt%s, or "
            "retry_failed(moderated=True)",
            len(left), "s" * (len(left) != 1), "are" if len(left) != 1 else "is", "s" * (len(left) != 1),
        )  # fmt: skip
    return [state.scene for state in failed if state not in left]


def scenes_to_retry(scenes: Iterable[str | Scene]) -> list[str | Scene]:
    """Return what is to be run again, as ids and edited scenes; `InputError` for anything else."""
    given: list[str | Scene] = [scenes] if isinstance(scenes, str | Scene) else list(scenes)
    for each in given:
        if not isinstance(each, str | Scene):
            raise InputError(f"retry_failed takes ids of scenes, or Scene objects, not a {type(each).__name__}")
    return given


def chosen_scenes(known: Mapping[str, SceneState], given: Iterable[str | Scene]) -> list[Scene]:
    """Return the named scenes, edited where given as a `Scene`; `InputError` for one that can't be run again."""
    found = []
    for each in given:
        name = each if isinstance(each, str) else each.id
        state = known.get(name)
        if state is None:
            raise InputError(f"no scene has the id {name!r} in this run")
        if state.status != "failed" or state.has_open_job:
            what = "held: ask_again or submit_again decides" if state.status in ("held", "failed") else state.status
            raise InputError(f"scene {name!r} is {what}; retry_failed runs failed scenes again")
        found.append(state.scene if isinstance(each, str) else each)
    return found


def scene_to_answer(scenes: Mapping[str, SceneState], scene: str) -> SceneState:
    """Return a scene whose job may exist although it is settled; `InputError` for any other."""
    state = scenes.get(scene)
    if state is None:
        raise InputError(f"no scene has the id {scene!r} in this run")
    if state.status != "held" and not (state.status == "failed" and state.has_open_job):
        raise InputError(f"scene {scene!r} is {state.status}, not held: there is nothing to decide")
    return state
