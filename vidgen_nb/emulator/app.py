"""What every dialect shares: the provider behind it, the keys, the request log, and the envelope of errors."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from vidgen_nb.clock import Clock
from vidgen_nb.emulator.downloads import CutOff, CutOffResponse, part_response, slow_response
from vidgen_nb.emulator.headers import with_common_headers
from vidgen_nb.emulator.seen import SeenProvider
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider import Job, Refused

__all__ = [
    "SCENE_HEADER",
    "ApiError",
    "Call",
    "Dialect",
    "EmulatorState",
    "RequestRecord",
    "make_app",
    "round_up",
]

SCENE_HEADER: Final = "X-Client-Request-Id"
"""Carries the scene id, percent-encoded; without it the prompt is taken as the scene id."""

OUR_USER_AGENT: Final = "vidgen_nb"
"""What our backends call themselves: they reckon in run seconds, all other clients by the clock on the wall."""
MAX_LOGGED_REQUESTS: Final = 100_000
_log = logging.getLogger("vidgen_nb.emulator")


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One answered request; never its key."""

    time: float
    """Run seconds at which it was answered."""
    method: str
    path: str
    status: int
    profile: str | None
    """The profile whose key it carried; None: no known key."""
    scene: str | None
    """The scene id, or the prompt if the client sends no id."""
    job: str | None
    """The job that it created or asked about."""


class ApiError(Exception):
    """An error answer; each dialect has its own envelope for it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's word
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.type, self.code, self.param = status, message, type, code, param
        self.headers = dict(headers or {})
        self.details = tuple(details)


def round_up(number: float) -> int:
    """Round a wait up, but not over a float's last digits: 30.0000000001 is 30."""
    return math.ceil(round(number, 3))


@dataclass(slots=True)
class Call:
    """A request being answered: what is known about it so far, for the log."""

    request: Request
    speed: float = 1.0
    """Run seconds in a second of the wall clock."""
    profile: str = ""
    scene: str | None = None
    job: str | None = None

    def scene_id(self, prompt: str) -> str:
        """Return the scene id that the client sent, else the prompt."""
        return unquote(self.request.headers.get(SCENE_HEADER, "")) or prompt

    def told(self, seconds: float) -> float:
        """Return run seconds as this client counts seconds."""
        ours = self.request.headers.get("User-Agent", "").startswith(OUR_USER_AGENT)
        return seconds if ours else seconds / self.speed

    def told_wait(self, seconds: float | None) -> float | None:
        """Return a wait in run seconds, if there is one, as this client counts seconds."""
        return None if seconds is None else self.told(seconds)


@dataclass(slots=True)
class EmulatorState:
    """Everything that requests share. Used by one event loop; only the log is read by other threads."""

    provider: SeenProvider
    clock: Clock
    latency: float
    """Run seconds before each answer."""
    dialect: str = ""
    """Its name."""
    unknown_keys: int = 0
    """Requests that had no key, or a wrong one."""
    log: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=MAX_LOGGED_REQUESTS))
    """The latest 100,000 requests."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    owners: dict[str, str] = field(init=False)
    """Profile names by key."""

    def __post_init__(self) -> None:
        self.owners = {profile.api_key: name for name, profile in self.provider.profiles.items()}

    async def sleep(self, seconds: float) -> None:
        """Wait this many run seconds."""
        if seconds > 0:
            await asyncio.sleep(self.clock.wall(seconds))

    def log_request(self, call: Call, status: int) -> None:
        """Log an answered request."""
        request = call.request
        line = RequestRecord(
            self.clock.now(), request.method, request.url.path, status, call.profile or None, call.scene, call.job
        )
        with self.lock:
            self.log.append(line)
            self.unknown_keys += status == 401 and not call.profile

    def requests(self) -> list[RequestRecord]:
        """Return the log so far."""
        with self.lock:
            return list(self.log)


Handler = Callable[[Call], Awaitable[Response]]


class Dialect(ABC):
    """One wire format over the provider: its routes, its envelope of errors, and where a request carries its key.

    The keyword-only parameters of a subclass are options that `Emulator` accepts with this dialect.
    """

    root: ClassVar[str] = "/v1"
    """The path that a client's base_url ends with."""

    def __init__(self, state: EmulatorState) -> None:
        self.state = state
        self.provider = state.provider

    @abstractmethod
    def routes(self) -> list[Route]:
        """Return the routes, each made by `route`."""

    @abstractmethod
    def envelope(self, error: ApiError) -> Response:
        """Return an error as the API writes it."""

    def owner(self, request: Request) -> str:
        """Return the profile whose key a request carries, in `Authorization` unless a dialect says otherwise."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise ApiError(401, "You didn't provide an API key: send it as 'Authorization: Bearer <key>'.")
        owner = self.state.owners.get(key.strip())
        if owner is None:
            raise ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
        return owner

    def route(self, path: str, method: str, handler: Handler, *, public: bool = False) -> Route:
        """Return a route that waits the latency, checks the key unless it is `public`, answers, and logs."""

        async def endpoint(request: Request) -> Response:
            call = Call(request, self.state.clock.speed)
            await self.state.sleep(self.state.latency)
            try:
                if not public:
                    call.profile = self.owner(request)
                response = await handler(call)
            except ApiError as error:
                response = self.envelope(error)
            except HTTPException as error:  # a form that can't be parsed
                response = self.envelope(ApiError(error.status_code, error.detail))
            self.state.log_request(call, response.status_code)
            return response

        return Route(path, endpoint, methods=[method])

    def deliver(
        self, call: Call, job: Job, content: bytes, media_type: str, *,
        expired: ApiError, refused: Callable[[str, float | None], ApiError],
    ) -> Response:  # fmt: skip
        """Return a finished job's result, or the part of it that was asked for, or what its faults make of it.

        `expired`: the answer once it has expired. `refused`: makes the answer to a refusal, from its cause and wait.
        """
        now = self.state.clock.now()
        expires = self.provider.expires(job)
        if expires is not None and now >= expires:
            raise expired
        return self.deliver_present(call, job, content, media_type, expired=expired, refused=refused)

    def deliver_present(
        self, call: Call, job: Job, content: bytes, media_type: str, *,
        expired: ApiError, refused: Callable[[str, float | None], ApiError],
    ) -> Response:  # fmt: skip
        """Return a result that has not expired, or what its faults make of it."""
        looks_only = call.request.method == "HEAD"
        fault = None if looks_only else self.provider.fault_of("fetch", job, self.state.clock.now())
        if fault is None:
            part = part_response(content, media_type, call.request.headers)
            if part.status_code == 416:
                raise ApiError(416, "The requested range is not within the file.", headers=part.headers)
            return part
        match fault.kind:
            case "expired":
                raise expired
            case "slow":
                return slow_response(content, media_type, self.state.clock.wall(fault.seconds))
            case "cut_off":
                return CutOffResponse(content, media_type)
            case "wrong_type":
                return HTMLResponse("<html><h1>Please sign in</h1></html>")
        raise refused(fault.kind, call.told_wait(fault.retry_after))

    def explained(self, refused: Refused, error: ApiError) -> ApiError:
        """Return the answer to a refusal with the reason that the provider gives, if it gives one."""
        error.message = refused.reason or error.message
        return error

    def new_id(self, job: Job) -> str:
        """Return an id for a job; unique also across restarts of the emulator, to which a client may come back."""
        key = f"{self.provider.seed}\x1f{job.number}\x1f{job.profile}\x1f{job.scene}"
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def make_app(dialect: Dialect, *more: Route) -> ASGIApp:
    """Return the app of a dialect, and of `more` routes; unknown paths and bugs are answered in its envelope."""
    state = dialect.state
    routes = [*dialect.routes(), *more]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - for mypy
        methods = {
            method
            for route in routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
        headers = {"Allow": ", ".join(sorted(methods | {"OPTIONS"}))} if methods else {}
        if methods and request.method == "OPTIONS":
            response = Response(status_code=204, headers=headers)
        else:
            what = f"{error.detail}: {request.method} {request.url.path}"
            response = dialect.envelope(ApiError(error.status_code, what, headers=headers))
        state.log_request(Call(request), response.status_code)
        return response

    async def broken(request: Request, error: Exception) -> Response:
        if not isinstance(error, CutOff | ClientDisconnect):  # a client may disconnect in the middle of its request
            _log.error("the emulator failed at %s %s", request.method, one_line(request.url.path), exc_info=error)
            state.log_request(Call(request), 500)
        return dialect.envelope(ApiError(500, "The emulator failed; its log says why.", type="server_error"))

    app = Starlette(routes=routes, exception_handlers={HTTPException: refused, Exception: broken})
    return with_common_headers(app)
