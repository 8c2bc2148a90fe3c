"""The table of scenes on a page: with thousands of them, by mouse and by keys."""

from __future__ import annotations

import pytest

from tests.in_lab.conftest import Opener

CELL = """import vidgen_nb as vg
from vidgen_nb.bundled_demo import DemoSession
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.provider import Fault
faults = [Fault("lost_answer", scene="s004"), Fault("content", scene="s002")]
ctl = DemoSession(vg.Emulator(demo_profiles(), speed=100, seed=7, faults=faults), mode="boost", output="of-scenes")
ctl.scenes = vg.demo_scenes(12)
ctl"""
MANY = "ctl.scenes = vg.demo_scenes(10_000)"
LONGEST_FRAME = """async () => {
    const view = document.querySelector('.vg-scene-view');
    let longest = 0;
    for (let at = 0; at < 40; at++) {
        view.scrollTop = (at * view.scrollHeight) / 40;
        const begun = performance.now();
        await new Promise(requestAnimationFrame);
        longest = Math.max(longest, performance.now() - begun);
    }
    return longest;
}"""


@pytest.mark.long
def test_the_table_of_scenes(open_lab: Opener) -> None:
    """What is loaded shows before it runs; a failed scene is edited and run again; a held one is decided about."""
    page = open_lab(CELL, MANY, height=1400)
    page.run(0)
    table = page.panel().locator(".vg-scene-table")
    rows = table.locator("tr[data-key]")
    table.get_by_role("button", name="not run yet 12").wait_for()
    page.click("Run")
    page.kernel.wait("ctl.last_run and not ctl.is_running")
    table.get_by_role("button", name="succeeded 10").wait_for()
    table.locator(".vg-poster img").nth(4).wait_for()
    page.screenshot("run")

    table.get_by_role("button", name="failed 1").click()
    rows.locator("input").check()
    table.get_by_role("button", name="Edit", exact=True).click()
    prompt = table.get_by_label("Prompt")
    prompt.fill("")
    table.get_by_text("An empty prompt").wait_for()
    page.screenshot("edit")
    prompt.fill("a kinder one")
    table.get_by_text("An empty prompt").wait_for(state="hidden")
    table.get_by_role("button", name="Save").click()
    page.kernel.wait("ctl.scenes[1].prompt == 'a kinder one'")
    table.locator(".vg-scene-editor").wait_for(state="detached")
    table.get_by_role("button", name="Run again…").click()
    table.get_by_role("button", name="Run again", exact=True).click()
    page.kernel.wait("ctl.last_run.scenes[1].attempts == 2 and not ctl.is_running")

    table.get_by_role("button", name="held 1").click()
    rows.locator("input").check()
    table.get_by_role("button", name="It was made: fetch it").click()
    table.get_by_text("Look it up on").wait_for()
    table.get_by_role("button", name="Submit again…").click()
    table.get_by_role("button", name="Keep as it is").click()
    page.screenshot("held")
    assert page.kernel("ctl.last_run.scenes[3].status") == "held"

    table.get_by_role("button", name="all 12").click()
    table.get_by_role("button", name="Clear").click()
    table.get_by_role("button", name="Scene", exact=True).press("Enter")
    table.get_by_role("button", name="Scene", exact=True).press("Enter")
    assert rows.first.locator(".vg-c-id").inner_text() == "s012"
    rows.first.focus()
    for key in ("ArrowDown", "Space", "Shift+ArrowDown", "Space", "Enter"):
        page.page.keyboard.press(key)
    table.get_by_text("2 selected").wait_for()
    page.kernel.wait("ctl.selected == 's010'")
    table.locator("tr.vg-highlighted", has_text="s010").wait_for()

    page.run(1)
    table.get_by_role("button", name="not run yet 9,989").wait_for()
    assert rows.count() < 60 and rows.nth(1).evaluate("row => row.offsetHeight") == 30
    assert page.page.evaluate(LONGEST_FRAME) < 500
    table.get_by_role("searchbox").fill("s9999")
    table.get_by_text("1 of 10,001 scenes").wait_for()
    page.screenshot("many")
