"""What the panel shows, and that it is written on the session's loop alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from vidgen_nb.core.outcomes import Permanent, RateLimited
from vidgen_nb.widgets.feed import RING, Feed
from vidgen_nb.widgets.status import State, chip, eta, sentence
from vidgen_nb.widgets.tables import AttemptsTable

if TYPE_CHECKING:
    from tests.widgets.conftest import Desk

PROMPTS = ["a lighthouse", "a harbour", "a night train"]
EVIL = "<img src=x onerror=alert(1)>"


def test_before_and_after_a_run(desk: Desk) -> None:
    """The sentence says what to do, and how it ended."""
    assert "type, paste or load scenes" in desk.panel.status.value
    desk.ctl.scenes = PROMPTS
    desk.settle()
    assert "3 scenes chosen: press Run" in desk.panel.status.value
    desk.ctl.run_blocking()
    desk.settle()
    assert "The run has ended, settled: 3 of 3 scenes succeeded; 0 attempts got a 429" in desk.panel.status.value
    assert 'aria-label="ok 3, running 0, held 0, failed 0; 100 % settled"' in desk.panel.status.value


def test_the_sentence_of_a_move(desk: Desk) -> None:
    """It names the profile that cools, for how long, after which scene, and where that went."""
    desk.backend.script = lambda scene, profile, nth: RateLimited(20.0) if profile == "p2" else None
    desk.backend.hold = {"s002"}
    desk.ctl.mode = "boost"
    desk.ctl.start(PROMPTS[:2])
    while desk.backend.submits.count(("s002", "p1")) < 1:
        desk.ctl._home.call(lambda: None)
    desk.settle()
    said = sentence(desk.panel.feed, desk.panel._state)
    assert said.startswith("p2 cools ")
    assert said.endswith(" s more after a 429 on s002, which moved to p1.")
    assert "cooling" in desk.panel._lanes["p2"][0].value
    assert "Retry-After 20 s" in desk.panel._lanes["p2"][0].value
    release = desk.panel._lanes["p2"][1]
    assert not release.disabled and desk.panel._lanes["p1"][1].disabled
    release.click()
    desk.settle()
    assert release.disabled


def test_other_sentences() -> None:
    """Paused, stopping, all cool, closed."""
    feed = Feed()
    feed.counts.update(queued=5, running=2)
    feed.lane("p1").running, feed.lane("p2").running = 1, 1
    assert sentence(feed, State(running=True)) == "2 scenes under way on 2 profiles; 5 wait."
    assert sentence(feed, State(running=True, paused=True)).startswith("Paused: nothing new is submitted; 2 scenes")
    assert sentence(feed, State(running=True, stopping=True)).startswith("Stopping: 2 scenes under way will settle")
    feed.counts["running"] = 0
    state = State(running=True, cooling={"p1": 3.2, "p2": 9.0})
    assert sentence(feed, state) == "All profiles cool; p1 is back first, in 4 s; 5 wait."
    assert "closed" in sentence(feed, State(closed=True))


def test_eta() -> None:
    """From the pace so far, in run seconds and on the wall; nothing while nobody can tell."""
    feed = Feed()
    assert eta(feed, State(running=True, now=10)) == ""
    feed.first = 0.0
    feed.counts.update(succeeded=4, queued=6)
    assert eta(feed, State(running=True, now=20, speed=10)) == "about 30 s left (3 s at 10×)"
    assert eta(feed, State(running=True, now=20)) == "about 30 s left"


def test_hostile_text_is_escaped(desk: Desk) -> None:
    """Ids, reasons and errors are somebody else's text: no tag of theirs arrives."""
    desk.backend.script = lambda *_: Permanent(EVIL)
    desk.ctl.run_blocking([{"id": f"s{EVIL}", "prompt": EVIL}])
    desk.ctl.post(fails)
    desk.settle()
    for tab in range(4):
        desk.panel.tabs.selected_index = tab
        desk.settle()
    pages = [page.value for page in desk.panel.pages.values()]
    assert all("&lt;img" in page for page in (pages[0], pages[2], pages[3]))
    shown = [*pages, desk.panel.status.value, desk.panel.strip.value, chip(EVIL, Feed().lane("x"), State(), None)]
    assert not any("<img" in text for text in shown)


def fails() -> None:
    """Fail as a callback might."""
    raise ValueError(EVIL)


def test_an_error_is_shown_and_dismissed(desk: Desk) -> None:
    """A callback's error is in the red strip with its traceback, until it is dismissed."""
    assert desk.panel.red.layout.display == "none"
    desk.ctl.post(fails)
    desk.settle()
    assert desk.panel.red.layout.display == ""
    assert "ValueError" in desk.panel.strip.value and "in fails" in desk.panel.strip.value
    desk.panel.dismiss.click()
    desk.settle()
    assert desk.panel.red.layout.display == "none"


def test_a_session_error_shows_without_a_traceback(desk: Desk) -> None:
    """What we say ourselves is a sentence."""
    desk.ctl.post(desk.ctl.release_cooldown, "p1")
    desk.settle()
    assert "SessionError: there is no run yet" in desk.panel.strip.value
    assert "Traceback" not in desk.panel.strip.value


def test_the_log_is_a_ring(desk: Desk) -> None:
    """Of many lines the latest stay, and another session's are not among them."""
    log = logging.getLogger("vidgen_nb")
    log.warning("from elsewhere")

    def many() -> None:
        for k in range(RING + 50):
            log.warning("line %d", k)

    desk.ctl._home.call(many)
    desk.panel.tabs.selected_index = 2
    desk.settle()
    assert len(desk.panel.feed.log) == RING
    assert f"line {RING + 49}" in desk.panel.pages["Log"].value
    assert "line 49\n" not in desk.panel.pages["Log"].value
    assert "elsewhere" not in desk.panel.pages["Log"].value


def test_the_runs_lines_are_in_the_log_whatever_the_level(desk: Desk) -> None:
    """Also those that the logger would not let through."""
    desk.ctl.run_blocking(PROMPTS[:1])
    desk.panel.tabs.selected_index = 2
    desk.settle()
    assert "s001 succeeded on p1" in desk.panel.pages["Log"].value


def test_tabs(desk: Desk) -> None:
    """Attempts can be filtered; metrics have a row for each profile; only the open tab is written."""
    desk.ctl.run_blocking(PROMPTS)
    desk.settle()
    assert "3 of 3 attempts" in desk.panel.pages["Attempts"].value
    assert desk.panel.pages["Metrics"].value == ""
    desk.panel.filter.value = "s002"
    desk.settle()
    assert "1 of 3 attempts" in desk.panel.pages["Attempts"].value
    desk.panel.tabs.selected_index = 1
    desk.settle()
    assert "3 of 3 scenes succeeded" in desk.panel.pages["Metrics"].value
    assert AttemptsTable().html([], 0).count("<tr>") == 1


def test_written_on_the_loop_alone(desk: Desk, monkeypatch: Any) -> None:
    """Every refresh, whoever caused it, is on the session's loop."""
    where: list[bool] = []
    refresh = desk.panel.refresh

    def watched() -> None:
        where.append(desk.ctl.is_here())
        refresh()

    monkeypatch.setattr(desk.panel, "refresh", watched)
    desk.ctl.mode = "boost"
    desk.ctl.run_blocking(PROMPTS)
    desk.ctl._home.call(desk.panel._tick, desk.panel._generation)
    assert where and all(where)


def test_an_idle_panel_does_nothing(desk: Desk) -> None:
    """After the run no timer is left; a change arms one again."""
    desk.ctl.run_blocking(PROMPTS)
    desk.ctl._home.call(desk.panel._tick, desk.panel._generation)
    assert not desk.panel._armed
    desk.ctl.mode = "boost"
    desk.ctl._home.call(lambda: None)
    assert desk.panel._armed


def test_closed(desk: Desk) -> None:
    """After the close all is off; a late press says so in the red strip, and its tap on the log is gone."""
    desk.ctl.close()
    assert all(control.widget.disabled for control in desk.panel.controls.all.values())
    desk.panel.controls["run"].click()
    assert "closed" in desk.panel.strip.value
    assert desk.panel._tap not in logging.getLogger("vidgen_nb").filters


def test_two_controllers_side_by_side(desk: Desk, tmp_path: Any) -> None:
    """Each panel shows its own run."""
    from tests.widgets.conftest import Desk as Another

    other = Another(tmp_path / "other")
    other.ctl.run_blocking(PROMPTS)
    other.settle()
    desk.settle()
    assert "3 of 3" in other.panel.status.value
    assert "Nothing has run yet" in desk.panel.status.value
    other.ctl.close()
