"""The panel at unusual moments: bugs that a review found, and that must not come back."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import FakeBackend, profiles
from vidgen_nb.charts.gantt.rows import MAX_LIVE_LANES
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, Policy
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.notebook.panel import panel as panel_module

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


def test_a_chosen_video_is_forgotten_with_the_next_run(desk: Desk) -> None:
    """Its scene has no video there yet, and the panel goes on."""
    desk.backend.video = CLIP
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    desk.set("video", "s003")
    desk.backend.hold = {"s003"}
    desk.ctl.start(PROMPTS)
    desk.settle()
    assert desk.ctl.video is None
    assert "Running" in desk.panel.rows.state.value
    assert desk.panel.errors.html.value == ""


@dataclass(frozen=True)
class Odd(Policy):
    """A policy whose `seconds` are not a number."""

    seconds: Any = ("one", "for", "each")

    def on_429(self, group: Any, outcome: RateLimited, now: float) -> Cooldown:
        """Cool a little."""
        return Cooldown("group", now + 1)


def test_one_control_that_can_not_be_shown_does_not_stop_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is reported once; a setting that is not a number is not shown as one."""
    desk.ctl.policy = Odd()
    desk.settle()
    assert desk.panel.controls["cooldown_seconds"].disabled
    control = desk.panel.controls.control("seed")

    def fails() -> Any:
        raise ValueError("odd")

    monkeypatch.setattr(control, "read", fails)
    desk.settle()
    desk.ctl.scenes = PROMPTS
    desk.settle()
    desk.settle()
    assert desk.panel.errors.html.value.count("<p>Something went wrong. ValueError: odd</p>") == 1
    assert not desk.panel.controls["run"].disabled


def test_a_policy_of_ones_own_can_be_chosen_again(desk: Desk) -> None:
    """By its name in the drop-down."""
    mine = Odd()
    desk.ctl.policy = mine
    desk.set("policy_name", "GlobalPause")
    desk.set("policy_name", "Odd")
    assert desk.ctl.policy is mine


def test_what_is_left_must_be_finished_or_dropped_first(desk: Desk) -> None:
    """Run would continue with it and not take the chosen single scene, so that can't be chosen."""
    desk.begin_and_stop(PROMPTS)
    for name in ("kind", "scene", "span", "prompts", "upload"):
        control = desk.panel.controls[name]
        assert control.disabled, name
    assert "Run continues with the 3 that are left" in desk.panel.controls["kind"].tooltip
    desk.click("cancel")
    assert not desk.panel.controls["kind"].disabled


def test_a_closed_panel_can_still_be_looked_at(desk: Desk) -> None:
    """Tabs turn, and an error can be dismissed."""
    desk.ctl.run_blocking(PROMPTS)
    desk.ctl.close()
    desk.panel.tabs.open("Log")
    assert "succeeded" in desk.panel.tabs.log.text
    desk.panel.controls["run"].click()
    assert "closed" in desk.panel.errors.html.value
    desk.panel.errors.dismiss_button.click()
    assert desk.panel.errors.root.layout.display == "none"


def test_a_panel_that_is_first_shown_after_the_close(tmp_path: Path) -> None:
    """It shows how the run ended, with all controls disabled."""
    with Controller(FakeBackend(), profiles("p1"), output=tmp_path, journal=None) as ctl:
        ctl.run_blocking(PROMPTS)
    assert ctl.panel is not None
    assert ctl._panel_holder.panel is not None
    assert "closed" in ctl._panel_holder.panel.rows.sentence.value
    assert all(control.widget.disabled for control in ctl._panel_holder.panel.controls.by_name.values())


def test_while_it_closes_the_rest_can_be_cancelled(desk: Desk) -> None:
    """`close()` waits for what is running."""
    desk.backend.hold = {"s001"}
    desk.ctl.start(PROMPTS[:1])
    while not desk.backend.submits:
        desk.settle()
    closer = threading.Thread(target=desk.ctl.close)
    closer.start()
    while not desk.ctl.is_closed:
        threading.Event().wait(0.001)
    desk.settle()
    assert "Closing: 1 scene still runs" in desk.panel.rows.sentence.value
    assert not desk.panel.controls["cancel"].disabled and desk.panel.controls["run"].disabled
    desk.backend.let_go()
    closer.join(10)
    assert not closer.is_alive()


def test_a_traceback_is_kept(desk: Desk) -> None:
    """The red strip has the whole traceback of a failing observer."""

    def fails(_events: Any) -> None:
        raise ZeroDivisionError("an observer's own")

    desk.ctl.observe(fails)
    desk.ctl.run_blocking(PROMPTS[:1])
    desk.settle()
    assert "ZeroDivisionError: an observer&#x27;s own" in desk.panel.errors.html.value


def test_log_lines_of_a_panel_do_not_show_below_a_cell(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """If nobody has set up logging, the panel has them; those of other sessions go to logging's last resort."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        desk.ctl.runner.loop.call(logging.getLogger("vidgen_nb").warning, "of the panel")
        logging.getLogger("vidgen_nb").warning("of nobody's loop")
    finally:
        root.handlers = handlers
    assert "of the panel" in desk.panel.feed.log
    said = capsys.readouterr().err
    assert "of nobody" in said and "of the panel" not in said


@pytest.mark.parametrize(
    "text",
    ['[{"id": "x1", "prompt": "a harbour"}]', '{"id": "x1", "prompt": "a harbour"}\n{"id": "x2", "prompt": "b"}\n',
     "id,prompt\nx1,a harbour\n"],
    ids=["json", "json lines", "csv"],
)  # fmt: skip
def test_pasted_text_is_recognised(desk: Desk, text: str) -> None:
    """Otherwise each line would be a prompt that has to be paid for."""
    desk.set("prompts", text)
    first = desk.ctl.scenes[0]
    assert (first.id, first.prompt) == ("x1", "a harbour")


def test_pasted_text_that_can_not_be_read_is_reported(desk: Desk) -> None:
    """Nothing is loaded, the table of scenes says why, and no longer once it is right."""
    desk.set("prompts", '[{"prompt": "a"},')
    assert desk.ctl.scenes == []
    assert desk.panel.tabs.scenes.table.alert == "Line 1: malformed JSON: Expecting value"
    desk.set("prompts", "prompt,seconds,size\na fox,4,720p\nan owl,4,720p\na harbour")
    wrong = "Line 4 has 1 value; the header has 3 columns. Quote prompts that contain commas."
    assert desk.panel.tabs.scenes.table.alert == wrong
    desk.set("prompts", '[{"prompt": "a"}]')
    assert desk.panel.tabs.scenes.table.alert == ""


def test_the_latest_video_is_offered_after_another_run(desk: Desk) -> None:
    """Even if that has the same number of scenes."""
    desk.backend.video = CLIP
    for name in ("one", "two"):
        desk.ctl.run_blocking([{"id": name, "prompt": "a harbour"}])
        desk.settle()
        assert [value for _label, value in desk.panel.controls["video"].options] == ["", name]


def test_among_many_profiles_the_cooling_ones_have_a_lane(tmp_path: Path) -> None:
    """With a countdown, and a button that ends the cooldown."""
    backend = FakeBackend(lambda scene, profile, nth: RateLimited(50.0) if nth == 1 else None)
    with Controller(
        backend, profiles(*(f"p{k:03}" for k in range(200))), output=tmp_path, journal=None, mode="boost"
    ) as ctl:
        assert ctl.panel is not None
        ctl.in_use = [*(f"p{k:03}" for k in range(199)), "p199"]
        ctl.in_use = ["p199"]
        ctl.start(["a harbour"])
        while not ctl.cooling:
            pass
        ctl.in_use = list(ctl.known_profiles)
        ctl.wait(10)
        assert ctl._panel_holder.panel is not None
        ctl.runner.loop.call(ctl._panel_holder.panel.ticker.update_now)
        lanes = {lane["name"]: lane for lane in ctl._panel_holder.panel.chart.lanes.lanes}
        assert len(lanes) == MAX_LIVE_LANES
        assert lanes["p199"]["release"]


def test_a_long_backlog_is_taken_in_slices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel that is shown late does not stall the run."""
    monkeypatch.setattr(panel_module, "MAX_EVENTS_PER_UPDATE", 5)
    taken: list[int] = []
    pull = desk.panel.feed.pull

    def watched(*given: Any) -> Any:
        new = pull(*given)
        taken.append(len(new))
        return new

    monkeypatch.setattr(desk.panel.feed, "pull", lambda *given: [])  # nobody looks while it runs
    desk.ctl.run_blocking(PROMPTS * 3)
    monkeypatch.setattr(desk.panel.feed, "pull", watched)
    desk.settle()
    while desk.panel._has_more_events:
        desk.settle()
    assert max(taken) == 5
    assert desk.panel.feed.counts.scenes["succeeded"] == 9


def test_a_run_that_ends_during_an_update_is_shown_once_more(desk: Desk) -> None:
    """What was read before its end used to stay: "Stopping: 0 scenes are still running"."""
    desk.ctl.run_blocking(["one"])
    panel = desk.panel
    panel._snapshot = replace(panel._snapshot, running=True, cooling={})  # read a moment before
    assert panel._next_interval() is not None
    desk.settle()
    assert panel._next_interval() is None


def test_the_clock_stands_when_nothing_runs(desk: Desk) -> None:
    """The time shown is that of the run's last event."""
    run = desk.ctl.run_blocking(PROMPTS)
    assert desk.ctl.now == run.events[-1].at


def test_a_panel_without_a_controller_leaves_no_widget(tmp_path: Path) -> None:
    """A page that is reloaded asks for all widgets."""
    from ipywidgets.widgets.widget import _instances

    before = len(_instances)
    ctl = Controller(FakeBackend(), profiles("p1", "p2"), output=tmp_path, journal=None)
    assert ctl.panel is not None
    ctl.runner.loop.call(ctl._panel_holder.panel.ticker.update_now)  # type: ignore[union-attr]
    ctl.orphaned()
    assert len(_instances) == before
    assert ctl.panel is not None  # shown again, there is a new one
    ctl.close()


def test_paths_hold_when_the_notebook_goes_elsewhere(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exports are written beside the videos, whatever the working directory is by then."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "one")
    with Controller(FakeBackend(), profiles("p1"), output="videos", journal=None) as ctl:
        ctl.run_blocking(PROMPTS)
        monkeypatch.chdir(tmp_path / "two")
        files = ctl.export()
    assert {file.parent for file in files} == {tmp_path / "one" / "exports"}
    assert json.loads(files[3].read_text().splitlines()[0])["mode"]["name"] == "normal"
