"""Jobs that wait in their provider's queue wait: a system has the same numbers, whether its queue is there or with us.

`Concurrency(c, over="queue")` without a capacity of ours is a queue at the provider; a capacity of c is one with us.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random
from statistics import fmean
from typing import Any

import pytest

import vidgen_nb as vg
from tests.analysis.metrics.test_theory import erlang_c, interval
from tests.audit import audit
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST
from vidgen_nb.provider.service import Service


def simulated(c: int, service: Service, *, there: bool, scenes: int = 60, **options: Any) -> vg.Run:
    """Run scenes on one profile that generates `c` at once; the others wait there, or here."""
    limit, capacity = (vg.Concurrency(c, over="queue"), None) if there else (None, c)
    run = vg.simulate(scenes, [vg.SimulatedProfile("p", limit, service, capacity=capacity)], mode="boost", **options)
    audit(run.events, BOOST)
    return run


def at_random(scenes: int, every: float, seed: int) -> list[float]:
    """Return arrivals of a Poisson process."""
    random = Random(seed)
    return list(accumulate(random.expovariate(1 / every) for _ in range(scenes)))


SERVICES = [vg.Constant(20), vg.Exponential(20), vg.LogNormal(20, 0.8), vg.Constant(200)]


@pytest.mark.parametrize("latency", [0.0, 0.1])
@pytest.mark.parametrize("arrivals", [None, 6.0])
@pytest.mark.parametrize("service", SERVICES, ids=repr)
@pytest.mark.parametrize("c", [1, 4])
def test_waits_queue_and_utilisation_do_not_depend_on_where_jobs_wait(
    c: int, service: Service, arrivals: float | None, latency: float
) -> None:
    """Whatever the service times, all at once or at random: waits of each scene, L, W, flow, ok share, makespan."""
    come = None if arrivals is None else at_random(60, arrivals, 1)
    there, here = (
        simulated(c, service, there=where, arrivals=come, latency=latency).metrics() for where in (True, False)
    )
    off = (
        0.1 + 60 * 2.5 * latency
    )  # with a latency, our next submit comes later by it; there, the next job starts at once
    assert there.wait is not None and here.wait is not None and there.flow is not None and here.flow is not None
    assert there.queued is not None and there.queued_at_provider is not None
    for scene, wait in here.wait.values.items():
        assert there.wait.values[scene] == pytest.approx(wait, abs=off)
        assert there.flow.values[scene] == pytest.approx(here.flow.values[scene], abs=off)
    assert there.queue_length == pytest.approx(here.queue_length, rel=0.02, abs=0.1)
    assert there.utilisation == pytest.approx(here.utilisation, abs=0.02)
    assert there.makespan == pytest.approx(here.makespan, abs=off)
    assert there.queued.mean == pytest.approx(there.queued_at_provider.mean, abs=1 + 4 * latency)
    assert here.queued_at_provider is None and there.wait.max > 0


@pytest.mark.long
@pytest.mark.parametrize(("c", "load"), [(1, 0.5), (3, 0.7)])
def test_m_m_c_at_the_provider(c: int, load: float) -> None:
    """Mean wait C(c, a) ÷ (cμ - λ) and L = λW, with the queue there (Erlang 1917)."""
    mean, scenes = 100.0, 1000 * c
    theory = erlang_c(c, c * load) * mean / (c * (1 - load))

    def mean_wait(seed: int) -> float:
        come = at_random(scenes, mean / (load * c), seed)
        run = simulated(c, vg.Exponential(mean), there=True, scenes=scenes, seed=seed, arrivals=come)
        numbers = run.metrics()
        assert numbers.wait is not None and numbers.queue_length is not None and numbers.arrival_rate is not None
        assert numbers.queue_length == pytest.approx(numbers.arrival_rate * (numbers.queue_time or 0.0))
        assert numbers.little_residual is not None and numbers.little_residual < 0.1
        assert numbers.utilisation == pytest.approx(load, abs=0.1)
        waits = [(each.start - each.queued) + each.queued_at_provider for each in run.attempts]
        assert numbers.wait.mean == pytest.approx(fmean(waits))
        return fmean(waits[scenes // 10 :])

    low, high = interval(mean_wait, 8)
    assert low <= theory <= high, f"{theory:.2f} s not in [{low:.2f}, {high:.2f}] s"
    assert (high - low) / theory < 1.0


def test_several_profiles() -> None:
    """The scenes of each profile wait as they would in a queue of ours in front of as many slots."""
    sizes = {"a": 4, "b": 1, "c": 2}
    profiles = [
        vg.SimulatedProfile(name, vg.Concurrency(n, over="queue"), vg.Exponential(30)) for name, n in sizes.items()
    ]
    run = vg.simulate(90, profiles, mode="boost", arrivals=at_random(90, 4, 2))
    numbers = run.metrics()
    assert numbers.wait is not None
    for row in numbers.profiles:
        own = [each for each in run.attempts if each.profile == row.profile]
        alone = vg.simulate(
            [vg.Scene(each.scene, "x") for each in own],
            [vg.SimulatedProfile(row.profile, None, vg.Exponential(30), capacity=sizes[row.profile])],
            mode="boost", arrivals=[each.start for each in own],
        ).metrics()  # fmt: skip
        assert alone.wait is not None
        for each in own:
            assert numbers.wait.values[each.scene] == pytest.approx(alone.wait.values[each.scene], abs=0.3)
        share = alone.profiles[0].utilisation * (alone.makespan or 0) / (numbers.makespan or 1)
        assert row.utilisation == pytest.approx(share, abs=0.02)


def test_slots_of_ours_are_taken_meanwhile() -> None:
    """A capacity of 10 where 4 are generated: the other 6 hold a slot, which has a share of its own."""
    profile = vg.SimulatedProfile("p", vg.Concurrency(4, over="queue"), vg.Constant(20))
    run = vg.simulate(60, [profile], mode="boost", capacities={"p": 10})
    numbers = run.metrics()
    there = sum(each.queued_at_provider for each in run.attempts)
    assert numbers.split is not None and numbers.makespan == pytest.approx(300)
    assert numbers.split.ok == pytest.approx(60 * 20 / (10 * 300))
    assert numbers.split.queued_at_provider == pytest.approx(there / (10 * 300))
    assert there > 1600 and numbers.split.idle_waiting == 0
    assert "queued at the provider 5" in repr(numbers)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_without_a_capacity_the_slots_are_those_of_the_provider(n: int) -> None:
    """All of them are busy as long as anybody waits, though polls tell of it late, as in a live run."""
    run = simulated(n, vg.Constant(21), there=True, scenes=8 * n, latency=0.7)
    (row,) = run.metrics().profiles
    assert row.split is not None and row.split.ok == pytest.approx(1, abs=0.05)


def test_what_idles_is_no_longer_than_our_own_queue() -> None:
    """A profile idles while scenes wait for a slot of ours; one that is queued at another provider can't come to it."""
    slow = vg.SimulatedProfile("slow", vg.Concurrency(1, over="queue"), vg.Constant(100))
    quick = vg.SimulatedProfile("quick", None, vg.Constant(1))
    run = vg.simulate(8, [slow, quick], mode="boost")
    numbers = {row.profile: row for row in run.metrics().profiles}
    assert numbers["quick"].split is not None
    assert numbers["quick"].split.idle_waiting == 0 and numbers["quick"].split.idle_empty > 0.9
    assert not [bar for bar in run.gantt().data if bar.meta == "idle" and len(bar.x)]


def test_the_provider_tells_when_a_job_waits() -> None:
    """`queued` at once, `running` when it begins: two events for each job that waits there, none for the others."""
    run = simulated(2, vg.Constant(20), there=True, scenes=6)
    words = [
        (event.scene, event.status, round(event.at, 1)) for event in run.events if isinstance(event, ev.Progressed)
    ]
    assert [each for each in words if each[0] in ("s001", "s002")] == []
    assert [each[1:] for each in words if each[0] == "s003"] == [("queued", pytest.approx(0, abs=0.1)), ("running", 20)]
    assert [each[1:] for each in words if each[0] == "s006"] == [("queued", pytest.approx(0, abs=0.1)), ("running", 40)]


def test_tables_and_files_know_the_queue_of_the_provider(tmp_path: Any) -> None:
    """Two columns of attempts, one of scenes; a run that was saved and loaded has the same numbers."""
    run = simulated(2, vg.Constant(20), there=True, scenes=6)
    frame = run.to_frame("attempts")
    assert list(frame["began"] - frame["accepted"]) == pytest.approx([0, 0, 20, 20, 40, 40])
    assert list(run.metrics().to_frame("scenes")["queued_at_provider"]) == pytest.approx([0, 0, 20, 20, 40, 40])
    loaded = vg.load_run(run.save(tmp_path / "run.jsonl"))
    assert loaded.attempts == run.attempts and loaded.metrics() == run.metrics()
