"""What the notebook on moving says of its runs is so: its own cells are run."""

from __future__ import annotations

import pytest

import vidgen_nb as vg
from tests.notebooks.cells import found_in, text_of


def test_moving() -> None:
    """Moving is sooner where accounts are unlike; with one account, or one limit above all, it is the same."""
    found, text = found_in("03_moving"), text_of("03_moving")
    demo = found["demo"]
    assert demo.difference.interval[0] > 20  # much sooner, whatever the luck
    moved, paused = demo.runs.values()
    assert len(moved.cooldowns) == 5 and len(paused.cooldowns) == 3 * 4 and "3 against 5" in text
    assert sum(each.end - each.start for each in moved.cooldowns) == 150
    assert sum(each.end - each.start for each in paused.cooldowns) == 360
    assert moved.metrics().stranded < paused.metrics().stranded
    to = [each.to_profile for each in moved.moves]
    assert (to.count("delta"), len(to)) == (3, 6) and "Three of the six moves went to delta" in text
    assert not any(each.outcome == "rate_limited" for each in paused.attempts if each.profile == "delta")
    rests = sum(each.end - each.start for each in paused.cooldowns if each.profile == "delta")
    assert (rests, round(paused.metrics().makespan or 0)) == (90, 110) and "in 90 of 110 s" in text

    mean = found["mean"]
    share = {count: mean[count, "move"] / mean[count, "pause all"] for count in found["counts"]}
    assert share[1] == 1 and share[2] < 0.9
    assert share[4] == pytest.approx(0.7, abs=0.03) and share[8] == pytest.approx(0.7, abs=0.03)
    assert "moving needs about 70 % of the time" in text
    assert min(share, key=lambda count: share[count]) == 4 and share[8] - share[4] < 0.05
    assert "4 and 8 are hardly to be told apart" in text
    for name, case in found["without_gain"].items():
        assert case.difference.interval == (0, 0), name


def test_the_table_of_accounts() -> None:
    """The notebook's table is of the demo's accounts."""
    text = text_of("03_moving")
    for account in vg.demo_profiles():
        limit = account.limit
        assert isinstance(limit, vg.TokenBucket | vg.SlidingWindow) and isinstance(account.service, vg.LogNormal)
        kind = {"TokenBucket": "token bucket", "SlidingWindow": "sliding window"}[type(limit).__name__]
        said = f"{kind}, {limit.n} per {limit.per:g} s | {account.service.mean:g} s | {account.capacity}"
        assert f"| {account.name} | {said} |" in text


@pytest.mark.long
def test_the_solution_of_moving() -> None:
    """The counterexample passes, and to be told of the group beats both."""
    found = found_in("solutions/03_moving")
    assert found["ex"].passed
    moved, paused = (run.metrics() for run in found["both"].runs.values())
    told = found["told"].metrics()
    assert told.makespan < paused.makespan < moved.makespan
    assert told.rate_limited < paused.rate_limited < moved.rate_limited
