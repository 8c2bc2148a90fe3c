"""The page in a real browser: it draws, offline, with a clean console, and foreign text does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.charts.foreign import hostile
from vidgen_nb.analysis.records.builder import RunData
from vidgen_nb.charts.gantt.figure import TRACES, gantt, html
from vidgen_nb.charts.gantt.svg import svg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page that fails the test on any message in the console, error, or request beyond the file."""
    page = browser.new_page(viewport={"width": 1280, "height": 700})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    yield page
    page.close()
    assert said == []


def hover(page: Page, name: str, point: int = 0) -> str:
    """Return the text that plotly shows over a point of a trace."""
    page.evaluate(
        "([curve, point]) => Plotly.Fx.hover(document.querySelector('.js-plotly-plot'),"
        " [{curveNumber: curve, pointNumber: point}])",
        [TRACES.index(name), point],
    )
    return page.locator(".hoverlayer .hovertext").first.text_content() or ""


def test_the_page_draws_every_bar_offline(page: Page, run: RunData, tmp_path: Path) -> None:
    """All bars of the run are on the page, without a network and with a clean console."""
    path = tmp_path / "gantt.html"
    path.write_text(html(gantt(run)), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(".barlayer .point")
    assert page.locator(".barlayer .point").count() == len(run.attempts) + len(run.cooldowns) + 1  # one stretch idle
    assert page.locator(".legend .traces").count() == 9
    buttons = page.locator(".modebar-btn").evaluate_all("all => all.map(one => one.dataset.title)")
    assert buttons == ["Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]  # no upload
    text = hover(page, "limited")
    assert "try 1 of 2" in text
    assert "the server asked for 12.0 s; it rested 30.0 s" in text
    assert "next: " in text


@pytest.mark.parametrize("width", [800, pytest.param(1280, marks=pytest.mark.long)])
def test_labels_do_not_overlap(page: Page, run: RunData, tmp_path: Path, width: int) -> None:
    """Lane labels, axis, legend and title keep clear of each other and of the edge, wide and narrow."""
    path = tmp_path / "gantt.html"
    path.write_text(html(gantt(run, theme="dark")), encoding="utf-8")
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(path.as_uri())
    page.wait_for_selector(".barlayer .point")
    boxes = [
        box
        for selector in (".gtitle", ".ytick text", ".xtick text", ".legend")
        for one in page.locator(selector).all()
        if (box := one.bounding_box()) is not None
    ]
    chart = page.locator(".js-plotly-plot").bounding_box()
    assert chart is not None
    for at, one in enumerate(boxes):
        assert one["x"] >= 0
        assert one["y"] >= 0
        assert one["x"] + one["width"] <= width
        assert one["y"] + one["height"] <= chart["y"] + chart["height"]
        for other in boxes[at + 1 :]:
            apart = (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or one["y"] + one["height"] <= other["y"] + 1
                or other["y"] + other["height"] <= one["y"] + 1
            )
            assert apart, (one, other)


@pytest.mark.long
def test_ten_thousand_attempts_stay_usable(page: Page, big_run: RunData, tmp_path: Path) -> None:
    """With just 10,000 attempts, none merged, a zoom is drawn in a time one waits for: 0.6 s on an idle machine."""
    path = tmp_path / "gantt.html"
    data = replace(big_run, attempts=big_run.attempts[:10_000])
    path.write_text(html(gantt(data)), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(".barlayer .point")
    assert page.locator(".barlayer .point").count() >= 10_000
    took = page.evaluate("""async () => {
        const chart = document.querySelector('.js-plotly-plot'), end = chart._fullLayout.xaxis.range[1];
        const before = performance.now();
        await Plotly.relayout(chart, {'xaxis.range': [0.2 * end, 0.6 * end]});
        return performance.now() - before;
    }""")
    assert took < 5000


def test_hostile_text_is_inert(page: Page, run: RunData, tmp_path: Path) -> None:
    """Prompts, ids, names and reasons that are markup are shown as text, in figure and SVG, and run nothing."""
    data = hostile(run)
    path = tmp_path / "gantt.html"
    path.write_text(html(gantt(data)), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(".barlayer .point")
    for name in ("succeeded", "limited", "cooldown", "move", "failed", "held"):
        assert "<img src=x" in hover(page, name), name
    assert page.evaluate("document.querySelectorAll('.js-plotly-plot svg a, .js-plotly-plot svg img').length") == 0
    assert page.evaluate("window.stolen") is None
    page.set_content(svg(data))  # inline, where a script would run
    assert page.locator("pattern").count() > 0
    assert page.locator("script, img, a").count() == 0
    assert page.evaluate("window.stolen") is None
