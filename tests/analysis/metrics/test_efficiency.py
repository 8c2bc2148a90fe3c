"""Efficiency: of what was made, late profiles, and of a recorded run with the service times that there were."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

import vidgen_nb as vg
from tests.analysis.bounds.test_lower_bound import drawn
from vidgen_nb.analysis.metrics.measure import measure
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Operation, RetryPolicy, Scene
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    FixedWindow,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)

JOB = Operation("op")


def recorded(run: vg.Run) -> RunData:
    """Return a run as one of a live API, of which neither limits nor service times are known."""
    return replace(run.data, header={})


@pytest.mark.parametrize("service", [LogNormal(20, 0.5), Exponential(20), Constant(20)])
def test_a_recorded_run_counts_the_service_times_that_there_were(service: LogNormal) -> None:
    """With the right model, its efficiency is what it is with the true seed."""
    fast = replace(service, mean=12)
    profiles = [
        SimulatedProfile("a", TokenBucket(4, per=60), service, capacity=3),
        SimulatedProfile("b", SlidingWindow(6, per=60), fast, capacity=2),
    ]
    for seed in range(4):
        policy = Paced(limits={each.name: each.limit for each in profiles if each.limit is not None})
        run = vg.simulate(60, profiles, mode="boost", policy=policy, seed=seed)
        known, found = run.metrics().efficiency, measure(recorded(run), profiles=profiles).efficiency
        assert known is not None and found is not None
        assert 0.8 < known <= 1 and found == pytest.approx(known, rel=0.02)


def test_assumed_services_that_the_run_contradicts() -> None:
    """`b` takes a third as long as `a`; who assumes the same for both is corrected by what was observed."""
    limit = TokenBucket(9, per=60)
    profiles = [
        SimulatedProfile("a", limit, LogNormal(60, 0.3), capacity=4),
        SimulatedProfile("b", limit, LogNormal(20, 0.3), capacity=4),
    ]
    run = vg.simulate(80, profiles, mode="boost")
    right = measure(recorded(run), profiles=profiles).lower_bound
    wrong = measure(recorded(run), profiles=[replace(each, service=Constant(60)) for each in profiles]).lower_bound
    assert right is not None and wrong is not None
    assert wrong == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize("queue", [Concurrency(2, over="queue"), None])
def test_a_wait_at_the_provider_is_no_service(queue: Concurrency | None) -> None:
    """20 scenes are submitted at once, two are generated at a time, in 100 s each: the bound is not 2000 s.

    That a job began is seen by a poll after it did; so what is observed is a little less than what it took.
    """
    profiles = [SimulatedProfile("p", queue, Constant(100), capacity=None if queue else 2)]
    found = measure(recorded(vg.simulate(20, profiles, mode="boost")), profiles=profiles)
    assert found.makespan is not None and found.lower_bound is not None
    assert 750 < found.lower_bound <= found.makespan == pytest.approx(1000)


def test_no_recorded_run_is_better_than_its_bound() -> None:
    """150 random runs, recorded: whatever was observed, the bound from it is not above the makespan."""
    shares = []
    for number in range(150):
        scenario = drawn(Random(number))
        scenes = [Scene(f"s{k}", "x") for k in range(scenario.scenes)]
        run = vg.Run(*Simulation(
            scenes, scenario.profiles, scenario.mode, scenario.policy, retry=RetryPolicy(max_failures=30), seed=number,
            arrivals=scenario.arrivals, cooldowns=scenario.imposed, faults=scenario.faults, latency=scenario.latency,
        ).run())  # fmt: skip
        found = measure(recorded(run), profiles=scenario.profiles)
        if found.makespan is not None and found.lower_bound is not None:
            assert found.lower_bound <= found.makespan + 1e-6, number
            shares.append(found.lower_bound / found.makespan)
    assert len(shares) > 140 and max(shares) > 0.99


def test_windows_of_an_api_begin_at_any_time() -> None:
    """Two of four scenes at 55 s, the others at 60 s: by a window of a minute from any second on, all at 0."""
    data = build({}, [
        ev.ProfileAdded("p", at=0), ev.RunStarted(at=0),
        *(ev.SceneAdded(Scene(f"s{k}", "x"), at=0) for k in range(4)),
        *(each for k in range(4) for each in attempt(f"s{k}", 1, "p", 55 + 5 * (k > 1), 70)),
    ])  # fmt: skip
    found = measure(data, profiles=[SimulatedProfile("p", FixedWindow(2, per=60), Constant(10))])
    assert found.lower_bound == pytest.approx(15)
    assert vg.lower_bound(4, [SimulatedProfile("p", FixedWindow(2, per=60), Constant(15))]).seconds == pytest.approx(75)


def attempt(scene: str, number: int, profile: str, start: float, end: float, *, good: bool = True) -> list[ev.Event]:
    """Return the events of an attempt."""
    ended: list[ev.Event] = [
        ev.Generated(scene, number, Artifact("inline"), at=end), ev.Fetched(scene, number, at=end),
    ]  # fmt: skip
    if not good:
        ended = [ev.SceneSettled(scene, number, profile, "failed", "no", at=end)]
    return [
        ev.AttemptStarted(scene, number, profile, "", at=start), ev.Accepted(scene, number, JOB, at=start), *ended,
    ]  # fmt: skip


ONE = [SimulatedProfile("p", None, Constant(10), capacity=1)]


def begun(scenes: int) -> list[ev.Event]:
    """Return the beginning of a run, with one slot."""
    added = (ev.SceneAdded(Scene(f"s{k}", "x"), at=0) for k in range(scenes))
    return [ev.ProfileAdded("p", 1, at=0), ev.RunStarted(at=0), *added]


def test_the_last_success_run_again_and_failed() -> None:
    """Three were made by 30, as fast as can be, the last of them too: it was there, whatever came of it later."""
    events = begun(3)
    for k in range(3):
        events += attempt(f"s{k}", 1, "p", 10 * k, 10 * k + 10)
    assert measure(build({}, events), profiles=ONE).efficiency == pytest.approx(1)
    events += [ev.SceneAdded(Scene("s2", "x"), attempts=1, at=100), *attempt("s2", 2, "p", 100, 105, good=False)]
    found = measure(build({}, events), profiles=ONE)
    assert (found.makespan, found.scenes) == (30, {"succeeded": 2, "failed": 1})
    assert found.efficiency == pytest.approx(1)
    # and once more: four jobs, the last of which could not begin before 200
    events += [ev.SceneAdded(Scene("s2", "x"), attempts=2, at=200), *attempt("s2", 3, "p", 200, 210)]
    found = measure(build({}, events), profiles=ONE)
    assert found.makespan == 210 and found.efficiency == pytest.approx(1)
    assert found.bound is not None and found.bound.scenes == 4


def test_a_job_that_is_asked_about_again_was_not_made_then() -> None:
    """A result that was there already is fetched within a second at 500: no bound, as nobody had to make it."""
    events = begun(2) + attempt("s0", 1, "p", 0, 10) + attempt("s1", 1, "p", 10, 40, good=False)
    events += [
        ev.AskedAgain(Scene("s1", "x"), 2, "p", "op", at=500),
        ev.Generated("s1", 2, Artifact("inline"), at=501), ev.Fetched("s1", 2, at=501),
    ]  # fmt: skip
    found = measure(build({}, events), profiles=ONE)
    assert found.makespan == 501 and found.bound is not None
    assert found.bound.scenes == 1 and found.lower_bound == pytest.approx(10)


def test_a_profile_that_comes_later() -> None:
    """At 600 s the only profile is added: an optimal run from there on has an efficiency of 1."""
    events: list[ev.Event] = [ev.RunStarted(at=0), *(ev.SceneAdded(Scene(f"s{k}", "x"), at=0) for k in range(2))]
    events += [ev.ProfileAdded("p", 1, at=600), *attempt("s0", 1, "p", 600, 610), *attempt("s1", 1, "p", 610, 620)]
    found = measure(build({}, events), profiles=ONE)
    assert found.makespan == 620 and found.efficiency == pytest.approx(1)
