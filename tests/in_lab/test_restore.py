"""A kernel restarted in the middle of a run, and Restore last run in its panel: checked against the provider's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.audit import audit
from tests.in_lab.conftest import ATTEMPTS, Opener
from tests.in_lab.page import LabPage
from tests.in_lab.test_looks import INK, TEXT, WIDER
from vidgen_nb.core.model import BOOST
from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.provider import LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.recording.folder import latest
from vidgen_nb.run import load_run

SPEED = 8.0
SCENES, DOUBT = 14, "s005"
"""Scenes, and the one whose submit gets no answer before the kernel ends."""
KEYS = {"p1": "sk-simulated-1", "p2": "sk-simulated-2"}
PROFILES = [
    SimulatedProfile("p1", TokenBucket(2, per=30), LogNormal(20, 0.2), api_key=KEYS["p1"], capacity=2),
    SimulatedProfile("p2", None, LogNormal(25, 0.2), api_key=KEYS["p2"], capacity=2),
]
CELL = """
import asyncio
import httpx
import vidgen_nb as vg

class Deaf(httpx.AsyncHTTPTransport):
    "Sends everything, and never hears the answer to one submit."

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        if request.method == "POST" and request.headers.get("X-Client-Request-Id") == {doubt!r}:
            await asyncio.sleep(3600)
        return answer

profiles = [vg.Profile(*each, capacity=2) for each in {keys!r}.items()]
ctl = vg.Controller(
    vg.OpenAIVideos({url!r}, transport=Deaf()), profiles, mode="boost", speed={speed!r},
    journal="restored/runs", output="restored/videos")
ctl.scenes = [vg.Scene(f"s{{k:03}}", f"prompt {{k}}") for k in range(1, {scenes} + 1)]
ctl
"""
BARE = "bare = vg.Controller(vg.OpenAIVideos(), profiles, journal=None)\nbare"
RESTORE = "Restore last run"
AGREES = "button => button.disabled === button.title.includes('Unavailable: ')"
FILLS = """() => {
    const plot = document.querySelector('.vg-panel .js-plotly-plot');
    return Math.abs(plot._fullLayout.width - plot.closest('.vg-chart-figure').clientWidth) < 12;
}"""
UNDER_WAY = "sum(scene.status in ('generating', 'fetching') for scene in ctl.last_run.scenes)"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A provider that outlives the kernel."""
    with Emulator(PROFILES, speed=SPEED) as running:
        yield running


@pytest.mark.long
def test_restored_after_a_kernel_restart(open_lab: Opener, emulator: Emulator) -> None:
    """The run goes on in the new kernel: the bars stay, nothing is submitted twice, what is held is listed."""
    cell = CELL.format(doubt=DOUBT, keys=KEYS, url=emulator.base_url, speed=SPEED, scenes=SCENES)
    page = open_lab(cell, BARE, height=1300)
    page.run(0)
    assert off(page) == "no run is written down yet"
    page.click("Run")
    page.kernel.wait(
        f"{ATTEMPTS} > 6 and {UNDER_WAY} > 1 and any(s.status == 'succeeded' for s in ctl.last_run.scenes)"
    )
    before = page.bars(6)
    page.restart()
    page.page.wait_for_selector(".vg-panel .jupyter-widgets-disconnected")

    page.run(0)
    page.says("The last run did not finish: Restore last run continues it")
    page.page.wait_for_function("name => document.querySelector(name)?.disabled === false", arg=".vg-restore-last-run")
    assert off(page) == ""
    page.click(RESTORE)
    page.says("Restored.")
    held(page)
    assert page.bars(before - 1) >= before - 1
    looks(page)
    page.click("Run")
    page.runs()
    page.kernel.wait(f"{ATTEMPTS} > {before}")
    assert page.bars(before + 1) > before
    page.screenshot("going-on")
    page.kernel.wait("not ctl.is_running", timeout=120)
    page.says(f"{SCENES - 1} of {SCENES} succeeded, 1 held")
    held(page)
    page.bars(SCENES)
    past_run(page)
    page.run(1)
    assert off(page, 1) == "no journal is kept"
    assert page.errors() == []

    posts = [each for each in emulator.requests if each.method == "POST" and each.status == 200]
    assert Counter(each.scene for each in posts) == Counter(f"s{k:03}" for k in range(1, SCENES + 1))
    file = latest(page.lab.root / "restored" / "runs")
    assert file is not None
    run = load_run(file)
    audit(run.events, BOOST)
    for scene in run.scenes:
        assert scene.status == ("held" if scene.id == DOUBT else "succeeded"), scene
        if scene.path is not None:
            assert (page.lab.root / scene.path).read_bytes() == CLIP


def off(page: LabPage, cell: int = 0) -> str:
    """Return why the panel's Restore last run is off, as its tooltip has it; empty: it is on."""
    button = page.panel(cell).locator(".vg-buttons > .vg-restore-last-run")  # it is there to be seen only if it is on
    page.page.wait_for_function(AGREES, arg=button.element_handle())  # the two come to the page one after the other
    told = button.get_attribute("title") or ""
    assert told.startswith("Load the run that was unfinished")
    reason = told.partition("Unavailable: ")[2]
    assert button.is_disabled() == bool(reason) != button.is_visible()
    return reason


def held(page: LabPage) -> None:
    """See that the panel says where to decide about the held scene, and there what to do."""
    page.says("1 scene is in doubt: decide in Scenes.")
    row = page.panel().locator(".vg-scene-table tr", has_text=DOUBT)
    row.locator("td", has_text="while the scene was submitted to").wait_for()


def past_run(page: LabPage) -> None:
    """Open the run's report below the tabs, from the menu, and close it."""
    page.menu("More").get_by_role("button", name="Past runs…").click()
    past = page.panel().get_by_role("region", name="Past runs")
    past.locator("tbody button").first.click()
    assert page.panel().locator(".vg-more-menu:popover-open").count() == 0  # it would lie over the report
    report = past.frame_locator("iframe")
    report.locator(".figure .main-svg").first.wait_for()
    assert report.locator("body").evaluate("() => self.origin") == "null"  # it can ask our server for nothing
    page.screenshot("past-run")
    past.get_by_role("button", name="Close").click()
    past.wait_for(state="hidden")


def looks(page: LabPage) -> None:
    """Keep pictures, light and dark, and see that nothing is wider than the panel."""
    for theme in ("Dark", "Light"):  # the next test finds the usual one
        page.theme(f"JupyterLab {theme}")
        page.page.wait_for_function(INK, arg=TEXT[theme])
        for width in (800, 1280):
            page.resize(width)
            page.page.wait_for_function(FILLS)
            page.screenshot(f"{theme}-{width}")
            assert page.panel().evaluate(WIDER) == [], width
