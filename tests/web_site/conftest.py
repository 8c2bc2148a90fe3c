"""The site that `make site` has built, served on loopback."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SITE = Path(__file__).parents[2] / "site"


class Files(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    extensions_map = {  # noqa: RUF012 - as the class above has it
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="session")
def site() -> Path:
    """Give the folder; skip where it was not built, or fail if VIDGEN_NB_NEEDS_SITE is set (`make test-site`)."""
    if not (SITE / "index.html").exists():
        why = "the site is not built: `make test-site` builds and tests it"
        if os.environ.get("VIDGEN_NB_NEEDS_SITE"):
            pytest.fail(why)
        pytest.skip(why)
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Give the address at which it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one for all notebooks."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Give a page of a visitor who has not been here; fail if it asks another origin for anything."""
    foreign: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(300_000)
    context.on("request", lambda request: foreign.append(request.url) if not _is_own(request.url, address) else None)
    yield context.new_page()
    context.close()
    assert foreign == []


def _is_own(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))
