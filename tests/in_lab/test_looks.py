"""The panel's looks, wide and narrow, light and dark."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from tests.in_lab.conftest import MANY, Opener
from vidgen_nb.charts.drawing.palette import theme_of
from vidgen_nb.notebook.panel.run_controls import RunPlan

CONTROLS = "button, select, textarea, input:not([type=file]), .noUi-target"
BOXES = f"""panel => Array.from(panel.querySelectorAll('{CONTROLS}')).map(one => {{
    const box = one.getBoundingClientRect();
    return {{name: one.textContent.trim().slice(0, 30) || one.title || one.type || one.className,
             x: box.x, y: box.y, right: box.right, bottom: box.bottom}};
}}).filter(box => box.right > box.x && box.bottom > box.y)"""
INK = "wanted => document.querySelector('.js-plotly-plot')._fullLayout.font.color === wanted"
TEXT = {"Dark": theme_of("dark").text, "Light": theme_of("light").text}
WIDER = """panel => Array.from([panel, ...panel.querySelectorAll(':scope > *')])
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => one.className + ' ' + one.scrollWidth + ' > ' + one.clientWidth)"""

PLANS = (
    RunPlan(left_over=10_000), RunPlan(chosen=10_000), RunPlan(chosen=10_000, again=10_000),
    RunPlan(chosen=10_000, again=9_999), RunPlan(chosen=1, again=1, single="harbour-at-night-07"),
)  # fmt: skip
CUT = """(run, all) => all.filter((words) => {
    const before = run.textContent;
    run.textContent = words;
    const isCut = run.scrollWidth > run.clientWidth;
    run.textContent = before;
    return isCut;
})"""


@pytest.mark.long
def test_fits(open_lab: Opener) -> None:
    """At 1280 and 800 pixels, light and dark, nothing is wider than the panel, and no control lies over another.

    What Run may say is never cut.
    """
    page = open_lab(MANY, height=1300)
    page.run(0)
    page.click("Run")
    page.bars(5)
    for theme in ("Dark", "Light"):  # the next test finds the usual one
        page.theme(f"JupyterLab {theme}")
        page.page.wait_for_function(INK, arg=TEXT[theme])
        for width in (1280, 800):
            page.resize(width)
            page.updated()
            page.screenshot(f"{theme}-{width}")
            panel = page.panel()
            assert panel.evaluate(WIDER) == [], width
            assert panel.locator(".vg-run").evaluate(CUT, [plan.words() for plan in PLANS]) == [], width
            boxes = panel.evaluate(BOXES)
            assert len(boxes) > 20
            edge = panel.bounding_box()
            assert edge is not None
            outside = [box["name"] for box in boxes if box["right"] > edge["x"] + edge["width"] + 1]
            assert outside == [], width
            over = [(one["name"], other["name"]) for one, other in combinations(boxes, 2) if overlap(one, other)]
            assert over == [], width


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two boxes share more than an edge."""
    wide = min(one["right"], other["right"]) - max(one["x"], other["x"])
    high = min(one["bottom"], other["bottom"]) - max(one["y"], other["y"])
    return bool(wide > 1 and high > 1)
