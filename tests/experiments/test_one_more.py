"""One more of each thing: of simulated runs exact, of live ones with what they showed; and what trials can be asked."""

from __future__ import annotations

import pickle
from typing import Any, cast

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.simulation.what_if import changed_simulation
from vidgen_nb.errors import InputError
from vidgen_nb.experiments.additions import WithMore, additions
from vidgen_nb.run import Run

PROFILES = [
    vg.SimulatedProfile("a", vg.TokenBucket(2, per=60), vg.LogNormal(20, 0.3), capacity=3),
    vg.SimulatedProfile("b", vg.TokenBucket(2, per=60), vg.LogNormal(20, 0.3), capacity=3),
]


def live() -> Run:
    """Return a run that looks as if it had been live: nobody knows its limits and service times."""
    run = vg.simulate(24, PROFILES, mode="boost", seed=1)
    return Run({**run.header, "backend": {"name": "openai_videos"}}, run.events)


def test_of_a_live_run() -> None:
    """Its limits are estimated; the own seed repeats its makespan, and what was assumed is said."""
    run = live()
    found = run.one_more(seeds=2)
    assert found.cases[0] == "as it was" and "+1 profile like a" in found.cases and "a: 2 → 3 per 60 s" in found.cases
    assert any("token_bucket" in each or "TokenBucket" in each for each in found.assumed)
    gains = found.numbers(against="as it was")
    assert all(gain < 0 for gain in gains["a: 2 → 3 per 60 s"].values())
    assert "a: 3 → 4 slots" in found.cases and set(gains["a: 3 → 4 slots"]) == {1, 2}


def test_it_can_be_sent_to_other_processes() -> None:
    """A simulation with one more of something is the same after a journey."""
    simulation, _ = changed_simulation(live().data, {})
    for each in additions(simulation):
        sent = pickle.loads(pickle.dumps(WithMore(simulation, each)))  # noqa: S301 - it is ours
        assert sent.with_seed(1).run()[1] == WithMore(simulation, each).with_seed(1).run()[1]


def test_alike_profiles_are_one_kind() -> None:
    """Two of one kind make one case; a copy of one that shares a limit has a limit of its own."""
    shared = vg.TokenBucket(2, per=60)
    group = [
        vg.SimulatedProfile("a", shared, vg.Constant(5), quota_group="g"),
        vg.SimulatedProfile("b", None, vg.Constant(5), quota_group="g"),
    ]
    assert vg.simulate(6, PROFILES).one_more("profile", seeds=1).cases == ["as it was", "+1 profile like a"]
    simulation, _ = changed_simulation(vg.simulate(6, group, mode="boost").data, {})
    (more,) = [each for each in additions(simulation) if each.unit == "profile"]
    assert more.to(simulation).profiles[-1].limit == shared
    assert more.to(simulation).profiles[-1].quota_group is None


def test_nothing_bounds_it() -> None:
    """Where there is no limit, slot or mode that bounds a run, it says so."""
    free = vg.simulate(2, [vg.SimulatedProfile("a", None, vg.Constant(5))], mode="boost")
    with pytest.raises(InputError, match="no slot that there could be one more of"):
        free.one_more("slot")


def test_numbers_and_a_part_of_the_cases() -> None:
    """Each run's number by seed; a part has its own first case, and shares no other."""
    grid: dict[str, Any] = {"cooldown": [5, 30], "mode": ["normal", "boost"]}
    found = vg.sweep(8, PROFILES, grid=grid, seeds=range(3), progress=False)
    numbers = found.numbers("attempts")
    assert [list(each) for each in numbers.values()] == [[0, 1, 2]] * 4
    assert numbers[found.cases[1]][2] == next(t.attempts for t in found if (t.case, t.seed) == (found.cases[1], 2))
    part = found.where(mode="boost")
    assert part.cases == ["cooldown=5, mode=boost", "cooldown=30, mode=boost"] == [each.case for each in part.summary()]
    assert len(part) == part.wanted == 6 and not part.partial and len(found) == 12
    apart = part.numbers(against=part.cases[0])[part.cases[1]]
    assert apart[1] == part.numbers()[part.cases[1]][1] - part.numbers()[part.cases[0]][1]
    with pytest.raises(InputError, match="no case has mode='fast'"):
        found.where(mode="fast")
    with pytest.raises(InputError, match="no case 'x': choose one of"):
        found.numbers(against="x")


def test_clients_are_counted_together() -> None:
    """Of several clients: sums, and the latest makespan; no bound."""
    api = [vg.SimulatedProfile("api", vg.TokenBucket(1, per=1), vg.Constant(1))]
    (trial,) = vg.sweep(2, api, grid={"clients": [3]}, seeds=[4], progress=False)
    alone = vg.simulate_clients(3, 2, api, seed=4)
    assert (trial.attempts, trial.rate_limited, trial.makespan) == (alone.calls, alone.refused, alone.makespan)
    assert (trial.succeeded, trial.lower_bound, trial.efficiency) == (6, None, None)
    with pytest.raises(InputError, match="clients is how many, 1 or more, not 0"):
        vg.sweep(2, api, grid={"clients": [0]}, seeds=[4], progress=False)


def test_clients_have_the_numbers_of_one_run() -> None:
    """Waits, flow, goodput and cost of all scenes of all clients, by the same names; one client is one run."""
    api = [vg.SimulatedProfile("api", vg.TokenBucket(1, per=4), vg.Constant(3), price=vg.Price(0.5))]
    found = vg.sweep(2, api, grid={"clients": [1, 3]}, seeds=[4], progress=False)
    one, three = (cast("Any", each.metrics) for each in found)
    run: Any = vg.simulate_clients(1, 2, api, seed=4)[0].metrics()
    for name in ("attempts", "rate_limited", "makespan", "first_result", "length", "amplification", "wasted_share",
                 "rate_429", "goodput", "cost", "cost_per_video", "queue_time", "scenes"):  # fmt: skip
        assert getattr(one, name) == pytest.approx(getattr(run, name)), name
    assert (one.wait.p95, one.flow.mean, one.queued.max) == (run.wait.p95, run.flow.mean, run.queued.max)
    runs = vg.simulate_clients(3, 2, api, seed=4)
    spreads = [each.metrics().flow for each in runs]
    flows = sorted(flow for each in spreads if each is not None for flow in each.ordered)
    assert list(three.flow.ordered) == flows and len(flows) == 6
    assert three.goodput == pytest.approx(6 / max(each.events[-1].at for each in runs))
    assert three.rate_429 == pytest.approx(runs.refused / runs.calls)
    assert found.where(clients=3).summary("wait.p95")[0].mean == pytest.approx(three.wait.p95)

    def longest(metrics: Any) -> Any:
        return metrics.flow.max

    assert found.where(clients=3).summary(longest)[0].mean == flows[-1]


@pytest.mark.parametrize("metric", ["split.ok", "queue_length", lambda metrics: metrics.split.ok])
def test_what_clients_have_no_number_of(metric: object) -> None:
    """The error says which there are."""
    found = vg.sweep(2, [vg.SimulatedProfile("api")], grid={"clients": [2]}, seeds=[4], progress=False)
    with pytest.raises(InputError, match=r"several clients together.* have .*attempts, rate_limited.*goodput"):
        found.summary(metric)  # type: ignore[arg-type]
