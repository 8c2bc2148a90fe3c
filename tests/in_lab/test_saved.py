"""What stays in the file of a notebook, and what it looks like without its kernel."""

from __future__ import annotations

import json

from tests.in_lab.conftest import Opener


def test_saved_and_reopened(open_lab: Opener) -> None:
    """The file holds a static picture and no widget's state; opened again, the picture is there and no error box."""
    page = open_lab(
        "import vidgen_nb as vg\nctl = vg.demo(speed=50)\nctl", "run = await ctl.run(vg.demo_scenes(8))", "ctl"
    )
    page.run(0)
    page.run(1)
    page.run(2)
    page.bars(8)
    book = page.save()
    assert len(json.dumps(book["metadata"])) < 5_000
    pictures = ["".join(each["data"].get("text/html", "")) for each in book["cells"][2]["outputs"]]
    assert any("<svg" in picture for picture in pictures)
    assert len(json.dumps(book)) < 200_000

    page.leave()
    page.open_tab()
    page.page.wait_for_function("() => !document.body.innerText.includes('Loading widget')")
    page.screenshot("reopened")
    print(page.output(0).inner_text(), "|", page.output(2).inner_text())
    print(page.output(2).inner_html()[:3000])
    assert page.page.get_by_text("model not found").count() == 0
    assert page.page.get_by_text("Error displaying widget").count() == 0
    assert page.output(2).locator("svg").count() > 0
