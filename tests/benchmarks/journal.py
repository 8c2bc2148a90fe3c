"""What a journal costs: the same run with and without one, and how many fsyncs it takes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter

from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes
from tests.benchmarks.measure import Row, best_of

__all__ = ["measure"]

SCENES = 2_000


def journaled_rate(folder: Path | None) -> tuple[float, int]:
    """Return scenes a wall second, and how many fsyncs there were; disks are waited for on the wall, not by a CPU."""

    async def main() -> tuple[float, int]:
        benched = benched_run(InstantBackend(), make_profiles(4), journal=folder)
        began = perf_counter()
        run = await benched.run(make_scenes(SCENES))
        rate = SCENES / (perf_counter() - began)
        assert run.ended == "settled"
        return rate, benched.live.journal.syncs if benched.live.journal is not None else 0

    return asyncio.run(main())


def measure() -> list[Row]:
    """Compare at 2,000 scenes, all submitted at once, over a backend that takes no time: the worst case."""
    syncs: list[int] = []
    with tempfile.TemporaryDirectory() as name:

        def kept() -> float:
            rate, count = journaled_rate(Path(name))
            syncs.append(count)
            return rate

        best = best_of({"none": lambda: journaled_rate(None)[0], "journal": kept})
    k = {name: f"{rate / 1000:.1f} k/s" for name, rate in best.items()}
    return [
        Row("live: with a journal / without", f"{k['journal']} / {k['none']}", best["journal"] / best["none"]),
        Row("fsyncs of a journal", f"{SCENES:,} scenes at once", float(max(syncs)), "", most=100),
    ]
