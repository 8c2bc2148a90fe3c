"""Serves the dashboard on this machine, from a thread of its own."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vidgen_nb.dashboard.app import make_app
from vidgen_nb.errors import InputError

__all__ = ["Dashboard"]

_LOOPBACK: Final = "127.0.0.1"


class Dashboard:
    """Shows the runs in a folder, read-only, on loopback; use it with `with`.

    with Dashboard("runs") as dashboard:
        print(dashboard.url)
    """

    def __init__(self, folder: str | os.PathLike[str], *, port: int = 0) -> None:
        """`port`: 0 for a free one. Raises `InputError` where the folder is not there, or the port is in use."""
        import uvicorn

        path = Path(folder).expanduser()
        if not path.is_dir():
            raise InputError(f"{str(path)!r} is no folder: give the one in which runs are recorded, such as runs/")
        self._listener = _listen(port)
        self.url = f"http://{_LOOPBACK}:{self._listener.getsockname()[1]}/"
        config = uvicorn.Config(
            make_app(path), http="h11", ws="none", lifespan="off", access_log=False, log_config=None,
            log_level="critical", timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server: Any = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="vidgen_nb dashboard", daemon=True)

    def _serve(self) -> None:
        with self._listener:
            self._server.run(sockets=[self._listener])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise InputError(f"the dashboard can't listen on port {port}: {error}; port=0 takes a free one") from None
    return listener
