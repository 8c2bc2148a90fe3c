"""The bound where a provider has more to it: refusals that count, weights, organisations, load."""

from __future__ import annotations

from random import Random

import pytest

import vidgen_nb as vg
from vidgen_nb.core.model import Scene
from vidgen_nb.provider import FixedWindow, LogNormal, Organisation, SimulatedProfile, SlidingWindow, TokenBucket
from vidgen_nb.provider.limits import Limit
from vidgen_nb.provider.load import Load


def a_limit(random: Random, most: int) -> Limit:
    """Return a limit in requests or in tokens, or both; refusals may count."""
    kind = random.choice([TokenBucket, FixedWindow, SlidingWindow])
    requests = kind(random.randint(1, most), per=random.choice([20.0, 60]), count_refusals=random.random() < 0.5)
    weights: list[str | float] = [2, 3.5, "tokens"]
    heavy = kind(3 * most, per=60.0, weight=random.choice(weights))
    return random.choice([requests, heavy, requests & heavy])


def played(number: int) -> vg.Run:
    """Return a run of 20 scenes on up to four accounts, of a team or not, under load or not."""
    random = Random(number)
    team = Organisation("team", a_limit(random, 8)) if random.random() < 0.6 else None
    profiles = [
        SimulatedProfile(
            f"p{k}", a_limit(random, 5), LogNormal(random.choice([10, 20]), 0.4), random.choice([None, 1, 3]),
            organisation=team,
        )
        for k in range(random.randint(1, 4))
    ]  # fmt: skip
    scenes = [Scene(f"s{k:02}", "x", tokens=random.randint(1, 3)) for k in range(20)]
    load = Load(3, slowdown=random.choice([0.5, 1, 2])) if random.random() < 0.3 else None
    return vg.simulate(scenes, profiles, mode="boost", seed=number, load=load,
                       policy=random.choice([vg.PerProfileCooldown(honour_retry_after=True), vg.PerProfileCooldown(5)]),
                       arrivals=[random.choice([0, 30]) for _ in scenes])  # fmt: skip


def test_no_run_beats_the_bound() -> None:
    """80 runs; some are within a twentieth of it."""
    shares = []
    for number in range(80):
        found = played(number).metrics()
        assert found.scenes == {"succeeded": 20}, number
        assert found.lower_bound is not None and found.makespan is not None
        assert found.lower_bound <= found.makespan + 1e-6, number
        shares.append(found.lower_bound / found.makespan)
    assert max(shares) > 0.95


def test_an_organisation_by_hand() -> None:
    """Three accounts may each do four a minute, together five: the twelfth scene is admitted at 120 s, not at 0."""
    team = Organisation("team", SlidingWindow(5, per=60))
    profiles = [SimulatedProfile(name, SlidingWindow(4, per=60), LogNormal(10, 0), organisation=team) for name in "abc"]
    found = vg.lower_bound(12, profiles)
    assert found.seconds == pytest.approx(120 + 10)
    assert set(found.limited_by.values()) == {repr(team.limit)}


def test_refusals_that_count_and_a_weight_by_hand() -> None:
    """Six a minute, of which a submit takes two: three; refusals that count can only make it fewer."""
    for limit in (SlidingWindow(3, per=60), SlidingWindow(6, per=60, weight=2, count_refusals=True)):
        profiles = [SimulatedProfile("p", limit, LogNormal(10, 0))]
        assert vg.lower_bound(7, profiles).seconds == pytest.approx(120 + 10, rel=1e-5)
