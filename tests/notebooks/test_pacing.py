"""What notebook 09 states is what its own cells give."""

from __future__ import annotations

import pytest

from tests.notebooks.cells import found_in, text_of


def test_learning_is_paid_at_the_beginning() -> None:
    """Refusals early, a regret that hardly grows; guesses pay with every scene, and win where there are few."""
    pacing = found_in("09_pacing")
    refusals, regret, refused = pacing["refusals"], pacing["regret"], pacing["refused"]
    assert pacing["early"] >= 0.75 * len(refusals)
    assert pacing["seen"].difference.interval[0] > 0  # Paced is later than who was told
    assert regret[40]["Paced"] == pytest.approx(20, abs=5) and regret[160]["Paced"] == pytest.approx(50, abs=5)
    assert all(regret[count]["guess 30 s"] < regret[count]["Paced"] < regret[count]["guess 5 s"] for count in (20, 40))
    assert all(regret[count]["Paced"] < regret[count]["guess 30 s"] < regret[count]["guess 5 s"] for count in (80, 160))
    assert refused[160]["Paced"] < refused[40]["Paced"] + 3 and refused[160]["guess 30 s"] > 90
    text = text_of("09_pacing")
    assert "Paced gathers most of them in the first minute" in text and "its regret grows slowly" in text
    assert all(refused[count]["told"] == 0 for count in pacing["counts"])
    slopes = pacing["slopes"]
    assert 2 <= slopes["guess 30 s"] / slopes["Paced"] < slopes["guess 5 s"] / slopes["Paced"] <= 4.4
    bound, late = pacing["m"].bound.seconds, pacing["m"].makespan
    assert pacing["fluid"] == pytest.approx(bound, rel=0.01) and bound <= late < 1.02 * bound


@pytest.mark.long
def test_the_solution() -> None:
    """10 s are too short, 20 s are right, and being on time is better."""
    assert [each.passed for each in found_in("solutions/09_pacing")["ex"].tries] == [False, True, True]
