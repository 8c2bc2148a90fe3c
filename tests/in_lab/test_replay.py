"""A replay in JupyterLab: it plays in the page, and cell and hand set the same time, speed and scene."""

from __future__ import annotations

import pytest

from tests.in_lab.conftest import Opener

SHOW = 'import vidgen_nb as vg\nrun = vg.simulate(24, vg.demo_profiles(), mode="boost", seed=7)\nr = run.replay()\nr'
SET = 'r.selected, r.time, r.speed = "s017", 25.0, 20\nseen = []\nr.observe(lambda each: seen.append(each.new), "time")'
PLAY = "r.time = 60\nr.playing = True\nr"


@pytest.mark.long
def test_a_replay_goes_both_ways(open_lab: Opener) -> None:
    """What a cell sets is shown in each of its outputs; what a hand does, the cell knows; keys are the replay's."""
    page = open_lab(SHOW, SET, PLAY)
    page.run(0)
    replay = page.output(0).locator(".vg-replay")
    replay.locator(".vgr-lane").nth(3).wait_for()
    page.run(1)
    replay.locator(".vgr-path", has_text="s017").wait_for()
    assert replay.locator(".vgr-clock").inner_text() == "25.0 s of 87.5 s"
    assert replay.get_by_label("Speed").input_value() == "20"
    replay.get_by_role("button", name="Next 429", exact=True).click()
    page.kernel.wait("r.time == 30.0")
    for key in ("Escape", "d", "d"):  # JupyterLab's own keys would leave the cell, and delete it
        page.page.keyboard.press(key)
    page.kernel.wait("r.selected is None")
    page.run(2)
    page.kernel.wait("not r.playing and r.time == 87.531")
    for cell in (0, 2):  # one clock for both
        assert page.output(cell).locator(".vgr-clock").inner_text() == "87.5 s of 87.5 s"
    assert 2 < page.kernel("len(seen)") < 25  # a few a second, not one for each of some 80 frames
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == 3


@pytest.mark.long
def test_looks(open_lab: Opener) -> None:
    """Light and dark, wide and narrow, in the colours of JupyterLab's theme; after a reload it is as it was."""
    page = open_lab(SHOW, 'r.time, r.selected = 30.0, "s017"', height=900)
    page.run(0)
    replay = page.output(0).locator(".vg-replay")
    replay.locator(".vgr-lane").nth(3).wait_for()
    page.run(1)
    for theme in ("Dark", "Light"):  # the next test finds the usual one
        page.theme(f"JupyterLab {theme}")
        shown = "(name) => document.querySelector('.vg-replay').dataset.theme === name"
        page.page.wait_for_function(shown, arg=theme.lower())
        for width in (800, 1280):
            page.resize(width)
            page.screenshot(f"{theme}-{width}")
            assert replay.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    page.reload()
    replay.locator(".vgr-path", has_text="s017").wait_for()
    assert replay.locator(".vgr-clock").inner_text() == "30.0 s of 87.5 s"
