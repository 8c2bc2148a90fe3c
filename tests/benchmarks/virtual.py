"""Jobs a second in virtual time, against two SimPy models of the same system and against a bare heap loop.

One SimPy model records what a run of ours records, as tuples. The other is lean: a first SimPy program, with a process
for each profile, which records nothing at all and only counts what is left. A run of ours keeps every event both times.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count
from random import Random
from time import process_time
from typing import Any

import simpy

from tests.benchmarks.measure import Row, best_of
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core.model import BOOST, Scene
from vidgen_nb.provider import Exponential, FixedWindow, SimulatedProfile, TokenBucket
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.provider.service import uniform

__all__ = ["measure"]

JOBS = 10_000
CAPACITY = 4
COOLDOWN = 30.0
LEAN_JOBS = 20_000
WINDOW_JOBS, WINDOW_SECONDS, MEAN_SECONDS = 10, 60.0, 2.0
"""Of the lean model."""
LEAN_LEAST = {4: 0.8, 100: 0.9}
"""How many times as fast as the lean model a run of ours should be, by the number of profiles; 0.65 to 0.8 is reached,
as memory is fast or slow: a run of ours makes and keeps an object for each event."""
MILLION = """
import resource
from tests.benchmarks.virtual import ours
ours(1_000_000, 100)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def profiles(number: int) -> list[SimulatedProfile]:
    """Return `number` profiles; about one submit in twenty is refused."""
    return [
        SimulatedProfile(f"p{k}", TokenBucket(8, per=60), Exponential(25), capacity=CAPACITY) for k in range(number)
    ]


def lean_profiles(number: int) -> list[SimulatedProfile]:
    """Return `number` profiles with the limits of the lean model."""
    limit = FixedWindow(WINDOW_JOBS, per=WINDOW_SECONDS)
    return [SimulatedProfile(f"p{k}", limit, Exponential(MEAN_SECONDS), capacity=1) for k in range(number)]


def ours(jobs: int, number: int, specs: Callable[[int], list[SimulatedProfile]] = profiles) -> float:
    """Return jobs per CPU second of `simulate`, with all events recorded."""
    simulation = Simulation([Scene(f"s{k:07}", "a scene") for k in range(jobs)], specs(number), BOOST)
    began = process_time()
    _header, events = simulation.run()
    assert len(events) > 4 * jobs
    return jobs / (process_time() - began)


class Account:
    """A profile of the SimPy model."""

    def __init__(self, env: simpy.Environment, spec: SimulatedProfile) -> None:
        assert spec.limit is not None
        self.spec = spec
        self.limit: LimitState = spec.limit.state()
        self.slots = simpy.Resource(env, CAPACITY)
        self.until = 0.0
        self.probing = False
        """After a cooldown one submit goes first."""


class Model:
    """The same system as a SimPy user would write it: a queue by priority, slots, a process for each attempt.

    It records what a run of ours records, as tuples.
    """

    def __init__(self, jobs: int, number: int) -> None:
        self.env = simpy.Environment()
        self.accounts = [Account(self.env, spec) for spec in profiles(number)]
        self.queue = simpy.PriorityStore(self.env)
        self.changed = self.env.event()
        self.left = jobs
        self.tries: dict[str, int] = {}
        self.records: list[tuple[Any, ...]] = []
        for order in range(jobs):
            scene = f"s{order:07}"
            self.records.append(("added", scene, 0.0))
            self.queue.put(simpy.PriorityItem((1, order), scene))
        self.turn = 0
        self.env.process(self.dispatch())

    def dispatch(self) -> Generator[Any, Any, Any]:
        """Give the first scene to the next free profile, in turn; where none is free, wait for a change."""
        env, accounts = self.env, self.accounts
        while self.left:
            item: Any = yield self.queue.get()
            while (account := self.free()) is None:
                self.changed = env.event()
                soonest = min((each.until for each in accounts if each.until > env.now), default=None)
                wake = [self.changed] if soonest is None else [self.changed, env.timeout(soonest - env.now)]
                yield env.any_of(wake)
            env.process(self.attempt(item, account))

    def free(self) -> Account | None:
        """Return the next profile with a free slot that neither cools nor probes."""
        for step in range(len(self.accounts)):
            account = self.accounts[(self.turn + step) % len(self.accounts)]
            if account.until <= self.env.now and not account.probing and account.slots.count < CAPACITY:
                self.turn = (self.turn + step + 1) % len(self.accounts)
                return account
        return None

    def attempt(self, item: simpy.PriorityItem, account: Account) -> Generator[Any, Any, Any]:
        """Submit; a refused scene goes to the front and its profile cools."""
        env, scene, name, note = self.env, item.item, account.spec.name, self.records.append
        number = self.tries[scene] = self.tries.get(scene, 0) + 1
        account.probing = account.until > 0
        with account.slots.request() as slot:
            yield slot
            note(("started", scene, number, name, env.now))
            if account.limit.admit(env.now) is not None:
                account.until = env.now + COOLDOWN
                note(("requeued", scene, number, name, env.now))
                note(("cooldown", name, account.until, env.now))
                self.queue.put(simpy.PriorityItem((0, item.priority[1]), scene))
            else:
                account.until = 0.0
                note(("accepted", scene, number, name, env.now))
                account.probing = False
                yield env.timeout(account.spec.service.seconds(uniform(0, "service", scene)))
                note(("generated", scene, number, name, env.now))
                note(("fetched", scene, number, name, env.now))
                self.left -= 1
            account.probing = False
        if not self.changed.triggered:
            self.changed.succeed()


def theirs(jobs: int, number: int) -> float:
    """Return jobs per CPU second of the SimPy model."""
    began = process_time()
    model = Model(jobs, number)
    model.env.run()
    assert model.left == 0
    return jobs / (process_time() - began)


class LeanModel:
    """A first SimPy program: each profile is a process that takes the next job, and waits where its window is full."""

    def __init__(self, jobs: int, number: int) -> None:
        self.env = simpy.Environment()
        self.queue = simpy.PriorityStore(self.env)
        self.random = Random(0)
        self.left = jobs
        for order in range(jobs):
            self.queue.put((1, order))
        for _ in range(number):
            self.env.process(self.profile())

    def profile(self) -> Generator[Any, Any, Any]:
        """Take jobs, one at a time; a refused one goes back to the front of the queue."""
        env, queue, window, taken = self.env, self.queue, 0, 0
        while self.left:
            _, order = yield queue.get()
            if env.now >= (window + 1) * WINDOW_SECONDS:
                window, taken = int(env.now // WINDOW_SECONDS), 0
            if taken == WINDOW_JOBS:
                queue.put((0, order))
                yield env.timeout(COOLDOWN)
            else:
                taken += 1
                yield env.timeout(self.random.expovariate(1 / MEAN_SECONDS))
                self.left -= 1


def lean(jobs: int, number: int) -> float:
    """Return jobs per CPU second of the lean SimPy model."""
    began = process_time()
    model = LeanModel(jobs, number)
    model.env.run()
    assert model.left == 0
    return jobs / (process_time() - began)


def bare(jobs: int, number: int) -> float:
    """Return jobs per CPU second of a heap of ends of jobs: the least that any simulation of it does."""
    specs = profiles(number)
    limits = [spec.limit.state() for spec in specs if spec.limit is not None]
    began = process_time()
    order, due, waiting, done = count(), list[tuple[float, int, int]](), jobs, 0
    for k in range(number * CAPACITY):
        heappush(due, (0.0, next(order), k % number))
    while done < jobs:
        now, _, k = heappop(due)
        done += 1 if now else 0
        refusal = limits[k].admit(now)
        if refusal is not None:
            heappush(due, (now + COOLDOWN, next(order), k))
            done -= 1 if now else 0
        elif waiting:
            waiting -= 1
            heappush(due, (now + specs[k].service.seconds(uniform(0, "service", waiting)), next(order), k))
    return jobs / (process_time() - began)


def measure() -> list[Row]:
    """Compare at 4 and at 100 profiles, and the cost of a job at 10,000 with that at 10."""
    ways: dict[str, Any] = {}
    for number in (4, 100):
        for name, way in (("ours", ours), ("SimPy", theirs), ("bare", bare)):
            ways[f"{name} {number}"] = lambda way=way, number=number: way(JOBS, number)
        ways[f"lean {number}"] = lambda number=number: lean(LEAN_JOBS, number)
        ways[f"all kept {number}"] = lambda number=number: ours(LEAN_JOBS, number, lean_profiles)
    for number in (10, 10_000):
        ways[f"ours {number}"] = lambda number=number: ours(4 * JOBS, number)
        ways[f"bare of {number}"] = lambda number=number: bare(4 * JOBS, number)
    best = best_of(ways)
    rows = [row for number in (4, 100) for row in (_row(number, best), _lean_row(number, best))]
    cost, least = (best[f"{name} 10"] / best[f"{name} 10000"] for name in ("ours", "bare of"))
    said = f"{4 * JOBS:,} jobs; of a bare heap, by memory alone, {least:.2f} x"
    rows.append(Row("virtual: a job at 10,000 profiles / at 10", said, cost, most=1.5))
    rows.append(Row("virtual: 1,000,000 scenes", "peak memory", _gigabytes(), "GB", most=4))
    return rows


def _row(number: int, best: dict[str, float]) -> Row:
    ours, simpy_, bare_ = (best[f"{name} {number}"] for name in ("ours", "SimPy", "bare"))
    said = f"{ours / 1000:.1f} k/s, SimPy {simpy_ / 1000:.1f} k/s, a bare heap {bare_ / 1000:.1f} k/s"
    return Row(f"virtual / SimPy, {number} profiles", said, ours / simpy_, least=1.5)


def _lean_row(number: int, best: dict[str, float]) -> Row:
    kept, theirs_ = best[f"all kept {number}"], best[f"lean {number}"]
    said = f"{kept / 1000:.1f} k/s, all events kept / {theirs_ / 1000:.1f} k/s, nothing recorded"
    return Row(f"virtual / lean SimPy, {number} profiles", said, kept / theirs_, least=LEAN_LEAST[number])


def _gigabytes() -> float:
    done = subprocess.run([sys.executable, "-c", MILLION], capture_output=True, text=True, check=True)
    return float(done.stdout)
