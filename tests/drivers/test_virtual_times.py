"""Times in virtual time are those of the provider: no poll comes late."""

from __future__ import annotations

import pytest

from vidgen_nb.analysis.simulation.what_if import service_times
from vidgen_nb.core.model import Scene
from vidgen_nb.provider import Concurrency, Constant, LogNormal, SimulatedProfile
from vidgen_nb.provider.service import uniform
from vidgen_nb.run import simulate


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
