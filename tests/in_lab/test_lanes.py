"""The chart's lanes in a browser: labels beside their lanes, ids inside their bars, and a click that selects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import PLOT, LabPage

CELL = """import vidgen_nb as vg
ctl = vg.demo(speed=20)
ctl.scenes = vg.demo_scenes(12)
ctl.set_capacity("alice", 4), ctl.set_capacity("bruno", 4), ctl.set_capacity("chiara", 4), ctl.set_capacity("delta", 4)
ctl"""
LANES = f"""() => {{
    const plot = {PLOT}, box = plot.getBoundingClientRect(), layout = plot._fullLayout;
    const trace = plot.data.find(each => each.meta === 'lanes');
    const top = box.top + layout._size.t;
    const edges = [...new Set(trace.y.filter(y => y !== null))].map(y => top + layout.yaxis.d2p(y));
    const labels = [...document.querySelectorAll('.vg-lane')].map(each => each.getBoundingClientRect());
    const chart = document.querySelector('.vg-chart').getBoundingClientRect();
    return {{edges, tops: labels.map(each => each.top), bottom: labels.at(-1).bottom, height: chart.height,
             right: Math.max(...labels.map(each => each.right)), left: box.left}};
}}"""
NAMES = f"""() => [...{PLOT}.querySelectorAll('.barlayer .point:has(text)')].map(each => {{
    const bar = each.querySelector('path').getBoundingClientRect();
    const text = each.querySelector('text').getBoundingClientRect();
    return {{name: each.querySelector('text').textContent, x: bar.x + bar.width / 2, y: bar.y + bar.height / 2,
             spare: bar.width - text.width, over: text.height - bar.height}};
}})"""

DIMMED = f"() => {PLOT}.data.some(each => [each.marker?.opacity].flat().includes(0.2))"


def lanes(page: LabPage) -> dict[str, Any]:
    """Return where the lanes and their labels are, and how high the chart is."""
    found: dict[str, Any] = page.page.evaluate(LANES)
    return found


def aligned(found: dict[str, Any]) -> bool:
    """Say whether each label lies beside its lane, left of the figure."""
    tops = [*found["tops"], found["bottom"]]
    return found["right"] <= found["left"] + 1 and all(
        abs(top - edge) <= 1.5 for top, edge in zip(tops, found["edges"], strict=True)
    )


@pytest.mark.long
def test_lanes_are_controls_beside_the_plot(open_lab: Opener) -> None:
    """Nothing moves when Run is pressed; ids fit their bars; a click selects a scene everywhere, Escape none."""
    page = open_lab(CELL, height=800)
    page.run(0)
    page.page.locator(".js-plotly-plot .xaxislayer-above").first.wait_for(state="attached")
    page.page.wait_for_function("() => document.querySelectorAll('.vg-lane').length === 4")
    idle = lanes(page)
    assert aligned(idle) and idle["height"] <= 440  # with a line for the legend
    page.click("Run")
    page.kernel.wait("ctl.last_run is not None and ctl.last_run.ended is not None")
    page.bars(12)
    page.page.wait_for_function(f"() => {PLOT}._fullLayout.shapes.length === 0")  # no line of now any more
    after = lanes(page)
    assert aligned(after)
    assert [each - after["edges"][0] for each in after["edges"]] == [each - idle["edges"][0] for each in idle["edges"]]
    names = page.page.evaluate(NAMES)
    assert len(names) > 5 and all(each["spare"] > 0 and each["over"] < 2 for each in names)

    page.panel().locator(".vg-chart").scroll_into_view_if_needed()
    one = next(each for each in page.page.evaluate(NAMES) if each["name"] == "s007")
    page.page.mouse.click(one["x"], one["y"])
    page.kernel.wait("ctl.selected == 's007'")
    page.page.keyboard.press("Escape")  # at once: the page may not have been told yet that one is selected
    page.kernel.wait("ctl.selected is None")
    page.page.wait_for_timeout(400)  # two clicks within 300 ms are a double click
    page.page.mouse.click(one["x"], one["y"])
    page.page.wait_for_function(DIMMED)
    page.page.keyboard.press("Escape")
    page.page.wait_for_function(f"() => !({DIMMED})()")
    assert page.kernel("ctl.selected is None")

    page.panel().locator(".vg-lane-use").first.click()
    page.kernel.wait("'alice' not in ctl.in_use")
    page.panel().locator(".vg-lane-off").wait_for()
    page.resize(800)
    page.page.wait_for_function(f"() => {PLOT}.getBoundingClientRect().width < 500")
    assert aligned(lanes(page))
