"""Scenes a second through the whole live path, against the same calls in bare asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import process_time

from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes
from tests.benchmarks.measure import Row, best_of
from vidgen_nb.core.model import Scene
from vidgen_nb.ports import Profile

__all__ = ["live_rate", "measure"]

SCENES = 10_000
AT_ONCE = 100
"""Of the semaphore."""


def bare_rate(scenes: Sequence[Scene], profiles: Sequence[Profile]) -> float:
    """Return scenes per CPU second of a semaphore and one task for each job; nothing is decided or recorded."""

    async def main() -> float:
        backend = InstantBackend()
        free = asyncio.Semaphore(AT_ONCE)

        async def job(scene: Scene, profile: Profile) -> None:
            async with free:
                operation = await backend.submit(scene, profile)
                progress = await backend.poll(operation, profile)
                assert progress.artifact is not None
                await backend.fetch(operation, progress.artifact, profile, None)

        began = process_time()
        async with asyncio.TaskGroup() as tasks:
            for index, scene in enumerate(scenes):
                tasks.create_task(job(scene, profiles[index % len(profiles)]))
        return len(scenes) / (process_time() - began)

    return asyncio.run(main())


def live_rate(scenes: Sequence[Scene], profiles: Sequence[Profile], limited: float = 0.0) -> float:
    """Return scenes per CPU second of a run, from adding its scenes to its end; waiting for cooldowns costs none."""

    async def main() -> float:
        benched = benched_run(InstantBackend(limited), profiles, speed=1000.0)
        began = process_time()
        run = await benched.run(scenes)
        rate = len(scenes) / (process_time() - began)
        assert run.ended == "settled"
        return rate

    return asyncio.run(main())


def measure() -> list[Row]:
    """Compare at 10,000 scenes in boost mode."""
    scenes, few, many = make_scenes(SCENES), make_profiles(4), make_profiles(1000)
    best = best_of(
        {
            "bare": lambda: bare_rate(scenes, few),
            "few": lambda: live_rate(scenes, few),
            "many": lambda: live_rate(scenes, many),
            "limited": lambda: live_rate(scenes, few, limited=0.01),
        }
    )
    k = {name: f"{rate / 1000:.1f} k/s" for name, rate in best.items()}
    return [
        Row("live / bare asyncio, 4 profiles", f"{k['few']} / {k['bare']}", best["few"] / best["bare"], least=0.4),
        Row("live: 1,000 profiles / 4", f"{k['many']} / {k['few']}", best["many"] / best["few"], least=0.8),
        Row("live: 429s on 1 % of submits / none", f"{k['limited']} / {k['few']}", best["limited"] / best["few"]),
    ]
