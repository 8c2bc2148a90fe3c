"""Twenty questions about runs, each asked as in a notebook, in one call or two, and its answer checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

import vidgen_nb as vg

README = Path(__file__).parent.parent.parent / "README.md"
FOUR = [
    vg.SimulatedProfile("alice", vg.TokenBucket(2, per=60), vg.LogNormal(22, 0.25), capacity=3),
    vg.SimulatedProfile("bruno", vg.TokenBucket(4, per=60), vg.LogNormal(18, 0.25), capacity=3),
    vg.SimulatedProfile("chiara", vg.SlidingWindow(5, per=60), vg.LogNormal(14, 0.25), capacity=3),
    vg.SimulatedProfile("delta", vg.TokenBucket(30, per=60), vg.LogNormal(26, 0.25), capacity=3),
]
PAIR = [vg.SimulatedProfile(f"p{k}", vg.TokenBucket(6, per=60), vg.Constant(20), capacity=3) for k in (1, 2)]


@pytest.fixture(scope="module")
def run() -> vg.Run:
    """The run that is asked about."""
    return vg.simulate(60, FOUR, mode="boost", seed=3)


def means(comparison: Any, metric: str = "makespan") -> dict[str, float]:
    """Return each case's mean."""
    return {each.case: each.mean for each in comparison.summary(metric)}


def test_01_how_long(run: vg.Run) -> None:
    """How long for N scenes?"""
    makespan = vg.simulate(60, FOUR, mode="boost", seed=3).metrics().makespan
    assert makespan == max(scene.end or 0 for scene in run.scenes)


def test_02_how_far_from_optimal(run: vg.Run) -> None:
    """How far from optimal?"""
    efficiency = run.metrics().efficiency
    assert efficiency is not None and 0.3 < efficiency <= 1


def test_03_which_profile_limits(run: vg.Run) -> None:
    """Which profile limits us? The bound says what binds, and the split where slots stood still."""
    bound = vg.lower_bound(60, FOUR, seed=3)
    worst = max(run.metrics().profiles, key=lambda each: each.cooldown_duty)
    assert bound.binds and bound.limited_by
    assert worst.profile == "alice"


def test_04_one_more_profile(run: vg.Run) -> None:
    """What would one more profile buy?"""
    gain = (run.metrics().makespan or 0) - (run.what_if(profiles=5).metrics().makespan or 0)
    assert gain > 0


def test_05_when_does_boost_hurt() -> None:
    """When does boost hurt? Many submits at once find a tight limit by being refused."""
    wasted = means(vg.compare(40, PAIR, modes=["normal", "boost"], seeds=range(3), progress=False), "rate_limited")
    normal, boost = (next(mean for case, mean in wasted.items() if mode in case) for mode in ("normal", "boost"))
    assert boost >= normal


def test_06_wasted_attempts(run: vg.Run) -> None:
    """How many attempts were wasted?"""
    share = run.metrics().wasted_share
    assert share == sum(each.outcome != "succeeded" for each in run.attempts) / len(run.attempts)


def test_07_wait_or_move(run: vg.Run) -> None:
    """Wait out the cooldown or move? The same luck with both; the interval of the difference leaves out 0."""
    made = run.what_if(policy=vg.GlobalPause(), seeds=6)
    (_, wait) = made.summary()
    assert wait.told_apart and wait.difference_low is not None and wait.difference_low > 0
    assert "GlobalPause" in made.in_words() and "seeds would show it" in made.in_words()
    assert made[0].makespan == run.metrics().makespan


def test_08_honour_retry_after() -> None:
    """Does honouring Retry-After beat guessing?"""
    policies = {"guess": vg.PerProfileCooldown(), "honour": vg.PerProfileCooldown(honour_retry_after=True)}
    made = vg.compare(40, FOUR, policies=policies, modes="boost", seeds=range(6), progress=False)
    honour = made.summary()[1]
    assert honour.told_apart and (honour.difference or 0) < 0
    null = vg.compare(
        40, FOUR, policies={"a": policies["guess"], "b": policies["guess"]}, seeds=range(3), progress=False
    )
    assert null.summary()[1].told_apart is False


def test_09_jitter() -> None:
    """Does jitter matter? With one client not at all; of many that want one call at once, each refusal costs one."""
    api = [vg.SimulatedProfile("api", vg.TokenBucket(1, per=1), vg.Constant(1))]
    calls = {
        (kind, count): vg.simulate_clients(count, 1, api, policy=vg.ExponentialCooldown(1, cap=60, jitter=kind)).calls
        for kind in ("none", "full", "decorrelated")
        for count in (1, 10, 40)
    }
    assert [calls["none", count] for count in (1, 10, 40)] == [1, 55, 820]
    assert calls["full", 1] == calls["decorrelated", 1] == 1
    assert 40 < calls["full", 40] < 0.4 * 820
    assert 40 < calls["decorrelated", 40] < 0.4 * 820


def test_10_best_cooldown() -> None:
    """Which cooldown is best when the reset is unknown? A U-curve, with the bound below it, and what is as good."""
    swept = vg.sweep(40, FOUR, grid={"cooldown": [2, 10, 30, 90]}, mode="boost", seeds=range(6), progress=False)
    figure = swept.chart()
    paired = {dict(each.values)["cooldown"]: each for each in swept.against_best()}
    assert paired[90].told_apart and (paired[90].difference or 0) > 0
    assert any(not each.told_apart for each in paired.values())
    assert figure.layout.xaxis.title.text == "cooldown (s)"
    assert any(trace.name and "bound" in trace.name.lower() for trace in figure.data)
    assert "told apart" in figure.layout.title.text


def test_11_time_to_first_result() -> None:
    """Time to first result, single against batch? Of more scenes the quickest is quicker: the minimum of more draws."""
    swept = vg.sweep(1, FOUR, grid={"scenes": [1, 5, 40]}, mode="boost", seeds=range(12), progress=False)
    one, five, many = swept.summary("first_result")
    assert five.told_apart and many.told_apart
    assert (one.mean or 0) > (five.mean or 0) > (many.mean or 0)
    assert swept.chart("first_result").layout.yaxis.title.text == "first result (s)"


def test_12_who_waits_longest(run: vg.Run) -> None:
    """Who waits longest?"""
    scenes = run.metrics().to_frame("scenes")
    assert scenes["wait"].max() == run.metrics().wait.max  # type: ignore[union-attr]
    assert isinstance(run.wait_chart(), go.Figure)


def test_13_fairness(run: vg.Run) -> None:
    """Are profiles used fairly?"""
    fairness = run.metrics().fairness
    assert fairness is not None and 0 < fairness <= 1


def test_14_little(run: vg.Run) -> None:
    """Does Little's law hold here? Not in a batch, whose queue only shrinks; it does where scenes come steadily."""
    assert run.little().holds is False
    assert "not stationary" in str(run.little())
    steady = vg.simulate(800, PAIR, mode="boost", arrivals=vg.Poisson(9, per=60), seed=2)
    assert steady.little().holds is True
    assert isinstance(steady.little_chart(), go.Figure)


def test_15_which_bucket() -> None:
    """Which bucket (B, r) explains these 429s?"""
    bucket = [vg.SimulatedProfile("p", vg.TokenBucket(6, per=90), vg.Constant(8), capacity=4)]
    run = vg.simulate(120, bucket, mode="boost", policy=vg.PerProfileCooldown(7))
    estimate = run.estimate_limits()["p"]
    assert estimate.rate is not None
    assert (
        "p: a token bucket, 6 per 90 s, explains all" in run.admission_chart("p", limit="estimated").layout.title.text
    )
    assert estimate.rate.low <= 6 / 90 <= estimate.rate.high


def test_16_window_or_bucket() -> None:
    """Fixed window or token bucket: can I tell?"""
    window = [vg.SimulatedProfile("p", vg.FixedWindow(6, per=90), vg.Constant(8), capacity=4)]
    estimate = vg.simulate(120, window, mode="boost", policy=vg.PerProfileCooldown(7)).estimate_limits()["p"]
    assert estimate.kinds == ("fixed_window",)
    assert estimate.finding.endswith("429s; no other kind does")


def test_17_recovery() -> None:
    """Recovery time after an outage? Beside the same luck without it; where there was none, nothing."""
    outage = [vg.Fault("overload", start=100, end=130)]
    made = vg.compare(100, FOUR, modes="boost", faults=outage, seeds=range(6), progress=False)
    null = vg.compare(100, FOUR, modes="boost", metrics={"trouble": (100, 130)}, seeds=range(6), progress=False)
    (behind,), (nothing,) = made.summary("recovery.behind"), null.summary("recovery.behind")
    assert behind.low is not None and behind.low > 0
    assert (nothing.low, nothing.high) == (0, 0)
    figure = vg.simulate(100, FOUR, mode="boost", faults=outage).recovery_chart()
    assert [trace.meta for trace in figure.data] == ["run", "control"]


def test_18_can_retries_sustain_an_overload() -> None:
    """Can retries keep us overloaded? The same load before and after an overload; without the mechanism, the same."""
    rates, slow = [0.4, 0.8, 1.2, 0.8, 0.4], [vg.SimulatedProfile("api", None, vg.Constant(10))]
    times = [400 * step + k / rate for step, rate in enumerate(rates) for k in range(int(400 * rate))]

    def before_and_after(**options: Any) -> tuple[float, float]:
        made = vg.simulate(len(times), slow, mode="boost", arrivals=times, until=2000, **options)
        ends = [each.end for each in made.scenes if each.status == "succeeded" and each.end is not None]
        return sum(end < 400 for end in ends) / 400, sum(1600 <= end < 2000 for end in ends) / 400

    assert before_and_after(load=vg.Load(10), attempt_timeout=20) == pytest.approx((0.4, 0.0), rel=0.05)
    for half in ({"load": vg.Load(10)}, {"attempt_timeout": 20}):
        assert before_and_after(**half) == pytest.approx((0.4, 0.4), rel=0.05)


def test_19_which_order() -> None:
    """Which order (shortest, longest, FIFO) wins, on what metric?"""
    uneven = [vg.SimulatedProfile(f"p{k}", None, vg.LogNormal(20, 1.0), capacity=2) for k in range(2)]
    orders = {"order": ["given", "shortest", "longest"]}
    swept = vg.sweep(40, uneven, grid=orders, mode="boost", seeds=range(8), progress=False)
    for metric, best in (("flow.mean", "shortest"), ("makespan", "longest")):
        for each in swept.against_best(metric):
            assert bool(each.told_apart) == (each.case != f"order={best}"), (metric, each)


def test_20_what_capacity_did(run: vg.Run) -> None:
    """What was capacity doing while work waited?"""
    split = run.metrics().split
    assert split is not None
    assert split.ok + split.wasted + split.cooling + split.idle_empty + split.idle_waiting == pytest.approx(1)
    assert isinstance(run.slot_time_chart(), go.Figure)


def test_the_readme_has_all_of_them() -> None:
    """Each with its call; the test of the README runs them."""
    questions = README.read_text().split("## Twenty questions")[1].split("\n## ")[0]
    asked = re.findall(r"^# (\d+)\. .*\?", questions, re.MULTILINE)
    assert asked == [str(number) for number in range(1, 21)]
