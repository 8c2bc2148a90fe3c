"""Quantiles of Student's t against the printed tables, and intervals that hold as often as they say."""

from __future__ import annotations

import math
from random import Random

import pytest

from vidgen_nb.analysis.experiments.student_t import mean_interval, t_quantile


@pytest.mark.parametrize(
    ("confidence", "freedom", "value"),
    [
        (0.95, 1, 12.7062), (0.95, 2, 4.3027), (0.95, 3, 3.1824), (0.95, 10, 2.2281), (0.99, 19, 2.8609),
        (0.8, 4, 1.5332), (0.95, 1000, 1.9623), (0.5, 1, 1.0),
    ],
)  # fmt: skip
def test_quantiles(confidence: float, freedom: int, value: float) -> None:
    """To the four digits of the tables."""
    assert t_quantile(confidence, freedom) == pytest.approx(value, abs=6e-5)


def test_intervals_hold() -> None:
    """A 90 % interval of five normal values contains the mean in 90 % of 2000 cases, within three deviations."""
    rng = Random(1)
    held = 0
    for _ in range(2000):
        _, low, high = mean_interval([rng.gauss(5, 2) for _ in range(5)], 0.9)
        held += low <= 5 <= high
    assert abs(held / 2000 - 0.9) < 3 * math.sqrt(0.9 * 0.1 / 2000)


def test_one_value_has_no_bounds() -> None:
    """Its mean is known, nothing else; equal values have no width."""
    assert mean_interval([3.0], 0.95) == (3.0, -math.inf, math.inf)
    assert mean_interval([3.0, 3.0], 0.95) == (3.0, 3.0, 3.0)
