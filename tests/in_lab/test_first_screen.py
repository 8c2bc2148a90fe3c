"""What is seen without scrolling, that nothing of it moves, and that it can be had without a mouse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import LabPage

DEMO = "import vidgen_nb as vg\nctl = vg.demo()\nctl"
MAX_PANEL_SECONDS = 4.0 * 3
"""From Shift+Enter to the chart: 4 s on a quiet machine, where 2.5 are usual; tests share theirs."""
BOXES = """panel => Object.fromEntries([...panel.querySelectorAll(
    '.vg-rows :is(button, input, select), .vg-state-box, .vg-progress-box, .vg-sentence-box, .js-plotly-plot,'
    + '.lm-TabBar'
)].filter(each => each.checkVisibility()).map((each, place) => {
    const {x, y, width, height} = each.getBoundingClientRect();
    const size = each.matches('.js-plotly-plot') ? [] : [width, height];
    return [`${place} ${each.className.match(/vg-\\w+/) || each.tagName}`, [x, y, ...size].map(Math.round)];
}))"""
AXIS = """panel => panel.querySelector('.js-plotly-plot .xaxislayer-above').getBoundingClientRect().bottom"""
FOLD = "document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect().bottom"


@pytest.mark.parametrize(
    ("width", "height"),
    [(1280, 800), pytest.param(1920, 1080, marks=pytest.mark.long), pytest.param(800, 1000, marks=pytest.mark.long)],
)
def test_all_is_seen_without_scrolling_and_nothing_moves(open_lab: Opener, width: int, height: int) -> None:
    """Controls, status and the whole chart down to its axis, at the sizes of a laptop, a desktop and half a desktop.

    Run, and all that it brings, moves no control, no bar and no word; nor do an error, an export, or a wrong field.
    """
    page = open_lab(DEMO, width=width, height=height)
    page.run(0)
    page.bars(0)
    panel = page.panel()
    panel.locator(".vg-run", has_text="Run 24").wait_for()
    page.page.wait_for_timeout(300)  # in which a layout that is not settled yet would settle
    before = boxes(page)
    page.screenshot("ready")
    page.click("Run")
    page.kernel.wait("ctl.last_run is not None and len(ctl.last_run.moves) > 1")
    panel.locator(".vg-state", has_text="× 429").wait_for()
    page.screenshot("running")
    assert boxes(page) == before
    assert panel.evaluate(AXIS) <= page.page.evaluate(FOLD)
    page.kernel.wait("not ctl.is_running")
    panel.locator(".vg-run", has_text="Run all 24 again…").wait_for()
    page.screenshot("done")
    assert boxes(page) == before
    assert panel.evaluate(AXIS) <= page.page.evaluate(FOLD)
    say_something(page)
    assert boxes(page) == before


def say_something(page: LabPage) -> None:
    """Have the panel show an export, an error and what is wrong with a field, all in view; then dismiss them."""
    panel = page.panel()
    page.menu("More").get_by_role("button", name="Export").click()
    report = panel.get_by_role("button", name="Report (HTML")
    page.kernel("ctl.post(lambda: 1 / 0)")
    error = panel.get_by_role("alert").filter(has_text="ZeroDivisionError")
    page.click("Range")
    panel.locator(".vg-span input:enabled").fill("7-99")
    page.page.keyboard.press("Tab")
    wrong = panel.get_by_role("alert").filter(has_text="There are scenes 1 to 24")
    for each in (report, error, wrong):
        each.wait_for()
    page.screenshot("said")
    shown = boxes(page)
    page.click("All")
    wrong.wait_for(state="hidden")
    for part in (".vg-errors", ".vg-files"):
        panel.locator(part).get_by_role("button", name="Dismiss").click()
    for each in (report, error):
        each.wait_for(state="hidden")
    assert boxes(page) == shown


def boxes(page: LabPage) -> dict[str, Any]:
    """Return where everything above the chart stands, and where the chart begins."""
    found: dict[str, Any] = page.panel().evaluate(BOXES)
    assert len(found) > 14
    return found
