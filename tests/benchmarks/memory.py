"""What a finished run keeps for each scene."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes
from tests.benchmarks.measure import Row

__all__ = ["measure"]

SCENES = 20_000


def measure() -> list[Row]:
    """Count what is allocated from the scenes on, and still held by the live run when it has ended.

    That is Scene objects with their texts, all events with their operations, and the scheduler's states.
    """

    async def main() -> float:
        benched = benched_run(InstantBackend(), make_profiles(4))
        gc.collect()
        tracemalloc.start()
        try:
            await benched.run(make_scenes(SCENES))
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return held / SCENES / 1000

    return [Row("memory a scene", f"{SCENES:,} scenes, all events and states", asyncio.run(main()), "kB", most=4)]
