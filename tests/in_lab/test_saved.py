"""What stays in the file of a notebook, and what it looks like without its kernel."""

from __future__ import annotations

import json

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import NOTEBOOK


@pytest.mark.long
def test_saved_and_reopened(open_lab: Opener) -> None:
    """The file holds a picture of the run and no widget's state; opened again, it is there, and no error box."""
    page = open_lab("import vidgen_nb as vg\nctl = vg.demo(speed=50)\nctl.span = (1, 8)\nctl", "ctl")
    page.run(0)
    page.click("Run")
    page.kernel.wait("ctl.last_run and not ctl.is_running")
    page.run(1)
    page.bars(8, cell=1)
    page.page.wait_for_function(f"() => JSON.stringify({NOTEBOOK}.model.toJSON().cells[0]).includes('image/svg+xml')")
    for cell in (0, 1):  # beside a live panel it would be one too many
        assert page.panel(cell).is_visible()
        assert not page.picture(cell).is_visible()
    book = page.save()
    assert "widgets" not in book["metadata"]
    assert len(json.dumps(book)) < 100_000

    for kernel in (False, True):
        page.leave()
        page.open(kernel=kernel)
        for cell in (0, 1):
            page.picture(cell).wait_for()
        if kernel:  # it asks the new one for the old one's models
            page.page.get_by_text("Error displaying widget: model not found").first.wait_for(state="attached")
        page.screenshot(f"reopened-{'another' if kernel else 'no'}-kernel")
        assert page.panel().count() == 0
        for words in ("Error displaying widget", "Loading widget"):
            assert page.page.get_by_text(words).filter(visible=True).count() == 0
    page.said.clear()  # that the models are not found is said on the console
