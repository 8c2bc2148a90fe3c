"""The panel foretells the end now and then, and does without where that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.notebook.panel.forecast import EVERY, FIRST, MOST, Forecast
from vidgen_nb.notebook.panel.run_feed import Feed
from vidgen_nb.notebook.panel.status import State, eta
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import Constant, SimulatedProfile, TokenBucket
from vidgen_nb.run import Run, simulate

POLICY = PerProfileCooldown()


class Beside:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.forecast = Forecast(lambda work, then: self.jobs.append((work, then)))

    def finish(self) -> None:
        """Do the oldest."""
        work, then = self.jobs.pop(0)
        then(work())


def half_a_run() -> Run:
    """Return a run of which half is over."""
    whole = simulate(40, [SimulatedProfile("p1", TokenBucket(6, per=60), Constant(20), capacity=3)], mode="boost")
    return Run(whole.header, whole.events[: len(whole.events) // 2])


def test_it_is_asked_now_and_then() -> None:
    """After three seconds, then every ten, and never twice at once."""
    run, beside = half_a_run(), Beside()
    for tick in range(1, FIRST + EVERY + 1):
        beside.forecast.tick(run, POLICY, run.events[-1].at)
        assert len(beside.jobs) == (tick >= FIRST)
    beside.finish()
    told = beside.forecast.latest
    assert told is not None and told.middle is not None and told.middle > run.events[-1].at
    beside.forecast.tick(run, POLICY, run.events[-1].at)
    assert len(beside.jobs) == 1


def test_another_run_forgets_it() -> None:
    """Also when its prediction comes late."""
    run, other, beside = half_a_run(), half_a_run(), Beside()
    for _ in range(FIRST):
        beside.forecast.tick(run, POLICY, 10.0)
    beside.forecast.tick(other, POLICY, 10.0)
    beside.finish()
    assert beside.forecast.latest is None


class Odd(Run):
    """Its record can't be made sense of."""

    def predict_finish(self, **options: Any) -> Prediction:
        """Fail as a user's policy might."""
        raise ZeroDivisionError


def test_what_can_not_be_told_is_left_out() -> None:
    """The panel goes by the pace, and asks again later."""
    beside, run = Beside(), Odd({}, [])
    for _ in range(FIRST):
        beside.forecast.tick(run, POLICY, 10.0)
    beside.finish()
    assert beside.forecast.latest is None
    for _ in range(EVERY):
        beside.forecast.tick(run, POLICY, 10.0)
    assert len(beside.jobs) == 1


def test_a_long_run_is_not_looked_through() -> None:
    """Its records alone take too long to make again and again."""
    run, beside = half_a_run(), Beside()
    long = Run(run.header, list(run.events) * (MOST // len(run.events) + 1))
    for _ in range(FIRST + 1):
        beside.forecast.tick(long, POLICY, 10.0)
    assert beside.jobs == []


def test_how_it_is_said() -> None:
    """Seconds left, on the wall too, with the interval; once it is over due, the pace is asked again."""
    told = Prediction(20.0, 5, 90.0, 100.0, 125.0, 40)
    state = State(now=40.0, running=True, speed=20.0, forecast=told)
    assert eta(Feed(), state) == "about 60 s left (3 s at 20×): 50 to 85 s in 4 cases of 5"
    assert eta(Feed(), State(now=101.0, running=True, forecast=told)) == ""
    assert eta(Feed(), State(now=40.0, running=True, paused=True, forecast=told)) == ""
