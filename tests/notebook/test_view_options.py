"""What the panel shows: options of a session without a panel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import FakeBackend
from tests.notebook.conftest import Changes
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.session import Session

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


@pytest.fixture
def view(session: Session, changes: Changes) -> ViewOptions:
    """Return the options of a session that has run nothing."""
    return ViewOptions(session.runner, changes)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [("theme", "dark", "blue"), ("show_moves", "selected", "all"), ("follow_now", False, None), ("notify", True, None)],
)
def test_each_is_checked_and_reported(view: ViewOptions, changes: Changes, name: str, value: Any, wrong: Any) -> None:
    """A value that makes no sense is an error and changes nothing."""
    setattr(view, name, value)
    assert getattr(view, name) == value and changes.count == 1
    if wrong is not None:
        with pytest.raises(InputError, match=f"{name} is"):
            setattr(view, name, wrong)
        assert getattr(view, name) == value and changes.count == 1


def test_stepping_goes_round_the_scenes_of_the_run(view: ViewOptions, session: Session) -> None:
    """Before a run there is nothing to select; an unknown selection begins at an end."""
    view.step_selected(1)
    assert view.selected is None
    session.run_blocking(PROMPTS)
    steps: list[str | None] = []
    for step in (1, 1, 1, 1, -1, -1):
        view.step_selected(step)
        steps.append(view.selected)
    assert steps == ["s001", "s002", "s003", "s001", "s003", "s002"]
    view.selected = ""
    assert view.selected is None
    view.step_selected(-1)
    assert view.selected == "s003"


def test_only_a_finished_video_can_be_chosen_and_the_next_run_forgets_it(
    view: ViewOptions, session: Session, backend: FakeBackend
) -> None:
    """A scene of the same id has none yet there."""
    backend.script = lambda scene, *_: Permanent("no") if scene == "s002" else None
    session.run_blocking(PROMPTS)
    view.video = "s001"
    for scene in ("s002", "s009"):
        with pytest.raises(InputError, match="has no video"):
            view.video = scene
    assert view.video == "s001"
    session.run_blocking(PROMPTS)
    assert view.video is None
