"""Records and metrics of a run of 100,000 attempts, against what its reader would write, and against simulating it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

from tests.benchmarks.measure import Row, best_of
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

__all__ = ["measure"]

ATTEMPTS = 100_000
SCENES = 62_000


def by_hand(events: Sequence[ev.Event]) -> tuple[float, Counter[str], float, dict[str, float]]:
    """Return makespan, 429s by profile, mean wait and busy seconds by profile, as a short script would."""
    makespan, refused, busy = 0.0, Counter[str](), defaultdict[str, float](float)
    added: dict[str, float] = {}
    running: dict[str, tuple[str, float]] = {}
    waits: list[float] = []
    for event in events:
        match event:
            case ev.SceneAdded():
                added[event.scene.id] = event.at
            case ev.AttemptStarted():
                running[event.scene] = event.profile, event.at
            case ev.Fetched():
                profile, start = running.pop(event.scene)
                busy[profile] += event.at - start
                waits.append(start - added[event.scene])
                makespan = max(makespan, event.at)
            case ev.SceneRequeued():
                profile, start = running.pop(event.scene)
                busy[profile] += event.at - start
                refused[profile] += isinstance(event.outcome, RateLimited)
    return makespan, refused, sum(waits) / len(waits), busy


def measure() -> list[Row]:
    """Time the records, the metrics, every number of a run, and a loop of one's own for four of them."""
    profiles = [
        SimulatedProfile(f"p{k}", TokenBucket(20, per=20), LogNormal(8, 0.3), capacity=10) for k in range(4)
    ]  # fmt: skip
    policy = PerProfileCooldown(2)
    began = process_time()
    run = simulate(SCENES, profiles, mode="boost", policy=policy, seed=1)
    attempts = len(run.attempts)
    simulated = (process_time() - began) * ATTEMPTS / attempts

    def every_number() -> None:
        numbers = Run(run.header, run.events).metrics()
        assert "efficiency" in repr(numbers) and numbers.scenes == {"succeeded": SCENES}

    def metrics() -> None:
        numbers = Run(run.header, run.events).metrics()
        assert numbers.attempts == attempts and numbers.makespan

    def rate(step: Callable[[], Any]) -> Callable[[], float]:
        """Return what measures attempts per CPU second of a step."""

        def measured() -> float:
            start = process_time()
            step()
            return attempts / (process_time() - start)

        return measured

    steps: dict[str, Callable[[], Any]] = {
        "metrics": metrics,
        "every number": every_number,
        "records": lambda: build(run.header, run.events),
        "by hand": lambda: by_hand(run.events),
    }
    best = best_of({name: rate(step) for name, step in steps.items()})
    took = {name: ATTEMPTS / each for name, each in best.items()}
    shown = (
        f"{took['metrics']:.2f} s, {took['records']:.2f} s of it the records, for {ATTEMPTS:,} of {attempts:,} attempts"
    )
    every, hand = took["every number"], took["by hand"]
    return [
        Row("from the events to run.metrics()", shown, took["metrics"], unit="s", most=0.5),
        Row(
            "the same / four numbers by a script's own loop",
            f"{took['metrics']:.2f} s / {hand:.2f} s",
            took["metrics"] / hand,
            most=3.0,
        ),
        Row("from the events to every number, printed", f"{every:.2f} s", every, unit="s", most=1.5),
        Row("the same / simulating the run", f"{every:.2f} s / {simulated:.2f} s", every / simulated, most=1.0),
    ]
