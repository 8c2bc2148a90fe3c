"""nginx, Debian's, on loopback, in front of any servers: with limits, with an upstream that is dead, or both.

How it behaves (1.22, run): a request over `limit_req` gets 503 by default, or what `limit_req_status` says, as a page
of HTML without a Retry-After; whether it was a submit or a poll is all the same to it. With nobody behind it, it
answers 502 at once, also an HTML page; a submit answered so never reached a server, but nothing in the answer says so.
Of several upstreams, one that can't be reached is passed over, also by a submit; a submit that had been sent goes to no
second one (`proxy_next_upstream`), unless that says `non_idempotent`: then nginx itself sends it again, and has it made
twice. A body over `client_max_body_size` is refused with 413 before it was sent, and the connection closed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType
from typing import Self

import pytest

__all__ = ["Nginx", "free_port"]

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    limit_req_zone $http_authorization zone=keys:1m rate={rate}r/s;
    upstream servers {{ {upstreams} }}
    server {{
        listen 127.0.0.1:{port};
        {server}
        location = /v1/videos {{ {submits} proxy_pass http://servers; }}
        location / {{ {others} proxy_pass http://servers; }}
    }}
}}
"""


class Nginx:
    """A proxy before `upstreams`, ports of this machine, while the `with` block lasts; skips where there is no nginx.

    `submits`, `others`: what stands in the places for `/v1/videos` and for all else, such as `limit_req zone=keys;`;
    `server`: what stands around both. `rate`: requests a second that the zone lets through for each key.
    """

    def __init__(
        self, folder: Path, *upstreams: int, rate: int = 5, submits: str = "", others: str = "", server: str = ""
    ) -> None:
        # Debian keeps it where only root's PATH leads
        program = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
        if program is None:
            why = "no nginx found: install one (`sh .ci/nginx`)"
            if os.environ.get("VIDGEN_NB_NEEDS_NGINX"):
                pytest.fail(why)
            pytest.skip(why)
        self._program, self._folder = program, folder
        servers = " ".join(f"server 127.0.0.1:{each};" for each in upstreams)
        self._places = {
            "upstreams": servers, "rate": rate, "submits": submits, "others": others, "server": server,
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        """What a client takes."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def statuses(self) -> list[int]:
        """The statuses of the answers so far, oldest first."""
        lines = (self._folder / "access.log").read_text().splitlines()
        return [int(line.split('" ')[1].split()[0]) for line in lines]

    def __enter__(self) -> Self:
        self.port = free_port()
        file = self._folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=self._folder, port=self.port, **self._places))
        self._process = subprocess.Popen(
            [self._program, "-p", self._folder, "-c", file, "-e", self._folder / "error.log"]
        )
        until = perf_counter() + 10
        while not self._listens():
            if self._process.poll() is not None or perf_counter() > until:
                pytest.fail("nginx does not start: " + (self._folder / "error.log").read_text())
            sleep(0.01)
        return self

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
