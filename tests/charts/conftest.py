"""Hand-made runs for the charts: a small one that has everything, and one of any size."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROMPTS = ("a lighthouse at dawn, slow pan", "rain on a tin roof", "a paper boat in a gutter", "fog over the harbour")
# name: (submits per minute, slots, mean service in seconds)
PROFILES = {"alice": (4, 3, 22.0), "bruno": (2, 2, 18.0), "chiara": (9, 4, 26.0), "delta": (3, 2, 30.0)}


class Generator:
    """A small greedy run over rate-limited profiles: enough like the real thing to look at."""

    def __init__(self, scenes: int, seed: int, profiles: dict[str, tuple[int, int, float]]) -> None:
        self.rng = random.Random(seed)
        self.profiles = profiles
        self.queue = deque(f"s{number:03d}" for number in range(1, scenes + 1))
        self.ids = list(self.queue)
        self.queued = dict.fromkeys(self.ids, 0.0)
        self.attempts: list[AttemptRecord] = []
        self.cooldowns: list[CooldownRecord] = []
        self.cooling = dict.fromkeys(profiles, 0.0)
        self.submits: dict[str, deque[float]] = {name: deque() for name in profiles}
        self.running: list[tuple[float, int]] = []
        self.tries: dict[str, list[str]] = {}
        self.now = 0.0

    def run(self) -> None:
        """Go on until every scene is done."""
        while self.queue or self.running:
            while self.queue and (name := self.free(self.queue[0])):
                self.submit(self.queue.popleft(), name)
            times = [until for until in self.cooling.values() if until > self.now]
            if self.running:
                times.append(self.running[0][0])
            self.now = min(times)
            while self.running and self.running[0][0] <= self.now:
                self.finish(heapq.heappop(self.running)[1])

    def free(self, scene: str) -> str | None:
        """Return a profile that may take the scene, preferring one that has not had it."""
        busy = [self.attempts[index].profile for _end, index in self.running]
        names = [n for n, (_rate, slots, _mean) in self.profiles.items()
                 if self.cooling[n] <= self.now and busy.count(n) < slots]  # fmt: skip
        had = self.tries.get(scene, [])
        return min(names, key=lambda name: (name in had, busy.count(name)), default=None)

    def submit(self, scene: str, name: str) -> None:
        """Send a scene; a full window answers 429."""
        rate, _slots, mean = self.profiles[name]
        window = self.submits[name]
        while window and window[0] <= self.now - 60:
            window.popleft()
        limited = len(window) >= rate
        took = 0.4 if limited else mean * self.rng.uniform(0.7, 1.4)
        if not limited:
            window.append(self.now)
        tries = self.tries.setdefault(scene, [])
        tries.append(name)
        outcome = "rate_limited" if limited else "succeeded"
        self.attempts.append(
            AttemptRecord(scene, len(tries), name, self.queued[scene], self.now, self.now + took, outcome,
                          "429 rate_limit_exceeded" if limited else None, 12.0 if limited else None)
        )  # fmt: skip
        heapq.heappush(self.running, (self.now + took, len(self.attempts) - 1))
        if limited:
            # The end of bruno's cooldown is noticed late: idle while scenes waited.
            self.cooling[name] = self.now + took + (40 if name == "bruno" else 30)
            self.cooldowns.append(CooldownRecord(name, name, self.now + took, self.now + took + 30, "429, 30 s"))

    def finish(self, index: int) -> None:
        """End an attempt; a bounced scene goes to the front."""
        attempt = self.attempts[index]
        if attempt.outcome == "rate_limited":
            self.queued[attempt.scene] = self.now
            self.queue.appendleft(attempt.scene)

    def data(self) -> RunData:
        """Return what happened as records."""
        last = {attempt.scene: attempt for attempt in self.attempts}
        scenes = [
            SceneRecord(scene, PROMPTS[at % 4], "succeeded", len(self.tries[scene]), last[scene].profile, 0.0,
                        next(a.start for a in self.attempts if a.scene == scene) if len(self.ids) < 99 else 0.0,
                        last[scene].end, None, f"{scene}.mp4")
            for at, scene in enumerate(self.ids)
        ]  # fmt: skip
        moves: list[MoveRecord] = []
        before: dict[str, AttemptRecord] = {}
        for attempt in self.attempts:
            previous = before.get(attempt.scene)
            if previous is not None and previous.profile != attempt.profile:
                moves.append(MoveRecord(attempt.scene, previous.profile, attempt.profile, attempt.start))
            before[attempt.scene] = attempt
        return RunData({}, [], list(self.profiles), scenes, self.attempts, self.cooldowns, moves, self.now)


def generated(scenes: int, seed: int = 5, profiles: dict[str, tuple[int, int, float]] | None = None) -> RunData:
    """Return a run in which every scene succeeds in the end."""
    generator = Generator(scenes, seed, profiles or PROFILES)
    generator.run()
    return generator.data()


def everything() -> RunData:
    """Return 24 scenes on 4 profiles with every state: also failed, held, cancelled, running, an unusable profile."""
    data = generated(24)
    ends = {"s009": "permanent", "s011": "ambiguous", "s013": "cancelled"}
    names = {"permanent": "failed", "ambiguous": "held", "cancelled": "cancelled"}
    why = {"permanent": "content policy", "ambiguous": "connection lost after sending", "cancelled": "by the user"}
    attempts = [
        replace(a, outcome=ends[a.scene], reason=why[ends[a.scene]])
        if a.scene in ends and a.outcome == "succeeded" else a
        for a in data.attempts
    ]  # fmt: skip
    cut = data.end - 9.0
    attempts = [
        replace(a, end=None, outcome=None) if a.end is not None and a.end > cut else a
        for a in attempts
        if a.start < cut
    ]
    open_scenes = {a.scene for a in attempts if a.end is None}
    scenes = [
        replace(s, status="generating", end=None, path=None) if s.id in open_scenes
        else replace(s, status=names[ends[s.id]], path=None) if s.id in ends else s
        for s in data.scenes
    ]  # fmt: skip
    last = max(a.end or 0.0 for a in attempts if a.profile == "delta")
    gone = CooldownRecord("delta", "delta", last + 6, math.inf, "unusable: no credit left")
    windows = [w for w in data.cooldowns if not (w.profile == "delta" and w.end > last + 6)]
    return replace(data, attempts=attempts, scenes=scenes, cooldowns=[*windows, gone], end=cut)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium to a module; closed after it, for its loop bars other tests from running theirs."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def run() -> RunData:
    """Give a run that has everything."""
    return everything()


@pytest.fixture(scope="session")
def big_run() -> RunData:
    """Give a run of more than 12,000 attempts on 20 profiles."""
    names = {f"p{number:02d}": (30 + number, 6, 6.0) for number in range(20)}
    return generated(12_000, 1, names)
