"""A second line to a running kernel, which disturbs neither the notebook nor a cell that blocks."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path
from typing import Any

__all__ = ["Kernel"]

EVERY = 0.05
"""Seconds between two looks at the kernel."""


class Kernel:
    """Asks one kernel for the values of expressions, over its sockets and in a subshell of its own."""

    def __init__(self, connection_file: Path) -> None:
        import zmq
        from jupyter_client.session import Session

        info = json.loads(connection_file.read_text())
        self._session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])
        self._context = zmq.Context()
        self._sockets = {name: self._context.socket(zmq.DEALER) for name in ("control", "shell")}
        for name, socket in self._sockets.items():
            socket.linger = 0
            socket.connect(f"{info['transport']}://{info['ip']}:{info[name + '_port']}")
        self._subshell: str = self._ask("control", "create_subshell_request", {})["subshell_id"]

    def __call__(self, expression: str) -> Any:
        """Return the value of an expression in the kernel, as JSON knows it."""
        wanted = {"it": f"__import__('json').dumps({expression}, default=str)"}
        content = {"code": "", "silent": True, "store_history": False, "user_expressions": wanted}
        reply = self._ask("shell", "execute_request", {**content, "allow_stdin": False}, subshell_id=self._subshell)
        found = reply["user_expressions"]["it"]
        if found["status"] != "ok":
            raise RuntimeError(f"{expression}: {found['ename']}: {found['evalue']}")
        return json.loads(ast.literal_eval(found["data"]["text/plain"]))

    def wait(self, expression: str, timeout: float = 40.0) -> Any:
        """Wait until an expression is true in the kernel, and return its value."""
        end = time.perf_counter() + timeout
        while not (value := self(expression)):
            if time.perf_counter() > end:
                raise TimeoutError(f"not true within {timeout:g} s: {expression}")
            time.sleep(EVERY)
        return value

    def close(self) -> None:
        """Close the connection."""
        self._context.destroy(linger=0)

    def _ask(self, channel: str, kind: str, content: dict[str, Any], timeout: float = 40.0, **header: Any) -> Any:
        socket, message = self._sockets[channel], self._session.msg(kind, content)
        message["header"].update(header)
        self._session.send(socket, message)
        end = time.perf_counter() + timeout
        while (left := end - time.perf_counter()) > 0:
            if socket.poll(int(left * 1000) + 1):
                _, reply = self._session.recv(socket)
                if reply is not None and reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                    return reply["content"]
        raise TimeoutError(f"the kernel did not answer a {kind} within {timeout:g} s")
