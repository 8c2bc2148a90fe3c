"""Lower bounds: by hand, against a plain search, and never above what any policy took, over thousands of scenarios."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.bounds import closed_form
from vidgen_nb.analysis.bounds.fleet import fleet_of
from vidgen_nb.analysis.bounds.lower_bound import LowerBound, bound
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, Mode, RetryPolicy, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    Empirical,
    Exponential,
    Fault,
    FixedWindow,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.service import Service, uniform
from vidgen_nb.run import Run


def one(limit: Limit | None = None, seconds: float = 10, capacity: int | None = None) -> SimulatedProfile:
    """Return a profile with constant service."""
    return SimulatedProfile("p", limit, Constant(seconds), capacity)


@pytest.mark.parametrize(
    ("profile", "scenes", "seconds", "binds"),
    [
        (one(), 5, 10, "longest scene"),
        (one(capacity=2), 5, 30, "admissions"),  # 2, 2, 1: whole rounds
        (one(capacity=2), 4, 20, "work"),
        (one(TokenBucket(4, per=60)), 10, 6 * 15 + 10, "admissions"),  # 4 at once, one each 15 s
        (one(FixedWindow(4, per=60)), 10, 120 + 10, "admissions"),  # 4 at 0, 60 and 120
        (one(SlidingWindow(4, per=60)), 9, 120 + 10, "admissions"),
        (one(DailyQuota(4)), 5, 86_400 + 10, "admissions"),
        (one(Concurrency(2)), 5, 30, "admissions"),
        (one(TokenBucket(4, per=60) & FixedWindow(5, per=300)), 6, 300 + 10, "admissions"),
    ],
)
def test_by_hand(profile: SimulatedProfile, scenes: int, seconds: float, binds: str) -> None:
    """One profile and one length: the time of the last admission, and a service; or rounds of its slots."""
    found = vg.lower_bound(scenes, [profile])
    assert found.seconds == pytest.approx(seconds)
    assert float(found) == found.seconds <= seconds
    assert found.binds == binds


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (TokenBucket(4, per=60), 50 + 15 + 10),  # full at 50, the fifth 15 s later
        (FixedWindow(4, per=60), 60 + 10),  # 4 at 50, and the next window begins at 60
        (SlidingWindow(4, per=60), 50 + 60 + 10),
    ],
)
def test_a_cooldown_at_the_start(limit: Limit, seconds: float) -> None:
    """Nothing before 50 s, then what the limit has from there on."""
    assert vg.lower_bound(5, [one(limit)], cooldowns={"p": 50}).seconds == pytest.approx(seconds)


def test_profiles_together_and_what_limits_each() -> None:
    """Two profiles: both admit; in a quota group they share. The record says what each has no more of."""
    limit = TokenBucket(2, per=20)
    apart = [SimulatedProfile(name, limit, Constant(5), 1) for name in "ab"]
    team = [SimulatedProfile(name, limit, Constant(5), 9, quota_group="t") for name in "ab"]
    assert vg.lower_bound(8, apart).seconds == pytest.approx(
        25
    )  # each 2 at 0, then at 10 and 20; a slot has time for 5
    assert vg.lower_bound(8, team).seconds == pytest.approx(60 + 5)
    found = vg.lower_bound(9, [*team, SimulatedProfile("c", service=Constant(20), capacity=1)])
    assert found.limited_by == {"a": repr(limit), "b": repr(limit), "c": "capacity 1"}
    for text in (repr(found), found._repr_html_()):
        assert "admissions" in text and "capacity 1" in text


def test_a_shared_limit_counts_admissions_for_each_length() -> None:
    """Of a group's slow profile, jobs must be admitted earlier: one admission a second, 10 s on 9 slots, 2 s on 1.

    By 12, slow has done what was admitted by 2, which is 3, and quick 6; by 13 they have done 4 and 6.
    """
    limit = FixedWindow(1, per=1)
    slow = SimulatedProfile("slow", limit, Constant(10), 9, quota_group="g")
    quick = SimulatedProfile("quick", limit, Constant(2), 1, quota_group="g")
    assert vg.lower_bound(10, [slow, quick]).seconds == pytest.approx(13)


def test_times_are_drawn_as_in_the_simulation() -> None:
    """Without limits and bounds the longest scene is exactly what the run takes; without a seed, less than any run."""
    profiles = [SimulatedProfile("p", service=LogNormal(20, 0.5))]
    for seed in range(5):
        run = vg.simulate(10, profiles, mode="boost", seed=seed)
        assert vg.lower_bound(10, profiles, seed=seed).seconds == pytest.approx(run.metrics().makespan or 0)
        assert vg.lower_bound(10, profiles, seed=None).seconds < (run.metrics().makespan or 0)
    assert vg.lower_bound(
        10, [SimulatedProfile("p", service=Empirical([3, 4, 90]))], seed=None
    ).seconds == pytest.approx(3)


def test_scenes_that_come_later() -> None:
    """No scene can be done before it came and was served; one closed profile does not help."""
    profiles = [one(), SimulatedProfile("q", service=Constant(1))]
    found = vg.lower_bound(3, profiles, arrivals=[0, 5, 70], cooldowns={"q": 100})
    assert found.longest_scene == pytest.approx(80)
    closed = vg.lower_bound(3, profiles, cooldowns={"p": math.inf, "q": math.inf})
    assert closed.seconds == math.inf and closed.limited_by == {"p": "closed", "q": "closed"}


def test_what_makes_no_sense() -> None:
    """No profiles, a cooldown of nobody, arrivals for other scenes: each says so. No scenes take no time."""
    with pytest.raises(InputError, match="at least one profile"):
        vg.lower_bound(3, [])
    with pytest.raises(InputError, match="cooldowns names 'x', which is not one of the profiles: p"):
        vg.lower_bound(3, [one()], cooldowns={"x": 3})
    with pytest.raises(InputError, match="2 times for 3 scenes"):
        vg.lower_bound(3, [one()], arrivals=[0, 1])
    with pytest.raises(InputError, match="two profiles have the same name"):
        vg.lower_bound(3, [one(), one()])
    with pytest.raises(InputError, match="until when 'p' is closed"):
        vg.lower_bound(3, [one()], cooldowns={"p": math.nan})
    with pytest.raises(InputError, match="a finite number of seconds"):
        vg.lower_bound(2, [one()], arrivals=[0, math.nan])
    assert vg.lower_bound(0, [one()]) == LowerBound(0, 0, 0, 0, 0, "admissions", 0)


def test_the_search_finds_the_largest() -> None:
    """Branch and bound gives what trying every number of longest scenes gives."""
    for number in range(60):
        scenario = drawn(Random(number))
        fleet = fleet_of(scenario.profiles, scenario.cooldowns)
        lengths = sorted((uniform(number, "service", f"s{k}") for k in range(scenario.scenes)), reverse=True)
        plain = max(closed_form._first_time(fleet, k, fleet.seconds(u)) for k, u in enumerate(lengths, 1))
        found = bound([f"s{k}" for k in range(scenario.scenes)], scenario.profiles, seed=number,
                      cooldowns=scenario.cooldowns)  # fmt: skip
        assert found.tight == pytest.approx(plain, rel=1e-8)
        assert found.tight >= found.admissions
        assert found.seconds == max(found.tight, found.work, found.longest_scene, found.joint)


@dataclass
class Scenario:
    """What is simulated and bounded."""

    profiles: list[SimulatedProfile]
    scenes: int
    cooldowns: dict[str, float]
    imposed: list[ev.CooldownImposed]
    arrivals: list[float] | None
    mode: Mode
    policy: Policy
    faults: list[Fault]
    latency: float


def a_limit(random: Random) -> Limit | None:
    """Return some limit, a sum of them, or none."""
    kinds = (TokenBucket, FixedWindow, SlidingWindow)
    rates = [random.choice(kinds)(random.randint(1, 8), per=random.choice([1.0, 5, 10, 30, 60])) for _ in range(2)]
    slots = Concurrency(random.randint(1, 4), over=random.choice(["refuse", "queue"]))
    return random.choice([
        None, slots, rates[0] & slots, rates[0] & rates[1],
        rates[0] & DailyQuota(1000), *rates, rates[0], rates[0],
    ])  # fmt: skip


def a_service(random: Random) -> Service:
    """Return some distribution of service times."""
    mean = random.choice([1, 5, 20, 60])
    spread = random.choice([0.1, 0.5, 1.5])
    samples = Empirical([mean, 2 * mean, 5 * mean])
    return random.choice([Constant(mean), Exponential(mean), LogNormal(mean, spread), samples])


def drawn(random: Random) -> Scenario:
    """Return a random scenario: 1-6 profiles, some in groups, some closed at the start; three modes and policies."""
    groups: dict[str, Limit | None] = {}
    alike = a_service(random) if random.random() < 0.5 else None
    profiles = []
    for number in range(random.randint(1, 6)):
        group, limit = random.choice([None, None, "g", "h"]), a_limit(random)
        limit = limit if group is None else groups.setdefault(group, limit)
        service, capacity = alike or a_service(random), random.choice([1, 2, 3, 5])
        profiles.append(SimulatedProfile(f"p{number}", limit, service, capacity, random.random() < 0.7, group))
    imposed: list[ev.CooldownImposed] = []
    cooldowns: dict[str, float] = {}
    for profile in profiles:
        if random.random() < 0.25:
            until = random.uniform(1, 80)
            imposed.append(ev.CooldownImposed(profile.name, until, "from before"))
            for other in profiles:
                if other is profile or (other.quota_group is not None and other.quota_group == profile.quota_group):
                    cooldowns[other.name] = max(until, cooldowns.get(other.name, 0))
    scenes = random.randint(1, 40)
    return Scenario(
        profiles, scenes, cooldowns, imposed,
        [random.uniform(0, 60) for _ in range(scenes)] if random.random() < 0.3 else None,
        random.choice([NORMAL, BOOST, Mode("two", 2, 3)]),
        random.choice([PerProfileCooldown(5), PerProfileCooldown(1, honour_retry_after=True), GlobalPause(7)]),
        [Fault(random.choice(["overload", "job_content", "lost_answer", "rate"]), probability=0.1)]
        if random.random() < 0.3 else [],
        random.choice([0.0, 0.0, 0.3]),
    )  # fmt: skip


def check(number: int) -> float:
    """Simulate a scenario, hold the bounds against it, and return makespan ÷ bound."""
    scenario = drawn(Random(number))
    scenes = [Scene(f"s{k}", "x") for k in range(scenario.scenes)]
    run = Run(*Simulation(
        scenes, scenario.profiles, scenario.mode, scenario.policy, retry=RetryPolicy(max_failures=30), seed=number,
        arrivals=scenario.arrivals, cooldowns=scenario.imposed, faults=scenario.faults, latency=scenario.latency,
    ).run())  # fmt: skip
    numbers = run.metrics()
    if numbers.makespan is None or numbers.bound is None or numbers.lower_bound is None:
        assert numbers.scenes.get("succeeded", 0) == 0
        return 1.0
    assert numbers.lower_bound <= numbers.makespan + 1e-6, number
    assert numbers.bound.tight >= numbers.bound.admissions, number
    if numbers.scenes == {"succeeded": len(scenes)}:
        told = bound([scene.id for scene in scenes], scenario.profiles, seed=number, cooldowns=scenario.cooldowns,
                     releases=scenario.arrivals)  # fmt: skip
        assert told == numbers.bound, number  # the run's own record says the same
        never = bound([scene.id for scene in scenes], scenario.profiles, seed=None, cooldowns=scenario.cooldowns,
                      releases=scenario.arrivals)  # fmt: skip
        assert never.seconds <= told.seconds + 1e-6, number
    if numbers.split is not None:
        split = numbers.split
        total = sum(getattr(split, name) for name in split.__dataclass_fields__)
        assert total == pytest.approx(1), number
    if numbers.queue_length is not None:
        assert numbers.queue_length == pytest.approx((numbers.arrival_rate or 0) * (numbers.queue_time or 0)), number
    return numbers.makespan / numbers.lower_bound if numbers.lower_bound else 1.0


def test_no_run_beats_the_bound() -> None:
    """100 random scenarios; some reach it, so that it is no idle promise."""
    ratios = [check(number) for number in range(100)]
    assert min(ratios) == pytest.approx(1, abs=1e-6)


@pytest.mark.long
@pytest.mark.timeout(600)  # about 40 s of work
@pytest.mark.parametrize("first", range(1000, 5000, 250))
def test_no_run_beats_the_bound_in_thousands(first: int) -> None:
    """250 more of them; 4,000 in all."""
    ratios = sorted(check(number) for number in range(first, first + 250))
    assert min(ratios) == pytest.approx(1, abs=1e-6)
    assert ratios[len(ratios) // 2] < 2
