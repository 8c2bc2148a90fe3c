"""How soon a cooldown reaches other processes through Redis, and how many 429s that saves."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.measure import Row
from tests.sharing.kernels import run_kernels
from tests.sharing.server import RedisServer
from vidgen_nb.sharing.port import AccountCooldown
from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns

__all__ = ["measure"]

WINDOWS = 300
LISTENERS = 2
EVERY = 0.02
"""Wall seconds between two windows."""
SEEDS = range(3)


async def listen(url: str) -> None:
    """Note when each window is heard, in a process of its own, until stdin ends."""
    heard: dict[str, float] = {}
    line = RedisCooldowns(url, check_every=60).join(
        lambda cooldown: heard.setdefault(cooldown.account, time.time())  # type: ignore[arg-type]  # noqa: TID251
    )
    line.watch([str(number) for number in range(WINDOWS)])
    await line.ready()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await line.aclose()
    print(json.dumps(heard))


async def publish(url: str) -> dict[str, float]:
    """Publish one window after the other; return when."""
    line = RedisCooldowns(url).join(lambda _: None)
    await line.ready()
    told = {}
    for number in range(WINDOWS):
        told[str(number)] = time.time()  # noqa: TID251 - compared between processes
        line.publish(AccountCooldown(str(number), 60.0, "429"))
        await asyncio.sleep(EVERY)
    await line.aclose()
    await asyncio.sleep(1)
    return told


def delays(url: str) -> list[float]:
    """Return wall milliseconds from a window's being published to its being heard in another process."""
    command = [sys.executable, "-m", "tests.benchmarks.shared_cooldowns", url]
    listeners = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(LISTENERS)
    ]
    for listener in listeners:
        assert listener.stdout is not None
        listener.stdout.readline()
    told = asyncio.run(publish(url))
    heard = [json.loads(listener.communicate(timeout=60)[0]) for listener in listeners]
    return sorted((each[account] - at) * 1000 for each in heard for account, at in told.items())


def limited(folder: Path, server: RedisServer) -> tuple[int, int, list[float]]:
    """Return the 429s of three processes that share their cooldowns, and of three that don't, and what was late."""
    shared = alone = 0
    late: list[float] = []
    for seed in SEEDS:
        server.call("FLUSHALL")
        seen = run_kernels(folder / f"shared{seed}", server.url, mode="normal", seed=seed)
        shared += seen.limited
        late += [each * 1000 for each in seen.late]
        alone += run_kernels(folder / f"alone{seed}", None, mode="normal", seed=seed).limited
    return shared, alone, late


def measure() -> list[Row]:
    """Measure both, with a server of our own."""
    what = "shared cooldown in another process, p99"
    if shutil.which("redis-server") is None:
        return [Row(what, "skipped: no redis-server", None, "ms", most=50)]
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        try:
            times = delays(server.url)
            shared, alone, late = limited(Path(folder), server)
        finally:
            server.stop()
    p99 = times[len(times) * 99 // 100 - 1]
    return [
        Row(what, f"median {median(times):.2f} ms, worst {times[-1]:.2f} ms of {len(times)}", p99, "ms", most=50),
        Row(
            "429s of 3 processes, sharing / not",
            f"{shared} / {alone}; {len(late)} submits after another's 429, at most {max(late, default=0):.0f} ms after",
            shared / alone,
            most=0.95,
        ),
    ]


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1]))
