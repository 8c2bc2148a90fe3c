"""What people do to a panel without thinking: twice, while it runs, and with a tab, a page or a kernel gone."""

from __future__ import annotations

import re

import pytest

from tests.in_lab.conftest import ATTEMPTS, MANY, SLOW, Opener
from tests.in_lab.page import LabPage

THREADS = "sorted(t.name for t in __import__('threading').enumerate() if t.name.startswith('vidgen_nb'))"


@pytest.mark.long
def test_shown_twice(open_lab: Opener) -> None:
    """Two outputs of one controller show the same, whichever was clicked."""
    page = open_lab(MANY, "ctl")
    page.run(0)
    page.run(1)
    page.click("Normal", cell=1)
    page.active("Normal", cell=0)
    page.active("Normal", cell=1)
    page.kernel.wait("ctl.mode.name == 'normal'")
    page.click("Boost", cell=0)
    page.active("Boost", cell=1)
    page.click("Run", cell=1)
    for cell in (0, 1):
        page.bars(5, cell=cell)
        page.runs(cell)
    page.click("Stop", cell=0)
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
    for cell in (0, 1):
        page.says("Stopped", cell=cell)


@pytest.mark.long
def test_shown_again(open_lab: Opener) -> None:
    """A cell that shows a controller is run again, before its run and in the middle: both charts go on."""
    page = open_lab(MANY, "ctl")
    for cell in (0, 1, 1):
        page.run(cell)
    page.click("Run")
    for cell in (0, 1):
        page.bars(3, cell=cell)
    page.run(1)
    for cell in (0, 1):
        page.bars(page.bars_now(cell) + 3, cell=cell)
    page.click("Stop", cell=1)
    page.kernel.wait("ctl.last_run.ended == 'stopped'")


@pytest.mark.long
def test_cell_run_twice(open_lab: Opener) -> None:
    """Run again while the first controller runs: the page has one panel, the new one, and it works.

    A demo that no variable has any more ends with that, and leaves neither thread nor server behind.
    """
    page = open_lab(MANY)
    page.run(0)
    page.click("Run")
    page.bars(3)
    page.kernel("globals().update(first=ctl)")
    page.run(0)
    page.kernel.wait("ctl is not first")
    assert page.panel().count() == 1
    page.says("600 scenes chosen")
    page.click("Run")
    page.kernel.wait(f"{ATTEMPTS} > 3")
    page.bars(3)
    page.click("Stop")
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
    page.says("Stopped")
    assert page.kernel("first.is_running")  # a variable has it still
    page.kernel("globals().pop('first') is None")
    page.run(0)
    page.kernel.wait(f"{THREADS} == ['vidgen_nb emulator', 'vidgen_nb session']")


@pytest.mark.long
def test_started_while_running(open_lab: Opener) -> None:
    """Scenes that a cell starts during a run join it, and the panel counts them in."""
    page = open_lab(MANY, "ctl.start(vg.demo_scenes(616)[600:])")
    page.run(0)
    page.click("Run")
    page.bars(3)
    page.kernel("globals().update(run=ctl.last_run)")
    assert page.kernel("len(run.scenes)") == 600
    assert page.panel().locator(".vg-run").is_disabled()
    page.run(1)
    assert page.errors() == []
    assert page.kernel("ctl.last_run is run and len(run.scenes)") == 616
    page.click("Stop")
    page.kernel.wait("ctl.last_run is run and run.ended == 'stopped'")
    page.says("of 616 succeeded")


@pytest.mark.long
def test_cell_run_again_and_again_and_the_page_reloaded(open_lab: Opener) -> None:
    """Earlier panels leave no widgets behind that a new page would ask for."""
    page = open_lab(MANY)
    for _ in range(4):
        page.run(0)
        page.bars(0)
    page.kernel.wait(f"{THREADS} == ['vidgen_nb emulator', 'vidgen_nb session']")
    page.click("Run")
    page.bars(3)
    page.save()
    page.reload()
    page.bars(3)
    page.click("Stop")
    page.kernel.wait("ctl.last_run.ended == 'stopped'")


@pytest.mark.long
def test_tab_closed_and_opened_again(open_lab: Opener) -> None:
    """The run goes on without a page; a new one shows it, alive."""
    page = open_lab(SLOW)
    page.run(0)
    page.click("Run")
    page.bars(5)
    page.close_tab()
    submitted = page.kernel(ATTEMPTS)
    page.kernel.wait(f"{ATTEMPTS} > {submitted + 5}")
    page.open_tab()
    alive(page)


def test_page_reloaded_in_the_middle(open_lab: Opener) -> None:
    """The bars come back and go on growing, and the controls work."""
    page = open_lab(SLOW)
    page.run(0)
    page.click("Run")
    page.bars(5)
    page.reload()
    alive(page)


def alive(page: LabPage) -> None:
    """Check that a reloaded panel shows the run as it is, keeps up with it, and reacts."""
    shown = page.bars(page.kernel(ATTEMPTS) // 2)
    assert page.kernel("ctl.is_running")
    page.screenshot("again")
    assert not page.picture(0).is_visible()
    page.bars(shown + 3)
    page.click("Normal")
    page.kernel.wait("ctl.mode.name == 'normal'")
    page.click("Stop")
    page.kernel.wait("ctl.is_stopping or ctl.last_run.ended == 'stopped'")


@pytest.mark.long
def test_two_controllers(open_lab: Opener) -> None:
    """Side by side, each has its own run: one is stopped, the other goes on."""
    page = open_lab(
        MANY,
        "other = vg.demo(speed=20, output='demo/other')\nother.scenes = vg.demo_scenes(600)\nother",
    )
    page.run(0)
    page.run(1)
    for cell in (0, 1):
        page.click("Run", cell=cell)
    for cell in (0, 1):
        page.bars(5, cell=cell)
    page.click("Normal", cell=1)
    page.kernel.wait("other.mode.name == 'normal'")
    assert page.kernel("ctl.mode.name") == "boost"
    page.click("Stop", cell=0)
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
    page.says("Stopped", cell=0)
    attempts = page.kernel("len(other.last_run.attempts)")
    page.kernel.wait(f"len(other.last_run.attempts) > {attempts + 2}")
    assert page.kernel("other.is_running")
    page.runs(1)


LOG = """
import logging
log = logging.getLogger("vidgen_nb")
log.propagate = False
log.addHandler(logging.NullHandler())
for number in range(10_000):
    ctl.post(log.warning, "line %d", number)
"""


@pytest.mark.long
def test_ten_thousand_log_lines(open_lab: Opener) -> None:
    """The panel keeps the last 200, and is as quick as before."""
    page = open_lab(MANY, LOG)
    page.run(0)
    page.click("Run")
    page.bars(3)
    page.tab("Log")
    page.run(1)
    page.kernel.wait("any('line 9999' in line for line in ctl._panel_holder.panel.feed.log)")
    page.panel().get_by_text("line 9999").wait_for()
    assert page.kernel("len(ctl._panel_holder.panel.feed.log)") == 200
    assert 100 < len(re.findall(r"line \d+", page.panel().inner_text())) <= 200
    assert page.answers() < 2.0
    page.click("Stop")
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
