"""Several processes that share accounts on one emulator, and what the emulator saw of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from vidgen_nb.emulator import Emulator
from vidgen_nb.emulator.app import RequestRecord
from vidgen_nb.provider import LogNormal, SimulatedProfile, TokenBucket

__all__ = ["COOLDOWN", "SPEED", "Seen", "run_kernels"]

SPEED = 20.0
COOLDOWN = 30.0
"""Run seconds; at this speed 1.5 s on the wall."""

STAGGER = 0.2
"""Wall seconds between the begin of one process and the next: nobody starts them in the same instant."""


@dataclass
class Seen:
    """What came of it; times in wall seconds."""

    limited: int
    """429s, of all processes."""
    submits: int
    late: list[float]
    """How long after a 429's answer others still sent submits for that account, before the cooldown's end."""
    answered: list[float]
    """The same by the emulator's log, which has the time of the answer."""
    delays: list[float]
    """From a cooldown's start in one process to its being imposed in another."""
    statuses: list[str]


def run_kernels(
    folder: Path, redis: str | None, *, mode: str = "boost", kernels: int = 3, scenes: int = 10, seed: int = 0
) -> Seen:
    """Run this many processes at once; `redis`: where they share their cooldowns, None: they don't."""
    profiles = [
        SimulatedProfile(f"p{number}", TokenBucket(3, per=60), LogNormal(6, 0.2), capacity=None) for number in range(3)
    ]
    with Emulator(profiles, speed=SPEED, seed=seed) as emulator:
        workers = [_start(emulator, folder, redis, f"k{number}", mode, scenes) for number in range(kernels)]
        try:
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n"
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
                sleep(STAGGER)
            told = [json.loads(worker.communicate(timeout=100)[0]) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        return _seen(emulator, told)


def _start(
    emulator: Emulator, folder: Path, redis: str | None, name: str, mode: str, scenes: int
) -> subprocess.Popen[str]:
    orders = {
        "name": name, "base_url": emulator.base_url, "redis": redis, "speed": SPEED, "cooldown": COOLDOWN,
        "capacity": 4, "mode": mode, "scenes": scenes, "output": str(folder / name),
        "keys": [profile.api_key.reveal() for profile in emulator.profiles],
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.sharing.worker"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(orders) + "\n")
    worker.stdin.flush()
    return worker


def _seen(emulator: Emulator, told: list[dict[str, Any]]) -> Seen:
    submits = [each for each in emulator.requests if each.method == "POST" and each.scene is not None]
    late: list[float] = []
    delays: list[float] = []
    for index, each in enumerate(told):
        others = [moment for number, other in enumerate(told) if number != index for moment in other["moments"]]
        for _, key, began, end in [moment for moment in each["moments"] if moment[0] == "saw"]:
            # the processes' clocks are compared to some milliseconds
            late += [at - began for kind, k, at, *_ in others if (kind, k) == ("sent", key) and began < at < end - 0.05]
        first = min(moment[2] for moment in each["moments"] if moment[0] == "sent")
        for _, key, at, *_ in [m for m in each["moments"] if m[0] == "heard" and m[2] > first]:  # else it has just come
            began = [t for kind, k, t, *_ in others if (kind, k) == ("saw", key) and t <= at]
            delays += [at - max(began)] if began else []
    statuses = [status for each in told for status in each["statuses"]]
    limited = sum(each.status == 429 for each in submits)
    return Seen(limited, len(submits), sorted(late), _answered(submits), sorted(delays), statuses)


def _answered(submits: list[RequestRecord]) -> list[float]:
    """Return how long after a 429 others were answered on that account, before the cooldown's end."""
    found: list[float] = []
    for limited in [each for each in submits if each.status == 429]:
        found += [
            (each.time - limited.time) / SPEED
            for each in submits
            if each.profile == limited.profile
            and str(each.scene)[:2] != str(limited.scene)[:2]
            and limited.time < each.time < limited.time + COOLDOWN
        ]
    return sorted(found)
