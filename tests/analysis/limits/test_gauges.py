"""Gauges of limits: empty when a 429 comes, and learned whatever the policy is."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.limits.gauges import LimitGauges
from vidgen_nb.bundled_demo import demo_scenes
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.provider.gauge import in_words
from vidgen_nb.provider.limits import Limit


def profiles() -> list[vg.SimulatedProfile]:
    """Return one account of each kind of limit."""
    fixed = vg.SimulatedProfile("fixed", vg.FixedWindow(3, per=60), vg.Constant(20))
    return [*demo_profiles(), fixed]


@pytest.mark.parametrize("policy", ["PerProfileCooldown", "Paced"])
def test_a_told_limit_is_empty_when_a_429_comes(policy: str) -> None:
    """At each 429 less than one submit is left, at each acceptance there was one; it fills up again by itself."""
    accounts = profiles()
    told = {each.name: each.limit for each in accounts if each.limit is not None}
    run, gauges, sent = vg.simulate(demo_scenes(80), accounts, policy=policy, mode="boost"), LimitGauges(told), {}
    refused = 0
    for event in run.events:
        if isinstance(event, ev.AttemptStarted):
            sent[event.scene] = event
        if isinstance(event, ev.CallFailed) and isinstance(event.outcome, RateLimited):
            submit = sent[event.scene]
            level = gauges.of(submit.profile, submit.at).level
            assert level is not None and level < 1
            refused += 1
        gauges.observe(event)
    assert refused > 3
    later = run.events[-1].at + 3600
    for each in accounts:
        gauge = gauges.of(each.name, later)
        assert gauge.level == gauge.size == each.limit.n  # type: ignore[union-attr]


@pytest.mark.parametrize("policy", ["PerProfileCooldown", "Paced"])
def test_a_limit_that_nobody_told_is_learned(policy: str) -> None:
    """From 429s alone, its pace is found; a group that met none has no gauge."""
    accounts = [
        vg.SimulatedProfile("a", vg.TokenBucket(2, per=60), vg.Constant(20)),
        vg.SimulatedProfile("free", None, vg.Constant(90), capacity=1),
    ]
    run, gauges = vg.simulate(demo_scenes(80), accounts, policy=policy, mode="boost"), LimitGauges({})
    for event in run.events:
        gauges.observe(event)
    gauge = gauges.of("a", run.events[-1].at)
    assert gauge.limit in ("about 2, then 1 every 30 s", "about 2 a minute", "2 to 4 a minute")
    assert gauge.level is not None and 0 <= gauge.level <= gauge.size
    assert gauge.source == "learned from its answers"
    assert gauges.of("free", 1.0).level is None and gauges.of("free", 1.0).limit == ""


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (vg.TokenBucket(2, per=60), "2, then 1 every 30 s"),
        (vg.TokenBucket(1, per=20), "1 every 20 s"),
        (vg.TokenBucket(120, per=60), "120, then 2 a second"),
        (vg.SlidingWindow(5, per=60), "5 in any minute"),
        (vg.FixedWindow(5, per=90), "5 in each 90 s"),
        (vg.DailyQuota(1000), "1,000 a day"),
        (vg.Concurrency(4, over="queue"), "4 at once, others queue"),
        (vg.TokenBucket(2, per=60) & vg.DailyQuota(50), "2, then 1 every 30 s; 50 a day"),
    ],
)
def test_limits_in_words(limit: Limit, words: str) -> None:
    """As a person says them."""
    assert in_words(limit) == words
