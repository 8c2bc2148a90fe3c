"""What the panel shows, and that only the session's loop writes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vidgen_nb.core.outcomes import Permanent, RateLimited
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.panel.status import log_listener
from vidgen_nb.notebook.panel.status.run_feed import MAX_LINES
from vidgen_nb.notebook.panel.status.sentences import sentence

if TYPE_CHECKING:
    from tests.notebook.panel.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]
EVIL = "<img src=x onerror=alert(1)>"


def test_before_and_after_a_run(desk: Desk) -> None:
    """The sentence says what to do, and how it ended."""
    rows = desk.panel.rows
    assert "Type, paste or load scenes" in rows.sentence.value
    desk.ctl.scenes = PROMPTS
    desk.settle()
    assert "3 scenes chosen. Press Run." in rows.sentence.value
    assert "<b>Ready</b>" in rows.state.value and "3 scenes" in rows.state.value
    desk.ctl.run_blocking()
    desk.settle()
    assert "Done. 3 of 3 succeeded." in rows.sentence.value and "429" not in rows.sentence.value
    assert "<b>Done</b>" in rows.state.value and "3/3" in rows.state.value
    assert 'aria-label="Scenes: 3 succeeded"' in rows.progress.value
    assert 'role="status">Done. 3 of 3 succeeded.<' in rows.spoken.value


def test_the_sentence_of_a_move(desk: Desk) -> None:
    """It names the cooling profile, for how long, after which scene, and where that one went."""
    desk.backend.script = lambda scene, profile, nth: RateLimited(20.0) if profile == "p2" else None
    desk.backend.hold = {"s002"}
    desk.ctl.mode = "boost"
    desk.ctl.start(PROMPTS[:2])
    while desk.backend.submits.count(("s002", "p1")) < 1:
        desk.ctl.runner.loop.call(lambda: None)
    desk.settle()
    said = sentence(desk.panel.feed, desk.panel._snapshot)
    assert said.startswith("p2 rests ")
    assert said.endswith(" s after a 429 on s002, which moved to p1.")
    ready, rests = desk.panel.chart.lanes.lanes
    assert rests["note"].endswith(" s") and "the server asked for 20.0 s" in rests["tip"]
    assert rests["release"] and not ready["release"]
    desk.panel.chart.lanes._handle_custom_msg({"release": "p2"}, [])
    desk.settle()
    assert not any(lane["release"] for lane in desk.panel.chart.lanes.lanes)


def test_hostile_text_is_escaped(desk: Desk) -> None:
    """Ids, reasons and errors are foreign text: none of their tags reach the page."""
    desk.backend.script = lambda *_: Permanent(EVIL)
    desk.ctl.run_blocking([{"id": f"s{EVIL}", "prompt": EVIL}])
    desk.ctl.post(fails)
    desk.settle()
    for tab in range(5):
        desk.panel.tabs.root.selected_index = tab
        desk.settle()
    panel = desk.panel
    assert EVIL in panel.tabs.log.text  # put in as text
    assert panel.tabs.attempts.rows[0][0] == f"s{EVIL}"  # DataTables' own text renderer escapes it
    shown = [panel.tabs.metrics.html.value, panel.rows.sentence.value, panel.errors.html.value]
    assert "&lt;img" in panel.errors.html.value
    assert not any("<img" in text for text in shown)


def fails() -> None:
    """Fail as a callback might."""
    raise ValueError(EVIL)


def test_an_error_is_shown_and_dismissed(desk: Desk) -> None:
    """A callback's error is in the red strip with its traceback, until it is dismissed."""
    assert desk.panel.errors.root.layout.display == "none"
    desk.ctl.post(fails)
    desk.settle()
    assert desk.panel.errors.root.layout.display == ""
    assert "ValueError" in desk.panel.errors.html.value and "in fails" in desk.panel.errors.html.value
    desk.panel.errors.dismiss_button.click()
    desk.settle()
    assert desk.panel.errors.root.layout.display == "none"


def test_an_error_of_our_own_shows_without_a_traceback(desk: Desk) -> None:
    """Its sentence is enough."""
    desk.ctl.post(desk.ctl.release_cooldown, "p1")
    desk.settle()
    assert "There is no run yet" in desk.panel.errors.html.value
    assert "Traceback" not in desk.panel.errors.html.value


def test_the_log_keeps_the_latest_lines(desk: Desk) -> None:
    """The oldest are dropped, and another session's are not among them."""
    log = logging.getLogger("vidgen_nb")
    log.warning("from elsewhere")

    def many() -> None:
        for k in range(MAX_LINES + 50):
            log.warning("line %d", k)

    desk.ctl.runner.loop.call(many)
    desk.panel.tabs.open("Log")
    desk.settle()
    assert len(desk.panel.feed.log) == MAX_LINES
    assert f"line {MAX_LINES + 49}" in desk.panel.tabs.log.text
    assert "line 49\n" not in desk.panel.tabs.log.text
    assert "elsewhere" not in desk.panel.tabs.log.text


def test_the_runs_lines_are_in_the_log_whatever_the_level(desk: Desk) -> None:
    """Even those that the logger's level holds back."""
    desk.ctl.run_blocking(PROMPTS[:1])
    desk.panel.tabs.open("Log")
    desk.settle()
    assert "s001 succeeded on p1" in desk.panel.tabs.log.text


def test_tabs(desk: Desk) -> None:
    """There is a row for each attempt, and metrics of each profile; only the open tab is written."""
    desk.panel.tabs.open("Attempts")
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    rows = desk.panel.tabs.attempts.rows
    assert [row[:3] for row in rows] == [["s001", 1, "p1"], ["s002", 1, "p2"], ["s003", 1, "p1"]]
    assert {row[6] for row in rows} == {"✓ succeeded"}
    assert desk.panel.tabs.metrics.html.value == ""
    desk.panel.tabs.open("Metrics")
    desk.settle()
    wait_until(desk, lambda: "<b>3 of 3</b>" in desk.panel.tabs.metrics.html.value)
    assert "e-" not in desk.panel.tabs.metrics.html.value.partition("</style>")[2]


def test_a_click_on_a_scene_in_the_table_selects_it(desk: Desk) -> None:
    """The chart highlights its whole path."""
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    desk.panel.tabs.attempts._handle_custom_msg({"select": "s002"}, [])
    desk.settle()
    assert desk.ctl.selected == desk.panel.chart.gantt.scene == "s002"


def test_a_finished_video_is_played(desk: Desk) -> None:
    """The tab offers the finished videos, and sends the chosen one."""
    control = desk.panel.controls.by_name["video"]
    desk.panel.tabs.open("Videos")
    desk.settle()
    assert control.widget.disabled
    desk.backend.video = CLIP
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert [value for _label, value in control.widget.options] == ["", "s003", "s002", "s001"]
    desk.set("video", "s002")
    videos = desk.panel.tabs.videos
    wait_until(desk, lambda: videos.player is not None)
    assert videos.player.value == CLIP
    desk.ctl.video = None
    desk.settle()
    assert videos.player is None
    with pytest.raises(InputError, match="has no video"):
        desk.ctl.video = "s009"


def test_a_missing_video_is_reported(desk: Desk) -> None:
    """With its path."""
    desk.panel.tabs.open("Videos")
    desk.backend.video = CLIP
    path = desk.ctl.run_blocking(PROMPTS[:1]).scenes[0].path
    desk.settle()
    assert path is not None
    Path(path).unlink()
    desk.set("video", "s001")
    wait_until(desk, lambda: "No such file" in desk.panel.tabs.videos.message.value)


def test_exported_files_can_be_downloaded(desk: Desk) -> None:
    """Each is offered with its size, and sent when the page asks for it."""
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    desk.click("export")
    page = desk.panel.page
    wait_until(desk, lambda: len(page.files) == 4)
    assert sorted(name.rsplit(".", 1)[1] for name, _size in page.files) == ["csv", "html", "jsonl", "svg"]
    sent: list[Any] = []
    page.send = lambda content, buffers=None: sent.append((content["file"], len(buffers[0])))
    name, size = page.files[1]
    page._handle_custom_msg({"download": name}, [])
    wait_until(desk, lambda: sent)
    assert sent == [(name, size)]


def test_the_chart_takes_the_theme_of_the_page(desk: Desk) -> None:
    """Until a cell sets one."""
    desk.panel.page.dark = True
    desk.settle()
    assert desk.panel.chart.gantt.theme == "dark"
    desk.ctl.theme = "light"
    desk.settle()
    assert desk.panel.chart.gantt.theme == "light"
    with pytest.raises(InputError, match="theme is"):
        desk.ctl.theme = "blue"


def wait_until(desk: Desk, condition: Callable[[], Any]) -> None:
    """Let the loop and the background work go on."""
    for _ in range(2000):
        desk.settle()
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come")


def test_written_on_the_loop_alone(desk: Desk, monkeypatch: Any) -> None:
    """Every update is on the session's loop, whoever caused it."""
    where: list[bool] = []

    def watched(step: Callable[[], None]) -> None:
        where.append(desk.ctl.runner.loop.is_current())
        step()

    monkeypatch.setattr(desk.panel.ticker, "_steps", [partial(watched, each) for each in desk.panel.ticker._steps])
    desk.ctl.mode = "boost"
    desk.ctl.run_blocking(PROMPTS)
    wait_until(desk, lambda: len(where) >= 3)
    assert all(where)


def test_an_idle_panel_does_nothing(desk: Desk) -> None:
    """After the run no timer is left; a change arms one again."""
    desk.ctl.run_blocking(PROMPTS)
    wait_until(desk, lambda: not desk.panel.ticker.armed)
    desk.ctl.mode = "boost"
    desk.ctl.runner.loop.call(lambda: None)
    assert desk.panel.ticker.armed


def test_closed(desk: Desk) -> None:
    """After the close all is disabled; a late click says so in the red strip, and the panel hears the log no more."""
    desk.ctl.close()
    assert all(control.widget.disabled for control in desk.panel.controls.by_name.values())
    desk.panel.controls["run"].click()
    assert "closed" in desk.panel.errors.html.value
    assert desk.panel._log_listener not in log_listener._LOG_FILTER.listeners


def test_two_controllers_side_by_side(desk: Desk, tmp_path: Any) -> None:
    """Each panel shows its own run."""
    from tests.notebook.panel.conftest import Desk as Another

    other = Another(tmp_path / "other")
    other.ctl.run_blocking(PROMPTS)
    other.settle()
    desk.settle()
    assert "3 of 3" in other.panel.rows.sentence.value
    assert "Type, paste or load" in desk.panel.rows.sentence.value
    other.ctl.close()
