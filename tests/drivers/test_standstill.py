"""Runs that can never settle are given up, and runs that only take long are not."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.core import events as ev
from vidgen_nb.drivers.standstill import PATIENCE_SECONDS
from vidgen_nb.errors import InputError

DAY = 86_400.0
PROFILES = [
    vg.SimulatedProfile("p1", vg.TokenBucket(2, per=60), vg.Constant(10), capacity=2),
    vg.SimulatedProfile("p2", None, vg.LogNormal(10, 0.3), capacity=1),
]
LONG = pytest.mark.long
ONE = [vg.SimulatedProfile("p1", None, vg.Constant(10))]


class Later(vg.PerProfileCooldown):
    """Always says that a profile may submit a moment later."""

    step = 1.0

    def earliest(self, profile: str, now: float) -> float:
        """Return a time that is never there."""
        return now + self.step


class Hourly(Later):
    """Looks once an hour, in vain."""

    step = 3600.0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"faults": [vg.Fault("rate")]}, r"from 0 s to .*2 scenes are left.*last failure: 429 rate \(a submit of"),
        ({"faults": [vg.Fault("rate", retry_after=5)]}, "429 rate"),
        ({"faults": [vg.Fault("rate", retry_after=5)], "latency": 0.5}, "429 rate"),
        ({"faults": [vg.Fault("rate", scene="s002")], "mode": "boost"}, "1 scenes are left.*scene 's002'"),
        ({"faults": [vg.Fault("day_quota", retry_after=100)]}, "last failure: the day's quota is used up"),
        pytest.param({"faults": [vg.Fault("day_quota", retry_after=1)]}, "the day's quota is used up", marks=LONG),
        pytest.param({"policy": Later()}, "the policy Later held the scenes back. Its earliest", marks=LONG),
        ({"policy": Hourly()}, "the policy Hourly held the scenes back"),
    ],
)  # fmt: skip
def test_a_run_that_can_not_settle_is_given_up(options: dict[str, Any], says: str) -> None:
    """The error says since when nothing was accepted, what stands in the way, and what to do."""
    with pytest.raises(InputError, match=f"this run can't settle: no submit was accepted .*{says}.* or give until="):
        vg.simulate(2, PROFILES, **options)


def test_until_ends_it_without_an_error() -> None:
    """Whoever asked for an end gets the run with what is left."""
    run = vg.simulate(2, PROFILES, faults=[vg.Fault("rate")], until=40 * DAY)
    assert run.ended == "stopped" and {scene.status for scene in run.scenes} == {"queued"}
    assert vg.simulate(1, ONE, policy=Hourly(), until=50 * DAY).ended == "stopped"


@pytest.mark.parametrize(
    ("profiles", "options"),
    [
        ([vg.SimulatedProfile("p1", vg.DailyQuota(1), vg.Constant(10))], {"max_wait": 2 * DAY}),
        ([vg.SimulatedProfile("p1", vg.FixedWindow(1, per=45 * DAY), vg.Constant(10), retry_after=False)], {}),
        (ONE, {"faults": [vg.Fault("rate", end=2 * PATIENCE_SECONDS)]}),
        pytest.param(ONE, {"faults": [vg.Fault("day_quota", retry_after=60, end=2 * PATIENCE_SECONDS)]}, marks=LONG),
        (ONE, {"arrivals": [0.0, 1.0, 5 * PATIENCE_SECONDS]}),
        (ONE, {"cooldowns": [ev.CooldownImposed("p1", 2 * PATIENCE_SECONDS, "known")]}),
        (ONE, {"faults": [vg.Fault("rate", nth=1)], "policy": vg.PerProfileCooldown(2 * PATIENCE_SECONDS)}),
        (
            [vg.SimulatedProfile("p1", None, vg.Constant(2 * PATIENCE_SECONDS), capacity=1)],
            {"retry": vg.RetryPolicy(job_timeout=None)},
        ),
    ],
)
def test_a_run_that_takes_long_goes_on(profiles: list[vg.SimulatedProfile], options: dict[str, Any]) -> None:
    """Quotas, outages, late scenes, long cooldowns and long jobs may take months: they end."""
    run = vg.simulate(3, profiles, **options)
    assert run.ended == "settled" and run.metrics().scenes == {"succeeded": 3}
