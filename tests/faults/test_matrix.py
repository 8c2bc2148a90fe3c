"""A matrix of faults × phases: each fault gets its outcome, and the run continues.

Every cell is a whole session over real sockets: scene s1 goes to alice, whose first call of the phase is struck by the
fault, s2 to bruno, who is healthy. What follows for s1 is told by the outcome alone (rules R8 to R13, `follows`).
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.audit import audit
from tests.faults.server import Fault, Request, Server, answer, reset, serving
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire import http
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, RetryPolicy, Scene
from vidgen_nb.core.outcomes import Ambiguous, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import NoUsableProfile
from vidgen_nb.ports import Profile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

PHASES = ("submit", "poll", "fetch", "cancel")
SCENES = [Scene("s1", "a lighthouse"), Scene("s2", "a harbour")]
KEYS = {"alice": "sk-alice", "bruno": "sk-bruno"}
SILENCE = 0.5
"""Wall seconds until a silent server is given up, where that is the fault."""
TOTAL_TIMEOUT_FACTOR = 2
"""So many times that for a server that trickles."""
PATIENT = 10.0
"""Wall seconds otherwise, for a busy machine."""
SPEED = 500.0
Writer = asyncio.StreamWriter


def says(*pieces: bytes) -> Fault:
    """Return the fault of a server that writes these bytes and closes."""

    async def fault(request: Request, writer: Writer) -> None:
        writer.write(b"".join(pieces))
        await writer.drain()

    return fault


def refuses(status: int, code: str | None = None, **headers: str) -> Fault:
    """Return the fault of a server that answers with an error in the OpenAI shape."""
    return says(answer({"error": {"message": "m", "type": "t", "code": code}}, status, **headers))


async def resets(request: Request, writer: Writer) -> None:
    """Take the request, then reset the connection."""
    reset(writer)


async def closes(request: Request, writer: Writer) -> None:
    """Take the request, and close without a word."""


async def is_silent(request: Request, writer: Writer) -> None:
    """Take the request, and never answer."""
    await until_gone(writer)


async def trickles(request: Request, writer: Writer) -> None:
    """Answer as wanted, a byte at a time, each well before the timeout."""
    for byte in request.good:
        writer.write(bytes([byte]))
        await until_gone(writer, SILENCE / 5)


async def trickles_its_body(request: Request, writer: Writer) -> None:
    """Answer with a head at once, and then a byte at a time."""
    head, _, body = request.good.partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    for byte in body.ljust(100):
        writer.write(bytes([byte]))
        await until_gone(writer, SILENCE / 2)


async def goes_on_and_on(request: Request, writer: Writer) -> None:
    """Say "100 Continue" for ever."""
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await until_gone(writer, SILENCE / 5)


async def cuts_off(request: Request, writer: Writer) -> None:
    """Answer with half of a body under the length of the whole."""
    writer.write(request.good[: -len(request.good.partition(b"\r\n\r\n")[2]) // 2])
    await writer.drain()


async def has_no_end(request: Request, writer: Writer) -> None:
    """Answer with a body that never ends."""
    kind = b"video/mp4" if request.phase == "fetch" else b"application/json"
    writer.write(b"HTTP/1.1 200 X\r\nContent-Type: " + kind + b"\r\n\r\n\0\0\0\x20ftyp")
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()


async def mislabels(request: Request, writer: Writer) -> None:
    """Answer as wanted, under another type."""
    kind = b"text/plain" if request.phase == "fetch" else b"video/mp4"
    writer.write(request.good.replace(b"video/mp4", kind).replace(b"application/json", kind))
    await writer.drain()


async def redirects(request: Request, writer: Writer) -> None:
    """Send the client to where it is."""
    writer.write(answer(b"", 302, Location=request.path))
    await writer.drain()


async def until_gone(writer: Writer, seconds: float = 60.0) -> None:
    """Wait, at most until the client has hung up."""
    await writer.drain()
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(min(seconds, SILENCE / 10))
        if writer.transport.is_closing():
            raise ConnectionResetError


BOMB = gzip.compress(b" " * 50_000_000)
GZIP: dict[str, Any] = {"Content_Encoding": "gzip"}
PAGE = b"<!doctype html><title>Sign in</title>"
LOST = (Ambiguous, Transient, Transient, Transient)
TAKEN = (Ambiguous, Transient, Transient, None)
"""As `LOST`, but the status of the answer to a cancel is enough."""

FAULTS: dict[str, tuple[Fault, Sequence[type | None]]] = {
    # fault: what happens, and the outcome of submit, poll, fetch, cancel; None: it does no harm
    "reset after sending": (resets, LOST),
    "closed without an answer": (closes, LOST),
    "silent": (is_silent, LOST),
    "trickling": (trickles, LOST),
    "trickling body": (trickles_its_body, LOST),
    "100 Continue for ever": (goes_on_and_on, LOST),
    "cut-off body": (cuts_off, LOST),
    "Content-Length is no number": (says(b"HTTP/1.1 200 X\r\nContent-Length: banana\r\n\r\n{}"), LOST),
    "two Content-Lengths": (says(b"HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), LOST),
    "another protocol": (says(b"SSH-2.0 sk-alice\r\n\r\n"), LOST),
    "endless headers": (says(b"HTTP/1.1 200 X\r\n", b"X-A: b\r\n" * 50_000), LOST),
    "wrong type": (mislabels, (None, None, None, None)),
    "HTML for JSON": (says(answer(PAGE, Content_Type="text/html")), LOST),
    "empty body": (says(answer(b"")), TAKEN),
    "no content": (says(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"), TAKEN),
    "JSON that is no object": (says(answer([1, "x"])), TAKEN),
    "JSON too deep": (says(answer(b"[" * 200_000)), TAKEN),
    "200, an error in it": (refuses(200, "server_error"), (Transient, Transient, Transient, Transient)),
    "200, a refusal in it": (refuses(200, "content_policy_violation"), (Permanent,) * 4),
    "gzip garbage": (says(answer(b"\x1f\x8bnonsense", **GZIP)), TAKEN),
    "gzip bomb": (says(answer(BOMB, **GZIP)), TAKEN),
    "a compression not asked for": (says(answer(b"{}", Content_Encoding="br")), TAKEN),
    "endless body": (has_no_end, TAKEN),
    "redirect loop": (redirects, (Permanent, Transient, Transient, Transient)),
    "redirect to nowhere": (says(answer(b"", 301, Location="http://[")), (Permanent, Transient, Transient, Transient)),
    "500": (refuses(500), (Transient,) * 4),
    "502": (refuses(502), LOST),
    "503": (refuses(503, Retry_After="2"), (Transient,) * 4),
    "504 in HTML": (says(answer(PAGE, 504, Content_Type="text/html")), LOST),
    "429": (refuses(429, Retry_After="2"), (RateLimited,) * 4),
    "401 midway": (refuses(401, "invalid_api_key"), (ProfileUnusable,) * 4),
    "no credit": (refuses(429, "insufficient_quota"), (ProfileUnusable,) * 4),
    "the day's quota": (refuses(429, "daily_quota_exceeded", Retry_After="20"), (ProfileUnusable,) * 4),
    "400": (refuses(400), (Permanent, Permanent, Permanent, None)),
    "404": (refuses(404), (Permanent, Permanent, Permanent)),  # a cancel is too late then, and polls tell
}


def follows(phase: str, outcome: type | None) -> str:
    """Return what becomes of s1 after one such outcome in a phase."""
    if phase == "cancel":
        return "cancelled"  # tried again until it is
    if phase == "submit" and outcome is Permanent:
        return "failed"
    if outcome is Ambiguous:
        return "held"  # it may be accepted: never sent again by itself
    return "succeeded"  # what is accepted is asked about again


def described(base_url: str, **options: Any) -> HttpBackend:
    """Return the same API, as somebody would describe it."""
    return HttpBackend(
        base_url, submit="/videos", body=lambda scene: {"prompt": scene.prompt, "scene": scene.id}, poll="/videos/{id}",
        statuses={"completed": "succeeded", "in_progress": "running"}, content="/videos/{id}/content",
        headers={"X-Team": "films"}, **options,
    )  # fmt: skip


CELLS = [
    pytest.param(make, fault, phase, outcomes[at], id=f"{name}-{phase}{also}")
    for make, phases, also in ((OpenAIVideos, PHASES, ""), (described, PHASES[:3], "-described"))
    for name, (fault, outcomes) in FAULTS.items()
    for at, phase in enumerate(phases[: len(outcomes)])
]
"""A described API has no cancel of its own here."""


async def play(
    folder: Path,
    server: Server,
    *,
    make: Callable[..., OpenAIVideos | HttpBackend] = OpenAIVideos,
    transport: httpx.AsyncBaseTransport | None = None,
    silence: float = PATIENT,
    retry: RetryPolicy | None = None,
) -> Run:
    """Run both scenes on the server, and cancel s1 when the fault is meant for cancels."""
    profiles = [Profile(name, key, capacity=1) for name, key in KEYS.items()]
    async with serving(server) as url:
        backend = make(url, timeout=silence, transport=transport)
        # else a first answer without a job stops the run: tests/backends/wire/test_first_answers.py
        backend._first_answers.confirm(url)
        async with Session(backend, profiles, mode="boost", output=folder, speed=SPEED, retry=retry) as session:

            def cancel(events: Sequence[ev.Event]) -> None:
                if any(isinstance(each, ev.Accepted) and each.scene == "s1" for each in events):
                    session.cancel("s1")

            if server.phase == "cancel":
                server.endless = True
                session.observe(cancel)
            return await session.run(SCENES)


def check(run: Run, server: Server, phase: str, outcome: type | None, folder: Path) -> None:
    """Check outcome and end of s1, that s2 came through, that all rules hold, and that nothing is left behind."""
    failed = [e for e in run.events if isinstance(e, ev.CallFailed) and e.scene == "s1"]
    assert [(e.phase, type(e.outcome)) for e in failed[:1]] == ([] if outcome is None else [(phase, outcome)])
    assert not any("sk-alice" in e.outcome.reason or len(e.outcome.reason) > 320 for e in failed)
    assert server.struck >= 1, "the fault never struck"
    ends = {scene.id: scene.status for scene in run.scenes}
    assert ends == {"s1": follows(phase, outcome), "s2": "succeeded"}, run.scenes[0].error
    assert run.ended == "settled"
    audit(run.events, BOOST)
    taken = [e for e in run.events if isinstance(e, ev.Accepted)]
    assert len(taken) == len({e.scene for e in taken}), "accepted twice"
    assert sorted(file.name for file in folder.iterdir()) == [f"{s}.mp4" for s in ends if ends[s] == "succeeded"]


@pytest.mark.parametrize(("make", "fault", "phase", "outcome"), CELLS)
def test_fault(
    make: Callable[..., OpenAIVideos | HttpBackend],
    fault: Fault,
    phase: str,
    outcome: type | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault in a phase has its outcome, ends its scene as the rules require, and affects no other."""
    monkeypatch.setattr(http, "MAX_VIDEO_BYTES", 2_000_000)
    loops = 1 + http._MAX_REDIRECTS if fault is redirects and phase in ("poll", "fetch") else 1
    server = Server(fault, phase, KEYS["alice"], times=loops)
    began = time.perf_counter()
    is_slow = fault in (is_silent, trickles, trickles_its_body, goes_on_and_on)
    if is_slow:
        monkeypatch.setattr(http, "TOTAL_TIMEOUT_FACTOR", TOTAL_TIMEOUT_FACTOR)
    run = asyncio.run(play(tmp_path, server, make=make, silence=SILENCE if is_slow else PATIENT))
    assert time.perf_counter() - began < 10, "bounded in time, on a slow machine too"
    check(run, server, phase, outcome, tmp_path)
    if outcome is Ambiguous:
        assert server.submits["s1"] == 1, "sent twice"


class Elsewhere(httpx.AsyncHTTPTransport):
    """Sends the first call of a phase with alice's key to another address."""

    def __init__(self, phase: str, host: str, port: int, server: Server) -> None:
        super().__init__()
        self._phase, self._to, self._server = phase, {"host": host, "port": port}, server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Turn it aside, or not."""
        phase = {"POST": "submit", "DELETE": "cancel"}.get(request.method, "poll")
        phase = "fetch" if request.url.path.endswith("/content") else phase
        if phase == self._phase and KEYS["alice"] in request.headers["authorization"] and not self._server.struck:
            self._server.struck += 1
            request = httpx.Request(request.method, request.url.copy_with(**self._to), headers=request.headers)
        return await super().handle_async_request(request)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", ["refused", "no such host"])
def test_no_connection(fault: str, phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, or the name is not known, nothing was sent: transient in every phase, a submit too."""
    known = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        if host in ("nowhere.example", b"nowhere.example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        server = Server(phase=phase)
        host = "127.0.0.1" if fault == "refused" else "nowhere.example"
        run = asyncio.run(play(tmp_path, server, transport=Elsewhere(phase, host, port, server)))
    check(run, server, phase, Transient, tmp_path)
    assert server.submits == {"s1": 1, "s2": 1}


def test_reset_before_sending(tmp_path: Path) -> None:
    """A connection that is reset before the server reads from it: nobody can know, so the submit is held."""
    server = Server(unread=True)
    run = asyncio.run(play(tmp_path, server))
    check(run, server, "submit", Ambiguous, tmp_path)
    assert server.submits == {"s2": 1}


@pytest.mark.parametrize("phase", ["submit", "poll", "fetch"])
def test_a_storm_of_errors_passes(phase: str, tmp_path: Path) -> None:
    """Six 503 in a row; then the scene succeeds all the same, after submits on whichever profile."""
    server = Server(refuses(503), phase, KEYS["alice"], times=6)
    run = asyncio.run(play(tmp_path, server))
    check(run, server, phase, Transient, tmp_path)


@pytest.mark.parametrize(("status", "seconds"), [(500, 600), (401, 600), (404, 660)])
@pytest.mark.parametrize("phase", ["poll", "fetch"])
def test_a_storm_that_does_not_pass(phase: str, status: int, seconds: float, tmp_path: Path) -> None:
    """When patience is over the scene is held; its job is named, since it was paid for, and not submitted again."""
    server = Server(refuses(status), phase, KEYS["alice"], times=float("inf"))
    run = asyncio.run(play(tmp_path, server, retry=RetryPolicy(job_timeout=seconds)))
    assert [scene.status for scene in run.scenes] == ["held", "succeeded"]
    assert "accepted as 'job-s1'" in (run.scenes[0].error or "")
    assert server.submits == {"s1": 1, "s2": 1}
    assert server.struck > 7
    audit(run.events, BOOST)


def test_all_quotas_are_gone(tmp_path: Path) -> None:
    """When no profile is left the run ends with `NoUsableProfile`, which has the run; the scenes stay queued."""
    quota = refuses(402)
    server = Server(quota, "submit", KEYS["alice"], times=float("inf"))
    also = Server(quota, "submit", KEYS["bruno"], times=float("inf"))

    async def go() -> None:
        async with serving(server) as first, serving(also) as second:
            profiles = [
                Profile("alice", KEYS["alice"], base_url=first, capacity=1),
                Profile("bruno", KEYS["bruno"], base_url=second, capacity=1),
            ]
            async with Session(OpenAIVideos(), profiles, mode="boost", output=tmp_path, speed=SPEED) as session:
                await session.run(SCENES)

    with pytest.raises(NoUsableProfile, match="HTTP 402") as caught:
        asyncio.run(go())
    assert [scene.status for scene in caught.value.run.scenes] == ["queued", "queued"]
    audit(caught.value.run.events, BOOST)


def test_a_job_that_is_never_over(tmp_path: Path) -> None:
    """A server that says "in progress" for ever: after `job_timeout` the job is cancelled there, the scene fails."""
    server = Server(endless=True)

    async def go() -> Run:
        async with serving(server) as url:
            profiles = [Profile(name, key, capacity=1) for name, key in KEYS.items()]
            retry = RetryPolicy(job_timeout=50)
            async with Session(
                OpenAIVideos(url), profiles, mode="boost", retry=retry, output=tmp_path, speed=SPEED
            ) as session:
                return await session.run(SCENES[:1])

    run = asyncio.run(go())
    assert [scene.status for scene in run.scenes] == ["failed"]
    assert "job_timeout=50 s" in (run.scenes[0].error or "")
    assert [request.scene for request in server.requests if request.phase == "cancel"] == ["s1"]
    assert server.submits == {"s1": 1}


def test_steps_of_the_wall_clock_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the wall clock jumps by years at each look, cooldowns keep their length and times go forward."""
    jumps = itertools.cycle([0.0, 4e9, 1.0, 1.7e9])
    server = Server(refuses(429), "submit", KEYS["alice"])
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: next(jumps))
        run = asyncio.run(play(tmp_path, server))
    check(run, server, "submit", RateLimited, tmp_path)
    times = [event.at for event in run.events]
    assert times == sorted(times)
    assert times[-1] < 10 * SPEED
    assert [window.end - window.start for window in run.cooldowns] == [pytest.approx(30)]
