"""A guess and an exercise in JupyterLab: what a student clicks, and what a teacher reads in the saved file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.in_lab.conftest import Opener
from tests.in_lab.page import NOTEBOOK
from vidgen_nb.lessons.outputs import PREDICTION, TRIES

ASK = """import vidgen_nb as vg
first = vg.predict("Who refuses first?", ["alice", "bruno", "chiara", "delta"], answer="first refusal")"""
HOW_LONG = 'seconds = vg.predict("How long will 13 scenes take?", unit="s", answer="makespan")'
MEET = """run = vg.simulate(13, vg.demo_profiles(), mode="boost", seed=7)
display(first.meet(run))"""
TRY = """ex = vg.exercise("retry-after")
ex.check(vg.PerProfileCooldown(10))
vg.exercise("retry-after").check(vg.PerProfileCooldown(honour_retry_after=True))"""
FORM = ".vg-guess-form"


def kept(cell: dict[str, Any], mime: str) -> list[dict[str, Any]]:
    """Return what a saved cell holds under a MIME type."""
    return [output["data"] for output in cell["outputs"] if mime in output.get("data", {})]


@pytest.mark.long
def test_a_guess_is_kept_and_met(open_lab: Opener) -> None:
    """Clicked, it is in the saved notebook at once; met, the form is closed; without its kernel, all can be read."""
    page = open_lab(ASK, MEET)
    page.run(0)
    page.output(0).locator(FORM).wait_for()
    page.output(0).get_by_text("bruno", exact=True).click()
    page.output(0).get_by_text("Your guess: bruno").first.wait_for()
    page.page.wait_for_function(f"() => JSON.stringify({NOTEBOOK}.model.toJSON().cells[0]).includes('guess: bruno')")
    (bundle,) = kept(page.save()["cells"][0], PREDICTION)
    assert bundle[PREDICTION]["guesses"][0]["guess"] == "bruno"
    assert not page.output(0).get_by_text("Choices:").is_visible()  # beside the form it would be said twice

    page.run(1)
    page.output(0).get_by_text("You guessed bruno; alice refused first").first.wait_for()
    assert page.output(0).locator(f"{FORM} input").first.is_disabled()
    (bundle,) = kept(page.save()["cells"][0], PREDICTION)
    assert bundle[PREDICTION]["met"]["truth"] == "alice"
    assert "alice refused first" in "".join(bundle["text/html"])

    page.leave()
    page.open()  # with another kernel, which is asked for the old one's models
    page.page.get_by_text("Error displaying widget: model not found").first.wait_for(state="attached")
    page.output(0).get_by_text("You guessed bruno; alice refused first").first.wait_for()
    assert page.page.get_by_text("Error displaying widget").filter(visible=True).count() == 0
    page.said.clear()  # that the models are not found is said on the console


@pytest.mark.long
def test_looks(open_lab: Opener) -> None:
    """Forms, meetings, an exercise and its tries, light and dark, wide and narrow: nothing is wider than the page."""
    cells = (ASK, HOW_LONG, f"{MEET}\ndisplay(seconds.meet(run))", 'vg.exercise("retry-after")', TRY)
    page = open_lab(*cells, height=1500)
    for cell in (0, 1):
        page.run(cell)
    page.output(1).locator("input").fill("60")
    page.output(1).get_by_role("button", name="Keep this guess").click()
    page.output(1).get_by_text("Your guess: 60 s").first.wait_for()
    for cell in (2, 3, 4):
        page.run(cell)
    page.output(4).locator("table tr").nth(2).wait_for()
    (bundle,) = kept(page.save()["cells"][4], TRIES)
    assert [each["passed"] for each in bundle[TRIES]["tries"]] == [False, True]
    for theme in ("Dark", "Light"):
        page.theme(f"JupyterLab {theme}")
        for width in (1280, 800):
            page.resize(width)
            page.screenshot(f"{theme}-{width}")
            for cell in range(5):
                assert page.output(cell).evaluate("one => one.scrollWidth <= one.clientWidth + 1"), (cell, width)
    assert page.errors() == []
