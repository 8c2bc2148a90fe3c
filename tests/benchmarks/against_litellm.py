"""Against litellm's Router, which spreads calls over deployments and cools the limited ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter

from tests.benchmarks.instant import InstantBackend, benched_run, make_profiles, make_scenes
from tests.benchmarks.measure import Row, best_of
from vidgen_nb.core.model import Scene
from vidgen_nb.ports import Profile

__all__ = ["measure"]

CALLS = 500
AT_ONCE = 100


def router_rate() -> float:
    """Return calls a second of a Router with 4 deployments whose response is mocked."""
    litellm = import_module("litellm")
    deployment = {"model": "openai/mock", "api_key": "none", "mock_response": "done"}

    async def main() -> float:
        names = [{"model_name": "video", "litellm_params": {**deployment, "organization": f"o{i}"}} for i in range(4)]
        router = litellm.Router(model_list=names)
        free = asyncio.Semaphore(AT_ONCE)

        async def call() -> None:
            async with free:
                await router.acompletion(model="video", messages=[{"role": "user", "content": "a lighthouse"}])

        began = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLS):
                tasks.create_task(call())
        return CALLS / (perf_counter() - began)

    return asyncio.run(main())


def live_rate(scenes: Sequence[Scene], profiles: Sequence[Profile]) -> float:
    """Return scenes a second of a live run; a scene is three calls, and counts as one."""

    async def main() -> float:
        benched = benched_run(InstantBackend(), profiles)
        began = perf_counter()
        await benched.run(scenes)
        return len(scenes) / (perf_counter() - began)

    return asyncio.run(main())


def measure() -> list[Row]:
    """Compare, if litellm is installed."""
    what = "live / litellm Router, 4 profiles"
    if find_spec("litellm") is None:
        return [Row(what, "skipped: pip install litellm", None, least=20)]
    scenes, profiles = make_scenes(CALLS * 10), make_profiles(4)
    best = best_of({"router": router_rate, "live": lambda: live_rate(scenes, profiles)}, repeats=5)
    rates = f"{best['live']:,.0f}/s / {best['router']:,.0f}/s"
    return [Row(what, rates, best["live"] / best["router"], least=20)]
