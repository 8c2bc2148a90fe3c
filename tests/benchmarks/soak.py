"""A soak: 100,000 scenes over HTTP, 200 profiles, 5 % faults, in ten runs of one session."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter

from tests.benchmarks.measure import Row
from tests.soak import soak

__all__ = ["measure"]

BATCHES, SCENES, PROFILES = 10, 10_000, 200
WARM = 2
"""Batches after which memory is to stay as it is."""


def measure() -> list[Row]:
    """Compare what the process holds at the end with what it held after the first batches."""
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        samples = asyncio.run(soak(Path(folder), batches=BATCHES, scenes=SCENES, profiles=PROFILES))
    took = perf_counter() - began
    warm, last = samples[WARM], samples[-2]
    what = ", ".join(f"{count:,} {status}" for status, count in last.scenes.most_common())
    lost = BATCHES * SCENES - last.scenes.total() + abs(last.paid - last.known)
    lost += abs(last.videos - last.scenes["succeeded"])
    most, files = max(each.files for each in samples), samples[-1].files - samples[0].files
    memory = f"{last.memory / 1e6:.0f} MB / {warm.memory / 1e6:.0f} MB after {WARM * SCENES:,}"
    return [
        Row("soak: memory at the end / warm", memory, last.memory / warm.memory, most=1.15),
        Row("soak: not accounted for", f"{what}; {took:.0f} s", float(lost), "scenes, jobs or files", most=0),
        Row(
            "soak: tasks left by a batch", "the most", float(max(len(each.tasks) for each in samples)), "tasks", most=0
        ),
        Row("soak: files and sockets left open", f"at most {most} open", float(files), "more than before", most=0),
    ]
