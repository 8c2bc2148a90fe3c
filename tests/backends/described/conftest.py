"""A toy API over real HTTP, for sessions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from vidgen_nb.emulator.clip import CLIP


class Toy(BaseHTTPRequestHandler):
    """A toy API: each key may submit twice, then has to wait; jobs are done when they are asked about twice."""

    jobs: dict[str, int]
    submits: dict[str, int]

    def do_POST(self) -> None:
        """Take a job, or refuse it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["X-Api-Key"]
        self.submits[key] = self.submits.get(key, 0) + 1
        if self.submits[key] == 3:
            self.answer(429, {"error": {"code": "too_many_requests"}}, {"Retry-After": "2"})
        else:
            job = f"j{len(self.jobs)}"
            self.jobs[job] = 0
            self.answer(200, {"job": {"id": job}})

    def do_GET(self) -> None:
        """Tell of a job, or send its video."""
        _, _, job, *rest = self.path.split("/")
        self.jobs[job] += 1
        if rest:
            self.answer(200, CLIP, {"Content-Type": "video/mp4"})
        else:
            self.answer(200, {"state": "done" if self.jobs[job] > 1 else "busy", "video": f"/files/{job}/video"})

    def answer(self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        """Send JSON or bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def toy_url() -> Iterator[str]:
    """The toy, served on loopback."""
    handler = type("Handler", (Toy,), {"jobs": {}, "submits": {}})
    queued = type("Queued", (ThreadingHTTPServer,), {"request_queue_size": 64})
    with queued(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
