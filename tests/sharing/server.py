"""A Redis server of a test's own: Debian's `redis-server`, on loopback, on a free port, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from time import perf_counter, sleep

import pytest

__all__ = ["RedisServer"]


class RedisServer:
    """Starts at once; `stop` ends it in any state. It keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            why = "no redis-server found: install one (`sh .ci/redis`)"
            if os.environ.get("VIDGEN_NB_NEEDS_REDIS") or os.environ.get("CI"):
                pytest.fail(why)
            pytest.skip(why)
        self._folder = folder
        self._program = program
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        for _ in range(5):  # somebody else may take the port before the server does
            self.port = _free_port()
            if self.start():
                return
        pytest.fail("redis-server does not start: " + (folder / "redis.log").read_text())

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> bool:
        """Start, or restart on the same port, empty; return whether it answers."""
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        quiet = ["--save", "", "--appendonly", "no", "--logfile", "redis.log", "--daemonize", "no"]
        self._process = subprocess.Popen([self._program, *where, *quiet, *self._options])
        until = perf_counter() + 10
        while perf_counter() < until and self._process.poll() is None:
            if b"PONG" in self._ask("PING"):
                return True
            sleep(0.01)
        self.stop()
        return False

    def call(self, *words: str) -> bytes:
        """Send one command, as `redis-cli` would, and return the raw answer."""
        return self._ask(*words)

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, with all that it knows."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _ask(self, *words: str) -> bytes:
        wire = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(wire)
                return connection.recv(65536)
        except OSError:
            return b""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
