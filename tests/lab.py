"""A JupyterLab server and pages in it, for tests: the recipe of ui.md, found out by running it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["cell_outputs", "notebook", "open_notebook", "run_cell", "serve"]

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}
IDLE = """() => {
    const s = window.jupyterapp.shell.currentWidget?.sessionContext, k = s?.session?.kernel;
    return s?.isReady && k?.status === 'idle' && k.connectionStatus === 'connected';
}"""
CELL_DONE = """i => {
    const c = window.jupyterapp.shell.currentWidget.content.widgets[i];
    return c.model.executionState === 'idle' && c.model.executionCount != null;
}"""


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook with these code cells."""
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for k, source in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book))
    return path


@contextmanager
def serve(root: Path, state: Path, *, subshells: bool = True) -> Iterator[str]:
    """Serve JupyterLab on a free port over `root`, with all its own files below `state`; give its URL."""
    port = _free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    settings = dict(SETTINGS)
    if not subshells:
        settings["apputils-extension/kernels-settings"] = {"commsOverSubshells": "disabled"}
    for name, content in settings.items():
        file = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    with subprocess.Popen(
        command, cwd=root, env=_environment(state), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(20)


def open_notebook(page: Page, url: str, name: str) -> None:
    """Open a notebook and wait for its kernel."""
    page.goto(f"{url}/doc/tree/{name}?reset", wait_until="domcontentloaded")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell")
    page.wait_for_function(IDLE, timeout=60_000)


def run_cell(page: Page, index: int, *, wait: bool = True) -> None:
    """Run one cell, and wait until it is done."""
    page.evaluate(
        """i => {
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = i;
            window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        index,
    )
    if wait:
        page.wait_for_function(CELL_DONE, arg=index, timeout=60_000)


def cell_outputs(page: Page, index: int) -> list[dict[str, Any]]:
    """Return the outputs of a cell."""
    outputs: list[dict[str, Any]] = page.evaluate(
        "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.outputs.toJSON()", index
    )
    return outputs


def _environment(state: Path) -> dict[str, str]:
    folders = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, **{name: str(state / folder) for name, folder in folders.items()}, "PATH": path}


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=1):  # noqa: S310 - our own server
                return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError(f"JupyterLab ended with {server.returncode}") from None
            time.sleep(0.1)
    raise TimeoutError("JupyterLab did not come up within a minute")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
