"""What a scene costs, counted in calls: unlike time, that is the same on every machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import vidgen_nb as vg
from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes

SCENES = 300
MAX_LIVE_CALLS = 79
"""Calls of Python functions for a scene of a live run, from its addition to its result, with those of the backend."""
MAX_VIRTUAL_CALLS = 64


def calls_a_scene(run: Callable[[int], Any]) -> float:
    """Return what one scene more costs in a run of so many scenes."""
    counts = []
    for scenes in (SCENES, SCENES, 2 * SCENES):  # the first one warms up
        counts.append(0)

        def count(_frame: FrameType, event: str, _argument: object) -> None:
            counts[-1] += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            run(scenes)
        finally:
            sys.setprofile(before)
    return (counts[2] - counts[1]) / SCENES


def live(scenes: int) -> None:
    """Run scenes live, on a backend that answers at once."""

    async def main() -> None:
        run = await benched_run(InstantBackend(), make_profiles(4)).run(make_scenes(scenes))
        assert run.ended == "settled"

    asyncio.run(main())


def virtual(scenes: int) -> None:
    """Run scenes in virtual time, with a 429 now and then."""
    profiles = [vg.SimulatedProfile(f"p{k}", vg.TokenBucket(8, per=60), vg.Exponential(25), capacity=4) for k in "1234"]
    assert vg.simulate(make_scenes(scenes), profiles, mode="boost").ended == "settled"


def test_a_scene_of_a_live_run_costs_few_calls() -> None:
    """It was 107 when answers that make no room in the air tried profiles in vain (R21); now it is 73."""
    assert calls_a_scene(live) <= MAX_LIVE_CALLS


def test_a_scene_in_virtual_time_costs_few_calls() -> None:
    """It was 97 when a job that was done was polled, and its result fetched, one after the other; now it is 60."""
    assert calls_a_scene(virtual) <= MAX_VIRTUAL_CALLS
