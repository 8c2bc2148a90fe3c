"""Times in virtual time are those of the provider: no poll comes late."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.simulation.what_if import service_times
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, Mode, RetryBudget, RetryPolicy, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    FixedWindow,
    Limit,
    LogNormal,
    Service,
    SimulatedProfile,
    TokenBucket,
)
from vidgen_nb.provider.service import uniform
from vidgen_nb.run import simulate

SERVICES = (Constant(2), Constant(0), Exponential(2), LogNormal(20, 1))
LIMITS = (None, TokenBucket(3, per=20), FixedWindow(2, per=10), Concurrency(2), Concurrency(2, over="queue"))
POLICIES = (PerProfileCooldown(5), GlobalPause(5), EarliestFinish(), Paced())
RETRIES = (RetryPolicy(), RetryPolicy(job_timeout=5, deadline=60), RetryPolicy(budget=RetryBudget(1, 0.5)))
USERS_DO = (
    ev.Paused(),
    ev.Unpaused(),
    ev.CancelRequested("s03"),
    ev.CancelRequested(),
    ev.ModeChanged(BOOST),
    ev.Stopped(),
)


@settings(max_examples=150, deadline=None)
@given(
    kinds=st.lists(st.tuples(st.sampled_from(SERVICES), st.sampled_from(LIMITS), st.sampled_from([None, 1, 2])),
                   min_size=1, max_size=4),
    mode=st.sampled_from([NORMAL, BOOST]),
    policy=st.sampled_from(POLICIES),
    retry=st.sampled_from(RETRIES),
    max_billed=st.sampled_from([None, 5]),
    requests=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(USERS_DO)), max_size=3),
)  # fmt: skip
def test_a_job_that_is_done_is_collected_in_one_step(
    kinds: list[tuple[Service, Limit | None, int | None]],
    mode: Mode,
    policy: Policy,
    retry: RetryPolicy,
    max_billed: int | None,
    requests: list[tuple[int, ev.Event]],
) -> None:
    """Where the driver has a job's end and its result at hand, the events are those of a poll and a fetch."""
    simulation = Simulation(
        [Scene(f"s{k:02}", "a fox") for k in range(15)],
        [SimulatedProfile(f"p{k}", limit, service, capacity) for k, (service, limit, capacity) in enumerate(kinds)],
        mode, policy, retry, max_billed=max_billed, requests=requests,
    )  # fmt: skip
    runs = []
    for in_one_step in (True, False):
        driver = simulation.driver(simulation.provider(), Random(0))
        if not in_one_step:
            driver.at_hand = None
        driver.run()
        runs.append([repr(event) for event in driver.scheduler.events])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.05, 0.2, 59.95, 60.01, 120.02, 3599.97])
def test_no_service_time_is_rounded_up(seconds: float) -> None:
    """Whatever a job takes, its result is there when it is done, to a millionth, also late in a long run."""
    profile = SimulatedProfile("p1", None, Constant(seconds), capacity=1)
    metrics = simulate(3, [profile], mode="boost").metrics()
    assert metrics.makespan == pytest.approx(3 * seconds, rel=1e-6)
    assert metrics.efficiency == pytest.approx(1.0, rel=1e-6)
    late = simulate(3, [profile], mode="boost", arrivals=[1e6] * 3)
    assert late.metrics().makespan == pytest.approx(1e6 + 3 * seconds, abs=1e-6)


def test_times_drawn_are_times_measured() -> None:
    """The times that a run records are those that its service draws, one by one."""
    service = LogNormal(0.3, 1.5)
    scenes = [Scene(f"s{k:03}", "a fox") for k in range(200)]
    run = simulate(scenes, [SimulatedProfile("p1", None, service, capacity=1)], mode="boost", seed=5)
    drawn = [service.seconds(uniform(5, "service", each.id)) for each in scenes]
    assert service_times(run.data)["p1"] == pytest.approx(drawn, rel=1e-9, abs=1e-9)


def test_latency_is_all_that_is_added() -> None:
    """A call's latency is the client's own: asking about a job takes it once."""
    run = simulate(2, [SimulatedProfile("p1", None, Constant(0.01), capacity=1)], mode="boost", latency=0.25)
    assert [each.end for each in run.attempts] == pytest.approx([0.76, 1.27])


def test_a_queue_at_the_provider() -> None:
    """A job that waits for another at the provider is there when both are done."""
    limit = Concurrency(1, over="queue")
    run = simulate(4, [SimulatedProfile("p1", limit, Constant(0.03))], mode="boost")
    assert [each.end for each in run.attempts] == pytest.approx([0.03, 0.06, 0.09, 0.12])
