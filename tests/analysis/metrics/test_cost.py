"""What the numbers of a run cost, in calls, which are the same on every machine; and nothing before it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import vidgen_nb as vg
from tests.charts.random_runs import random_runs
from vidgen_nb.analysis.bounds import lower_bound
from vidgen_nb.analysis.metrics import measure
from vidgen_nb.analysis.records.builder import build

SCENES = 800
MAX_CALLS = 13
"""Calls of Python functions for an attempt, from its events to every number that it is part of, but for the bound."""
PROFILES = [vg.SimulatedProfile(f"p{k}", vg.TokenBucket(20, per=20), vg.Exponential(8), capacity=10) for k in range(4)]


@cache
def simulated(scenes: int) -> vg.Run:
    """Return a run with 429s and cooldowns."""
    return vg.simulate(scenes, PROFILES, mode="boost", policy=vg.PerProfileCooldown(2), seed=1)


def calls_of(step: Callable[[], Any]) -> int:
    """Return how many Python functions a step calls."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        step()
    finally:
        sys.setprofile(before)
    return calls


def every_number(run: vg.Run) -> None:
    """Read a run's records and all of its numbers, but for the bound."""
    vg.Run(run.header, run.events).metrics().answered()


def test_an_attempt_costs_few_calls_however_many_there_are() -> None:
    """A run of four times the attempts costs four times as much."""
    few, many = simulated(SCENES), simulated(4 * SCENES)
    every_number(few)  # warms up
    costs = [calls_of(lambda run=run: every_number(run)) for run in (few, many)]  # type: ignore[misc]
    more = len(many.attempts) - len(few.attempts)
    assert (costs[1] - costs[0]) / more <= MAX_CALLS
    assert costs[1] / costs[0] <= 1.1 * len(many.attempts) / len(few.attempts)


def test_the_makespan_of_a_large_run_waits_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits, queue, slots and the bound are worked out when they are asked for: it costs no more for more attempts."""
    few, many = (build(run.header, run.events) for run in (simulated(SCENES), simulated(4 * SCENES)))
    whole = calls_of(lambda: measure.measure(many).answered())
    monkeypatch.setattr(measure, "LARGE", 0)
    costs = [calls_of(lambda data=data: measure.measure(data).makespan) for data in (few, many)]  # type: ignore[misc]
    assert costs[1] == costs[0] < whole / 40


def test_numbers_that_are_asked_for_later_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs of every kind, and in whatever order they are asked for."""
    for run in list(random_runs(tmp_path))[:20]:
        at_once = run.metrics()
        with monkeypatch.context() as patched:
            patched.setattr(measure, "LARGE", 0)
            later = run.metrics()
        assert (later.profiles, later.over_wait, later.wait) == (at_once.profiles, at_once.over_wait, at_once.wait)
        assert later == at_once


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What bounds are worked out for."""
    asked: list[object] = []

    def bound(*args: Any, **options: Any) -> Any:
        asked.append(args)
        return lower_bound.bound(*args, **options)

    monkeypatch.setattr("vidgen_nb.analysis.metrics.efficiency.bound", bound)
    return asked


def test_the_bound_is_worked_out_when_it_is_asked_for(bounds: list[object]) -> None:
    """It may take as long as everything else."""
    numbers = simulated(20).metrics()
    assert numbers.wait is not None and not bounds
    assert numbers.efficiency == numbers.efficiency is not None
    assert numbers.lower_bound and len(bounds) == 1


@pytest.mark.parametrize("threads", [None, 2])
def test_cases_that_made_the_same_share_a_bound(bounds: list[object], threads: int | None) -> None:
    """Two policies with the same seeds: a bound for each seed, and none before it is asked for."""
    with ThreadPoolExecutor(threads or 1) as executor:
        found = vg.compare(
            20,
            PROFILES,
            policies=["PerProfileCooldown", "GlobalPause"],
            seeds=range(3),
            executor=executor if threads else None,
            progress=False,
        )
    assert found.summary()[0].mean and not bounds
    assert [each.trials for each in found.summary("efficiency")] == [3, 3]
    assert {each.efficiency for each in found} == {
        each.lower_bound / each.makespan for each in found if each.lower_bound and each.makespan
    }
    assert len(bounds) == 3


def test_a_bound_that_is_not_the_same_is_not_shared(bounds: list[object]) -> None:
    """Another capacity, another bound."""
    found = vg.sweep(20, PROFILES, grid={"capacity": [1, 10]}, seeds=range(2), progress=False)
    few, many = (each.mean for each in found.summary("lower_bound"))
    assert few and many and few > many
    assert len(bounds) == 4
