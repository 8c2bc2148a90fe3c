"""The site that `make site` has built, served on loopback."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

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
