"""A JupyterLab server, for tests: a recipe that was found out by running it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Lab", "environment", "free_port", "notebook", "serve", "server_process"]

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}


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


@dataclass(frozen=True)
class Lab:
    """A server that is up."""

    url: str
    root: Path
    state: Path

    def sessions(self) -> list[dict[str, Any]]:
        """Return the notebooks that have a kernel."""
        with urllib.request.urlopen(f"{self.url}/api/sessions", timeout=20) as answer:  # noqa: S310 - our own server
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def kernel_of(self, name: str) -> str | None:
        """Return the id of the kernel of a notebook; None: it has none."""
        return next((each["kernel"]["id"] for each in self.sessions() if each["path"] == name), None)

    def connection_file(self, kernel: str) -> Path:
        """Return the file that says how to reach a kernel."""
        return self.state / "runtime" / f"kernel-{kernel}.json"

    def shut_down(self, name: str) -> None:
        """End the kernel of a notebook."""
        for each in self.sessions():
            if each["path"] == name:
                end = urllib.request.Request(f"{self.url}/api/sessions/{each['id']}", method="DELETE")  # noqa: S310
                urllib.request.urlopen(end, timeout=20).close()  # noqa: S310 - our own server


@contextmanager
def serve(root: Path, state: Path, *, subshells: bool = True) -> Iterator[Lab]:
    """Serve JupyterLab on a free port over `root`, with all its own files below `state`."""
    port = free_port()
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
    _quicken(state)
    with server_process(command, root, environment(state), state / "server.log") as server:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, server)
        yield Lab(url, root, state)
    shutil.rmtree(state / "runtime", ignore_errors=True)


@contextmanager
def server_process(
    command: Sequence[str], folder: Path, settings: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a folder for as long as the block; what it says goes to the log."""
    with (
        log.open("wb") as said,
        subprocess.Popen(command, cwd=folder, env=settings, stdout=said, stderr=said) as server,
    ):
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _quicken(state: Path) -> None:
    """Spare each kernel one import of more than a second that nothing here needs: jsonschema goes without it."""
    file = state / "ipython" / "profile_default" / "startup" / "quicken.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("import sys\nsys.modules.setdefault('rfc3987_syntax', None)\n")


def environment(state: Path) -> dict[str, str]:
    """Return the environment in which Jupyter keeps all its files below `state`."""
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


def free_port() -> int:
    """Return a port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
