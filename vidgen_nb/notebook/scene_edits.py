"""Scenes that are edited in a notebook: loaded ones and those of the last run, and what is wrong with which field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.inputs.tables import number_or_text
from vidgen_nb.notebook.scene_options import SceneOptions
from vidgen_nb.session.scene_control import edited
from vidgen_nb.session.session import Session
from vidgen_nb.session.validation import prepared_scenes

__all__ = ["edit_scene", "field_errors", "parsed"]


def edit_scene(
    session: Session, options: SceneOptions, scene: str, prompt: str | None, params: Mapping[str, Any]
) -> Scene:
    """Edit a loaded scene that has not been run as it is, or else one of the last run, and the loaded one with it."""
    in_run = scenes_of(session)
    if scene not in in_run or any(each.id == scene for each in options.not_run(in_run)):
        return options.edit_scene(scene, prompt, **params)
    return edit_in_run(session, options, scene, prompt, params)


def edit_in_run(
    session: Session, options: SceneOptions, scene: str, prompt: str | None, params: Mapping[str, Any]
) -> Scene:
    """Edit a scene of the last run; the loaded one, too, if it is the same."""
    before = scenes_of(session).get(scene)
    now = session.edit_scene(scene, prompt, **params)
    if before is not None and options.find(scene) == before:
        options.edit_scene(scene, prompt, **params)
    return now


def scenes_of(session: Session) -> dict[str, Scene]:
    """Return the scenes of the last run by id."""
    live = session.runner.live
    return {} if live is None else {name: state.scene for name, state in live.scheduler.scenes.items()}


def parsed(scene: Scene, texts: Mapping[str, str | None]) -> dict[str, Any]:
    """Return parameters as they are typed, each of the kind that it had before; None and an empty text remove one.

    What is new is read as a cell of a table is: what looks like a number becomes one.
    """
    return {
        name: None if text is None else _value(scene.params.get(name), text.strip()) for name, text in texts.items()
    }


def _value(before: Any, text: str) -> Any:
    if not text:
        return None
    if isinstance(before, str):
        return text
    if before is None or isinstance(before, int | float):
        return number_or_text(text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def field_errors(session: Session, scene: Scene, prompt: str | None, params: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong, by field: `prompt`, a parameter, or "" where it can't be told which one.

    A field is to blame if all would be right without its change.
    """

    def problem(prompt: str | None, params: Mapping[str, Any]) -> str:
        try:
            prepared_scenes(session.runner.resources.backend, [edited(scene, prompt, params)])
        except (InputError, TypeError) as error:
            return str(error)
        return ""

    def without_id(text: str) -> str:
        text = text.removeprefix(f"scene {scene.id!r} has ").removeprefix(f"scene {scene.id!r}: ")
        return text[:1].upper() + text[1:]

    whole = problem(prompt, params)
    if not whole:
        return {}
    found = {name: problem(None, {name: value}) for name, value in params.items()}
    found["prompt"] = problem(prompt, {})
    blamed = {name: without_id(text) for name, text in found.items() if text}
    return blamed or {"": without_id(whole)}
