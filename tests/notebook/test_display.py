"""What a cell's output holds: the panel, and a picture that is brought up to date at the end of each run."""

from __future__ import annotations

from typing import Any

import IPython.display
import pytest
from ipywidgets import VBox

from tests.notebook.conftest import Changes
from vidgen_nb.notebook.display import NotebookDisplay
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.session.session import Session

PROMPTS = ["a lighthouse", "a harbour"]


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], str | None]]:
    """Return what a notebook is given: (which call, bundle, display id) each."""
    found: list[tuple[str, dict[str, Any], str | None]] = []
    for name in ("display", "update_display"):

        def note(bundle: dict[str, Any], *, raw: bool, display_id: str | None = None, call: str = name) -> None:
            assert raw
            found.append((call, bundle, display_id))

        monkeypatch.setattr(IPython.display, name, note)
    return found


def test_the_picture_follows_the_runs(
    session: Session, changes: Changes, outputs: list[tuple[str, dict[str, Any], str | None]]
) -> None:
    """Shown twice it is the same output, and each run updates it once."""
    display, box = NotebookDisplay(session, ViewOptions(session.runner, changes)), VBox()
    for _ in range(2):
        display.show("a controller", box)
    assert [call for call, *_ in outputs] == ["display"] * 4
    (_, panel, none), (_, picture, display_id) = outputs[:2]
    assert panel["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id and none is None
    assert "Nothing had run yet" in picture["text/html"] and display_id is not None
    session.run_blocking(PROMPTS)
    session.runner.loop.call(lambda: None)
    (update,) = outputs[4:]
    assert update[0] == "update_display" and update[2] == display_id == outputs[3][2]
    assert "data:image/svg+xml;base64," in update[1]["text/html"]
    box.close()


def test_a_closed_session_is_shown_as_it_ended(
    session: Session, changes: Changes, outputs: list[tuple[str, dict[str, Any], str | None]]
) -> None:
    """There is nothing left to follow."""
    session.run_blocking(PROMPTS)
    session.close()
    box = VBox()
    NotebookDisplay(session, ViewOptions(session.runner, changes)).show("a controller", box)
    assert "data:image/svg+xml;base64," in outputs[1][1]["text/html"]
    box.close()
