"""The notebooks in the site, in a real browser: they run from the first cell to the last, and ask nobody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(str(path.relative_to(NOTEBOOKS)) for path in NOTEBOOKS.rglob("[01]*.ipynb") if "." not in path.parts[-2])
WIDGETS = "window.jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code')"
IS_IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "void window.jupyterapp.commands.execute('notebook:run-all-cells')"
ARE_DONE = f"{WIDGETS}.every(cell => cell.model.executionState === 'idle' && cell.model.executionCount !== null)"
HAS_FAILED = f"{WIDGETS}.some(cell => cell.model.outputs.toJSON().some(output => output.output_type === 'error'))"
OUTPUTS = f"{WIDGETS}.flatMap(cell => cell.model.outputs.toJSON())"
ARTIFACTS = Path("artifacts")


@pytest.mark.timeout(600)
def test_the_tour_runs_with_nothing_installed(page: Page, address: str) -> None:
    """From the index: Run All of the tour, its panel with the chart, its run, its move; no error."""
    begun = time.perf_counter()
    page.goto(address)
    page.get_by_role("link", name="A tour").click()
    page.wait_for_function(IS_IDLE)
    page.evaluate(RUN_ALL)
    page.wait_for_selector(".vg-panel .js-plotly-plot .main-svg")
    print(f"a panel with its chart after {time.perf_counter() - begun:.1f} s")
    outputs = str(_outputs(page))
    page.evaluate("document.querySelector('.vg-panel').scrollIntoView()")
    _screenshot(page, "tour")
    assert "✕429→" in outputs
    assert "13 succeeded; settled" in outputs


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_each_notebook_runs_there(page: Page, address: str, name: str) -> None:
    """Run All of each notebook, and of each solution, ends without an error."""
    page.goto(f"{address}/lab/index.html?path={quote(name)}")
    page.wait_for_function(IS_IDLE)
    page.evaluate(RUN_ALL)
    _outputs(page)
    _screenshot(page, Path(name).with_suffix("").as_posix().replace("/", "-"))


def _outputs(page: Page) -> list[dict[str, object]]:
    """Return what the cells put out when all are done; there must be no error."""
    page.wait_for_function(f"{ARE_DONE} || {HAS_FAILED}")
    outputs: list[dict[str, object]] = page.evaluate(OUTPUTS)
    assert [each for each in outputs if each["output_type"] == "error"] == []
    return outputs


def _screenshot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"site-{name}.png")
