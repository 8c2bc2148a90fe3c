"""A class before its teacher: thirty lanes on one screen, live, in either theme."""

from __future__ import annotations

import re

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.pictures import LESSON, STUDENTS, WATCH
from tests.in_lab.test_looks import INK, TEXT, WIDER

LANES = "() => document.querySelectorAll('.vg-class .js-plotly-plot .ytick text').length"
BARS = "() => document.querySelectorAll('.vg-class .js-plotly-plot .barlayer .point').length >= 60"


@pytest.mark.long
def test_everybody_on_one_screen(open_lab: Opener) -> None:
    """30 named lanes fit 1280 by 800 pixels, and are drawn while the class works; at 800 wide nothing is cut off."""
    page = open_lab(LESSON, WATCH, STUDENTS, height=800)
    page.run(0)
    page.run(1)
    page.page.wait_for_function(f"({LANES})() === 30")
    page.run(2)
    page.page.wait_for_function(BARS)
    page.page.locator(".vg-class-head", has_text=re.compile(r"28 of 30 have submitted.*refusals \(429\)")).wait_for()
    view = page.page.locator(".vg-class")
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        page.page.wait_for_function(INK, arg=TEXT[theme])
        for width in (1280, 800):
            page.resize(width)
            view.scroll_into_view_if_needed()
            page.updated()
            page.page.evaluate("document.querySelector('.vg-class').scrollIntoView()")
            page.screenshot(f"class-{theme}-{width}")
            assert view.evaluate(WIDER) == [], width
            box = view.bounding_box()
            assert box is not None
            assert box["height"] < 660, width
