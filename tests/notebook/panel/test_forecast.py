"""The panel predicts the end of a run now and then, and does without where that fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.machine.browser import in_one_go
from vidgen_nb.notebook.panel.forecast import (
    MAX_EVENTS,
    UPDATES_BEFORE_FIRST,
    UPDATES_BETWEEN,
    UPDATES_UNTIL_SHOWN,
    Forecast,
    at_pace,
    steadied,
)
from vidgen_nb.notebook.panel.status.run_counts import RunCounts
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import Constant, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

POLICY = PerProfileCooldown()


class ManualBackground:
    """Background work that is done when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.forecast = Forecast(self)

    def __call__(self, work: Callable[[], Any], then: Callable[[Any], None], /) -> None:
        """Keep the work."""
        self.jobs.append((work, then))

    def finish(self) -> None:
        """Do the oldest work."""
        work, then = self.jobs.pop(0)
        then(in_one_go(work()))


def half_a_run() -> Run:
    """Return the first half of a run."""
    whole = simulate(40, [SimulatedProfile("p1", TokenBucket(6, per=60), Constant(20), capacity=3)], mode="boost")
    return Run(whole.header, whole.events[: len(whole.events) // 2])


def test_predictions_are_made_now_and_then() -> None:
    """After 3 s, 2 s later once more, then every 10 s, and never two at once; shown once two agree."""
    run, background = half_a_run(), ManualBackground()

    def ticks(count: int) -> None:
        for _ in range(count):
            assert background.jobs == []
            background.forecast.tick(run, POLICY, run.events[-1].at)

    ticks(UPDATES_BEFORE_FIRST)
    background.forecast.tick(run, POLICY, run.events[-1].at)
    assert len(background.jobs) == 1
    background.finish()
    assert background.forecast.shown is None
    ticks(UPDATES_UNTIL_SHOWN)
    background.finish()
    shown = background.forecast.shown
    assert shown is not None and shown.middle is not None and shown.middle > run.events[-1].at
    ticks(UPDATES_BETWEEN)
    assert len(background.jobs) == 1


def prediction(at: float, low: float, middle: float, high: float) -> Prediction:
    """Return a prediction."""
    return Prediction(at, 5, low, middle, high, 40)


def test_what_is_shown_narrows_and_does_not_jump() -> None:
    """However predictions scatter, the end moves by a fifth of the time left at most, and lies in its interval."""
    shown = prediction(0.0, 90.0, 114.0, 150.0)
    for at, middle in ((1.0, 52.0), (2.0, 37.0), (3.0, 63.0), (4.0, 300.0)):
        new = prediction(at, middle * 0.9, middle, middle * 1.1)
        before, shown = shown, steadied(shown, new)
        assert before.middle is not None and shown.low is not None and shown.middle is not None
        assert shown.high is not None
        assert abs(shown.middle - before.middle) <= 0.2 * (max(before.middle, middle) - at) + 1e-9
        assert shown.low <= shown.middle <= shown.high
    narrow = steadied(prediction(0.0, 50.0, 100.0, 150.0), prediction(1.0, 80.0, 104.0, 120.0))
    assert (narrow.low, narrow.middle, narrow.high) == (80.0, 102.0, 120.0)


def test_it_comes_to_what_is_predicted_again_and_again() -> None:
    """Steady is not stubborn."""
    shown = prediction(0.0, 90.0, 100.0, 110.0)
    for _ in range(30):
        shown = steadied(shown, prediction(10.0, 190.0, 200.0, 210.0))
    assert shown.middle == pytest.approx(200.0, abs=0.1)
    assert (shown.low, shown.high) == (190.0, 210.0)


def test_another_run_discards_the_prediction() -> None:
    """Also one that comes late."""
    run, other, background = half_a_run(), half_a_run(), ManualBackground()
    for _ in range(UPDATES_BEFORE_FIRST):
        background.forecast.tick(run, POLICY, 10.0)
    background.forecast.tick(other, POLICY, 10.0)
    background.finish()
    assert background.forecast._latest is None


class Odd(Run):
    """A run whose end can't be predicted."""

    def predict_finish(self, **options: Any) -> Prediction:
        """Fail as a user's policy might."""
        raise ZeroDivisionError


def test_a_prediction_that_fails_is_left_out() -> None:
    """The panel says nothing, and tries again later."""
    background, run = ManualBackground(), Odd({}, [])
    for _ in range(UPDATES_BEFORE_FIRST):
        background.forecast.tick(run, POLICY, 10.0)
    background.finish()
    assert background.forecast.shown is None
    for _ in range(UPDATES_UNTIL_SHOWN):
        background.forecast.tick(run, POLICY, 10.0)
    assert len(background.jobs) == 1


def test_a_long_run_goes_by_its_pace() -> None:
    """Making its records alone takes too long."""
    run, background = half_a_run(), ManualBackground()
    long = Run(run.header, list(run.events) * (MAX_EVENTS // len(run.events) + 1))
    feed = RunFeed()
    assert at_pace(feed, 10.0) is None
    feed.first_attempt_at, feed.counts = 0.0, RunCounts(scenes=Counter(succeeded=4, waiting=6))
    for _ in range(UPDATES_BEFORE_FIRST + UPDATES_UNTIL_SHOWN):
        background.forecast.tick(long, POLICY, 20.0, lambda: at_pace(feed, 20.0))
    assert background.jobs == []
    shown = background.forecast.shown
    assert shown is not None and shown.middle == 50.0
