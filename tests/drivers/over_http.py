"""The driver over real HTTP, client and server on one loop whose time jumps: no machine is too slow for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import uvicorn

from tests.drivers.harness import SocketLoop
from tests.fakes import MemorySink
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.realtime import RealtimeDriver
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import Profile, Progress, Sink, tells_when_it_leaves
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.run import Run

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

__all__ = ["class_over_http", "over_http"]

FIRST = SimulatedProfile("first")
"""Has accepted a submit before the run: until a server has, only one submit at a time leaves to it."""


class CountedCalls(OpenAIVideos):
    """The backend; its loop knows how many of its calls are under way."""

    def __init__(self, base_url: str, loop: SocketLoop) -> None:
        super().__init__(base_url, poll=PollSchedule(shortest=0.0))
        self._loop = loop

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Submit, and be counted."""
        with self._loop.call():
            return await super().submit(scene, profile)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Poll, and be counted."""
        with self._loop.call():
            return await super().poll(operation, profile)

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Fetch, and be counted."""
        with self._loop.call():
            await super().fetch(operation, artifact, profile, sink)


@asynccontextmanager
async def served(emulator: Emulator, loop: SocketLoop) -> AsyncIterator[str]:
    """Serve it on this loop, which knows how many requests are being answered; give its base URL."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break

        async def whole() -> Message:
            return {"type": "http.request", "body": body}

        async def answer(message: Message) -> None:
            waits_here.close()
            await send(message)

        with ExitStack() as waits_here:
            waits_here.enter_context(loop.waits_in_server())
            await emulator.app(scope, whole, answer)

    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", access_log=False, log_config=None, timeout_keep_alive=10_000
    )
    server = uvicorn.Server(config)
    serving = loop.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        await serving


async def _play(simulation: Simulation) -> Run:
    loop: Any = asyncio.get_running_loop()
    clock = Clock(monotonic=loop.time, at=-simulation.latency)  # 0 once the first submit is answered
    emulator = Emulator([*simulation.profiles, FIRST], clock=clock, seed=simulation.seed, latency=simulation.latency)
    *profiles, first = emulator.profiles
    async with served(emulator, loop) as base_url:
        return await _client(CountedCalls(base_url, loop), simulation, profiles, first, clock)


async def _client(
    backend: CountedCalls, simulation: Simulation, profiles: list[Profile], first: Profile, clock: Clock
) -> Run:
    """Run scenes on these profiles to the end."""
    backend.check(first)
    await backend.submit(Scene("first", "a prompt"), first)
    scheduler = Scheduler(
        mode=simulation.mode, policy=simulation.policy, poll=backend.poll_schedule, rng=Random(simulation.seed)
    )
    by_name = {each.name: each for each in profiles}
    driver = RealtimeDriver(scheduler, backend, by_name, clock, lambda scene, number: MemorySink(scene))
    driver.post(*(ev.ProfileAdded(each.name, each.capacity) for each in profiles))
    driver.post(*(ev.SceneAdded(scene) for scene in simulation.scenes), ev.RunStarted())
    await driver.run()
    await backend.aclose()
    return Run({}, scheduler.events)


async def _play_class(simulations: Sequence[Simulation], students: Sequence[SimulatedProfile]) -> tuple[list[Run], Run]:
    loop: Any = asyncio.get_running_loop()
    latency = simulations[0].latency
    clock = Clock(monotonic=loop.time, at=-latency)
    emulator = Emulator([*students, FIRST], clock=clock, latency=latency)
    *profiles, first = emulator.profiles
    async with served(emulator, loop) as base_url:
        clients = (
            _client(CountedCalls(base_url, loop), simulation, [profile], first, clock)
            for simulation, profile in zip(simulations, profiles, strict=True)
        )
        runs = await asyncio.gather(*clients)
        return list(runs), Run({}, list(emulator.events))


def class_over_http(simulations: Sequence[Simulation], students: Sequence[SimulatedProfile]) -> tuple[list[Run], Run]:
    """Run each student's scenes on their own account, all on one emulator; return their runs, and what it saw."""
    with asyncio.Runner(loop_factory=SocketLoop) as runner:
        return runner.run(_play_class(simulations, students))


def over_http(simulation: Simulation) -> Run:
    """Run it over HTTP; all times are the loop's, so it takes as long as the work of this machine."""
    with asyncio.Runner(loop_factory=SocketLoop) as runner:
        return runner.run(_play(simulation))
