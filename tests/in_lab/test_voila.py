"""The panel in Voila: a page without cells, whose kernel has a session of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.in_lab import voila
from tests.in_lab.tab import Tab
from tests.lab import notebook

ROOT = Path(__file__).parents[2]
SEEN = "() => document.querySelectorAll('.js-plotly-plot .barlayer .point').length >= 3"


@pytest.mark.long
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (800, True)], ids=["wide", "narrow, dark"])
def test_a_run_in_voila(tab: Tab, tmp_path: Path, request: pytest.FixtureRequest, width: int, dark: bool) -> None:
    """The panel appears, Run is pressed, bars are drawn and a scene moves; the drawer opens; the console is clean."""
    book = notebook(tmp_path / "panel.ipynb", "import vidgen_nb as vg\nctl = vg.demo(speed=20)", "ctl")
    with voila.opened(book, tab, request, tmp_path, width=width, dark=dark) as page:
        run = page.get_by_role("button", name=re.compile(r"^Run 24"))
        run.wait_for(timeout=120_000)
        before = run.bounding_box()
        run.click()
        page.wait_for_function(SEEN, timeout=120_000)
        page.locator(".vg-now", has_text="moved to").wait_for(timeout=120_000)
        page.screenshot(path=ROOT / "artifacts" / f"voila-{width}.png")
        assert before is not None and before["y"] < 100, "Run is not on the first screen"
        page.get_by_role("button", name="Settings").click()
        page.locator(".vg-drawer:popover-open").wait_for()
        page.screenshot(path=ROOT / "artifacts" / f"voila-drawer-{width}.png")
        page.keyboard.press("Escape")
        page.locator(".vg-now", has_text="24 of 24 succeeded").wait_for(timeout=120_000)
