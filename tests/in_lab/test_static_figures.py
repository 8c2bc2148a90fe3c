"""Figures and pictures in a notebook's outputs: they look right in the dark and in the light, also without a kernel."""

from __future__ import annotations

import pytest

from tests.charts.drawing.test_palette import contrast
from tests.in_lab.conftest import Opener
from tests.in_lab.page import LabPage

CELLS = (
    "import vidgen_nb as vg\nrun = vg.simulate(12, vg.demo_profiles(), mode='boost')\nrun.gantt()",
    "run.queue_chart()",
    "from IPython.display import SVG\nSVG(run.svg())",
)
WORDS = (".gtitle", ".xtick text", ".ytick text", ".legendtext")
GROUND = """() => {
    const probe = document.createElement('canvas').getContext('2d');
    const all = ['.jp-Notebook', 'body'].map(name => getComputedStyle(document.querySelector(name)).backgroundColor);
    probe.fillStyle = all.find(colour => !colour.endsWith(', 0)'));
    return probe.fillStyle;
}"""
INK = """text => {
    const probe = document.createElement('canvas').getContext('2d');
    const inner = [text, ...text.querySelectorAll('*')].filter(part => !part.children.length)[0];
    probe.fillStyle = getComputedStyle(inner).fill;
    return probe.fillStyle;
}"""

DARKEST = """async image => {
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data, found = [255, 255, 255];
    for (let at = 0; at < bytes.length; at += 4) {
        const [r, g, b, alpha] = bytes.slice(at, at + 4);
        if (alpha === 255 && r + g + b < found[0] + found[1] + found[2]) found.splice(0, 3, r, g, b);
    }
    return '#' + found.map(part => part.toString(16).padStart(2, '0')).join('');
}"""


def solid(colour: str, ground: str) -> str:
    """Return a colour of a canvas, which may be `rgba(…)`, as what is seen on a ground."""
    if colour.startswith("#"):
        return colour
    *parts, alpha = (float(part) for part in colour.removeprefix("rgba(").removesuffix(")").split(","))
    under = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(alpha * one + (1 - alpha) * two):02X}" for one, two in zip(parts, under, strict=True))


def check(page: LabPage, theme: str) -> None:
    """See whether each kind of text stands out from the ground of the page."""
    page.theme(f"JupyterLab {theme}")
    ground = page.page.evaluate(GROUND)
    assert (contrast(ground, "#000000") < 2) == (theme == "Dark"), ground
    for cell in (0, 1):
        plot = page.output(cell)
        plot.scroll_into_view_if_needed()
        for kind in WORDS:
            ink = solid(plot.locator(kind).first.evaluate(INK), ground)
            assert contrast(ink, ground) >= 4.5, (theme, cell, kind, ink, ground)
        sheet = plot.locator(".main-svg").first.evaluate("svg => getComputedStyle(svg).backgroundColor")
        assert sheet == "rgba(0, 0, 0, 0)"
    scheme = page.output(2).locator("img").evaluate("image => getComputedStyle(image).colorScheme")
    assert scheme == theme.lower()  # a picture's media queries ask for this


@pytest.mark.long
def test_figures_take_the_theme_of_the_page(open_lab: Opener) -> None:
    """Made in one theme, a figure is readable in the other at once, and in the saved notebook without a kernel."""
    page = open_lab(*CELLS)
    for cell in range(len(CELLS)):
        page.run(cell)
    for theme in ("Dark", "Light"):
        check(page, theme)
        page.screenshot(theme)
    page.save()
    page.leave()
    page.page.mouse.move(0, 0)  # off the figures, where the test before may have left it
    page.open(kernel=False)
    for cell in (0, 1):  # JupyterLab shows its own picture of a figure, without a ground, until the mouse is over it
        picture = page.output(cell).locator("img.plot-img")
        picture.scroll_into_view_if_needed()
        assert contrast(picture.evaluate(DARKEST), "#111111") >= 2  # a succeeded bar, which has a bright outline
        page.screenshot(f"reopened-{cell}")
        picture.dispatch_event("mouseenter")
        page.output(cell).locator(".gtitle").wait_for()
    for theme in ("Dark", "Light"):
        check(page, theme)
    page.said.clear()  # JupyterLab itself stumbles over the missing kernel
