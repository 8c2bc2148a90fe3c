"""The panel by keyboard and for a screen reader: everything can be reached, has a name, and says why it is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import LabPage

QUICK = "import vidgen_nb as vg\nctl = vg.demo(speed=50)\nctl.scenes = vg.demo_scenes(6)\nctl"
DEMO = "import vidgen_nb as vg\nctl = vg.demo(speed=1)\nctl"
AXE = Path(axe_playwright_python.__file__ or "").parent / "axe.min.js"
SERIOUS = ("serious", "critical")
IS_OPEN = "() => document.querySelector('.vg-stop-menu').matches(':popover-open')"


def test_axe_finds_no_serious_fault(open_lab: Opener) -> None:
    """Idle and running, in the drawer, a menu and a question; light and dark."""
    page = open_lab(DEMO)
    page.run(0)
    page.bars(0)
    page.panel().locator("select[aria-label]").first.wait_for()  # the page has named what is there
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert faults(page) == []
    page.click("Run")
    page.bars(3)
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        for opener in ("Settings", "More", "More ways to stop"):
            page.menu(opener)
            assert faults(page) == [], opener
            page.page.keyboard.press("Escape")
    page.menu("More ways to stop").get_by_role("button", name="Cancel").click()
    assert faults(page) == []


@pytest.mark.long
def test_axe_finds_no_serious_fault_in_what_comes_and_goes(open_lab: Opener) -> None:
    """An error, an export, wrong fields, the editor, a selection, the other tabs and the past runs; light and dark."""
    page = open_lab(QUICK, width=800)
    page.run(0)
    page.bars(0)
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    panel, keyboard = page.panel(), page.page.keyboard
    page.click("Run")
    page.kernel.wait("ctl.last_run and not ctl.is_running")
    page.kernel("ctl.post(lambda: 1 / 0)")
    page.menu("More").get_by_role("button", name="Export").click()
    panel.get_by_role("button", name="Report (HTML").wait_for()
    page.click("Range")
    panel.locator(".vg-span input:enabled").fill("7-99")
    keyboard.press("Tab")
    drawer = page.menu("Settings")
    drawer.locator(".vg-cap input").fill("many")
    keyboard.press("Tab")
    panel.get_by_role("alert").filter(has_text="Write a whole number").wait_for()
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        assert faults(page) == [], theme
    page.screenshot("wrong")
    keyboard.press("Escape")
    panel.locator("tr[data-key] input").first.click()
    panel.get_by_role("button", name="Edit", exact=True).click()
    panel.locator(".vg-scene-editor input").first.fill("-3")
    panel.locator(".vg-scene-editor .vg-field-error", has_text="Seconds must be").wait_for()
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        assert faults(page) == [], theme
    for tab in ("Attempts", "Metrics", "Log", "Videos"):
        page.tab(tab)
        page.page.wait_for_timeout(500)  # in which a tab that is opened for the first time is drawn
        assert faults(page) == [], tab


def faults(page: LabPage) -> list[Any]:
    """Return what axe finds in the panel: what is wrong, and where."""
    found: list[dict[str, Any]] = page.page.evaluate("() => axe.run('.vg-panel').then((found) => found.violations)")
    return [(each["id"], node["html"][:120]) for each in found if each["impact"] in SERIOUS for node in each["nodes"]]


def test_a_run_by_keyboard(open_lab: Opener) -> None:
    """Enter and the space bar press buttons, not JupyterLab's shortcuts; arrows, Escape and focus work as usual."""
    page = open_lab(DEMO)
    page.run(0)
    page.bars(0)
    panel, keyboard = page.panel(), page.page.keyboard
    run = panel.locator(".vg-run")
    panel.get_by_role("button", name="Stop", exact=True, description="Unavailable: nothing is running").wait_for()
    run.focus()
    keyboard.press("Enter")
    page.runs()
    panel.locator(".vg-paused").focus()
    keyboard.press("Space")
    page.kernel.wait("ctl.paused")
    keyboard.press("Space")
    page.kernel.wait("not ctl.paused")

    menu = panel.get_by_role("button", name="More ways to stop")
    menu.focus()
    keyboard.press("Enter")
    panel.locator(".vg-stop-menu .vg-cancel:enabled").wait_for()
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    panel.get_by_role("dialog").get_by_role("button", name="Keep running").wait_for()
    assert focused(page) == "Keep running"
    keyboard.press("Escape")
    assert page.kernel("ctl.is_running and not ctl.is_stopping")
    assert not page.page.evaluate(IS_OPEN)
    assert focused(page) == "▾"

    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Enter")
    page.kernel.wait("not ctl.is_running")
    page.says("Cancelled.")
    assert page.errors() == []


@pytest.mark.long
def test_from_shift_enter_to_an_export_and_back(open_lab: Opener) -> None:
    """Nothing but keys: run, wait, export, download, dismiss, select and highlight a scene, and back to the cell."""
    page = open_lab(QUICK, "ctl")
    keyboard = page.page.keyboard
    page.page.locator(".jp-Cell .cm-content").first.click()
    keyboard.press("Shift+Enter")
    page.panel().locator(".vg-run", has_text="Run 6").wait_for()
    keyboard.press("Escape")
    keyboard.press("ArrowUp")
    to(page, "Run 6", most=1)
    keyboard.press("Enter")
    page.kernel.wait("ctl.last_run and not ctl.is_running")
    page.panel().locator(".vg-run", has_text="Run all 6 again…").wait_for()
    to(page, "⋯", most=6)
    keyboard.press("Enter")
    page.panel().locator(".vg-export:enabled").wait_for()
    to(page, "Export", most=4)
    keyboard.press("Enter")
    page.panel().get_by_role("button", name="Report (HTML").wait_for()
    assert focused(page) == "⋯"
    to(page, "Attempts (CSV", most=12)
    with page.page.expect_download() as download:
        keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")
    to(page, "Dismiss", most=2)
    keyboard.press("Enter")
    page.panel().locator(".vg-files.vg-shown").wait_for(state="hidden")
    assert focused(page) == "⋯"
    to(page, "s001", most=40)
    keyboard.press("ArrowDown")
    keyboard.press("Space")
    page.panel().get_by_text("1 selected").wait_for()
    keyboard.press("Enter")
    page.kernel.wait("ctl.selected == 's002'")
    keyboard.press("Escape")
    page.panel().get_by_text("1 selected").wait_for(state="hidden")
    to(page, "Run all 6 again…", most=50, key="Shift+Tab")
    keyboard.press("Shift+Tab")
    assert page.page.evaluate("() => document.activeElement.closest('.jp-Cell') !== null")
    assert page.errors() == []


def to(page: LabPage, text: str, *, most: int, key: str = "Tab") -> None:
    """Go to the control that begins so, by at most that many keys."""
    for _ in range(most):
        page.page.keyboard.press(key)
        if focused(page).startswith(text):
            return
    raise AssertionError(f"{text} is not reached by {most} × {key}; {focused(page)} is")


def focused(page: LabPage) -> str:
    """Return what stands on the control that has the focus."""
    text: str = page.page.evaluate("() => document.activeElement.textContent")
    return text
