"""Metrics over a window: against theory without the beginning, against the whole, and against slow counts."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import inf
from typing import Any

import pytest

import vidgen_nb as vg
from tests.analysis.metrics.test_theory import erlang_c, interval
from vidgen_nb.errors import InputError

LIMITED = [
    vg.SimulatedProfile("a", vg.TokenBucket(4, per=60), vg.LogNormal(20, 0.4), capacity=3),
    vg.SimulatedProfile("b", vg.SlidingWindow(3, per=60), vg.LogNormal(30, 0.4), capacity=2),
]


@pytest.fixture(scope="module")
def run() -> vg.Run:
    """A run with 429s, cooldowns, moves and failures, to which scenes come all the time."""
    return vg.simulate(
        150, LIMITED, mode="boost", arrivals=vg.Poisson(6, per=60), seed=3, policy=vg.PerProfileCooldown(25),
        faults=[vg.Fault("job_failure", probability=0.05)],
    )  # fmt: skip


@pytest.mark.parametrize(("c", "load"), [(1, 0.6), (3, 0.7)])
def test_the_steady_state_of_m_m_c(c: int, load: float) -> None:
    """Without the beginning: wait, L, λ, goodput and utilisation of eight runs, each in its 99.9 % interval."""
    mean = 100.0
    rate = load * c / mean
    wait = erlang_c(c, c * load) * mean / (c * (1 - load))
    theory = {"wait": wait, "L": rate * wait, "rate": rate, "goodput": rate, "utilisation": load}
    runs = [
        vg.simulate(
            3000, [vg.SimulatedProfile("p", None, vg.Exponential(mean), capacity=c)], mode="boost", seed=seed,
            arrivals=vg.Poisson(rate),
        ).metrics(after=200 * mean / c, until=2500 / rate)
        for seed in range(8)
    ]  # fmt: skip
    found: dict[str, Any] = {
        "wait": lambda each: each.wait.mean, "L": lambda each: each.queue_length,
        "rate": lambda each: each.arrival_rate, "goodput": lambda each: each.goodput,
        "utilisation": lambda each: each.split.ok + each.split.running,
    }  # fmt: skip
    for name, value in theory.items():
        low, high = interval(lambda seed, name=name: found[name](runs[seed]), 8)  # type: ignore[misc]
        assert low <= value <= high, f"{name}: {value:.4g} not in [{low:.4g}, {high:.4g}]"
        assert (high - low) / value < 1.0


def test_the_beginning_is_left_out() -> None:
    """A first burst of a hundred scenes makes the mean wait of the whole run long, and not that of what follows."""
    times = [0.0] * 100 + [2000 + 100.0 * k for k in range(100)]
    run = vg.simulate(200, [vg.SimulatedProfile("p", None, vg.Constant(10), capacity=1)], mode="boost",
                      arrivals=vg.Trace(times))  # fmt: skip
    assert run.metrics().wait.mean > 200  # type: ignore[union-attr]
    assert run.metrics(after=1500).wait.max == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("window", [{"after": 0}, {"until": 1e9}, {"after": 0, "until": inf}, {"after": None}])
def test_a_window_that_contains_the_run_is_the_run(run: vg.Run, window: dict[str, Any]) -> None:
    """Every number is the same."""
    assert run.metrics(**window) == run.metrics()
    assert run.metrics(until=run.data.end) == run.metrics()


def test_windows_add_up(run: vg.Run) -> None:
    """What ended in one of them ended once: successes, attempts, 429s, moves; and seconds of every kind."""
    exactly = [each.end or 0.0 for each in run.attempts if each.outcome == "succeeded"][40]
    edges = [0.0, 100.0, exactly, 900.0, run.data.end]
    assert edges == sorted(edges)
    parts = [run.metrics(after=a, until=b) for a, b in pairwise(edges)]
    whole = run.metrics()
    assert sum(each.scenes["succeeded"] for each in parts) == whole.scenes["succeeded"]
    assert sum(each.moves for each in parts) == whole.moves > 0
    assert sum(each.rate_limited for each in parts) == whole.rate_limited > 0
    assert sum((each.goodput or 0) * each.length for each in parts) == pytest.approx(len(run.scenes))
    assert sum((each.queue_length or 0) * each.length for each in parts) == pytest.approx(
        (whole.queue_length or 0) * whole.length
    )
    assert sum((each.arrival_rate or 0) * each.length for each in parts) == pytest.approx(len(run.scenes))
    assert sum(row.cooldown for each in parts for row in each.profiles) == pytest.approx(
        sum(row.cooldown for row in whole.profiles)
    )
    assert sum(each.stranded for each in parts) == pytest.approx(whole.stranded)


@pytest.mark.parametrize(("after", "until"), [(0, 300), (120.5, 700), (600, 1e9), (10, 20)])
def test_against_slow_counts(run: vg.Run, after: float, until: float) -> None:
    """Counted attempt by attempt and scene by scene from the whole run, as the table of definitions says."""
    found = run.metrics(after=after, until=until)
    end = min(until, run.data.end)
    ended = [each for each in run.attempts if each.end is not None and after < each.end <= end]
    running = [each for each in run.attempts if each.start <= end and (each.end is None or each.end > end)]
    settled = [
        each for each in run.scenes if each.end is not None and (after < each.end or not after) and each.end <= end
    ]
    assert found.attempts == len(ended) + len(running)
    outcomes = Counter(each.outcome for each in ended)
    assert found.rate_limited == outcomes["rate_limited"]
    assert found.rate_429 == pytest.approx(outcomes["rate_limited"] / len(ended)) if ended else found.rate_429 is None
    assert found.wasted_share == (pytest.approx(1 - outcomes["succeeded"] / len(ended)) if ended else None)
    assert found.amplification == (pytest.approx(len(ended) / len(settled)) if settled else None)
    assert found.scenes.get("succeeded", 0) == len(settled)
    if settled:
        assert found.flow is not None and found.queued is not None
        ends = [each.end or 0.0 for each in settled]
        flow = {each.id: end - each.queued for each, end in zip(settled, ends, strict=True)}
        assert dict(found.flow.values) == pytest.approx(flow)
        assert set(found.queued.values) == {each.id for each in settled}
        assert (found.first_result, found.makespan) == (min(ends), max(ends))
    assert found.goodput == pytest.approx(len(settled) / (end - after))
    waited = sum(max(0.0, min(each.start, end) - max(each.queued, after)) for each in run.attempts)
    assert found.queue_length == pytest.approx(waited / (end - after))
    assert found.arrival_rate == pytest.approx(
        sum((after < each.queued or not after) and each.queued <= end for each in run.scenes) / (end - after)
    )
    assert found.split is not None
    last = min(end, max(each.end or 0 for each in run.scenes))
    busy = sum(max(0.0, min(each.end or last, last) - max(each.start, after)) for each in run.attempts)
    assert found.split.ok + found.split.wasted + found.split.running == pytest.approx(busy / (5 * (last - after)))
    assert (found.bound, found.efficiency) == (None, None)
    assert found.measured == (after, end)
    assert "window" in repr(found)


def test_compare_over_a_window(run: vg.Run) -> None:
    """Every number of a comparison is that of the window."""
    made = vg.compare(
        150, LIMITED, policies=[vg.PerProfileCooldown(25)], modes="boost", arrivals=vg.Poisson(6, per=60), seeds=[3],
        faults=[vg.Fault("job_failure", probability=0.05)], metrics={"after": 200, "until": 800}, progress=False,
    )  # fmt: skip
    part = run.metrics(after=200, until=800)
    trial = made[0]
    assert (trial.attempts, trial.moves, trial.rate_limited) == (part.attempts, part.moves, part.rate_limited)
    assert made.summary("queue_length")[0].mean == part.queue_length
    ended = [each for each in run.attempts if each.end is not None and 200 < each.end <= 800]
    assert trial.wasted == sum(each.outcome != "succeeded" for each in ended) > 0


@pytest.mark.parametrize("window", [
    {"after": -1}, {"after": 500, "until": 500}, {"after": 600, "until": 500}, {"after": 1e9}, {"until": 0},
    {"after": "start"}, {"until": float("nan")},
])  # fmt: skip
def test_what_is_no_window(run: vg.Run, window: dict[str, Any]) -> None:
    """An end before the start, a window after the run, what is no time."""
    with pytest.raises(InputError):
        run.metrics(**window)
