"""Which scenes Run takes, without a session or a panel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notebook.conftest import Changes
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.scene_options import SceneOptions

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


@pytest.fixture
def options(changes: Changes) -> SceneOptions:
    """Return options with three scenes loaded."""
    options = SceneOptions(changes)
    options.scenes = PROMPTS
    changes.count = 0
    return options


def test_loading_chooses_all(options: SceneOptions) -> None:
    """The span covers them, and the single scene is the first."""
    assert (options.span, options.scene, options.kind) == ((1, 3), "s001", "batch")
    request = options.request()
    assert request is not None and not request.single
    assert [scene.prompt for scene in request.scenes or ()] == PROMPTS


def test_a_range_or_one(options: SceneOptions) -> None:
    """The kind says which."""
    options.span, options.scene = (2, 3), "s001"
    assert [scene.id for scene in options.chosen] == ["s002", "s003"]
    options.kind = "single"
    request = options.request()
    assert [scene.id for scene in options.chosen] == ["s001"] and request is not None and request.single


def test_nothing_loaded(changes: Changes) -> None:
    """There is no request, and the slider has somewhere to be."""
    options = SceneOptions(changes)
    assert (options.request(), options.scene, options.span) == (None, None, (1, 1))


def test_each_change_is_reported_once(options: SceneOptions, changes: Changes) -> None:
    """So that a panel shows it."""
    values: dict[str, Any] = {"scenes": PROMPTS[:2], "kind": "single", "span": (1, 2), "scene": "s002"}
    for count, (name, value) in enumerate(values.items(), start=1):
        setattr(options, name, value)
        assert changes.count == count, name
    options.type_scenes("one\ntwo")
    options.upload_scenes("x.csv", b"prompt\none\n")
    assert changes.count == 6 and [scene.prompt for scene in options.scenes] == ["one"]


@pytest.mark.parametrize(("name", "value"), [("kind", "both"), ("span", (0, 1)), ("span", (2, 4)), ("scene", "s9")])
def test_what_makes_no_sense_changes_nothing(options: SceneOptions, changes: Changes, name: str, value: Any) -> None:
    """It is an error, and nobody is told of a change."""
    before = getattr(options, name)
    with pytest.raises(InputError):
        setattr(options, name, value)
    assert getattr(options, name) == before and changes.count == 0


def test_the_list_is_a_copy(options: SceneOptions) -> None:
    """What a cell does to it loads and drops nothing."""
    options.scenes.clear()
    assert len(options.scenes) == 3
