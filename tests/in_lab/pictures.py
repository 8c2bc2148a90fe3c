"""The README's pictures of the panel: `python -m tests.in_lab.pictures`, which `make picture` calls.

The demo is run in a real JupyterLab, and the panel is taken when about two thirds of the run are over.
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
ATTEMPTS = 28
"""When these have begun."""
MARGIN = 8
"""Pixels of the page at the sides of what is shown."""


def take(page: LabPage, theme: str, path: Path) -> None:
    """Take the panel down to the chart's legend in a theme."""
    page.theme(f"JupyterLab {theme}")
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
                lab.notebook(root / f"{name}.ipynb", CELL)
                page = LabPage(Tab(context), server, f"{name}.ipynb", height=800)
                page.theme(f"JupyterLab {theme}")
                page.run(0)
                page.click("Run")
                page.kernel.wait(f"ctl.last_run and len(ctl.last_run.attempts) >= {ATTEMPTS}")
                take(page, theme, IMAGES / f"{name}.png")
                page.leave()
        browser.close()


if __name__ == "__main__":
    main()
