"""The kernel interrupted, restarted or blocked by a cell, with comms over subshells and without."""

from __future__ import annotations

import pytest

from tests.in_lab.conftest import ATTEMPTS, MANY, SLOW, Opener

BLOCK = "import threading\ngate = threading.Event()\nctl.start()\ngate.wait(60)"
BLOCKING_RUN = "run = ctl.run_blocking()"
INTERRUPTED = ("KeyboardInterrupt", "CancelledError")


@pytest.mark.long
def test_interrupt_while_idle(open_lab: Opener) -> None:
    """Kernel > Interrupt without a cell at work does nothing to a run."""
    page = open_lab(MANY)
    page.run(0)
    page.click("Run")
    page.bars(3)
    submitted = page.kernel(ATTEMPTS)
    page.interrupt()
    page.kernel.wait(f"{ATTEMPTS} > {submitted + 10}")
    assert page.kernel("ctl.is_running and not ctl.is_stopping")
    assert page.errors() == []
    page.click("Stop")
    page.kernel.wait("ctl.last_run.ended == 'stopped'")


@pytest.mark.long
@pytest.mark.parametrize("cell", ["run = await ctl.run()", BLOCKING_RUN], ids=["awaiting", "blocking"])
def test_interrupt_of_a_cell_that_waits(open_lab: Opener, cell: str) -> None:
    """The cell ends at once, the run with what is under way; Run goes on with the rest."""
    page = open_lab(MANY, cell)
    page.run(0)
    page.run(1, wait=False)
    page.bars(3)
    page.interrupt()
    page.done(1, timeout=20)
    assert page.errors()[0].startswith(INTERRUPTED)
    page.kernel.wait("not ctl.is_running")
    assert page.kernel("ctl.last_run.ended") == "stopped"
    page.says("Stopped.")
    left = page.kernel("ctl.left_over")
    assert left > 0
    page.click("Run")
    page.kernel.wait(f"ctl.is_running and ctl.left_over < {left - 3}")


@pytest.mark.long
def test_kernel_restarted(open_lab: Opener) -> None:
    """The old kernel's panel is marked as dead and a click on it does nothing; the cell run again gives a live one."""
    page = open_lab(MANY)
    page.run(0)
    page.click("Run")
    page.bars(3)
    page.restart()
    page.page.wait_for_selector(".vg-panel .jupyter-widgets-disconnected")
    page.panel().locator("button", has_text="Stop").click()  # its name has the mark of the dead in it
    page.screenshot("restarted")
    page.forgive("Cannot send")  # says ipywidgets of that click
    page.run(0)
    assert page.errors() == []
    assert page.panel().count() == 1
    page.says("600 scenes chosen")
    page.click("Run")
    page.kernel.wait(f"{ATTEMPTS} > 3")
    page.bars(3)


def test_stop_while_a_cell_blocks(open_lab: Opener) -> None:
    """Stop acts before the cell is done, and ends one that waits in run_blocking."""
    page = open_lab(MANY, BLOCK, BLOCKING_RUN)
    page.run(0)
    page.run(1, wait=False)
    page.bars(3)
    page.click("Normal")
    page.kernel.wait("ctl.mode.name == 'normal'")
    page.click("Boost")
    page.kernel.wait("ctl.mode.name == 'boost'")
    page.click("Stop")
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
    assert not page.is_done(1)
    page.says("Stopped.")
    page.kernel("gate.set()")
    page.done(1)

    submitted = page.kernel(ATTEMPTS)
    page.run(2, wait=False)
    page.kernel.wait(f"ctl.is_running and {ATTEMPTS} > {submitted + 3}")
    page.click("Pause")
    page.kernel.wait("ctl.paused")
    page.click("Resume")
    page.kernel.wait("not ctl.paused")
    page.click("Stop")
    page.done(2, timeout=20)
    assert page.errors() == []
    assert page.kernel("run.ended") == "stopped"


@pytest.mark.long
def test_stop_while_a_cell_blocks_without_subshells(open_lab: Opener) -> None:
    """A click waits for the cell's end, and is not lost; Kernel > Interrupt is what ends a blocking run."""
    page = open_lab(MANY, BLOCK, BLOCKING_RUN, subshells=False)
    page.run(0)
    page.run(1, wait=False)
    page.bars(3)
    page.click("Stop")
    submitted = page.kernel(ATTEMPTS)
    page.kernel.wait(f"{ATTEMPTS} > {submitted + 10}")
    assert page.kernel("ctl.is_running and not ctl.is_stopping")
    page.kernel("gate.set()")
    page.done(1)
    page.kernel.wait("ctl.last_run.ended == 'stopped'")
    page.says("Stopped.")

    page.run(2, wait=False)
    page.kernel.wait("ctl.is_running")
    page.interrupt()
    page.done(2, timeout=20)
    assert page.errors()[0].startswith(INTERRUPTED)
    page.kernel.wait("ctl.last_run.ended == 'stopped'")


@pytest.mark.long
def test_reload_without_subshells(open_lab: Opener) -> None:
    """A page reloaded in the middle of a run shows it and reacts, also with comms on the main shell."""
    page = open_lab(SLOW, subshells=False)
    page.run(0)
    page.click("Run")
    page.bars(5)
    page.reload()
    shown = page.bars(page.kernel(ATTEMPTS) // 2)
    page.bars(shown + 3)
    page.click("Stop")
    page.kernel.wait("ctl.is_stopping or ctl.last_run.ended == 'stopped'")
