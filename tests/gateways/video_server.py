"""What the small servers have in common: a thread of their own, jobs, a count of what they cost, and faults.

Each lives in a thread of its own for as long as its `with` block, makes a job of whatever it accepts, and counts what
that would cost. A job advances by being asked about, not by time: `polls_to_finish` polls find it under way. What goes
wrong is switched on by `server.faults`, for a number of calls or for some seconds of the server's clock.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter, sleep
from types import TracebackType
from typing import Any, Final, Literal, Self, get_args
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from vidgen_nb.clock import Clock
from vidgen_nb.emulator.clip import CLIP

__all__ = ["KEY", "PNG", "Fault", "Job", "Phase", "Seen", "VideoServer", "form_of", "html_page"]

KEY: Final = "sk-small-server-1234"
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(24)
_PATH: Final = re.compile(r"/v1/videos(?:/(.+?)(/content)?)?")
Phase = Literal["submit", "poll", "fetch", "cancel", "list"]


@dataclass(frozen=True)
class Seen:
    """One request, and how it was answered."""

    phase: Phase | None
    method: str
    path: str
    status: int
    key: str
    """What stood in `Authorization`, without its scheme."""


@dataclass
class Job:
    """A job that was made, and is paid for."""

    id: str
    fields: dict[str, str]
    """The form's texts, also those that the server does not know."""
    files: dict[str, bytes]
    polls: int = 0
    failure: tuple[int, str] | None = None
    """The code and message that it fails with."""
    image: bytes | None = None
    """The image that the server took, if any."""

    @property
    def prompt(self) -> str:
        """Its prompt."""
        return self.fields.get("prompt", "")

    @property
    def seconds(self) -> int:
        """The seconds of video that are billed."""
        return int(self.fields.get("seconds", "4"))


@dataclass
class Fault:
    """What goes wrong in one phase: the next `times` calls, or those of some `seconds`, are answered by `answer`.

    `makes_job`: a submit is accepted all the same, as behind a gateway that loses the answer. `per_job`: `times` counts
    for each job, not for the server. `delay`: wall seconds before the answer, after the job was made.
    """

    phase: Phase
    answer: Callable[[], Response]
    times: float = float("inf")
    seconds: float = float("inf")
    makes_job: bool = False
    per_job: bool = False
    delay: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    began: float | None = None

    def strikes(self, path: str, now: float) -> bool:
        """Say whether this call is one of those, and count it; the seconds begin with the first."""
        self.began = now if self.began is None else self.began
        place = path if self.per_job else ""
        if now - self.began >= self.seconds or self.struck[place] >= self.times:
            return False
        self.struck[place] += 1
        return True


class _QuickServer(uvicorn.Server):
    """Ends at once: uvicorn looks ten times a second whether it should, and then waits another tenth."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 - it is set from the test's thread
            await asyncio.sleep(0.005)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for _ in range(5):  # also those that were accepted just now
            for connection in list(self.server_state.connections):
                connection.shutdown()
                connection.transport.abort()  # without an answer to what is not answered yet
            await asyncio.sleep(0)


def html_page(status: int, title: str = "Just a moment...") -> Callable[[], Response]:
    """Return what makes a page for people, as proxies and firewalls put before an API."""
    return lambda: HTMLResponse(f"<html><head><title>{title}</title></head></html>", status)


class VideoServer(ABC):
    """The routes that all three have in common, each in its own words; a subclass says what these are."""

    def __init__(self, *, model: str = "wan", polls_to_finish: int = 1, speed: float = 1.0) -> None:
        self.model = model
        self.polls_to_finish = polls_to_finish
        self.clock = Clock(speed)
        self.keys = {KEY}
        self.faults: list[Fault] = []
        self.failing: dict[str, tuple[int, str]] = {}
        """Prompts whose jobs fail, with a code and a message."""
        self.jobs: dict[str, Job] = {}
        """Those that can be asked about."""
        self.made: list[Job] = []
        """All that were accepted, whether anybody heard of it or not."""
        self.seen: list[Seen] = []
        self.port = 0
        self.ready = threading.Event()
        """Requests wait until this is set."""
        self.ready.set()
        self._arrived = {phase: threading.Event() for phase in get_args(Phase)}

    # -- what a test asks

    @property
    def billed_seconds(self) -> int:
        """Seconds of video that somebody pays for."""
        return sum(job.seconds for job in self.made)

    @property
    def jobs_by_prompt(self) -> Counter[str]:
        """How many jobs were made of each prompt."""
        return Counter(job.prompt for job in self.made)

    @property
    def root(self) -> str:
        """The server's origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What a client takes."""
        return self.root + "/v1"

    def count(self, phase: Phase) -> int:
        """Return how many requests of a phase came."""
        return sum(each.phase == phase for each in self.seen)

    def wait_for(self, phase: Phase) -> None:
        """Wait until a request of a phase has come, also one that waits for `ready`."""
        assert self._arrived[phase].wait(10), f"no {phase} came"

    def wait_until_made(self, count: int) -> None:
        """Wait until so many jobs were accepted, whether or not that was answered."""
        until = perf_counter() + 10
        while len(self.made) < count:
            assert perf_counter() < until, f"only {len(self.made)} jobs were made"
            sleep(0.002)

    def fail(self, phase: Phase, answer: Callable[[], Response], **options: Any) -> None:
        """Switch a fault on; options as in `Fault`."""
        self.faults.append(Fault(phase, answer, **options))

    # -- what a subclass says

    @abstractmethod
    def error(self, status: int, message: str, code: str = "") -> Response:
        """Return a refusal in the server's own shape."""

    @abstractmethod
    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Return why a submit is not taken, or None."""

    @abstractmethod
    def new_id(self) -> str:
        """Return the id of the next job."""

    @abstractmethod
    def show(self, job: Job, status: str) -> Response:
        """Return the answer to a poll, or to a submit."""

    @abstractmethod
    def content(self, job: Job) -> Response:
        """Return the answer to a fetch."""

    @abstractmethod
    def delete(self, job: Job) -> Response:
        """Return the answer to a DELETE."""

    @abstractmethod
    def listed(self) -> Response:
        """Return the answer to a GET of all jobs."""

    def models(self) -> Response:
        """Return the models that are served."""
        return JSONResponse({"object": "list", "data": [{"id": self.model, "object": "model"}]})

    def image_of(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes | None:
        """Return the image that the server makes of a form; fields that it does not know are ignored."""
        return files.get("input_reference")

    def unauthorized(self) -> Response:
        """Return the refusal of a key."""
        return self.error(401, "Unauthorized")

    def no_route(self, status: int, method: str, path: str) -> Response:
        """Return the refusal of a path that is not served, or not with this method."""
        return self.error(status, HTTPStatus(status).phrase)

    def missing(self) -> Response:
        """Return the answer about a job that nobody knows, or does not know yet."""
        return self.error(404, "Video not found")

    def unavailable(self) -> Response:
        """Return the answer of a server that is away."""
        return self.error(503, "Service Unavailable")

    # -- how it is served

    async def _handle(self, request: Request) -> Response:
        phase, job_id = _target(request)
        if phase is not None:
            self._arrived[phase].set()
        while not self.ready.is_set():  # noqa: ASYNC110 - it is set from the test's thread
            await asyncio.sleep(0.002)
        response = await self._answer(request, phase, job_id)
        key = request.headers.get("authorization", "").partition(" ")[2]
        self.seen.append(Seen(phase, request.method, request.url.path, response.status_code, key))
        return response

    async def _answer(self, request: Request, phase: Phase | None, job_id: str) -> Response:
        if request.url.path == "/image.png":
            return Response(PNG, media_type="image/png")
        if request.url.path.startswith("/bucket/"):
            return Response(CLIP, media_type="video/mp4")
        if request.url.path == "/v1/models":
            return self.models() if self._knows(request) else self.unauthorized()
        if phase is None:
            status = 405 if _PATH.fullmatch(request.url.path) else 404
            return self.no_route(status, request.method, request.url.path)
        if not self._knows(request):
            return self.unauthorized()
        for fault in self.faults:
            if fault.phase == phase and fault.strikes(request.url.path, self.clock.now()):
                if phase == "submit" and fault.makes_job:
                    self._make(*await form_of(request))
                await asyncio.sleep(fault.delay)
                return fault.answer()
        if phase == "list":
            return self.listed()
        if phase == "submit":
            return await self._submit(request)
        return self._about(phase, job_id)

    def _knows(self, request: Request) -> bool:
        return request.headers.get("authorization", "").partition(" ")[2] in self.keys

    async def _submit(self, request: Request) -> Response:
        fields, files = await form_of(request)
        refusal = self.refuse(fields, files)
        return self.show(self._make(fields, files), "queued") if refusal is None else refusal

    def _make(self, fields: dict[str, str], files: dict[str, bytes]) -> Job:
        image = self.image_of(fields, files)
        job = Job(self.new_id(), fields, files, failure=self.failing.get(fields.get("prompt", "")), image=image)
        self.jobs[job.id] = job
        self.made.append(job)
        return job

    def _about(self, phase: Phase, job_id: str) -> Response:
        job = self.jobs.get(job_id)
        if job is None:
            return self.missing()
        if phase == "cancel":
            return self.delete(job)
        if phase == "fetch":
            return self.content(job)
        job.polls += 1
        if job.polls <= self.polls_to_finish:
            return self.show(job, "in_progress")
        return self.show(job, "completed" if job.failure is None else "failed")

    def is_finished(self, job: Job) -> bool:
        """Say whether a job's last poll found it at its end."""
        return job.polls > self.polls_to_finish

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Serve; again after `stop`, under the same address and with the same jobs."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(512)
        self.port = listener.getsockname()[1]
        routes = [Route("/{path:path}", self._handle, methods=["GET", "POST", "DELETE"])]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http="h11", ws="none", lifespan="off", access_log=False, log_config=None, log_level="critical",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = _QuickServer(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close all connections; whoever calls now is refused."""
        self.ready.set()
        self._server.should_exit = True
        self._thread.join()

    def _serve(self, listener: socket.socket) -> None:
        with listener, asyncio.Runner() as runner:
            runner.run(self._server.serve(sockets=[listener]))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _target(request: Request) -> tuple[Phase | None, str]:
    """Return what a request is for, and the job's id; a slash that is quoted in it stays so, as for most servers."""
    found = _PATH.fullmatch(request.scope["raw_path"].decode())
    if found is None:
        return None, ""
    job, content = found.groups()
    if job is None:
        return {"POST": "submit", "GET": "list"}.get(request.method), ""  # type: ignore[return-value]
    name = job if "%2f" in job.lower() else unquote(job)
    if content:
        return "fetch" if request.method == "GET" else None, name
    return {"GET": "poll", "DELETE": "cancel"}.get(request.method), name  # type: ignore[return-value]


async def form_of(request: Request) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the texts and the files of a submit: multipart, or JSON."""
    if "json" in request.headers.get("content-type", ""):
        data = await request.json()
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in data.items()}, {}
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            else:
                fields[name] = value
    return fields, files
