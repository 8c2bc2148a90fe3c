"""Many scenes in one session over HTTP, with 5 % faults: what it holds on to after each batch, and where all went."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.emulator import Emulator
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Fault, LogNormal, SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

__all__ = ["Sample", "soak"]

SPEED = 50.0
CAPACITY = 4
FAULTS = (
    Fault("rate", probability=0.01, retry_after=20),
    Fault("overload", probability=0.01),
    Fault("lost_answer", probability=0.005),
    Fault("job_failure", probability=0.005),
    Fault("content", probability=0.005),
    Fault("overload", probability=0.005, call="poll"),
    Fault("cut_off", probability=0.01),
)  # together 5 %


@dataclass(frozen=True)
class Sample:
    """What the process holds before the session, after a batch whose run was let go, or once the session is closed."""

    memory: int
    """Resident bytes."""
    files: int
    """Open files and sockets."""
    tasks: tuple[str, ...]
    """What is under way on the loop although it had time to end."""
    scenes: Counter[str]
    """By status."""
    paid: int
    """Jobs that the provider had accepted by then."""
    known: int
    """So many of them the runs know of, counting those in doubt."""
    videos: int
    """Files in the folder."""


def _serve(pipe: Connection, profiles: list[SimulatedProfile], seed: int) -> None:
    with Emulator(profiles, speed=SPEED, seed=seed, faults=FAULTS) as emulator:
        pipe.send(emulator.base_url)
        while pipe.recv() == "paid":
            pipe.send(emulator.provider.accepted)


@contextmanager
def _emulator(profiles: list[SimulatedProfile], seed: int) -> Iterator[tuple[str, Connection]]:
    """Serve in a process of its own: what it remembers is not counted."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, profiles, seed), daemon=True)
    child.start()
    try:
        yield here.recv(), here
        here.send("end")
    finally:
        child.join(10)
        child.kill()


def _paid(run: Run) -> int:
    """Return how many submits were accepted, or may have been."""
    accepted = sum(isinstance(event, ev.Accepted) for event in run.events)
    return accepted + sum(attempt.outcome == "ambiguous" for attempt in run.attempts)


def _held() -> tuple[int, int]:
    """Return this process's resident bytes and its open files."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), _count(Path("/proc/self/fd"))


async def _left() -> tuple[str, ...]:
    """Return the loop's other tasks, those that do not end within ten seconds."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    left = (await asyncio.wait(others, timeout=10))[1] if others else ()
    return tuple(map(repr, left))


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


async def soak(folder: Path, *, batches: int, scenes: int, profiles: int, seed: int = 0) -> list[Sample]:
    """Run `batches` of `scenes` each in one session over so many profiles.

    Return a sample from before the session, one after each batch, and one once the session is closed.
    """
    simulated = [
        SimulatedProfile(f"p{i:03}", service=LogNormal(10, 0.3), capacity=CAPACITY) for i in range(1, profiles + 1)
    ]
    samples: list[Sample] = []
    statuses: Counter[str] = Counter()
    known = 0
    with _emulator(simulated, seed) as (address, pipe):

        async def sample() -> None:
            pipe.send("paid")
            paid = await asyncio.to_thread(pipe.recv)
            tasks = await _left()
            gc.collect()
            samples.append(Sample(*_held(), tasks, statuses.copy(), paid, known, _count(folder)))

        keys = [Profile(each.name, each.api_key, capacity=each.capacity) for each in simulated]
        await sample()
        async with Session(OpenAIVideos(address), keys, mode="boost", output=folder, speed=SPEED, seed=seed) as session:
            for batch in range(batches):
                run = await session.run([Scene(f"b{batch:03}-{i:06}", f"scene {i}") for i in range(scenes)])
                statuses.update(scene.status for scene in run.scenes)
                known += _paid(run)
                del run
                await sample()
        del session
        await sample()
    return samples
