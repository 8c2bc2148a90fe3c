"""What every dialect shares: the provider behind it, the keys, the request log, and errors in an envelope."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vidgen_nb.clock import Clock
from vidgen_nb.emulator.downloads import CutOff
from vidgen_nb.provider import Provider

__all__ = ["SCENE_HEADER", "ApiError", "Call", "EmulatorState", "RequestRecord", "make_app", "make_route"]

SCENE_HEADER: Final = "X-Client-Request-Id"
"""Carries the scene id, percent-encoded; without it the prompt stands for the scene."""

_KEPT: Final = 100_000
_log = logging.getLogger("vidgen_nb.emulator")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One answered request; never its key."""

    time: float
    """Second of the run in which it was answered."""
    method: str
    path: str
    status: int
    profile: str | None
    """Whose key it bore; None: nobody's."""
    scene: str | None
    """The scene id, or the prompt where the client sends no id."""
    job: str | None
    """The job it made or asked about."""


class ApiError(Exception):
    """An answer that is an error; each dialect has its own envelope for it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's word
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.type, self.code, self.param = status, message, type, code, param
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Call:
    """A request on its way: what is known about it so far, for the log."""

    request: Request
    profile: str = ""
    scene: str | None = None
    job: str | None = None

    def sent_scene(self, prompt: str) -> str:
        """Return the scene id that the client sent, else the prompt."""
        return unquote(self.request.headers.get(SCENE_HEADER, "")) or prompt


@dataclass(slots=True)
class EmulatorState:
    """Everything that requests share. Used by one event loop; only the log is read from other threads."""

    provider: Provider
    clock: Clock
    latency: float
    """Run seconds before each answer."""
    log: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """The latest 100,000 requests."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    owners: dict[str, str] = field(init=False)
    """Profile names by key."""

    def __post_init__(self) -> None:
        self.owners = {profile.api_key: name for name, profile in self.provider.profiles.items()}

    async def sleep(self, seconds: float) -> None:
        """Wait so many run seconds."""
        if seconds > 0:
            await asyncio.sleep(self.clock.wall(seconds))

    def note(self, call: Call, status: int) -> None:
        """Write the log's line of an answered request."""
        request = call.request
        line = RequestRecord(
            self.clock.now(), request.method, request.url.path, status, call.profile or None, call.scene, call.job
        )
        with self.lock:
            self.log.append(line)

    def requests(self) -> list[RequestRecord]:
        """Return the log so far."""
        with self.lock:
            return list(self.log)


Handler = Callable[[Call], Awaitable[Response]]
Envelope = Callable[[ApiError], Response]


def make_route(state: EmulatorState, envelope: Envelope, path: str, method: str, handler: Handler) -> Route:
    """Return a route that waits the latency, asks for the bearer key, answers, and logs."""

    async def endpoint(request: Request) -> Response:
        call = Call(request)
        await state.sleep(state.latency)
        try:
            call.profile = _owner(state, request)
            response = await handler(call)
        except ApiError as error:
            response = envelope(error)
        except HTTPException as error:  # a form that can't be parsed
            response = envelope(ApiError(error.status_code, error.detail))
        state.note(call, response.status_code)
        return response

    return Route(path, endpoint, methods=[method])


def _owner(state: EmulatorState, request: Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "You didn't provide an API key: send it as 'Authorization: Bearer <key>'.")
    owner = state.owners.get(key.strip())
    if owner is None:
        raise ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
    return owner


def make_app(state: EmulatorState, envelope: Envelope, routes: list[Route]) -> Starlette:
    """Return the ASGI app of a dialect; unknown paths and our own bugs are answered in its envelope, too."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - for mypy
        response = envelope(ApiError(error.status_code, f"{error.detail}: {request.method} {request.url.path}"))
        state.note(Call(request), response.status_code)
        return response

    async def broken(request: Request, error: Exception) -> Response:
        if not isinstance(error, CutOff):
            _log.error("the emulator failed at %s %s", request.method, request.url.path, exc_info=error)
            state.note(Call(request), 500)
        return envelope(ApiError(500, "The emulator failed; its log says why.", type="server_error"))

    return Starlette(routes=routes, exception_handlers={HTTPException: refused, Exception: broken})
