"""Records and metrics of a run of 100,000 attempts, against the time in which it was simulated."""

from __future__ import annotations

from time import process_time

from tests.benchmarks.measure import Row, best_of
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import LogNormal, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

__all__ = ["measure"]

ATTEMPTS = 100_000
SCENES = 62_000


def measure() -> list[Row]:
    """Time the records and every number of a run, its lower bound with the drawn service times included."""
    profiles = [
        SimulatedProfile(f"p{k}", TokenBucket(20, per=20), LogNormal(8, 0.3), capacity=10) for k in range(4)
    ]  # fmt: skip
    policy = PerProfileCooldown(2)
    began = process_time()
    run = simulate(SCENES, profiles, mode="boost", policy=policy, seed=1)
    simulated = process_time() - began
    attempts = len(run.attempts)

    def once() -> float:
        """Return attempts per CPU second."""
        start = process_time()
        numbers = Run(run.header, run.events).metrics()
        took = process_time() - start
        assert numbers.scenes == {"succeeded": SCENES} and numbers.bound is not None
        return attempts / took

    def records() -> float:
        """Return attempts per CPU second of the records alone."""
        start = process_time()
        data = build(run.header, run.events)
        took = process_time() - start
        assert len(data.attempts) == attempts
        return attempts / took

    best = best_of({"metrics": once, "records": records})
    seconds, building = ATTEMPTS / best["metrics"], ATTEMPTS / best["records"]
    all_of_it = simulated * ATTEMPTS / attempts
    shown = f"{seconds:.2f} s, {building:.2f} s of it the records, for {ATTEMPTS:,} of {attempts:,} attempts"
    return [
        Row("records and metrics of 100,000 attempts", shown, seconds, unit="s", most=1.0),
        Row("records and metrics / simulating them", f"{seconds:.2f} s / {all_of_it:.2f} s", seconds / all_of_it),
    ]
