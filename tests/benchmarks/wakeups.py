"""How late the driver wakes from a cooldown, and what waiting costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes
from tests.benchmarks.measure import Row
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import NORMAL, Operation, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.ports import BackendError, Profile

__all__ = ["measure"]

COOLDOWNS = 100
SPEED = 50.0
"""A cooldown of 1 s lasts 20 ms."""
IDLE = 2.0
"""Wall seconds."""


class Bouncing(InstantBackend):
    """Every other submit gets a 429; notes when each one arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.now: Callable[[], float] = lambda: 0.0
        self.arrivals: list[float] = []

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Refuse the first, accept the second, and so on."""
        self.arrivals.append(self.now())
        if len(self.arrivals) % 2:
            raise BackendError(RateLimited())
        return await super().submit(scene, profile)


async def lateness() -> list[float]:
    """Return by how many wall milliseconds each submit after a cooldown came too late."""
    backend = Bouncing()
    benched = benched_run(backend, make_profiles(1), mode=NORMAL, speed=SPEED)
    backend.now = benched.live._clock.now
    run = await benched.run(make_scenes(COOLDOWNS))
    ends = [event.until for event in run.events if isinstance(event, ev.CooldownStarted)]
    return [(at - end) / SPEED * 1000 for at, end in zip(backend.arrivals[1::2], ends, strict=True)]


async def idle_share() -> float:
    """Return the share of a core, in percent, that is used while scenes wait and all profiles cool."""
    benched = benched_run(InstantBackend(limited=1.0), make_profiles(4), cooldown=3600.0)
    benched.go(make_scenes(100))
    await asyncio.sleep(0.1)
    wall, cpu = perf_counter(), process_time()
    await asyncio.sleep(IDLE)
    share = (process_time() - cpu) / (perf_counter() - wall) * 100
    benched.live.post(ev.Stopped())
    await asyncio.wrap_future(benched.live.wait_for())
    return share


def measure() -> list[Row]:
    """Measure both in wall time."""
    late = sorted(asyncio.run(lateness()))
    worst = f"median {median(late):.2f} ms, worst {late[-1]:.2f} ms"
    return [
        Row(f"wake-up after a cooldown, p99 of {len(late)}", worst, late[len(late) * 99 // 100 - 1], "ms", most=5),
        Row("CPU while all profiles cool", f"{IDLE:g} s, 100 scenes waiting", asyncio.run(idle_share()), "%", most=1),
    ]
