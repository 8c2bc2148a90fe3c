"""The panel predicts the end of a run now and then, and does without where that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.notebook.panel.forecast import MAX_EVENTS, UPDATES_BEFORE_FIRST, UPDATES_BETWEEN, Forecast
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
        then(work())


def half_a_run() -> Run:
    """Return the first half of a run."""
    whole = simulate(40, [SimulatedProfile("p1", TokenBucket(6, per=60), Constant(20), capacity=3)], mode="boost")
    return Run(whole.header, whole.events[: len(whole.events) // 2])


def test_predictions_are_made_now_and_then() -> None:
    """After 3 s, then every 10 s, and never two at once."""
    run, background = half_a_run(), ManualBackground()
    for tick in range(1, UPDATES_BEFORE_FIRST + UPDATES_BETWEEN + 1):
        background.forecast.tick(run, POLICY, run.events[-1].at)
        assert len(background.jobs) == (tick >= UPDATES_BEFORE_FIRST)
    background.finish()
    predicted = background.forecast.latest
    assert predicted is not None and predicted.middle is not None and predicted.middle > run.events[-1].at
    background.forecast.tick(run, POLICY, run.events[-1].at)
    assert len(background.jobs) == 1


def test_another_run_discards_the_prediction() -> None:
    """Also one that comes late."""
    run, other, background = half_a_run(), half_a_run(), ManualBackground()
    for _ in range(UPDATES_BEFORE_FIRST):
        background.forecast.tick(run, POLICY, 10.0)
    background.forecast.tick(other, POLICY, 10.0)
    background.finish()
    assert background.forecast.latest is None


class Odd(Run):
    """A run whose end can't be predicted."""

    def predict_finish(self, **options: Any) -> Prediction:
        """Fail as a user's policy might."""
        raise ZeroDivisionError


def test_a_prediction_that_fails_is_left_out() -> None:
    """The panel uses the pace so far, and tries again later."""
    background, run = ManualBackground(), Odd({}, [])
    for _ in range(UPDATES_BEFORE_FIRST):
        background.forecast.tick(run, POLICY, 10.0)
    background.finish()
    assert background.forecast.latest is None
    for _ in range(UPDATES_BETWEEN):
        background.forecast.tick(run, POLICY, 10.0)
    assert len(background.jobs) == 1


def test_a_long_run_is_not_read_again_and_again() -> None:
    """Making its records alone takes too long."""
    run, background = half_a_run(), ManualBackground()
    long = Run(run.header, list(run.events) * (MAX_EVENTS // len(run.events) + 1))
    for _ in range(UPDATES_BEFORE_FIRST + 1):
        background.forecast.tick(long, POLICY, 10.0)
    assert background.jobs == []
