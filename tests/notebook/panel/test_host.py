"""A panel needs a `PanelHost` and nothing else: here over one that is no controller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vidgen_nb.dashboard.past_runs import PastRuns
from vidgen_nb.notebook.panel.host import PanelHost
from vidgen_nb.notebook.panel.panel import Panel
from vidgen_nb.notebook.run_options import RunOptions
from vidgen_nb.notebook.scene_options import SceneOptions
from vidgen_nb.notebook.view_options import ViewOptions
from vidgen_nb.provider.limits import Limit
from vidgen_nb.session.session import Session

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


class MinimalHost:
    """What `PanelHost` asks for."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session = session
        self.scene_options = SceneOptions(self.changed)
        self.run_options = RunOptions(session, self.changed)
        self.view_options = ViewOptions(session.runner, self.changed)
        self.problem = ""
        self.limits: dict[str, Limit] = {}
        self.file = folder / "run.txt"
        self.runs = PastRuns(folder)
        self.touched = 0

    def changed(self) -> None:
        """Say nothing: the test refreshes the panel."""

    def export(self) -> list[Path]:
        """Write one file."""
        self.file.write_text("exported")
        return [self.file]

    def touch(self) -> None:
        """Count."""
        self.touched += 1

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call it on the session's loop."""
        self.session.runner.loop.loop.call_soon_threadsafe(function, *args)

    def later(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call it on the session's loop after some seconds."""
        self.session.runner.loop.loop.call_later(seconds, function)


class Shown:
    """A host and its panel."""

    def __init__(self, host: MinimalHost) -> None:
        self.host = host
        as_host: PanelHost = host  # the type checker says whether it is one
        self.panel = Panel(as_host)
        self.refresh()

    def refresh(self) -> None:
        """Let what was posted happen, and bring the panel up to date."""
        loop = self.host.session.runner.loop
        loop.call(lambda: None)
        loop.call(self.panel.ticker.update_now)


@pytest.fixture
def shown(session: Session, tmp_path: Path) -> Iterator[Shown]:
    """Give a panel over a minimal host; its widgets are removed at the end."""
    shown = Shown(MinimalHost(session, tmp_path))
    yield shown
    shown.panel.dispose()


def test_it_shows_the_session(shown: Shown) -> None:
    """Scenes that are loaded, and how the run went."""
    assert "Type, paste or load scenes" in shown.panel.rows.sentence.value
    shown.host.scene_options.scenes = PROMPTS
    shown.refresh()
    assert "3 scenes chosen" in shown.panel.rows.sentence.value
    shown.host.session.run_blocking(PROMPTS)
    shown.refresh()
    assert "3 of 3 succeeded" in shown.panel.rows.sentence.value
    shown.panel.tabs.open("Attempts")
    shown.refresh()
    assert len(shown.panel.tabs.attempts.rows) == 3


def test_controls_reach_the_session_and_its_options(shown: Shown) -> None:
    """A value sets an option, a button is a call, and after each the host is touched."""
    shown.panel.controls["mode"].value = "boost"
    shown.panel.controls["prompts"].value = "\n".join(PROMPTS)
    shown.refresh()
    assert shown.host.session.mode.name == "boost" and len(shown.host.scene_options.scenes) == 3
    shown.panel.controls["next"].click()
    shown.refresh()
    assert shown.host.touched == 3


def test_the_host_says_why_run_is_unavailable(shown: Shown) -> None:
    """In the tooltip, and to a screen reader."""
    shown.host.problem = "out of office"
    shown.refresh()
    assert shown.panel.controls["run"].disabled
    assert shown.panel.controls["run"].tooltip.endswith("Unavailable: out of office")
    assert shown.panel.page.controls["vg-run"]["why"] == "Unavailable: out of office"


def test_the_host_exports(shown: Shown) -> None:
    """Its files are offered for download."""
    shown.host.session.run_blocking(PROMPTS)
    shown.refresh()
    shown.panel.controls["export"].click()
    for _ in range(2000):
        shown.refresh()
        if shown.panel.page.files:
            break
        threading.Event().wait(0.005)
    assert shown.panel.page.files == [("run.txt", len("exported"))]
