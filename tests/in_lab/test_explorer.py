"""The explorer before a person: controls beside what they change, the ghost, and an answer while a slider moves."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import NOTEBOOK, LabPage
from tests.in_lab.test_quick import slowness
from tests.in_lab.test_without_a_mouse import AXE, SERIOUS
from vidgen_nb.notebook.explorer.form import form_of
from vidgen_nb.notebook.explorer.state import ExplorerState

CELLS = ('import vidgen_nb as vg\nex = vg.explore(mode="boost")\nex', "ex.run.gantt()")
MAX_PICTURE_SECONDS = 0.1
"""From a slider's input to the new picture on the screen."""
SLIDE = """([slider, value]) => new Promise((resolve) => {
    const start = performance.now();
    new MutationObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => {
            const painted = new MessageChannel();
            painted.port1.onmessage = () => resolve((performance.now() - start) / 1000);
            painted.port2.postMessage(null);
        });
    }).observe(document.querySelector('.vg-x-plot'), {childList: true});
    const one = document.querySelector(slider);
    one.value = value;
    one.dispatchEvent(new Event('input', {bubbles: true}));
})"""
DRAG = """([slider, values]) => {
    window.pictures = 0;
    new MutationObserver(() => window.pictures += 1).observe(document.querySelector('.vg-x-plot'), {childList: true});
    const one = document.querySelector(slider);
    for (const value of values) {
        one.value = value;
        one.dispatchEvent(new Event('input', {bubbles: true}));
    }
}"""
OUTSIDE = """root => {
    const edge = root.getBoundingClientRect();
    return [...root.querySelectorAll('input, select, button, svg, .vg-x-tile')].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width && (box.right > edge.right + 1 || box.left < edge.left - 1);
    }).map((one) => one.outerHTML.slice(0, 90));
}"""


def field(control: str, kind: str = "number") -> str:
    """Return where a control's input stands."""
    return f".vg-explorer [data-control='{control}'] input[type={kind}]"


def explorer(page: LabPage) -> Any:
    """Return the explorer, once it has drawn its chart."""
    found = page.output(0).locator(".vg-explorer")
    found.locator(".vg-x-bars").wait_for()
    return found


@pytest.mark.long
def test_what_a_hand_and_a_cell_do(open_lab: Opener) -> None:
    """All is on the first screen; a slider, a wrong number, a cell, many seeds and the keyboard; axe finds no fault."""
    page = open_lab(*CELLS, height=800)
    page.run(0)
    shown = explorer(page)
    last = shown.get_by_role("button", name="Copy").bounding_box()
    assert last is not None and last["y"] + last["height"] < 800 - 24  # JupyterLab's status bar
    assert shown.locator(".vg-x-ghost rect").count() == 0
    assert {each.get_attribute("data-control") for each in shown.locator("[data-control]").all()} == set(
        form_of(ExplorerState())
    )

    page.page.evaluate(DRAG, [field("cooldown", "range"), list(range(30, 4, -1))])
    page.kernel.wait("ex.state.policy.seconds == 5")
    assert page.kernel("ex.previous.policy.seconds") == 30
    page.page.wait_for_function("() => document.querySelector('.vg-x-ghost rect')")
    assert page.page.evaluate("() => window.pictures") <= 3  # the first value, and the last one
    shown.locator(".vg-x-tile", has_text="Time").locator(".vg-x-better, .vg-x-worse").wait_for()
    shown.locator(".vg-x-tile:not(.vg-x-stale)", has_text="Share of the bound").locator("b", has_text="%").wait_for()

    bars = shown.locator(".vg-x-bars rect").count()
    page.page.locator(field("n@0")).fill("0")
    shown.get_by_role("alert").filter(has_text="n is a whole number from 1 up").wait_for()
    assert shown.locator(".vg-x-bars rect").count() == bars
    slots = page.page.locator(field("slots@1"))
    slots.focus()
    page.page.keyboard.press("ArrowUp")
    page.kernel.wait("ex.state.profiles[1].capacity == 4")
    page.page.locator(field("n@0")).fill("3")
    page.kernel.wait("ex.state.profiles[0].limit.n == 3")
    page.page.wait_for_function("() => !document.querySelector('.vg-explorer [aria-invalid]')")

    shown.get_by_label("How many seeds").fill("3")
    shown.get_by_role("button", name="Compare").click()
    shown.locator(".vg-x-result td", has_text="[").first.wait_for()
    assert page.kernel("len(ex.comparison)") == 6
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        for width in (800, 1280):
            page.resize(width)
            page.page.wait_for_timeout(100)  # in which the chart is drawn in its new size
            page.screenshot(f"{theme}-{width}")
            assert shown.evaluate(OUTSIDE) == [], width
        assert faults(page) == []
    assert page.errors() == []


def faults(page: LabPage) -> list[Any]:
    """Return what axe finds in the explorer: what is wrong, and where."""
    found = page.page.evaluate("() => axe.run('.vg-explorer').then((found) => found.violations)")
    return [(each["id"], node["html"][:120]) for each in found if each["impact"] in SERIOUS for node in each["nodes"]]


@pytest.mark.long
def test_the_picture_follows_a_slider(open_lab: Opener) -> None:
    """From a slider's input to the new picture: 100 ms with the demo's accounts, also with 60 scenes."""
    page = open_lab(*CELLS, height=800)
    page.run(0)
    explorer(page)
    for scenes in (24, 60):
        page.page.evaluate(SLIDE, [field("scenes", "range"), scenes - 1])
        page.page.evaluate(SLIDE, [field("scenes", "range"), scenes])
        times = [float(page.page.evaluate(SLIDE, [field("cooldown", "range"), value])) for value in range(24, 10, -1)]
        print(f"{scenes} scenes: {[round(1000 * each) for each in times]} ms, slowness {slowness(page):.1f}")
        assert median(times) < MAX_PICTURE_SECONDS * slowness(page), times


@pytest.mark.long
def test_a_theme_that_changes_out_of_sight(open_lab: Opener) -> None:
    """JupyterLab hides a cell that is scrolled far away: its chart is as wide as before when it is back."""
    page = open_lab(CELLS[0], height=800)
    page.run(0)
    shown = explorer(page)
    chart = shown.locator(".vg-x-plot svg").first
    wide = chart.evaluate("svg => svg.getBoundingClientRect().width")
    page.page.wait_for_timeout(300)  # in which its first width is known to the page
    shown.evaluate("one => { one.style.display = 'none'; }")
    page.theme("JupyterLab Dark")
    page.page.wait_for_timeout(300)
    shown.evaluate("one => { one.style.display = ''; }")
    try:
        page.page.wait_for_function(
            "wide => Math.abs(document.querySelector('.vg-x-plot svg').getBoundingClientRect().width - wide) < 2",
            arg=wide, timeout=8000,
        )  # fmt: skip
        page.screenshot("dark")
    finally:
        page.theme("JupyterLab Light")


def test_saved_and_reopened(open_lab: Opener) -> None:
    """Without its kernel there is the picture of the last setting and no error; beside the live one it is hidden."""
    page = open_lab(*CELLS)
    page.run(0)
    explorer(page)
    page.page.evaluate(SLIDE, [field("scenes", "range"), 7])
    page.page.wait_for_function(f"() => JSON.stringify({NOTEBOOK}.model.toJSON().cells[0]).includes('7 succeeded')")
    assert not page.picture(0).is_visible()
    page.save()
    page.leave()
    page.open(kernel=False)
    page.picture(0).wait_for()
    page.screenshot("reopened")
    assert page.page.get_by_text("Error displaying widget").filter(visible=True).count() == 0
    page.said.clear()  # that the models are not found is said on the console
