"""The explorer as an app: its notebook in Voila, the whole width, without code, and it answers a hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.in_lab import voila
from tests.in_lab.tab import Tab

ROOT = Path(__file__).parents[2]
APP = ROOT / "notebooks" / "apps" / "explorer.ipynb"


@pytest.mark.long
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (800, True)], ids=["wide", "narrow, dark"])
def test_the_explorer_as_an_app(
    tab: Tab, tmp_path: Path, request: pytest.FixtureRequest, width: int, dark: bool
) -> None:
    """It fills the page, shows no code, and a change draws another run; the console is clean."""
    with voila.opened(APP, tab, request, tmp_path, width=width, dark=dark) as page:
        explorer = page.locator(".vg-explorer")
        explorer.locator(".vg-x-bars").wait_for(timeout=120_000)
        box = explorer.bounding_box()
        assert box is not None
        assert box["width"] > 0.9 * width, "it does not fill the page"
        page.screenshot(path=ROOT / "artifacts" / f"voila-explorer-{width}.png")
        slider = explorer.locator("[data-control='cooldown'] input[type=range]")
        slider.fill("10")
        explorer.locator(".vg-x-ghost rect").first.wait_for(state="attached")
        page.screenshot(path=ROOT / "artifacts" / f"voila-explorer-changed-{width}.png")
        assert "import vidgen_nb" not in page.locator("body").inner_text(), "there is code"
