"""Releases in the bound: each part from every release on, at the cost of a few of them."""

from __future__ import annotations

from random import Random

import pytest

import vidgen_nb as vg
from tests.analysis.bounds.test_lower_bound import drawn
from vidgen_nb.analysis.bounds import closed_form
from vidgen_nb.analysis.bounds.closed_form import Demand
from vidgen_nb.analysis.bounds.fleet import Fleet, fleet_of
from vidgen_nb.analysis.bounds.lower_bound import bound
from vidgen_nb.provider import Constant, FixedWindow, LogNormal, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import uniform


@pytest.mark.parametrize("at", [0, 7, 600])
@pytest.mark.parametrize("limit", [TokenBucket(4, per=60), SlidingWindow(4, per=60), None])
def test_an_optimal_run_whose_scenes_come_late(limit: Limit | None, at: int) -> None:
    """It takes as long as if they had come at 0, and its efficiency is 1."""
    profiles = [SimulatedProfile("p", limit, Constant(20), capacity=4)]
    policy = vg.Paced(limits={"p": limit}) if limit is not None else None
    found = vg.simulate(40, profiles, mode="boost", policy=policy, arrivals=[at] * 40).metrics()
    assert found.makespan == pytest.approx(at + (20 + 36 * 15 if limit is not None else 200), abs=21)
    assert found.efficiency == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (TokenBucket(2, per=60), 100 + 30 + 5),  # full when the three come at 100
        (SlidingWindow(2, per=60), 100 + 60 + 5),
        (FixedWindow(2, per=60), 120 + 5),  # its windows begin with the run
        (None, 100 + 3 * 5),  # one slot
    ],
)
def test_late_scenes_by_hand(limit: Limit | None, seconds: float) -> None:
    """Three scenes at 100 after three at 0: the limits have had time, the slot has not."""
    profiles = [SimulatedProfile("p", limit, Constant(5), capacity=1)]
    found = vg.lower_bound(6, profiles, arrivals=[0, 0, 0, 100, 100, 100])
    assert found.seconds == pytest.approx(seconds)
    assert found.work == pytest.approx(115)


def plain(fleet: Fleet, us: list[float], releases: list[float]) -> float:
    """Return LB′ by trying every release and every number of longest scenes from it on."""
    best = 0.0
    for since in sorted(set(releases)):
        late = sorted((u for u, at in zip(us, releases, strict=True) if at >= since), reverse=True)
        for k, u in enumerate(late, 1):
            seconds = fleet.seconds(u)
            best = closed_form.first_true(lambda t, s=since, n=k, x=seconds: fleet.done_by(t, x, s) >= n, best)  # type: ignore[misc]
    return best


def test_the_search_over_releases_finds_the_largest() -> None:
    """Branch and bound over releases gives what trying all of them gives; the work as well."""
    for number in range(30):
        scenario, random = drawn(Random(number)), Random(-number)
        ids = [f"s{k}" for k in range(scenario.scenes)]
        releases = [round(random.uniform(0, random.choice([30, 300, 3000]))) + 0.0 for _ in ids]
        fleet = fleet_of(scenario.profiles, scenario.cooldowns)
        found = bound(ids, scenario.profiles, seed=number, cooldowns=scenario.cooldowns, releases=releases)
        us = [uniform(number, "service", each) for each in ids]
        assert found.tight == pytest.approx(plain(fleet, us, releases), rel=1e-8), number
        from_each = []
        for since in set(releases):
            late = [u for u, at in zip(us, releases, strict=True) if at >= since]
            closed = {each.name: max(since, scenario.cooldowns.get(each.name, 0)) for each in scenario.profiles}
            from_each.append(closed_form.most_work(fleet_of(scenario.profiles, closed), Demand(late, None)))
        assert found.work == pytest.approx(max(from_each), rel=1e-8), number


@pytest.mark.parametrize("load", [0.5, 0.98, 1.5])
def test_thousands_of_releases_cost_little(load: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """4,000 scenes at as many times: about as many looks at the fleet, where trying all would take 8,000,000."""
    looks = [0]

    class Counted(Fleet):
        def done_by(self, *given: object) -> float:
            looks[0] += 1
            return super().done_by(*given)  # type: ignore[arg-type]

        def work_by(self, *given: object) -> float:
            looks[0] += 1
            return super().work_by(*given)  # type: ignore[arg-type]

    def counted(*given: object, **more: object) -> Fleet:
        fleet = fleet_of(*given, **more)  # type: ignore[arg-type]
        return Counted(fleet.services, fleet.groups, fleet.names)

    monkeypatch.setattr("vidgen_nb.analysis.bounds.lower_bound.fleet_of", counted)
    random, rate = Random(1), 3 / 20
    profiles = [SimulatedProfile("p", TokenBucket(9, per=60), LogNormal(20, 0.5), capacity=3)]
    arrivals = [random.uniform(0, 4000 / (rate * load)) for _ in range(4000)]
    found = vg.lower_bound(4000, profiles, arrivals=arrivals)
    assert found.seconds >= max(arrivals)
    assert looks[0] < 20_000


def test_each_kind_of_service_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many scenes come at however many times."""
    drawn_at = list[float]()

    def z(self: LogNormal, u: float) -> float:
        drawn_at.append(u)
        return original(self, u)

    original = LogNormal.z
    monkeypatch.setattr(LogNormal, "z", z)
    profiles = [SimulatedProfile(f"p{k}", TokenBucket(2, per=60), LogNormal(10 + k, 0.5)) for k in range(3)]
    scenes = [f"s{k}" for k in range(400)]
    assert bound(scenes, profiles, releases=[3.0 * k for k in range(400)]).seconds > 1200
    assert len(drawn_at) < 400, "one by one only where a bound needs a single scene"
