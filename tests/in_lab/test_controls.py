"""Hands on the panel: what is pressed on the page happens in the kernel, and is seen on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.in_lab.conftest import ATTEMPTS, MANY, Opener
from tests.in_lab.page import RANGE

TOUR = Path(__file__).parent.parent.parent / "notebooks" / "00_tour.ipynb"
LAST = max(at for at, cell in enumerate(json.loads(TOUR.read_text())["cells"]) if cell["cell_type"] == "code")


@pytest.mark.long
def test_tour(open_lab: Opener) -> None:
    """Run All takes the tour to its end without an error, and leaves bars in its charts."""
    page = open_lab(notebook=TOUR, height=1400)
    page.run_all()
    page.done(LAST)
    assert page.errors() == []
    assert page.kernel("run.ended") == "settled"
    assert page.bars_now() >= page.kernel("len(run.attempts)") >= 12


@pytest.mark.long
def test_one_click_to_the_first_bar(open_lab: Opener) -> None:
    """The cell that shows the panel returns; Boost, Run, Pause, Resume, Stop, Discard and One do what they say."""
    page = open_lab(MANY)
    page.run(0)
    page.click("Normal")
    page.kernel.wait("ctl.mode.name == 'normal'")
    page.click("Boost")
    page.kernel.wait("ctl.mode.name == 'boost'")
    page.active("Boost")
    page.click("Run")
    page.bars(5)
    assert page.kernel("ctl.is_running")
    page.screenshot("running")

    page.click("Pause")
    page.kernel.wait("ctl.paused")
    page.says("Paused")
    submitted = page.kernel(ATTEMPTS)
    page.kernel.wait("not ctl.in_flight")
    assert page.kernel(ATTEMPTS) == submitted
    assert page.kernel("ctl.is_running and ctl.left_over > 0")
    page.click("Resume")
    page.kernel.wait(f"{ATTEMPTS} > {submitted + 3}")
    page.bars(submitted)

    page.click("Stop")
    page.kernel.wait("not ctl.is_running")
    assert page.kernel("ctl.last_run.ended") == "stopped"
    assert page.kernel("ctl.left_over") > 0
    page.says("Stopped.")
    page.screenshot("stopped")

    page.menu("More ways to stop").get_by_role("button", name="Discard").click()
    page.answer("Keep")
    assert page.kernel("ctl.left_over") > 0
    page.menu("More ways to stop").get_by_role("button", name="Discard").click()
    page.panel().get_by_role("dialog").get_by_role("button", name="Discard").click()
    page.kernel.wait("not ctl.left_over")
    page.click("One")
    page.kernel.wait("ctl.kind == 'single'")
    page.active("One")
    page.click("Run")
    page.answer("Run s001 again")
    page.kernel.wait("not ctl.is_running and len(ctl.last_run.scenes) == 1")
    assert page.kernel("[each.id for each in ctl.last_run.scenes]") == ["s001"]
    page.says("1 of 1 succeeded")
    assert page.kernel("ctl._panel_holder.panel.errors.html.value") == ""


@pytest.mark.long
def test_run_before_the_page_has_the_chart(open_lab: Opener) -> None:
    """What the chart was sent while the page still loaded it is not lost: a run that was over by then is seen."""
    page = open_lab(
        "import vidgen_nb as vg\nctl = vg.demo(speed=100)\nctl.panel\nrun = ctl.run_blocking(vg.demo_scenes(8))\nctl"
    )
    page.run(0)
    page.says("8 of 8 succeeded")
    page.bars(8)
    drawer = page.menu("Settings")  # this browser allows no notification
    drawer.get_by_label("Notify me when it ends").click()
    drawer.get_by_text("Notify me: blocked by the browser").wait_for()
    page.kernel.wait("not ctl.notify")


@pytest.mark.long
def test_zoom_is_kept(open_lab: Opener) -> None:
    """A range drawn with the mouse stays through updates and turns *Follow now* off; ticked again, the axis follows."""
    page = open_lab(MANY)
    page.run(0)
    page.click("Run")
    page.bars(10)
    page.zoom()
    page.kernel.wait("not ctl.follow_now")
    follow = page.menu("More").get_by_label("Follow now")
    page.page.wait_for_function("box => !box.checked", arg=follow.element_handle())
    zoomed = page.range()
    for _ in range(2):
        page.updated()
        assert page.range() == zoomed
    page.screenshot("zoomed")
    follow.check()
    page.kernel.wait("ctl.follow_now")
    page.updated()
    page.page.wait_for_function(f"end => ({RANGE})()[1] > end", arg=zoomed[1])
    followed = page.range()
    page.updated()
    page.updated()
    assert page.range()[1] > followed[1]


def test_run_all_with_cells_behind(open_lab: Opener) -> None:
    """Cells behind an awaited and a blocking run are executed, in order, when all are queued at once."""
    page = open_lab(
        "import vidgen_nb as vg\nctl, order = vg.demo(speed=50), []\nctl",
        "run = await ctl.run(vg.demo_scenes(4)); order.append(run.ended)",
        "order.append(1)",
        "run = ctl.run_blocking(vg.demo_scenes(4)); order.append(run.ended)",
        "order.append(2)",
        "import asyncio\nawait asyncio.sleep(0); order.append(3)",
        "order.append(4)",
    )
    page.run_all()
    page.done(6)
    assert page.errors() == []
    assert page.kernel("order") == ["settled", 1, "settled", 2, 3, 4]
    assert [page.count(index) for index in range(7)] == [1, 2, 3, 4, 5, 6, 7]
    page.bars(4)


@pytest.mark.long
def test_the_tabs_below_the_chart(open_lab: Opener) -> None:
    """The table keeps filter and order while it is updated; a press selects; a video plays; a file is handed over."""
    page = open_lab(MANY)
    page.run(0)
    panel = page.panel()
    page.click("Run")
    page.tab("Attempts")
    rows = panel.locator(".vg-attempts tbody tr")
    needle = panel.get_by_role("searchbox", name="Filter")
    needle.fill("alice")
    panel.locator(".vg-attempts th", has_text="Waiting since (s)").click()  # those that began first stay first
    before = page.kernel(ATTEMPTS)
    page.kernel.wait(f"{ATTEMPTS} > {before + 8}")
    page.updated()
    assert needle.input_value() == "alice"
    assert panel.locator("th[aria-sort=ascending]").inner_text().strip() == "Waiting since (s)"
    assert all("alice" in text for text in rows.all_inner_texts())
    rows.first.get_by_role("button").click()
    page.kernel.wait("ctl.selected is not None")
    wanted = page.kernel("ctl.selected")
    before = page.kernel(ATTEMPTS)  # the key's place outlives an update
    page.kernel.wait(f"{ATTEMPTS} > {before + 8}")
    page.updated()
    assert page.page.evaluate("document.activeElement.innerText") == wanted

    panel.get_by_role("tab", name="Log").click()
    log = panel.locator(".vg-lines").first
    log.wait_for()
    page.page.wait_for_function("() => document.querySelector('.vg-lines').scrollHeight > 500")
    log.evaluate("pre => pre.scrollTo(0, 150)")
    before = page.kernel(ATTEMPTS)
    page.kernel.wait(f"{ATTEMPTS} > {before + 4}")
    page.updated()
    assert log.evaluate("pre => pre.scrollTop") > 0  # it did not jump back to the newest line

    page.kernel.wait("any(scene.path for scene in ctl.last_run.scenes)")
    panel.get_by_role("tab", name="Videos").click()
    choice = panel.get_by_label("Video of scene")
    choice.select_option(index=1)
    page.page.wait_for_function("() => document.querySelector('video')?.readyState === 4")
    page.click("Stop")
    page.kernel.wait("not ctl.is_running")
    page.menu("More").get_by_role("button", name="Export").click()
    link = panel.get_by_role("button", name="Attempts (CSV")
    with page.page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith(".csv")
    assert Path(download.value.path()).read_text().startswith("scene,number,profile,queued,start,end,outcome")
