"""The explorer in the site, where Python runs in the page's own worker: a slider is answered while it moves."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.in_lab.test_explorer import SLIDE, field
from tests.in_lab.test_quick import LOOP, QUIET_LOOP_SECONDS
from tests.web_site.test_notebook import IS_IDLE, RUN_ALL

if TYPE_CHECKING:
    from playwright.sync_api import Page

MAX_PICTURE_SECONDS = 0.4
"""From a slider's input to the new picture on the screen."""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_picture_follows_a_slider_there(page: Page, address: str) -> None:
    """From a slider's input to the new picture: 400 ms with the demo's accounts."""
    page.goto(f"{address}/lab/index.html?path=apps/explorer.ipynb")
    page.wait_for_function(IS_IDLE)
    page.evaluate(RUN_ALL)
    page.locator(".vg-explorer .vg-x-bars").wait_for()
    times = [float(page.evaluate(SLIDE, [field("cooldown", "range"), value])) for value in range(24, 10, -1)]
    slowness = max(1.0, page.evaluate(LOOP) / QUIET_LOOP_SECONDS)
    print(f"{[round(1000 * each) for each in times]} ms, slowness {slowness:.1f}")
    assert median(times) < MAX_PICTURE_SECONDS * slowness, times
