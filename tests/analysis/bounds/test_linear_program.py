"""Slots and admissions together: by hand, what is gained, any prices at all, and what is said without scipy."""

from __future__ import annotations

import sys
from random import Random
from statistics import fmean, median
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.bounds import linear_program
from vidgen_nb.analysis.bounds.closed_form import Demand
from vidgen_nb.analysis.bounds.fleet import fleet_of
from vidgen_nb.analysis.bounds.linear_program import MOST_PLACES, MOST_SCENES
from vidgen_nb.analysis.bounds.lower_bound import LowerBound, bound
from vidgen_nb.analysis.bounds.prices import Priced, Scenes, places_of, proven, scarce_things
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, FixedWindow, LogNormal, SimulatedProfile
from vidgen_nb.provider import SlidingWindow as Sliding
from vidgen_nb.provider import TokenBucket as Bucket
from vidgen_nb.provider.service import uniform

TWO = [SimulatedProfile("a", DailyQuota(2), Constant(1)), SimulatedProfile("b", None, Constant(1), capacity=1)]
"""`a` takes two scenes of any length, `b` one at a time."""


def by_hand() -> LowerBound:
    """Of 10, 10, 9, 8 and 7 s, the two longest go to `a`; the others keep `b` busy for 24 s."""
    return bound(list("vwxyz"), TWO, lengths=[10, 10, 9, 8, 7])


def test_by_hand() -> None:
    """The optimum, where admissions alone (3 of at least 7 s on `b`) prove 21 s, and work and length less."""
    pytest.importorskip("scipy")
    found = by_hand()
    assert found.tight == pytest.approx(21) and (found.longest_scene, found.work) == (10, 0)
    assert found.seconds == found.joint == pytest.approx(24, rel=1e-5) and found.seconds <= 24
    assert (found.binds, found.method) == ("slots and admissions", "linear program")
    assert found.limited_by == {"a": "DailyQuota(n=2)", "b": "capacity 1"}
    assert "slots and admissions 24.00; linear program" in repr(found)


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound in closed form, and the record says which it is and what would make it tighter."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    found = by_hand()
    assert found.seconds == found.joint == found.tight == pytest.approx(21)
    assert found.binds == "admissions"
    assert found.method == "closed form: a linear program needs scipy (pip install scipy)"
    metrics = vg.simulate(4, TWO).metrics()
    assert "closed form: a linear program needs scipy (pip install scipy)" in repr(metrics)


def test_too_large_for_a_program() -> None:
    """Many kinds of profiles, or very many scenes: the closed form, and it is said."""
    pytest.importorskip("scipy")
    many = [SimulatedProfile(f"p{k}", Bucket(k + 1, per=60), capacity=1) for k in range(MOST_PLACES + 1)]
    assert vg.lower_bound(10, many).method.startswith(f"closed form: a linear program takes at most {MOST_PLACES}")
    assert vg.lower_bound(10, many[:-1]).method == "linear program"
    alike = [SimulatedProfile(f"p{k}", Bucket(4, per=60), capacity=1) for k in range(10 * MOST_PLACES)]
    assert vg.lower_bound(10, alike).method == "linear program"  # one kind
    assert vg.lower_bound(MOST_SCENES + 1, TWO).method.startswith("closed form: a linear program takes at most 10,000")


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 scenes at as many times, 20 kinds of profiles: a million cells of programs, and not much more."""
    pytest.importorskip("scipy")
    cells = []
    solve = linear_program._Program.solve

    def counted(program: Any, t: float) -> Any:
        cells.append(program.cells)
        return solve(program, t)

    monkeypatch.setattr(linear_program._Program, "solve", counted)
    random = Random(3)
    profiles = [
        SimulatedProfile(f"p{k}", Bucket(2 + 2 * (k % 4), per=60 + k), LogNormal(20 + k, 0.5), [1, 2, 4][k % 3])
        for k in range(20)
    ]
    found = vg.lower_bound(1000, profiles, arrivals=[random.uniform(0, 400) for _ in range(1000)])
    assert found.binds == "slots and admissions"
    assert len(cells) > 1 and sum(cells[:-1]) < linear_program.CELLS and max(cells) < linear_program.CELLS / 2


def some(number: int) -> tuple[list[SimulatedProfile], int]:
    """Return 2-5 profiles with limits and slots and the same service, and a number of scenes."""
    random = Random(number)
    profiles = [
        SimulatedProfile(
            f"p{k}",
            random.choice([Bucket, Sliding, FixedWindow])(random.choice([2, 4, 8]), per=random.choice([30, 60, 120])),
            LogNormal(20, 0.5),
            capacity=random.choice([1, 2, 4]),
        )
        for k in range(random.choice([2, 3, 5]))
    ]
    return profiles, random.choice([30, 60])


def test_what_is_gained() -> None:
    """With equal services, the bound is a tenth higher in the mean; a policy that knows the limits is close to it."""
    pytest.importorskip("scipy")
    gains, left = [], []
    for number in range(20):
        profiles, scenes = some(number)
        found = vg.lower_bound(scenes, profiles, seed=number)
        others = max(found.tight, found.work, found.longest_scene)
        gains.append(found.seconds / others)
        policy = vg.Paced(limits={each.name: each.limit for each in profiles if each.limit is not None})
        run = vg.simulate(scenes, profiles, mode="boost", policy=policy, seed=number, order="longest")
        left.append((run.metrics().makespan or 0) / found.seconds)
    assert min(gains) == pytest.approx(1) and fmean(gains) > 1.07
    assert min(left) >= 1 - 1e-9 and median(left) < 1.15


def test_any_prices_prove_a_bound() -> None:
    """Random prices never prove more than a run takes, so a solver that is wrong makes no bound that is."""
    pytest.importorskip("scipy")
    proofs = []
    for number in range(20):
        random, (profiles, scenes) = Random(number), some(number)
        run = vg.simulate(scenes, profiles, mode="boost", seed=number)
        makespan = run.metrics().makespan or 0
        demand = Demand([uniform(number, "service", each.id) for each in run.data.scenes], None)
        fleet = fleet_of(profiles, {})
        places, own = places_of(fleet)
        arrays, scarce = Scenes(fleet, demand, places), scarce_things(fleet, places, own)
        for _ in range(5):
            sigmas = [0.0 if each.timed else random.uniform(5, 40) for each in scarce]
            prices = [
                Priced(each, 0.0, sigma, random.expovariate(1)) for each, sigma in zip(scarce, sigmas, strict=True)
            ]
            proofs.append(proven(arrays, prices, 0.0) / makespan)
    assert max(proofs) < 1 and median(proofs) > 0.2


def test_concurrency_of_a_group() -> None:
    """Two profiles of a group share one slot: 10 scenes of 5 s take 50 s, whatever the capacities."""
    pytest.importorskip("scipy")
    team = [SimulatedProfile(name, Concurrency(1), Constant(5), 3, quota_group="t") for name in "ab"]
    assert vg.lower_bound(10, team).seconds == pytest.approx(50)
