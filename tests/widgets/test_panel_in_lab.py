"""The panel in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lab
from tests.browser import launch

BARS = "() => document.querySelectorAll('.js-plotly-plot .barlayer .point').length >= 5"
ARTIFACTS = Path("artifacts")


@pytest.mark.long
def test_one_cell_and_one_click_to_the_first_moving_bar(tmp_path: Path) -> None:
    """The panel shows with demo scenes loaded; Run draws bars; a reload shows them again; no error on the console."""
    from playwright.sync_api import sync_playwright

    (tmp_path / "root").mkdir()
    lab.notebook(tmp_path / "root" / "panel.ipynb", "import vidgen_nb as vg\nctl = vg.demo(speed=30)\nctl")
    with lab.serve(tmp_path / "root", tmp_path / "state") as url, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        lab.open_notebook(page, url, "panel.ipynb")
        lab.run_cell(page, 0)
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_function(BARS, timeout=20_000)
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "panel-running.png")
        assert lab.cell_outputs(page, 0)
        page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        page.reload(wait_until="domcontentloaded")
        page.wait_for_function(BARS, timeout=30_000)
        page.screenshot(path=ARTIFACTS / "panel-reloaded.png")
        browser.close()
    assert said == []
