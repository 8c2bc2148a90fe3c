"""A headless Chromium for tests: the one in CHROMIUM, one on the PATH, or playwright's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

__all__ = ["chromium", "launch"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give it for as long as the block; playwright's loop, which bars others in this thread, ends with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def launch(playwright: Playwright) -> Browser:
    """Launch it; where there is none, skip the test, or fail it if VIDGEN_NB_NEEDS_BROWSER is set (as in CI)."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and not Path(playwright.chromium.executable_path).exists():
        why = "no Chromium found: install one (`sh .ci/chromium`), or name it in CHROMIUM"
        if os.environ.get("VIDGEN_NB_NEEDS_BROWSER"):
            pytest.fail(why)
        pytest.skip(why)
    return playwright.chromium.launch(executable_path=found, args=ARGS)
