"""Arrival processes: what they draw, from which seed, and where they are taken."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from statistics import fmean, pvariance
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.simulation.arrivals import Arrivals
from vidgen_nb.errors import InputError

BAD: Any = "fast"
HALF: Any = 2.5
FIVE: Any = 5
PROFILES = [vg.SimulatedProfile("p", service=vg.Exponential(20), capacity=3)]


def added(run: vg.Run) -> list[float]:
    """Return when each scene was added."""
    return [scene.queued for scene in run.scenes]


def test_poisson() -> None:
    """Counts in disjoint minutes have the rate as mean and as variance, and don't depend on each other."""
    times = vg.Poisson(6, per=60).times(60_000, 1)
    assert times == sorted(times)
    counts = [0] * 9900
    for at in times:
        if at < 60 * len(counts):
            counts[int(at / 60)] += 1
    error = sqrt(6 / len(counts))
    assert abs(fmean(counts) - 6) < 4 * error
    assert pvariance(counts) == pytest.approx(6, rel=0.06)
    covariance = fmean((a - 6) * (b - 6) for a, b in pairwise(counts))
    assert abs(covariance) < 4 * 6 / sqrt(len(counts))
    assert vg.Poisson(0.1).times(50, 1) == pytest.approx(vg.Poisson(6, per=60).times(50, 1))


def test_the_same_luck_at_another_rate() -> None:
    """Gaps are the same shares of the mean; other seeds have others."""
    slow, fast = vg.Poisson(1).times(40, 3), vg.Poisson(10).times(40, 3)
    assert slow == pytest.approx([10 * at for at in fast])
    assert vg.Poisson(1).times(40, 4) != slow


def test_bursts() -> None:
    """So many at once, regularly or after gaps of a distribution."""
    assert vg.Bursts(3, every=60).times(7, 0) == [0, 0, 0, 60, 60, 60, 120]
    assert vg.Bursts(1, every=5).times(3, 9) == [0, 5, 10]
    times = vg.Bursts(4, every=vg.Exponential(60)).times(40_000, 2)
    starts = times[::4]
    assert times[1::4] == starts == times[3::4]
    gaps = [b - a for a, b in pairwise(starts)]
    assert fmean(gaps) == pytest.approx(60, rel=0.04)
    assert pvariance(gaps) == pytest.approx(3600, rel=0.1)


def test_a_trace() -> None:
    """Recorded times, as many as there are scenes."""
    first = vg.simulate(20, PROFILES, arrivals=vg.Poisson(6, per=60), seed=4)
    again = vg.simulate(12, PROFILES, arrivals=vg.Trace(added(first)), seed=9)
    assert added(again) == added(first)[:12]
    with pytest.raises(InputError, match="has 20 times, for 21 scenes"):
        vg.simulate(21, PROFILES, arrivals=vg.Trace(added(first)))


def test_a_run_draws_them_from_its_seed() -> None:
    """`simulate`: the same seed gives the same run, another one other arrivals."""
    one, same, other = (vg.simulate(30, PROFILES, arrivals=vg.Poisson(6, per=60), seed=k) for k in (1, 1, 2))
    assert one.events == same.events
    assert added(one) == vg.Poisson(6, per=60).times(30, 1) != added(other)


def test_compare_and_sweep() -> None:
    """All cases of a seed have the same arrivals; a grid may hold processes."""
    made = vg.compare(
        30, PROFILES, modes=["normal", "boost"], arrivals=vg.Poisson(6, per=60), seeds=range(3), progress=False
    )
    runs = [vg.simulate(30, PROFILES, mode="boost", arrivals=vg.Poisson(6, per=60), seed=k) for k in range(3)]
    assert [trial.makespan for trial in made if trial.case == "boost" or "boost" in trial.case] == [
        run.metrics().makespan for run in runs
    ]
    rates = [vg.Poisson(1, per=60), vg.Poisson(60, per=60)]
    slow, fast = vg.sweep(30, PROFILES, grid={"arrivals": rates}, seeds=range(3), progress=False).summary()
    assert (slow.mean or 0) > 1200 > (fast.mean or 0)
    assert "Poisson(rate=60, per=60)" in fast.case
    many = vg.sweep(1, PROFILES, grid={"scenes": [5, 9]}, arrivals=vg.Poisson(1), seeds=[1], progress=False)
    assert [each.mean for each in many.summary("succeeded")] == [5, 9]


@pytest.mark.parametrize("process", [
    vg.Poisson(6, per=60), vg.Bursts(3, every=vg.LogNormal(40, 0.5)), vg.Bursts(3, every=30),
])  # fmt: skip
def test_what_if(process: Any) -> None:
    """Without a change the same events; the arrivals stay if something else is changed; others can be given."""
    run = vg.simulate(20, PROFILES, arrivals=process, seed=2)
    assert run.what_if().events == run.events
    assert added(run.what_if(capacity=1)) == added(run)
    assert added(run.what_if(arrivals=vg.Trace([5] * 20))) == [5] * 20
    drawn = added(run.what_if(seed=3))
    assert drawn == process.times(20, 3)


def test_the_lower_bound_takes_them() -> None:
    """As the run with that seed has them."""
    process = vg.Poisson(6, per=60)
    assert vg.lower_bound(20, PROFILES, arrivals=process, seed=3) == vg.lower_bound(
        20, PROFILES, arrivals=process.times(20, 3), seed=3
    )


def test_one_of_ones_own() -> None:
    """A class with a method, whose length is checked."""

    class Morning(Arrivals):
        def times(self, count: int, seed: int) -> list[float]:
            return [100.0 + k for k in range(count)]

    assert added(vg.simulate(3, PROFILES, arrivals=Morning())) == [100, 101, 102]

    class Short(Arrivals):
        def times(self, count: int, seed: int) -> list[float]:
            return [1.0]

    with pytest.raises(InputError, match="has 1 times for 3 scenes"):
        vg.simulate(3, PROFILES, arrivals=Short())


@pytest.mark.parametrize(("make", "says"), [
    (lambda: vg.Poisson(0), "rate is a finite number above 0"),
    (lambda: vg.Poisson(BAD), "rate is a finite number"),
    (lambda: vg.Poisson(1, per=-1), "per is a finite number above 0"),
    (lambda: vg.Bursts(0, every=5), "1 or more"),
    (lambda: vg.Bursts(HALF, every=5), "whole number"),
    (lambda: vg.Bursts(2, every=0), "above 0"),
    (lambda: vg.Trace([3, -1]), "0 or more"),
    (lambda: vg.Trace(FIVE), "run seconds"),
    (lambda: vg.simulate(2, PROFILES, arrivals=vg.Poisson), "pass an instance of it"),
    (lambda: vg.simulate(2, PROFILES, arrivals=3), "run seconds, one for each scene"),
])  # fmt: skip
def test_wrong_arguments(make: Any, says: str) -> None:
    """What is wrong, and what to give instead."""
    with pytest.raises(InputError, match=says):
        make()
