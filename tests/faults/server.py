"""A videos server on a raw socket, with no HTTP library in it, so that it can misbehave in any way."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vidgen_nb.emulator.clip import CLIP

__all__ = ["Fault", "Phase", "Request", "Server", "answer", "reset", "serving"]

Phase = str
"""`submit`, `poll`, `fetch` or `cancel`."""
_PATH = re.compile(r"/v1/videos(?:/([^/]+)(/content)?)?")


def answer(body: bytes | object, code: int = 200, /, **headers: str) -> bytes:
    """Return a whole HTTP answer; a body that is no bytes goes as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {code} X\r\n{head}\r\n".encode() + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass
class Request:
    """What a request wants, and how it would be answered."""

    phase: Phase
    path: str
    key: str
    scene: str
    body: bytes
    good: bytes


Fault = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Accepts every scene, finishes it at once, delivers a clip; but for the calls that `fault` is meant for.

    The first `times` calls of that phase with that key are the fault's. With `endless` no job is ever over, unless it
    is cancelled.
    """

    fault: Fault | None = None
    phase: Phase = ""
    key: str = ""
    times: float = 1
    endless: bool = False
    unread: bool = False
    """The fault strikes before the request is read: it has none then."""
    struck: int = 0
    submits: Counter[str] = field(default_factory=Counter)
    """Scenes whose submits arrived whole."""
    requests: list[Request] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of one connection."""
        try:
            if self.unread and self.struck < self.times:
                self.struck += 1
                reset(writer)
                return
            request = await self._read(reader)
            self.requests.append(request)
            if self.fault is not None and (request.phase, request.key) == (self.phase, self.key):
                self.struck += 1
                if self.struck <= self.times:
                    await self.fault(request, writer)
                    return
            writer.write(request.good)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(re.findall(r"(?m)^([\w-]+): (.*?)\r$", head.lower()))
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = head.split(" ", 2)
        found = _PATH.fullmatch(path)
        assert found is not None, path
        job, content = found.groups()
        phase = {"POST": "submit", "DELETE": "cancel"}.get(method, "fetch" if content else "poll")
        scene = headers.get("x-client-request-id") or (job or "").removeprefix("job-") or json.loads(body)["scene"]
        key = headers["authorization"].removeprefix("bearer ")
        return Request(phase, path, key, scene, body, self._good(phase, scene))

    def _good(self, phase: Phase, scene: str) -> bytes:
        if phase == "submit":
            self.submits[scene] += 1
            return answer({"id": f"job-{scene}", "status": "queued"})
        if phase == "poll":
            return answer({"status": "in_progress" if self.endless and scene == "s1" else "completed"})
        if phase == "fetch":
            return answer(CLIP, Content_Type="video/mp4")
        return answer({"deleted": True})


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[str]:
    """Serve on a free port of this machine; give the base_url."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
