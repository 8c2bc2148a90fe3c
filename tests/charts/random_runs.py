"""Random runs of every kind for the charts: simulated, run again by hand, broken off and carried on, loaded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import vidgen_nb as vg
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.provider.limits import Limit

__all__ = ["RUNS", "random_runs"]

RUNS = 50
LIMITS: tuple[Callable[[random.Random], Limit | None], ...] = (
    lambda rng: vg.TokenBucket(rng.choice([2, 4, 8]), per=60),
    lambda rng: vg.FixedWindow(rng.choice([2, 5]), per=rng.choice([20, 60])),
    lambda rng: vg.SlidingWindow(rng.choice([2, 5]), per=rng.choice([20, 60])),
    lambda rng: vg.TokenBucket(6, per=60) & vg.Concurrency(3),
    lambda rng: None,
    lambda rng: vg.Concurrency(rng.choice([1, 3]), over="queue"),
)
POLICIES = (
    vg.PerProfileCooldown(),
    vg.PerProfileCooldown(honour_retry_after=True),
    vg.GlobalPause(),
    vg.Paced(),
    vg.ExponentialCooldown(),
)


def random_runs(folder: Path) -> Iterator[vg.Run]:
    """Yield `RUNS` runs, the same ones each time."""
    for seed in range(RUNS):
        rng = random.Random(seed)
        run = _simulated(rng, seed)
        if seed % 5 == 3:
            run = _broken_off(run, rng, carried_on=seed % 10 == 3)
        if seed % 4 == 0:
            run = vg.load_run(run.save(folder / f"{seed}.jsonl"))
        yield run


def _simulated(rng: random.Random, seed: int) -> vg.Run:
    """Simulate a run; then, in most cases, once more with some settled scenes added again after their end."""
    profiles = _profiles(rng)
    scenes = rng.choice([10, 20, 40])
    options: dict[str, Any] = {
        "mode": rng.choice(["normal", "boost"]),
        "policy": rng.choice(POLICIES),
        "seed": seed,
        "arrivals": [0.0 if rng.random() < 0.5 else rng.uniform(0, 300) for _ in range(scenes)],
        "faults": _faults(rng),
        "latency": rng.choice([0, 0, 0.5]),
        "retry": RetryPolicy(deadline=rng.choice([None, None, None, 60.0])),
    }
    requests = _requests(rng, profiles, scenes)
    run = vg.simulate(scenes, profiles, requests=requests, **options)
    if rng.random() < 0.7:
        settled = [scene for scene in run.scenes if scene.end is not None]
        failed = [scene for scene in settled if scene.status != "succeeded"]
        chosen = {scene.id: scene for scene in rng.sample(settled, min(3, len(settled))) + failed[:2]}
        for scene in chosen.values():
            at = (scene.end or 0.0) + rng.uniform(1, 150)
            requests.append((at, ev.SceneAdded(vg.Scene(scene.id, "again"), rng.random() < 0.5, 0)))
            if rng.random() < 0.4:  # a second run that comes to nothing must not hide the first one's success
                requests.append((at + rng.uniform(0.1, 5), ev.CancelRequested(scene.id)))
        run = vg.simulate(scenes, profiles, requests=requests, **options)
    return run


def _profiles(rng: random.Random) -> list[vg.SimulatedProfile]:
    count = rng.choice([1, 2, 3, 5])
    grouped = rng.random() < 0.4 and count > 2
    shared = LIMITS[0](rng)
    service = (vg.Constant(20), vg.LogNormal(20, 0.5), vg.Exponential(15))
    return [
        vg.SimulatedProfile(
            f"p{number}",
            shared if grouped and number < 2 else rng.choice(LIMITS)(rng),
            rng.choice(service),
            capacity=rng.choice([None, 1, 2, 3]),
            retry_after=rng.random() < 0.5,
            quota_group="shared" if grouped and number < 2 else None,
        )
        for number in range(count)
    ]


def _faults(rng: random.Random) -> list[vg.Fault]:
    found = (
        (0.6, vg.Fault("overload", probability=0.1)),
        (0.4, vg.Fault("job_failure", probability=0.1)),
        (0.3, vg.Fault("lost_answer", probability=0.05)),
        (0.3, vg.Fault("overload", start=60, end=100)),
        (0.3, vg.Fault("content", probability=0.05)),
    )
    return [fault for chance, fault in found if rng.random() < chance]


def _requests(rng: random.Random, profiles: list[vg.SimulatedProfile], scenes: int) -> list[tuple[float, ev.Event]]:
    """Return what somebody does meanwhile."""
    found: list[tuple[float, ev.Event]] = []
    if rng.random() < 0.5:
        at = rng.uniform(10, 100)
        found += [(at, ev.Paused()), (at + rng.uniform(5, 80), ev.Unpaused())]
    if rng.random() < 0.5:
        found.append((rng.uniform(10, 200), ev.ProfileChanged("p0", rng.choice([1, 2, 4, None]))))
    if rng.random() < 0.3 and len(profiles) > 1:
        found.append((rng.uniform(10, 200), ev.ProfileRemoved("p1")))
    if rng.random() < 0.3:
        found.append((rng.uniform(301, 350), ev.CancelRequested(f"s{rng.randrange(1, scenes + 1):03}")))
    if rng.random() < 0.3:
        found.append((rng.uniform(5, 90), ev.CooldownReleased("p0")))
    if rng.random() < 0.5:  # one profile's own cooldown, over and beside its group's
        at = rng.uniform(0, 150)
        own = ev.CooldownImposed("p0", at + rng.uniform(5, 90), "known from elsewhere", alone=rng.random() < 0.7)
        found.append((at, own))
    return found


def _broken_off(run: vg.Run, rng: random.Random, *, carried_on: bool) -> vg.Run:
    """Return the run's beginning, or the whole with half a minute in which nobody watched it."""
    place = rng.randrange(len(run.events) // 3, len(run.events))
    first, rest = run.events[:place], run.events[place:]
    if not carried_on:
        return vg.Run(run.header, first)
    at = first[-1].at + 30
    restored = ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0, at=at)
    later = [replace(event, at=event.at + 30) for event in rest]
    return vg.Run(run.header, [*first, restored, ev.RunStarted(at=at), *later])
