"""Questions 1 to 10 of the guide: the figure's answer against theory, a hand's calculation, or runs made one by one."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from statistics import fmean, quantiles
from typing import Any

import pytest

import vidgen_nb as vg
from tests.scenarios.answers import curves, makespans, paired, said, trace

FOUR = vg.demo_profiles()
UNEVEN = [
    vg.SimulatedProfile("alice", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.3), capacity=3),
    vg.SimulatedProfile("bruno", vg.SlidingWindow(6, per=60), vg.LogNormal(15, 0.3), capacity=4),
]


def test_01_how_long() -> None:
    """How long for N scenes? As many dots as runs, where they are; the middle 80 % and the median of them."""
    alone = makespans(30, UNEVEN, range(12), mode="boost")
    figure = vg.compare(30, UNEVEN, modes="boost", seeds=range(12), progress=False).spread_chart()
    assert list(trace(figure, "run").x) == pytest.approx(alone)
    tenths = quantiles(alone, n=10, method="inclusive")
    low, half, high = (f"{tenths[at]:,.4g}" for at in (0, 4, 8))
    assert said(figure).startswith(f"Makespan {half} s in the median, {low} to {high} s in 80 % of 12 runs.")


def test_02_how_far_from_optimal() -> None:
    """How far from optimal? Beside the bound: 1.00 × where a schedule reaches it, more where a cooldown is lost."""
    even = [vg.SimulatedProfile("p", None, vg.Constant(10), capacity=2)]
    assert "PerProfileCooldown 1.00 ×." in said(vg.compare(8, even, modes="boost", seeds=[1], progress=False).chart())
    limit = vg.TokenBucket(2, per=60)  # 2 at once, then one every 30 s: the sixth is admitted at 120 s
    tight = [vg.SimulatedProfile("p", limit, vg.Constant(10), retry_after=False)]
    policies = {"guess": vg.PerProfileCooldown(50), "told": vg.Paced({"p": limit})}
    figure = vg.compare(6, tight, policies=policies, modes="boost", seeds=[1, 2], progress=False).chart()
    assert list(trace(figure, "bound").x) == pytest.approx([130, 130])
    assert list(trace(figure, "mean").x) == pytest.approx([160, 130])  # 2 at 0, 1 at 50, 2 at 100, 1 at 150
    assert "guess 1.23 ×, told 1.00 ×." in said(figure)


def ranking(run: vg.Run) -> dict[str, tuple[float, bool]]:
    """Return what one more of each thing brings, in order, and whether that can be told from nothing."""
    figure = run.one_more(seeds=3).ranking_chart()
    (bars,) = figure.data
    names = [unescape(name) for name in figure.layout.yaxis.ticktext]
    filled = [colour != figure.layout.plot_bgcolor for colour in bars.marker.color]
    return {name: (x, full) for name, x, full in zip(names, bars.x, filled, strict=True)}


def test_03_which_profile_limits() -> None:
    """Which profile limits us? Where slots bind, a slot helps and a submit does not; where a limit binds, reversed."""
    slots = [vg.SimulatedProfile("p", vg.TokenBucket(600, per=60), vg.Constant(10), capacity=2)]
    found = ranking(vg.simulate(20, slots, mode="boost"))  # 10 rounds of 10 s; 5 with 4 slots, 7 with 3
    assert list(found.items()) == [
        ("+1 profile like p", (-50, True)), ("p: 2 → 3 slots", (-30, True)), ("p: 600 → 601 per 60 s", (0, False)),
    ]  # fmt: skip
    honest = vg.PerProfileCooldown(honour_retry_after=True)
    tight = [vg.SimulatedProfile("p", vg.TokenBucket(1, per=12), vg.Constant(1), capacity=4)]
    found = ranking(vg.simulate(11, tight, mode="boost", policy=honest))  # the last is admitted at 120 s; at 54 s
    gain, told = found["p: 1 → 2 per 12 s"]
    assert told and gain == pytest.approx(-66)
    assert found["p: 4 → 5 slots"] == (0, False)
    assert list(found)[-1] == "p: 4 → 5 slots"


def test_03_all_that_there_is_one_more_of() -> None:
    """The mode, a quota group's limit, an organisation's, weights, running jobs: each once, and each grows by one."""
    team = vg.Organisation("team", vg.TokenBucket(9, per=60))
    tokens = vg.TokenBucket(1000, per=60, weight="tokens") & vg.Concurrency(3)
    profiles = [
        vg.SimulatedProfile("a", tokens, vg.Constant(5), quota_group="g", organisation=team),
        vg.SimulatedProfile("b", None, vg.Constant(5), quota_group="g", organisation=team, capacity=2),
    ]
    scenes = [vg.Scene(f"s{k}", "a fox", tokens=100) for k in range(6)]
    run = vg.simulate(scenes, profiles, policy=vg.EarliestFinish(vg.Paced({"g": tokens})))
    assert run.one_more(seeds=1).cases == [
        "as it was", "mode: 1 → 2 submits at once", "mode: 4 → 5 jobs at once on a profile",
        "organisation team: 9 → 10 per 60 s", "g: 1,000 → 1,100 tokens per 60 s", "g: 3 → 4 jobs at once",
        "+1 profile like a", "b: 2 → 3 slots", "+1 profile like b",
    ]  # fmt: skip
    assert run.one_more("slot", seeds=1).cases[1:] == [
        "mode: 4 → 5 jobs at once on a profile", "g: 3 → 4 jobs at once", "b: 2 → 3 slots",
    ]  # fmt: skip
    crowd = vg.SimulatedProfile("p", vg.Concurrency(2), vg.Constant(10), capacity=4)
    more = vg.simulate(9, [crowd], mode="boost").one_more("slot", seeds=1)
    for case, least, slots in (("p: 2 → 3 jobs at once", 3, 4), ("p: 4 → 5 slots", 2, 5)):
        changed = vg.SimulatedProfile("p", vg.Concurrency(least), vg.Constant(10), capacity=slots)
        assert list(more.numbers()[case].values()) == makespans(9, [changed], range(1), mode="boost")
    with pytest.raises(vg.InputError, match="one more of submit, slot, profile, or of each of them"):
        run.one_more("minute")


def test_04_one_more_profile() -> None:
    """What would one more profile buy? By kind: each seed's run with a copy of it, minus the run as it was."""
    run, seeds = vg.simulate(40, UNEVEN, mode="boost", seed=5), range(5, 13)
    figure = run.one_more("profile", seeds=8).spread_chart(paired=True)
    assert [each.name for each in figure.data] == ["+1 profile like alice", "+1 profile like bruno"]
    before = makespans(40, UNEVEN, seeds, mode="boost")
    for dots, kind in zip(figure.data, UNEVEN, strict=True):
        copy = vg.SimulatedProfile(f"{kind.name} (2)", kind.limit, kind.service, kind.capacity)
        after = makespans(40, [*UNEVEN, copy], seeds, mode="boost")
        assert list(dots.x) == pytest.approx([one - other for one, other in zip(after, before, strict=True)])
        assert f"better in {sum(x < 0 for x in dots.x)} of 8" in said(figure)


def test_05_when_does_boost_hurt() -> None:
    """When does boost hurt? Not where calls take no time; it saves waits in line; under load, many at once slow all."""
    grid: dict[str, Any] = {"capacity": [1, 2, 4], "latency": [0, 3], "mode": ["boost", "normal"]}
    free = [vg.SimulatedProfile("p", None, vg.Constant(100))]
    found = curves(vg.sweep(4, free, grid=grid, seeds=range(3), progress=False).chart(against={"mode": "normal"}))
    assert list(found["latency=0"].y) == [0, 0, 0]
    assert list(found["latency=3"].y) == pytest.approx(
        [0, -3, -9]
    )  # of each round, the last submit waits for the others
    busy = [vg.SimulatedProfile(name, None, vg.LogNormal(20, 0.3)) for name in "ab"]
    grid["capacity"] = [2, 8]
    load = vg.Load(6, slowdown=1.2, errors=0.1)
    swept = vg.sweep(30, busy, grid=grid, seeds=range(8), load=load, progress=False)
    figure = swept.chart(against={"mode": "normal"})
    normal, boost = (
        makespans(30, _with_slots(busy, 8), range(8), mode=mode, load=load) for mode in ("normal", "boost")
    )
    mean, low, high = paired(boost, normal, 1 - 0.05 / 4)  # the figure has four of them, and names what stands out
    point = curves(figure)["latency=0"]
    assert (point.y[1], point.y[1] - point.error_y.arrayminus[1], point.y[1] + point.error_y.array[1]) == pytest.approx(
        (mean, low, high)
    )
    assert low > 0
    assert "Intervals: 95 % for all together, paired, 8 seeds; filled: told apart from mode=normal." in said(figure)
    assert "Makespan is higher with mode=boost than with mode=normal at capacity = 8 with latency=0" in said(figure)
    assert "The same with every seed at capacity = 2 with latency=0." in said(figure)


def _with_slots(profiles: Sequence[vg.SimulatedProfile], slots: int) -> list[vg.SimulatedProfile]:
    return [vg.SimulatedProfile(each.name, each.limit, each.service, slots) for each in profiles]


def test_06_wasted_attempts() -> None:
    """How many attempts were wasted? By hand: two made at 0, two refused at 10, a probe at 40, and two made at 70."""
    window = vg.SimulatedProfile("a", vg.FixedWindow(2, per=60), vg.Constant(10), 2, retry_after=False)
    figure = vg.simulate(4, [window], mode="boost").attempts_chart()
    assert said(figure) == "3 of 7 attempts were wasted (43 %): 3 got a 429."
    assert {each.meta: list(each.x) for each in figure.data} == {"succeeded": [4], "rate_limited": [3]}
    free = vg.simulate(4, [vg.SimulatedProfile("a", None, vg.Constant(10))], mode="boost")
    assert said(free.attempts_chart()) == "None of 4 attempts was wasted."


def test_07_wait_or_move() -> None:
    """Wait out the cooldown or move? The mean of the differences seed by seed, and their interval."""
    seeds = range(3, 9)
    wait, move = (makespans(30, FOUR, seeds, mode="boost", policy=each) for each in (vg.GlobalPause(), None))
    mean, low, high = paired(wait, move)
    assert low > 0
    figure = vg.simulate(30, FOUR, mode="boost", seed=3).what_if(policy=vg.GlobalPause(), seeds=6).chart()
    assert f"policy=GlobalPause(): makespan {mean:+,.4g} s [{low:+,.4g}, {high:+,.4g}] against as it was" in said(
        figure
    )


def test_08_honour_retry_after() -> None:
    """Does honouring Retry-After beat guessing? By hand: refused at 10, and told 50 s; a guess of 45 s is early."""
    window = [vg.SimulatedProfile("a", vg.FixedWindow(1, per=60), vg.Constant(10), 1)]
    run = vg.simulate(2, window, mode="boost", policy=vg.PerProfileCooldown(45))  # again at 55, and at 100
    figure = run.what_if(policy=vg.PerProfileCooldown(45, honour_retry_after=True), seeds=2).chart()
    assert list(trace(figure, "mean").x) == pytest.approx([110, 70])
    assert list(trace(figure, "difference").x) == pytest.approx([0, -40])
    same = run.what_if(policy=vg.PerProfileCooldown(45), seeds=3)
    assert same.summary()[1].told_apart is False and "have the same makespan with every seed" in said(same.chart())


def test_09_jitter() -> None:
    """Does jitter matter? With one client not at all; without it, N clients need N(N + 1)/2 calls; with it, fewer."""
    api = [vg.SimulatedProfile("api", vg.TokenBucket(1, per=1), vg.Constant(1))]
    grid: dict[str, Any] = {"clients": [1, 10, 40], "jitter": ["none", "full", "decorrelated"]}
    swept = vg.sweep(1, api, grid=grid, policy=vg.ExponentialCooldown(1, cap=60), seeds=range(4), progress=False)
    figure = swept.chart("attempts")
    found = {name.removeprefix("jitter="): list(each.y) for name, each in curves(figure).items()}
    assert found["none"] == [1, 55, 820]
    for kind in ("full", "decorrelated"):
        policy = vg.ExponentialCooldown(1, cap=60, jitter=kind)
        alone = [
            fmean(vg.simulate_clients(n, 1, api, policy=policy, seed=k).calls for k in range(4)) for n in (1, 10, 40)
        ]
        assert found[kind] == pytest.approx(alone)
        assert alone[0] == 1 and 40 < alone[2] < 0.4 * 820
    assert "The same for all at clients = 1." in said(figure)
    assert "jitter=none +" in said(figure)


def test_10_best_cooldown() -> None:
    """Which cooldown is best when the reset is unknown? What can't be told apart from the best, by paired intervals."""
    values, seeds = [2, 10, 30, 120], range(7)
    found = {each: makespans(40, FOUR, seeds, mode="boost", policy=vg.PerProfileCooldown(each)) for each in values}
    best = min(values, key=lambda each: fmean(found[each]))
    told = {each: paired(found[each], found[best], 1 - 0.05 / 3) for each in values if each != best}
    alike = [each for each in values if each == best or told[each][1] <= 0 <= told[each][2]]
    assert best < 120 and 120 not in alike and len(alike) > 1  # there is something to see
    assert any(paired(found[each], found[best])[1] > 0 for each in alike if each != best)  # one by one, one is worse
    figure = vg.sweep(40, FOUR, grid={"cooldown": values}, mode="boost", seeds=seeds, progress=False).chart()
    (curve,) = curves(figure).values()
    assert list(curve.y) == pytest.approx([fmean(found[each]) for each in values])
    filled = [
        value for value, colour in zip(values, curve.marker.color, strict=True) if colour != figure.layout.plot_bgcolor
    ]
    assert filled == alike
    bounds = [vg.lower_bound(40, FOUR, seed=seed).seconds for seed in seeds]
    assert list(trace(figure, "bound").y) == pytest.approx([fmean(bounds)] * 4)
    assert f"at cooldown = {best} s, {fmean(found[best]) / fmean(bounds):.2f} × the lower bound" in said(figure)
    assert figure.layout.xaxis.type == "log"
