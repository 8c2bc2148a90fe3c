"""One JupyterLab server (a second one without subshells), and one Chromium, for all tests here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import lab
from tests.browser import launch
from tests.in_lab.page import LabPage
from tests.in_lab.tab import Tab

Opener = Callable[..., LabPage]
ATTEMPTS = "(len(ctl.last_run.attempts) if ctl.last_run else 0)"
"""How many have been begun, in a kernel."""
MANY = "import vidgen_nb as vg\nctl = vg.demo(speed=20)\nctl.scenes = vg.demo_scenes(600)\nctl"
"""A cell that shows a panel; what it runs takes minutes, what is under way settles in two seconds."""
SLOW = MANY.replace("speed=20", "speed=8")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests time: a machine with much else to do takes its own."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def tab() -> Iterator[Tab]:
    """Give a headless Chromium. It ends with this package: playwright's loop would be in the way of other tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context()
        context.set_default_timeout(60_000)
        yield Tab(context)
        browser.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], lab.Lab]]:
    """Give a function that gives a server with or without comms over subshells; it is started when first asked for."""
    running: dict[bool, lab.Lab] = {}
    with ExitStack() as stack:

        def server(subshells: bool) -> lab.Lab:
            if subshells not in running:
                folder = tmp_path_factory.mktemp("lab")
                for name in ("root", "state"):
                    (folder / name).mkdir()
                running[subshells] = stack.enter_context(
                    lab.serve(folder / "root", folder / "state", subshells=subshells)
                )
            return running[subshells]

        yield server


@pytest.fixture
def open_lab(tab: Tab, servers: Callable[[bool], lab.Lab], request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Give a function that opens a notebook of its own with these cells, and a kernel of its own.

    After the test: a screenshot is kept, the page closed, the kernel ended; the console must have been clean.
    """
    opened: list[LabPage] = []

    def opener(
        *cells: str, notebook: Path | None = None, subshells: bool = True, width: int = 1280, height: int = 1000
    ) -> LabPage:
        server = servers(subshells)
        name = re.sub(r"\W+", "-", request.node.name.split("@")[0].removeprefix("test_")).strip("-") + ".ipynb"
        if notebook is not None:
            (server.root / name).write_bytes(notebook.read_bytes())
        else:
            lab.notebook(server.root / name, *cells)
        opened.append(LabPage(tab, server, name, width=width, height=height))
        return opened[-1]

    yield opener
    dialogs = 0
    for page in opened:
        if tab.url:
            page.screenshot("end")
            dialogs += page.page.locator(".jp-Dialog").count()
        page.leave()
    if dialogs:
        tab.close()
    said = "\n".join(each for page in opened for each in page.said)
    assert not said, said
    assert dialogs == 0
