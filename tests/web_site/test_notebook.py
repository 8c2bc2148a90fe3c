"""The tour in the site, in a real browser: it runs from its first cell to its last, and asks nobody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import launch

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDGETS = "window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code')"
IS_IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => undefined)"
ARE_DONE = f"{WIDGETS}.every(cell => cell.model.executionState === 'idle' && cell.model.executionCount !== null)"
OUTPUTS = f"JSON.stringify({WIDGETS}.map(cell => cell.model.outputs.toJSON()))"
ARTIFACTS = Path("artifacts")


@pytest.mark.timeout(600)
def test_the_tour_runs_with_nothing_installed(address: str) -> None:
    """Run All of the tour: its panel with the chart, its run, its move; no error, and no request to another origin."""
    from playwright.sync_api import sync_playwright

    foreign: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(300_000)
        context.on(
            "request", lambda request: foreign.append(request.url) if not _is_own(request.url, address) else None
        )
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(address)
        page.get_by_role("link", name="A tour").click()
        page.wait_for_function(IS_IDLE)
        page.evaluate(RUN_ALL)
        page.wait_for_selector(".vg-panel .js-plotly-plot .main-svg")
        print(f"a panel with its chart after {time.perf_counter() - begun:.1f} s")
        page.wait_for_function(ARE_DONE)
        outputs = str(page.evaluate(OUTPUTS))
        _screenshot(page, "tour")
        browser.close()
    assert foreign == []
    assert '"output_type":"error"' not in outputs
    assert "✕429→" in outputs
    assert "13 succeeded; settled" in outputs


def _is_own(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))


def _screenshot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.evaluate("document.querySelector('.vg-panel').scrollIntoView()")
    page.screenshot(path=ARTIFACTS / f"site-{name}.png")
