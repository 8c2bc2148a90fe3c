"""Two cases side by side, in a notebook: shown by the last line of a cell, with one cursor through both Gantts."""

from __future__ import annotations

import pytest

from tests.in_lab.conftest import Opener

pytestmark = pytest.mark.long

CELL = "import vidgen_nb as vg\nvg.versus(vg.PerProfileCooldown(), vg.GlobalPause())"
CURSOR = """() => Array.from(document.querySelectorAll('.js-plotly-plot .spikeline'), line => {
    const box = line.getBoundingClientRect();
    return [box.top, box.bottom];
})"""
GANTTS = """() => {
    const plot = document.querySelector('.js-plotly-plot'), top = plot.getBoundingClientRect().top;
    const full = plot._fullLayout;
    return [full.yaxis, full.yaxis2].map(axis => [top + axis._offset, top + axis._offset + axis._length]);
}"""


def test_it_shows_itself_in_a_cell(open_lab: Opener) -> None:
    """The sentence is on the screen, both Gantts too, and the cursor's line goes through both; in any width."""
    page = open_lab(CELL, height=800)
    page.run(0)
    chart = page.page.locator(".js-plotly-plot")
    chart.wait_for()
    assert "41 s sooner [31, 51]" in (chart.locator(".gtitle").text_content() or "")
    assert chart.get_by_text("they part here: s009").is_visible()
    for width in (1280, 800):
        page.resize(width)
        page.page.wait_for_timeout(800)
        box = chart.bounding_box()
        assert box is not None and box["x"] + box["width"] <= width
        page.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
        page.page.wait_for_function("() => document.querySelector('.js-plotly-plot .spikeline')")
        page.screenshot(f"versus-{width}")
        line, areas = page.page.evaluate(CURSOR)[0], page.page.evaluate(GANTTS)
        assert line[0] <= areas[0][0] + 1 and line[1] >= areas[1][1] - 1
