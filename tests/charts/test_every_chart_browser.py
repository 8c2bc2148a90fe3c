"""Every chart in a real browser: it draws with a clean console, its labels apart, and foreign text does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import vidgen_nb as vg
from tests.charts.every import CHARTS
from tests.charts.foreign import hostile
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.waits import wait_chart

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DRAW = """async (text) => {
    const figure = JSON.parse(text), chart = document.createElement('div');
    document.body.style.margin = 0;
    document.body.replaceChildren(chart);
    await Plotly.newPlot(chart, figure.data, figure.layout, {responsive: true});
}"""
LABELS = (".gtitle", ".xtick text", ".ytick text", ".xtitle", ".ytitle", ".y2title", ".legend", ".annotation-text")


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Give a page with plotly.js and nothing else; a message in the console, an error or a request fails the tests."""
    from plotly.offline import get_plotlyjs

    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.set_content("<!doctype html><body></body>")
    page.add_script_tag(content=get_plotlyjs())
    yield page
    page.close()
    assert said == []


def draw(page: Page, width: int, figure: str) -> None:
    """Draw a figure on a page of that width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(DRAW, figure)
    page.wait_for_selector(".main-svg")


@pytest.fixture(scope="module")
def moved() -> RunData:
    """Give a run with 429s and moves, on profiles with long names."""
    profiles = [
        vg.SimulatedProfile(f"account-of-studio-{n}", vg.TokenBucket(2, per=60), vg.Exponential(20), 2)
        for n in range(5)
    ]
    return vg.simulate(40, profiles, mode="boost", seed=1).data


@pytest.mark.parametrize("name", CHARTS)
def test_labels_keep_apart(page: Page, moved: RunData, name: str) -> None:
    """Title, labels, legend and headings keep clear of each other and of the edges, wide and narrow, light and dark."""
    for width, theme in ((1280, "light"), (800, "dark")):
        draw(page, width, CHARTS[name](moved, theme).to_json())
        found = [
            box
            for selector in LABELS
            for one in page.locator(selector).all()
            if (box := one.bounding_box()) is not None and box["width"] > 0
        ]
        chart = page.locator(".js-plotly-plot").bounding_box()
        assert chart is not None
        assert len(found) > 3
        for at, one in enumerate(found):
            assert one["x"] >= 0 and one["y"] >= 0
            assert one["x"] + one["width"] <= width
            assert one["y"] + one["height"] <= chart["y"] + chart["height"]
            for other in found[at + 1 :]:
                apart = (
                    one["x"] + one["width"] <= other["x"] + 1
                    or other["x"] + other["width"] <= one["x"] + 1
                    or one["y"] + one["height"] <= other["y"] + 1
                    or other["y"] + other["height"] <= one["y"] + 1
                )
                assert apart, (name, width, one, other)


def test_long_legends_have_room(page: Page, moved: RunData) -> None:
    """Twelve runs with long names are all in the legend, inside the chart, on a narrow page."""
    runs = {f"a policy with a rather long name, number {number}": moved for number in range(12)}
    draw(page, 800, wait_chart(runs).to_json())
    texts = page.locator(".legendtext").all()
    chart = page.locator(".js-plotly-plot").bounding_box()
    assert chart is not None
    assert len(texts) == 12
    for one in texts:
        box = one.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= chart["y"] + chart["height"]


def test_hostile_text_is_inert(page: Page, run: RunData) -> None:
    """Names that are markup are shown as text and run nothing."""
    for chart in CHARTS.values():
        draw(page, 1280, chart(hostile(run), "light").to_json())
        assert page.locator(".js-plotly-plot svg a, .js-plotly-plot svg img").count() == 0
    assert page.evaluate("window.stolen") is None
