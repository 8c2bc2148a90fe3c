"""What the notebook on limits says of its runs is so: its own cells are run."""

from __future__ import annotations

import pytest

from tests.notebooks.cells import found_in, text_of


def test_limits() -> None:
    """A bucket lets one in at a time, windows all at once; twice the limit passes at a fixed window's edge only."""
    found, text = found_in("01_limits"), text_of("01_limits")
    together, edge, accepted, most_in = (found[name] for name in ("together", "edge", "accepted", "most_in"))
    assert accepted(together.runs["token bucket"]) == [0, 0, 0, 0, 15, 30, 45, 60, 75, 90, 105, 120]
    for window in ("fixed window", "sliding window"):
        assert accepted(together.runs[window]) == [0] * 4 + [60] * 4 + [120] * 4
    assert found["first"] == "token bucket"
    assert {run.metrics().makespan for run in together.runs.values()} == {125}
    assert "all twelve scenes are done after 125 s in each run" in text

    in_two_seconds = {name: most_in(run, 3) for name, run in edge.runs.items()}
    assert in_two_seconds == {"token bucket": 4, "fixed window": 8, "sliding window": 4}
    in_a_minute = {name: most_in(run, 60) for name, run in edge.runs.items()}
    assert in_a_minute == {"token bucket": 7, "fixed window": 8, "sliding window": 4}
    assert "2n = 8 submits in 2 s" in text and "The table says 7" in text
    assert accepted(edge.runs["sliding window"])[4] == accepted(edge.runs["token bucket"])[7] == 119
    assert "had to wait until 119 s" in text


@pytest.mark.long
def test_the_solution_of_limits() -> None:
    """Four submits to each account tell all three."""
    found = found_in("solutions/01_limits")
    assert found["ex"].passed and len(found["ex"].tries) == 1
