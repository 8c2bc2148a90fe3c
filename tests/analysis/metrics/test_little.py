"""Little's law by window: against a slow count, against theory, and where it does not hold."""

from __future__ import annotations

from statistics import fmean

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.little import little
from vidgen_nb.charts.little import little_chart
from vidgen_nb.errors import InputError

ONE = [vg.SimulatedProfile("p", None, vg.Exponential(20), capacity=2)]


def came(load: float, seed: int, scenes: int = 2000) -> vg.Run:
    """Return a run of a queue with two servers and this load."""
    return vg.simulate(scenes, ONE, mode="boost", arrivals=vg.Poisson(load * 2 / 20), seed=seed)


def test_against_a_slow_count() -> None:
    """L, λ and W of each window, added up attempt by attempt; also with 429s, whose scenes wait again."""
    limited = [vg.SimulatedProfile("p", vg.TokenBucket(4, per=60), vg.Exponential(20), capacity=4)]
    for run in (came(0.8, 1, 200), vg.simulate(60, limited, mode="boost", arrivals=vg.Poisson(5, per=60), seed=3)):
        found = run.little(windows=7, after=50, until=run.data.end / 2)
        waits = [(each.queued, each.start) for each in run.attempts]
        assert len(found.windows) == 7
        assert found.windows[0].start == 50 and found.windows[-1].end == pytest.approx(run.data.end / 2)
        for each in found.windows:
            seconds = each.end - each.start
            inside = sum(max(0.0, min(end, each.end) - max(start, each.start)) for start, end in waits)
            mine = [end - start for start, end in waits if each.start <= start < each.end]
            assert each.length == pytest.approx(inside / seconds)
            assert each.arrival_rate == pytest.approx(len(mine) / seconds)
            assert each.wait == (pytest.approx(fmean(mine)) if mine else None)
        apart = sum(abs(each.length - each.rate_times_wait) for each in found.windows)
        assert found.residual == pytest.approx(apart / sum(each.length for each in found.windows))


@pytest.mark.parametrize(("load", "holds"), [(0.5, True), (0.8, True), (0.9, True), (1.3, False), (2.0, False)])
def test_it_holds_where_the_queue_is_stationary(load: float, holds: bool) -> None:
    """Below capacity L and λW agree; above it the queue grows, and they don't: in each of five runs."""
    for seed in range(5):
        run = came(load, seed)
        found = run.little()
        assert found.holds is holds, str(found)
        assert run.metrics().little_residual == pytest.approx(found.residual)
        assert ("Little's law holds here" in str(found)) == holds


def test_a_batch_is_not_stationary() -> None:
    """All scenes come at once: later windows have a queue, and nobody who comes."""
    run = vg.simulate(60, [vg.SimulatedProfile("p", vg.TokenBucket(4, per=60), vg.Constant(20))], mode="boost")
    assert run.little().holds is False
    assert "not stationary" in str(run.little())


def test_a_run_that_is_cut_off() -> None:
    """Waits that have not ended count up to the end; an overload shows there, too."""
    run = vg.simulate(2000, ONE, mode="boost", arrivals=vg.Poisson(0.2), until=6000, seed=1)
    assert run.little(until=6000).holds is False


def test_nobody_waited() -> None:
    """Then there is nothing to test, and the chart says so."""
    run = vg.simulate(3, [vg.SimulatedProfile("p")], mode="boost")
    assert (run.little().residual, run.little().holds) == (None, None)
    assert "nothing to test" in str(run.little())
    assert "nothing to test" in run.little_chart().layout.title.text


def test_the_chart_draws_the_windows() -> None:
    """Two lines, and the answer as its title."""
    run = came(0.8, 3)
    figure = little_chart(run.data, windows=6)
    found = little(run.data, windows=6)
    first, second = figure.data
    assert list(first.y) == [each.length for each in found.windows]
    assert list(second.y) == [each.rate_times_wait for each in found.windows]
    assert "Little&#x27;s law holds here" in figure.layout.title.text


@pytest.mark.parametrize("options", [{"windows": 0}, {"windows": 2.5}, {"after": 1e9}])
def test_wrong_arguments(options: dict[str, object]) -> None:
    """What is wrong, and what to give."""
    with pytest.raises(InputError):
        came(0.5, 1, 20).little(**options)
