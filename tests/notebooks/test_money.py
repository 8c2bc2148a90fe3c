"""What notebook 10 states is what its own cells give, on an emulator and over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.cells import found_in, text_of


def test_nothing_is_paid_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed, taken up, what is in doubt looked at: twelve videos, twelve jobs, $4.80; the naive script pays more."""
    monkeypatch.chdir(tmp_path)
    money = found_in("10_money")
    assert 10 <= money["before"] <= 12
    assert money["twice"] == [] and len(money["bill"]) <= 12
    assert "held" in {each.status for each in money["left"].scenes}
    assert 1 <= len(money["held"]) <= 6  # the lost answer, and what was on its way
    assert money["naive"] > 12
    run = money["run"]
    assert [each.status for each in run.scenes] == ["succeeded"] * 12
    assert sorted(money["paid"]()) == [f"s{number:03}" for number in range(1, 13)]
    assert str(run.cost).startswith("$4.80 of $6.00 spent")
    assert "12 × 0.40 dollars = 4.80 dollars" in text_of("10_money")


def test_the_solution() -> None:
    """Submitting in doubt pays twice, holding everything asks needlessly, each state for itself passes."""
    solution = found_in("solutions/10_money")
    assert [each.passed for each in solution["ex"].tries] == [False, False, True]
    assert solution["spent"] + solution["under_way"] + solution["in_doubt"] == pytest.approx(5.80)
