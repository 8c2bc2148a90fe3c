"""What runs cost, as status, metrics and experiments say it."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from vidgen_nb.core import events as ev

PRICED = [
    vg.SimulatedProfile("a", vg.TokenBucket(2, per=30), vg.Constant(20), price=vg.Price(0.4)),
    vg.SimulatedProfile("b", None, vg.Constant(20), capacity=1, price=vg.Price(0.2)),
]


def test_metrics_of_costs() -> None:
    """What was spent, in all, per video and per profile; what gave no video."""
    requests = [(5.0, ev.CancelRequested("s001"))]
    run = vg.simulate(6, PRICED, mode="boost", requests=requests)
    found = run.metrics()
    assert found.scenes == {"cancelled": 1, "succeeded": 5}
    spent = {row.profile: row.cost for row in found.profiles}
    assert found.cost == pytest.approx(sum(each or 0 for each in spent.values()))
    assert found.wasted_cost in (0.2, 0.4) and found.cost_per_video == round((found.cost or 0) / 5, 6)
    assert "gave no video" in repr(found)
    assert run.cost.wasted == found.wasted_cost
    part = run.metrics(after=21).cost
    assert part is not None and found.cost is not None and 0 < part < found.cost


def test_without_prices_nothing_is_said() -> None:
    """No row, no column, no text."""
    run = vg.simulate(3, [vg.SimulatedProfile("a")])
    assert (run.metrics().cost, run.cost.currency, str(run.cost)) == (None, "", "no price is known")
    assert "cost" not in repr(run.metrics())


def test_experiments_compare_costs() -> None:
    """`cost` is a metric as others are."""
    found = vg.compare(6, PRICED, policies=["PerProfileCooldown", "GlobalPause"], seeds=range(2))
    assert all(trial.cost and 1.2 <= trial.cost <= 2.4 for trial in found)
    assert "cost" in found.to_frame().columns


def test_a_saved_run_says_the_same(tmp_path: object) -> None:
    """Prices and costs stand in its events."""
    run = vg.simulate(4, PRICED, max_cost=0.7, mode="boost")
    assert vg.load_run(run.save(f"{tmp_path}/run.jsonl")).cost == run.cost
    assert run.cost.of_cap in ("$0.60 of $0.70", "$0.40 of $0.70")
