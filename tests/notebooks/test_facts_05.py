"""What the notebook on boost says of its runs is so: its own cells are run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notebooks.cells import found_in, text_of


def test_boost() -> None:
    """The curve is flat from the knee on, where refusals begin; boost is sooner with latency, and refused more."""
    found, text = found_in("05_boost"), text_of("05_boost")
    the_knee(found, text)
    the_modes(found, text)


def the_knee(found: dict[str, Any], text: str) -> None:
    """Hold what is said of slots."""
    done, refused = found["done"], found["refused"]
    assert found["smallest"] == 4 and "from 4 slots on it is flat" in text and "four slots are enough" in text
    assert all(done[each] == pytest.approx(done[4]) for each in found["slots"] if each >= 4)
    assert done[1] > 1.9 * done[2] and done[3] > 1.15 * done[4]
    little = found["n"] / found["per"] * (found["service"] + found["latency"])
    assert f"0.1 · 30.5 = {little:.2f}" in text and 3 < little < 4
    for slots in found["slots"]:
        theory = max(found["by_slots"][slots], found["by_limits"])
        assert theory <= done[slots] <= 1.12 * theory
        assert found["bound"][slots] <= done[slots]
    assert found["bound"][12] < found["by_limits"] and "why is the lower bound below “by limits”" in text
    assert refused[1] == refused[2] == refused[3] == 0
    assert round(refused[4]) == 18 and refused[12] > 200
    assert "4 slots there are about 18 refusals, with 12 slots more than 200" in text


def the_modes(found: dict[str, Any], text: str) -> None:
    """Hold what is said of normal and boost."""
    took, both = found["took"], found["both"]
    assert took[0, "normal"] == took[0, "boost"]
    for latency in (2, 4, 8):
        assert took[latency, "boost"] < took[latency, "normal"] and took[latency, "normal"] >= 40 * latency
    assert took[8, "normal"] == pytest.approx(360, abs=0.5)
    low, high = both.difference.interval
    assert low < 0 < high
    normal, boost = (run.metrics().rate_limited for run in both.runs.values())
    assert boost > 10 * normal and "they are refused as well" in text


@pytest.mark.long
def test_the_solution_of_boost() -> None:
    """Four is what the average says, and too few; five pass."""
    tries = list(found_in("solutions/05_boost")["ex"].tries)
    assert [each.passed for each in tries] == [False, True]
