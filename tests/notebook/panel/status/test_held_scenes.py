"""The two answers of a held scene, in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidgen_nb.core.outcomes import Ambiguous

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk


def held(desk: Desk) -> None:
    """Run two scenes whose first submits are in doubt."""
    desk.backend.script = lambda scene, profile, nth: Ambiguous("HTTP 502") if nth == 1 else None
    assert desk.panel.held_scenes.root.layout.display == "none"
    desk.ctl.run_blocking(["a lighthouse", "a harbour"])
    desk.settle()


def statuses(desk: Desk) -> dict[str, str]:
    """Return the status of each scene."""
    assert desk.ctl.last_run is not None
    return {scene.id: scene.status for scene in desk.ctl.last_run.scenes}


def test_it_shows_while_scenes_are_held(desk: Desk) -> None:
    """The latest is offered first; once all are answered, the row is gone."""
    held(desk)
    row = desk.panel.held_scenes
    assert row.root.layout.display == "flex"
    assert {value for _, value in row.choice.options} == {"s001", "s002"}
    for scene in ("s001", "s002"):
        row.choice.value = scene
        row.job.value = f" {scene} "
        row.ask.click()
        desk.settle()
        desk.ctl.wait(10)
    desk.settle()
    assert row.root.layout.display == "none"
    assert len(desk.backend.submits) == 2, "asking submits nothing"
    assert set(statuses(desk).values()) == {"succeeded"}


def test_the_job_is_not_known(desk: Desk) -> None:
    """Nobody answered its submit: the panel says what is missing, and nothing is submitted."""
    held(desk)
    desk.panel.held_scenes.ask.click()
    desk.settle()
    assert "id is not known: look it up there" in desk.panel.errors.root.children[0].value
    assert len(desk.backend.submits) == 2


def test_submitting_again_is_asked_about_first(desk: Desk) -> None:
    """The question names the scene and what it may cost; that one is submitted, whatever is chosen since."""
    held(desk)
    row = desk.panel.held_scenes
    row.choice.value = "s001"
    row.submit.click()
    desk.settle()
    assert "Submit s001 again?" in row.text.value and "billed twice" in row.text.value
    row.keep.click()
    desk.settle()
    assert len(desk.backend.submits) == 2
    row.submit.click()
    desk.settle()
    row.choice.value = "s002"
    row.sure.click()
    desk.settle()
    desk.ctl.wait(10)
    desk.settle()
    assert statuses(desk) == {"s001": "succeeded", "s002": "held"}
    assert [value for _, value in row.choice.options] == ["s002"]
