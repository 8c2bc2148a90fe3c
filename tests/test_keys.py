"""Planted keys show nowhere: neither in what a run leaves behind nor in its objects' texts, whatever a server does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import httpx
import ipywidgets
import pytest

import vidgen_nb as vg
from tests.tracebacks import shown
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.backends.google.interactions import GoogleInteractions
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.runway.tasks import Runway
from vidgen_nb.core.model import Artifact, Operation, Scene
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.ports import Backend, BackendError, Profile, Secret
from vidgen_nb.provider import Constant, Fault, SimulatedProfile
from vidgen_nb.session.video_folder import VideoFolder

KEY = "sk-PLANTED-0123456789abcdef"
BARE = KEY[3:]
PROMPTS = ["a lighthouse", "a harbour"]


def planted(**options: Any) -> Profile:
    """Return a profile with the key."""
    return Profile("alice", KEY, capacity=1, **options)


def grep(*texts: str | bytes) -> None:
    """Fail if a text contains the key, in any case; the texts themselves are not quoted at length."""
    for number, text in enumerate(texts):
        found = text.decode("latin-1") if isinstance(text, bytes) else text
        place = found.lower().find(BARE.lower())
        assert place < 0, f"text {number}: …{found[max(0, place - 200) : place]}[the key]"


def everything(*roots: object) -> Iterator[object]:
    """Yield what can be reached by attributes, slots and containers, but for what a Secret encloses.

    A server that a test has put in the network's place knows what it was sent.
    """
    seen: dict[int, object] = {}
    todo = list(roots)
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(
            thing, Secret | Echo | ModuleType | FunctionType | BuiltinFunctionType | type
        ):
            continue
        seen[id(thing)] = thing
        yield thing
        if isinstance(thing, Mapping):
            todo += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            todo += list(thing)
        elif not isinstance(thing, str | bytes | int | float | complex | None):
            todo += list(getattr(thing, "__dict__", {}).values())
            slots = [name for kind in type(thing).__mro__ for name in _slots(kind)]
            todo += [getattr(thing, name) for name in slots if hasattr(thing, name)]


def _slots(kind: type) -> list[str]:
    slots: Any = kind.__dict__.get("__slots__", ())
    named = [slots] if isinstance(slots, str) else list(slots)
    # inside a class body two underscores at the front stand for the class, too
    hidden = [f"_{kind.__name__.lstrip('_')}{name}" for name in named if name.startswith("__")]
    return [*named, *hidden]


def described(base_url: str, **options: Any) -> HttpBackend:
    """Return a described backend, with the key in a header that httpx does not know for one."""
    return HttpBackend(
        base_url,
        submit="/videos",
        body=lambda scene: {"prompt": scene.prompt},
        poll="/videos/{id}",
        statuses={"completed": "succeeded"},
        content="/videos/{id}/content",
        form=True,
        **options,
    )


class Refused(httpx.AsyncBaseTransport):
    """A network that httpx itself refuses to use, with a reason."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse."""
        raise httpx.LocalProtocolError(f"Illegal header value {request.headers.raw}")


class Echo:
    """A server that echoes the key everywhere it can."""

    def __init__(self, status: int, *, transport: bool = False) -> None:
        self.status, self.transport = status, transport
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Echo."""
        self.requests.append(request)
        if self.transport:
            raise httpx.ReadError(f"lost after {dict(request.headers)} {KEY}", request=request)
        says = f"bad key {KEY} or Bearer {KEY.upper()}"
        error = {"message": says, "code": KEY, "type": KEY, "param": KEY}
        return httpx.Response(
            self.status,
            json={"error": error, "detail": says, "id": "video_1", "status": "failed"},
            headers={"X-Echo": KEY, "Location": f"https://elsewhere.example/?key={KEY}", "Retry-After": KEY},
            extensions={"reason_phrase": f"No {KEY}".encode()},
        )


SERVERS: dict[str, Callable[[], Echo]] = {
    "echoes with 401": lambda: Echo(401),
    "echoes with 400": lambda: Echo(400),
    "echoes with 429": lambda: Echo(429),
    "echoes with 503": lambda: Echo(503),
    "echoes with 307": lambda: Echo(307),
    "echoes with 200": lambda: Echo(200),
    "drops the connection": lambda: Echo(0, transport=True),
}
BACKENDS: dict[str, Callable[..., Backend]] = {
    "OpenAIVideos": OpenAIVideos,
    "HttpBackend": lambda base_url, **options: described(base_url, auth="X-Api-Key: {key}", **options),
}
ECHOED: dict[str, Callable[..., Backend]] = {**BACKENDS, "GoogleInteractions": GoogleInteractions, "Runway": Runway}
DIALECTS_OF = {"GoogleInteractions": "google_interactions", "Runway": "runway"}
"""Of the emulator; the others speak its default."""


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that is logged at DEBUG, by whomever."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio", "vidgen_nb", "uvicorn"):
        caplog.set_level(logging.DEBUG, logger=name)
    return lambda: caplog.text + "".join(str(vars(record)) for record in caplog.records)


def traces(session: vg.Session | Controller, run: vg.Run, folder: Path) -> list[str | bytes]:
    """Return all that a run leaves behind."""
    run.save(folder / "run.jsonl")
    left: list[str | bytes] = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    left += [str(path) for path in folder.rglob("*")]
    left += [run.html(), run.svg(), run.gantt().to_json(), run._repr_html_(), str(run.header), repr(run.events)]
    left += [repr(each) for table in (run.scenes, run.attempts, run.cooldowns, run.moves) for each in table]
    left += [repr(session), repr(session.profiles), repr(session.cooling)]
    left += [profile._repr_html_() for profile in session.profiles.values()]
    left += [repr(checks := session.check()), checks._repr_html_()]
    if isinstance(session, Controller):
        assert session.panel
        assert session._panel_holder.panel is not None
        session.runner.loop.call(session._panel_holder.panel.ticker.update_now)
        left += [json.dumps(session._repr_mimebundle_())]
        widgets = [
            each
            for each in everything(session.panel, session._panel_holder.panel)
            if isinstance(each, ipywidgets.Widget)
        ]
        assert len(widgets) > 20
        left += [repr(each.get_state()) for each in widgets]
        left += [path.read_bytes() for path in session.export(folder / "exports")]
    return left


def strings(*roots: object) -> list[str | bytes]:
    """Return every text, and how every object shows itself."""
    return [thing if isinstance(thing, str | bytes) else repr(thing) for thing in everything(*roots)]


@pytest.mark.parametrize("backend", ECHOED)
@pytest.mark.parametrize("server", SERVERS)
def test_a_run_against_a_server_that_says_the_key(
    server: str, backend: str, tmp_path: Path, logged: Callable[[], str]
) -> None:
    """Nothing of the run, its panel, log, errors and objects has it, and no URL; it does reach the server."""
    echo = SERVERS[server]()
    made = ECHOED[backend]("https://api.example/v1", transport=httpx.MockTransport(echo))
    errors: list[BaseException] = []
    retry = vg.RetryPolicy(max_failures=2, backoff=0.1, deadline=5)
    ctl = Controller(
        made, [planted()], policy=vg.PerProfileCooldown(1), retry=retry, output=tmp_path / "videos",
        journal=tmp_path / "runs", speed=50,
    )  # fmt: skip
    with ctl:
        try:
            run = ctl.run_blocking(PROMPTS)
        except VidgenError as error:
            errors.append(error)
            assert ctl.last_run is not None
            run = ctl.last_run
        assert any(attempt.reason for attempt in run.attempts), "the server's word is recorded"
        grep(*traces(ctl, run, tmp_path))
        grep(*strings(ctl.runner.state, ctl.runner.resources, made, run, ctl.runner.live))
    grep(logged(), *(text for error in errors for text in shown(error)), *strings(*errors))
    grep(*(str(request.url) for request in echo.requests))
    sent = [str(request.headers.raw) for request in echo.requests]
    assert BARE in sent[0] and all(BARE in headers or "asks-with-no-key" in headers for headers in sent)


@pytest.mark.parametrize("backend", ECHOED)
def test_the_errors_of_single_calls(backend: str, tmp_path: Path, logged: Callable[[], str]) -> None:
    """Each phase, each trouble: tracebacks with the local variables of every frame, and what hangs on the error."""

    async def go(server: Echo) -> None:
        made = ECHOED[backend]("https://api.example/v1", transport=httpx.MockTransport(server))
        profile, job = planted(), Operation("video_1", backend)
        sink = VideoFolder(tmp_path).sink("s1", 1)
        calls: list[Callable[[], Any]] = [
            lambda: made.submit(Scene("s1", "x"), profile),
            lambda: made.poll(job, profile),
            lambda: made.fetch(job, Artifact("with_key", "https://api.example/v1/files/x"), profile, sink),
            lambda: made.cancel(job, profile),
            lambda: made.probe(profile),  # type: ignore[attr-defined]
        ]
        for call in calls:
            try:
                answer = await call()
            except BackendError as error:
                grep(*shown(error), *strings(error))
            else:
                grep(repr(answer))
        await made.aclose()

    with pytest.raises(RuntimeError, match="LocalProtocolError") as caught:
        asyncio.run(ECHOED[backend]("https://api.example/v1", transport=Refused()).poll(Operation("v"), planted()))
    grep(*shown(caught.value), *strings(caught.value))
    for name in ("echoes with 401", "echoes with 200", "echoes with 307", "drops the connection"):
        asyncio.run(go(SERVERS[name]()))
    grep(logged())


@pytest.mark.parametrize("trouble", ["none", "wrong key", "faults", "nobody listens"])
@pytest.mark.parametrize("backend", ECHOED)
def test_a_run_over_real_http(backend: str, trouble: str, tmp_path: Path, logged: Callable[[], str]) -> None:
    """Over sockets, with httpx and httpcore logging at DEBUG: success, a refused key, faults, nobody there."""
    faults = [Fault("overload", nth=2), Fault("cut_off", nth=1)] if trouble == "faults" else []
    key = "sk-another" if trouble == "wrong key" else KEY
    simulated = SimulatedProfile("alice", service=Constant(5), api_key=key)
    dialect = DIALECTS_OF.get(backend, "openai_videos")
    with Emulator([simulated], speed=100, faults=faults, dialect=dialect) as emulator:
        base_url = "http://127.0.0.1:9/v1" if trouble == "nobody listens" else emulator.base_url
        made = described(base_url) if backend == "HttpBackend" else ECHOED[backend](base_url)
        retry = vg.RetryPolicy(max_failures=2, backoff=0.1)
        with Controller(
            made, [planted()], retry=retry, output=tmp_path / "videos", journal=tmp_path / "runs", speed=100
        ) as ctl:
            try:
                run = ctl.run_blocking(PROMPTS)
            except vg.NoUsableProfile as error:
                grep(*shown(error), *strings(error))
                run = error.run
            if trouble == "none":
                assert run.metrics().scenes["succeeded"] == 2
            grep(*traces(ctl, run, tmp_path))
            grep(*strings(made, run, ctl.runner.live))
        grep(logged(), *(repr(record) for record in emulator.requests))
    assert "httpcore" in logged() and ("HTTP Request" in logged() or trouble == "nobody listens"), "they were heard"


def test_an_answer_that_echoes_the_key_in_a_header_over_real_http(tmp_path: Path, logged: Callable[[], str]) -> None:
    """The headers of an answer in httpcore's log and its reason phrase in that of httpx: both without the key."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"status": "queued", "echo": KEY}).encode()
        head = f"HTTP/1.1 200 Fine {KEY}\r\nX-Echo: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async def go() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            made = OpenAIVideos(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            assert (await made.poll(Operation("video_1"), planted())).status == "queued"
            await made.aclose()

    asyncio.run(go())
    assert "Fine [key]" in logged() and "receive_response_headers.complete" in logged()
    grep(logged())


def test_a_key_in_the_backends_or_a_profiles_place(tmp_path: Path) -> None:
    """The error says what is expected, and does not show what was given."""
    given: Any = KEY
    with Controller(OpenAIVideos(), [planted()], output=tmp_path, journal=None) as ctl:
        calls: list[Callable[[], object]] = [
            lambda: vg.Session(given, [planted()]),
            lambda: vg.Session(OpenAIVideos(), given),
            lambda: vg.Session(OpenAIVideos(), [given]),
            lambda: vg.restore(tmp_path, given, [planted()]),
            lambda: ctl.add_profile(given),
            lambda: ctl.set_capacity("alice", given),
        ]
        for call in calls:
            with pytest.raises(InputError, match=r"not a str$") as caught:
                call()
            grep(str(caught.value), repr(caught.value))


def test_a_session_that_was_refused_can_be_shown() -> None:
    """A traceback with the local variables of all frames has it, half made as it is."""
    for kind in (vg.Session, Controller):
        with pytest.raises(InputError) as caught:
            kind(OpenAIVideos(), [planted()], speed=0)
        assert f"<{kind.__name__}, refused" in shown(caught.value)[0]
        assert repr(kind.__new__(kind)).startswith(f"<{kind.__name__}, ")


def test_nothing_with_a_key_is_pickled() -> None:
    """A pickle would be a file with the key in it."""
    with vg.Session(OpenAIVideos("http://127.0.0.1:9/v1"), [planted()]) as session:
        for thing in (planted(), planted().api_key, session, session.profiles, [planted()]):
            with pytest.raises((TypeError, AttributeError)):
                pickle.dumps(thing)


NOTEBOOK = """
%xmode Verbose
import os, logging
import vidgen_nb as vg
from tests.tracebacks import shown
logging.basicConfig(level=logging.DEBUG)
alice = vg.Profile.from_env("alice")
alice
---
ctl = vg.Controller(vg.OpenAIVideos(os.environ["URL"]), [alice], speed=100)
ctl
---
print(ctl.check()); ctl.check()
---
run = await ctl.run(["a lighthouse"])
run
---
run.gantt()
---
vg.Profile("bob", capacity=0, api_key=os.environ["ALICE_API_KEY"])
---
vg.Session(vg.OpenAIVideos("nowhere"), [alice])
---
bad = vg.Session(vg.OpenAIVideos(os.environ["URL"]), [vg.Profile.from_env("bob")])
await bad.run(["a harbour"])
---
vg.Profile.ask("carol")
---
ctl.close(); bad.close()
"""
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(text.strip()) for text in open(sys.argv[1]).read().split("---")]
book = nbformat.v4.new_notebook(cells=cells)
NotebookClient(book, timeout=60, allow_errors=True, store_widget_state=True).execute()
nbformat.write(book, sys.argv[2])
"""


@pytest.mark.long
def test_a_saved_notebook(tmp_path: Path) -> None:
    """Outputs, widget state, verbose tracebacks and logs of a notebook: none has a key."""
    (tmp_path / "cells.txt").write_text(NOTEBOOK)
    with Emulator([SimulatedProfile("alice", api_key=KEY)], speed=100) as emulator:
        environment = {**os.environ, "ALICE_API_KEY": KEY, "BOB_API_KEY": f"{KEY}-wrong", "URL": emulator.base_url}
        subprocess.run(
            [sys.executable, "-c", EXECUTE, str(tmp_path / "cells.txt"), str(tmp_path / "book.ipynb")],
            cwd=tmp_path, env=environment, check=True, timeout=110, capture_output=True,
        )  # fmt: skip
    text = (tmp_path / "book.ipynb").read_text()
    for seen in ("HTTP Request", "NoUsableProfile", "capacity is a whole number", "would be visible", "1 succeeded"):
        assert seen in text
    outputs = [output for cell in json.loads(text)["cells"] for output in cell["outputs"]]
    errors = [output["ename"] for output in outputs if output["output_type"] == "error"]
    assert errors == ["InputError", "InputError", "NoUsableProfile", "InputError"]
    grep(text, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()))
