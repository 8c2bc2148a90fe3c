"""How many seeds tell two cases apart: against tables, and against experiments."""

from __future__ import annotations

from random import Random

import pytest

from vidgen_nb.analysis.experiments.power import power, seeds_needed
from vidgen_nb.analysis.experiments.student_t import mean_interval


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.3, 90), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_textbook_sizes(effect: float, seeds: int) -> None:
    """Paired t, two-sided 5 %, power 80 %: the numbers of pairs in Cohen's (1988) tables, as G*Power has them."""
    assert seeds_needed(effect, 1.0) == seeds
    assert seeds_needed(-10 * effect, 10.0) == seeds
    assert power(effect, seeds) >= 0.8 > power(effect, seeds - 1)


def test_the_edges() -> None:
    """No difference is never seen more often than by chance; without any deviation two seeds are enough."""
    assert power(0.0, 12) == pytest.approx(0.05, abs=1e-6)
    assert power(0.0, 2, 0.9) == pytest.approx(0.1, abs=1e-4)
    assert (seeds_needed(0.0, 1.0), seeds_needed(3.0, 0.0), seeds_needed(1e-6, 1.0)) == (None, 2, None)
    assert seeds_needed(0.01, 1.0) == pytest.approx(78_491, rel=0.001)


@pytest.mark.parametrize(("effect", "seeds"), [(1.0, 6), (0.6, 20)])
def test_against_experiments(effect: float, seeds: int) -> None:
    """In so many of 4,000 experiments the interval of normal differences leaves out 0."""
    rng = Random(5)
    found = 0
    for _ in range(4000):
        _, low, high = mean_interval([rng.gauss(effect, 1) for _ in range(seeds)], 0.95)
        found += low > 0 or high < 0
    assert found / 4000 == pytest.approx(power(effect, seeds), abs=0.025)
