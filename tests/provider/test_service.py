"""Service times have the stated mean and depend on the scene alone."""

from __future__ import annotations

import statistics

import pytest

from vidgen_nb.errors import InputError
from vidgen_nb.provider import Constant, Empirical, Exponential, LogNormal, Service
from vidgen_nb.provider.service import uniform, uniforms

DRAWS = [uniform(7, "service", f"s{i}") for i in range(20_000)]


@pytest.mark.parametrize(
    ("service", "deviation"),
    [
        (Constant(60), 0.0),
        (Exponential(60), 60.0),
        (LogNormal(60, 0.2), 12.0),
        (Empirical([30, 60, 90]), 24.49),
    ],
)
def test_mean_and_deviation_are_as_told(service: Service, deviation: float) -> None:
    """20,000 draws have the distribution's mean and standard deviation."""
    seconds = [service.seconds(u) for u in DRAWS]
    assert statistics.fmean(seconds) == pytest.approx(60, rel=0.02)
    assert statistics.pstdev(seconds) == pytest.approx(deviation, rel=0.04, abs=1e-6)


def test_draws_are_the_same_everywhere() -> None:
    """Draws depend on their key alone: these values hold on every Python and platform."""
    assert uniform(0, "service", "s001") == uniform(0, "service", "s001") == PINNED
    assert uniform(1, "service", "s001") != PINNED != uniform(0, "service", "s002")


PINNED = 0.25710093910197884


def test_draws_are_uniform() -> None:
    """Draws fill each tenth of (0, 1) equally, and never touch 0 or 1."""
    assert 0 < min(DRAWS) < max(DRAWS) < 1
    for tenth in range(10):
        share = sum(tenth <= 10 * u < tenth + 1 for u in DRAWS) / len(DRAWS)
        assert share == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("u", [2.0**-53, 1 - 2.0**-53])
def test_extreme_draws_give_finite_times(u: float) -> None:
    """The smallest and the largest draw that can occur are no problem."""
    for service in (Exponential(60), LogNormal(60, 2), Empirical([1, 2])):
        assert 0 <= service.seconds(u) < 1e9


def test_times_are_proportional_to_the_mean() -> None:
    """Twice the mean is exactly twice the time of every scene."""
    for u in DRAWS[:100]:
        assert LogNormal(120, 0.5).seconds(u) == 2 * LogNormal(60, 0.5).seconds(u)


def test_a_strange_scene_id_has_a_draw_too() -> None:
    """An id that UTF-8 can't encode gets a service time like any other."""
    assert 0 < uniform(0, "service", "\ud800") < 1


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "60", None, True])
def test_wrong_parameters_are_refused(value: float) -> None:
    """Means, deviations and samples must be finite and not negative."""
    for make in (
        lambda: Constant(value),
        lambda: Exponential(value),
        lambda: LogNormal(value, 0.2),
        lambda: LogNormal(60, value),
        lambda: Empirical([60, value]),
    ):
        with pytest.raises(InputError):
            make()


def test_nothing_to_draw_from_is_refused() -> None:
    """An empirical distribution needs samples, and not only zeros."""
    for samples in ([], [0, 0]):
        with pytest.raises(InputError):
            Empirical(samples)


@pytest.mark.parametrize("key", [(7, "service"), ("seed é", 3, None), ()])
def test_numbers_in_bulk_are_those_drawn_one_by_one(key: tuple[object, ...]) -> None:
    """For keys of any kind and length, and for none at all."""
    last = ["s001", "", "ü\x1f", "\ud800", 12, 1.5]
    assert uniforms(*key, last=last) == [uniform(*key, each) for each in last]
    assert uniforms(*key, last=[]) == []


@pytest.mark.parametrize(
    "service", [Constant(3), Exponential(5), LogNormal(8, 0.3), LogNormal(2, 0), Empirical([1, 4, 9])]
)
def test_service_times_in_bulk_are_those_one_by_one(service: Service) -> None:
    """The same numbers to the last digit, the smallest and the largest quantile included."""
    us = [2.0**-53, 1 - 2.0**-53, *(uniform("bulk", each) for each in range(500))]
    assert service.all_seconds(us) == [service.seconds(u) for u in us]
