"""A controller over a fake backend, and its panel without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel.panel import Panel


class Desk:
    """A controller with its panel, and a user's hands."""

    def __init__(self, folder: Path) -> None:
        self.backend = FakeBackend()
        self.ctl = Controller(
            self.backend, profiles("p1", "p2"), output=folder / "videos", journal=folder / "runs", speed=20
        )
        assert self.ctl.panel
        assert self.ctl._panel_holder.panel is not None
        self.panel: Panel = self.ctl._panel_holder.panel
        self.settle()

    def settle(self) -> None:
        """Let what was posted be carried out, and write the panel."""
        self.ctl.runner.loop.call(lambda: None)
        self.ctl.runner.loop.call(self.panel.ticker.update_now)

    def set(self, name: str, value: object) -> None:
        """Change a control, as a user does."""
        self.panel.controls[name].value = value
        self.settle()

    def click(self, name: str) -> None:
        """Press a button."""
        self.panel.controls[name].click()
        self.settle()

    def begin_and_stop(self, prompts: list[str]) -> None:
        """Run scenes, of which none is submitted."""
        self.ctl.paused = True
        self.ctl.start(prompts)
        self.ctl.stop()
        self.ctl.wait(10)
        self.ctl.paused = False
        self.settle()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A controller with a panel, closed at the end."""
    made = Desk(tmp_path)
    yield made
    made.backend.let_go()
    made.ctl.close()
