"""Voila, for a test: it shows a notebook as a page, with a kernel for each.

It is put into a folder of its own, without what it depends on: that is all here, for JupyterLab. In the environment
itself it would add an extension to the JupyterLab of all other tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.first_use import first_use
from tests.in_lab.tab import Tab
from tests.lab import environment, free_port, server_process

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["opened"]

VERSION: Final = "0.5.13"
STARTUP: Final = 90.0
"""Seconds that it may take to start; three on a quiet machine."""


def _installed(folder: Path) -> Path:
    """Return the folder with the package, made on first use; skip where it can't be had."""
    place = folder / VERSION
    with first_use(place) as is_missing:
        if is_missing:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
            command = [*pip, "--upgrade", "--target", str(place), f"voila=={VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"voila=={VERSION} can't be installed: {done.stderr.strip()[-200:]}")
    return place


@contextmanager
def opened(
    notebook: Path, tab: Tab, request: pytest.FixtureRequest, state: Path, *, width: int, dark: bool
) -> Iterator[Page]:
    """Show a notebook in a page of so many pixels; at the end nothing is wider than it, and no script has failed."""
    cache = getattr(request.config, "cache", None)
    package = _installed(Path(cache.mkdir("voila")) if cache is not None else state / "voila")
    page, said = tab.another(), list[str]()
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        page.set_viewport_size({"width": width, "height": 800})
        with _serve(package, notebook, state, theme="dark" if dark else "light") as address:
            page.goto(address, timeout=120_000)
            yield page
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is wider than the page"
            assert said == []
    finally:
        page.close()


@contextmanager
def _serve(package: Path, notebook: Path, state: Path, *, theme: str) -> Iterator[str]:
    """Serve a notebook on a free port, with all its own files below `state`, and give the address."""
    port = free_port()
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1", f"--theme={theme}"]
    command = [sys.executable, "-m", "voila", str(notebook), *options]
    settings = environment(state)
    settings["PYTHONPATH"] = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings["JUPYTER_PATH"] = str(package / "share" / "jupyter")
    log = state / "voila.log"
    with server_process(command, notebook.parent, settings, log) as server:
        until = time.perf_counter() + STARTUP
        while "is running at" not in log.read_text(errors="replace"):
            if server.poll() is not None or time.perf_counter() > until:
                raise RuntimeError(f"Voila did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
