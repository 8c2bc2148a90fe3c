"""Counts, shares and rates."""

from __future__ import annotations

from vidgen_nb.wording.numbers import a_minute, count, figure, percent


def test_counts_have_their_plural() -> None:
    """And thousands a comma."""
    assert [count(number, "scene") for number in (0, 1, 2_400)] == ["0 scenes", "1 scene", "2,400 scenes"]


def test_shares() -> None:
    """Whole per cent; what is more than nothing is not 0 %, and what a subtraction left is."""
    shares = (0.0, 1e-12, 0.001, 0.346, 1.0)
    assert [percent(share) for share in shares] == ["0 %", "0 %", "<1 %", "35 %", "100 %"]


def test_means_and_rates() -> None:
    """Three digits, as far as they count."""
    assert [figure(value) for value in (5.5e-16, 0.8541, 12.34, 1240.4)] == ["0", "0.854", "12.3", "1,240"]
    assert a_minute(0.2) == "12 a minute"
