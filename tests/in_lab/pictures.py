"""The pictures of panel and explorer: `python -m tests.in_lab.pictures`, which `make picture` calls.

The demo is run in a real JupyterLab, and the panel is taken when about two thirds of the run are over. The explorer is
taken after a change.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests import lab
from tests.browser import launch
from tests.in_lab.page import LabPage
from tests.in_lab.tab import Tab

IMAGES = Path(__file__).parents[2] / "notebooks/images"
CELL = "import vidgen_nb as vg\nctl = vg.demo()\nctl"
HOLD = """
begun = []
def hold(events):
    begun.extend(event for event in events if type(event).__name__ == "AttemptStarted")
    if len(begun) >= 28 and not hasattr(ctl, "held"):
        for clock in (ctl.emulator.clock, ctl.session.runner.live._clock):
            clock.set_speed(1e-4)
        ctl.held = True
ctl.session.observe(hold)
"""
"""Makes the run stand still when about two thirds are over: a busy machine takes its time for a picture."""
EXPLORE = 'import vidgen_nb as vg\nex = vg.explore(mode="boost")\nex'
CHANGE = "ex.set(cooldown=10)"
LESSON = """import logging
import vidgen_nb as vg
logging.getLogger("vidgen_nb").setLevel("ERROR")
students = vg.class_profiles(30, service=vg.LogNormal(30, 0.4))
emulator = vg.Emulator(students, speed=10, latency=0.4).start()"""
WATCH = "view = vg.watch(emulator)\nview"
STUDENTS = """rehearsal = [vg.join(emulator.base_url, each.api_key, output="class") for each in students[:28]]
for ctl in rehearsal:
    ctl.start(vg.demo_scenes(8))"""
MARGIN = 8
"""Pixels of the page at the sides of what is shown."""


def take(page: LabPage, path: Path) -> None:
    """Take the panel down to the chart's legend."""
    page.updated()
    panel, tabs = page.panel().bounding_box(), page.panel().locator(".lm-TabBar, .p-TabBar").first.bounding_box()
    assert panel is not None and tabs is not None
    page.page.screenshot(
        path=path,
        clip={
            "x": panel["x"] - MARGIN,
            "y": panel["y"],
            "width": panel["width"] + 2 * MARGIN,
            "height": tabs["y"] - panel["y"],
        },
    )


def take_explorer(page: LabPage, path: Path) -> None:
    """Take the explorer once its setting was changed and the bound is known."""
    page.run(0)
    page.run(1)
    shown = page.output(0).locator(".vg-explorer")
    shown.locator(".vg-x-ghost rect").first.wait_for(state="attached")
    shown.locator(".vg-x-tile:not(.vg-x-stale)", has_text="Share of the bound").locator("b", has_text="%").wait_for()
    shown.screenshot(path=path)


def take_class(page: LabPage, path: Path) -> None:
    """Take the teacher's view once a class of thirty has been refused a few times."""
    for cell in range(3):
        page.run(cell)
    page.kernel.wait("sum(each.outcome == 'rate_limited' for each in view.run.attempts) >= 25")
    page.updated()
    page.page.locator(".vg-class").screenshot(path=path)


def main() -> None:
    """Run the demo twice, once for each theme: while the page changes its colours, the run goes on."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        root, state = Path(folder) / "root", Path(folder) / "state"
        root.mkdir()
        state.mkdir()
        browser = launch(playwright)
        context = browser.new_context()
        context.set_default_timeout(60_000)
        with lab.serve(root, state) as server:
            for theme, name in (("Light", "panel"), ("Dark", "panel-dark")):
                lab.notebook(root / f"{name}.ipynb", CELL, HOLD)
                page = LabPage(Tab(context), server, f"{name}.ipynb", height=800)
                page.theme(f"JupyterLab {theme}")
                page.run(0)
                page.run(1)
                page.click("Run")
                page.kernel.wait("hasattr(ctl, 'held')", timeout=120)
                take(page, IMAGES / f"{name}.png")
                page.leave()
                explorer = name.replace("panel", "explorer")
                lab.notebook(root / f"{explorer}.ipynb", EXPLORE, CHANGE)
                page = LabPage(Tab(context), server, f"{explorer}.ipynb", height=800)
                page.theme(f"JupyterLab {theme}")
                take_explorer(page, IMAGES / f"{explorer}.png")
                page.leave()
            lab.notebook(root / "class.ipynb", LESSON, WATCH, STUDENTS)
            page = LabPage(Tab(context), server, "class.ipynb", height=800)
            take_class(page, IMAGES / "class.png")
            page.leave()
        browser.close()


if __name__ == "__main__":
    main()
