"""A headless Chromium, and replays opened in it as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import chromium
from vidgen_nb.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PLAYER = "vidgen_nb_replay.player"


class OpenReplay:
    """A replay that is open in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.wait_for_function("() => globalThis.vidgen_nb_replay")

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    @property
    def time(self) -> float:
        """Where it is, in run seconds."""
        return float(self.page.evaluate(f"() => {PLAYER}.time / {PLAYER}.recorded.scale"))

    @property
    def sentence(self) -> str:
        """What it says."""
        return self.page.locator(".vgr-sentence").inner_text()

    def ask(self, expression: str, argument: Any = None) -> Any:
        """Return what JavaScript answers; `player` and `recorded` are those of the replay."""
        given = f"const {{ player, view }} = vidgen_nb_replay; const {{ recorded }} = player; return {expression};"
        return self.page.evaluate(f"(argument) => {{ {given} }}", argument)


Opener = Callable[..., OpenReplay]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_replay(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Give a function that writes a run's replay and opens it; a message, an error or a request fails the test."""
    said: list[str] = []
    pages = []

    def opener(
        run: Run, *, width: int = 1280, theme: Any = "light", bypass_csp: bool = False, **options: Any
    ) -> OpenReplay:
        path = run.write_replay(tmp_path / "replay.html", **options)
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme, bypass_csp=bypass_csp)
        pages.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: said.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return OpenReplay(page)

    yield opener
    for page in pages:
        page.close()
    assert said == []
