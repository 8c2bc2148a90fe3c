"""The tail of service times: fitted to those seen and to the ages of jobs that still run."""

from __future__ import annotations

import math
from random import Random
from statistics import mean

import pytest

from vidgen_nb.analysis.forecast.weibull_tail import Tail, fit_tail


@pytest.mark.parametrize("shape", [1.0, 2.0, 6.0])
def test_what_it_was_drawn_from(shape: float) -> None:
    """Of 200 times, those above 1.2 scales known only to be so long, shape and scale come out within 15 %."""
    rng = Random(1)
    times = [rng.weibullvariate(40, shape) for _ in range(200)]
    seen, ages = [each for each in times if each <= 48], [48.0 for each in times if each > 48]
    found = fit_tail(seen, ages)
    assert found.shape == pytest.approx(shape, rel=0.15)
    assert found.scale == pytest.approx(40, rel=0.15)
    assert found.count == len(seen)


def test_ages_without_an_end_make_it_longer() -> None:
    """One that took 10 s, and four that have taken 30 s until now: 10 s was not the rule."""
    assert fit_tail([10.0], [30.0] * 4).scale > 2 * fit_tail([10.0], []).scale


def test_what_lies_beyond_an_age() -> None:
    """Exponential times don't age: what is left has the mean of a new one; nearly constant ones are over soon."""
    rng = Random(2)
    left = [Tail(1.0, 40.0, 9).beyond(100.0, rng) - 100 for _ in range(4000)]
    assert min(left) >= 0
    assert mean(left) == pytest.approx(40, abs=4 * 40 / math.sqrt(4000))
    assert mean(Tail(20.0, 40.0, 9).beyond(41.0, rng) - 41 for _ in range(500)) < 2


def test_odd_times() -> None:
    """Equal times, times of nothing and a single one make a tail."""
    for seen in ([5.0] * 9, [0.0, 0.0], [3.0]):
        tail = fit_tail(seen, [])
        assert 0 < tail.scale < 10 and tail.shape > 0
        assert tail.drawn(Random(3)).beyond(6.0, Random(3)) >= 6
