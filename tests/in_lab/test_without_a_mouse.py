"""The panel by keyboard and for a screen reader: everything can be reached, has a name, and says why it is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python

from tests.in_lab.conftest import Opener
from tests.in_lab.page import LabPage

DEMO = "import vidgen_nb as vg\nctl = vg.demo(speed=1)\nctl"
AXE = Path(axe_playwright_python.__file__ or "").parent / "axe.min.js"
SERIOUS = ("serious", "critical")
IS_OPEN = "() => document.querySelector('.vg-stop-menu').matches(':popover-open')"


def test_axe_finds_no_serious_fault(open_lab: Opener) -> None:
    """Idle and running, in the drawer, a menu and a question; light and dark."""
    page = open_lab(DEMO)
    page.run(0)
    page.bars(0)
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


def focused(page: LabPage) -> str:
    """Return what stands on the control that has the focus."""
    text: str = page.page.evaluate("() => document.activeElement.textContent")
    return text
