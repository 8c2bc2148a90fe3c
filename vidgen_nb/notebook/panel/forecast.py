"""When the run is expected to end, predicted now and then in the background: it takes longer than an update may.

What is shown narrows and does not jump: nothing is said before two predictions agree, and each later one moves the end
by a part of the way only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from vidgen_nb.analysis.forecast.predict import predict_in_slices
from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.core.policy import Policy
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.notebook.panel.status.run_feed import RunFeed
from vidgen_nb.run import Run

__all__ = ["Forecast", "at_pace", "steadied"]

UPDATES_BEFORE_FIRST = 6
"""Updates of the panel before the first prediction: 3 wall seconds."""
UPDATES_UNTIL_SHOWN = 4
"""Updates of the panel between two predictions while none is shown: 2 wall seconds."""
UPDATES_BETWEEN = 20
"""Updates of the panel between two predictions: 10 wall seconds."""
MAX_EVENTS = 60_000
"""A run with more events takes too long to read again and again: its pace so far must do."""
MIN_SETTLED_FOR_PACE = 2
"""Scenes that must have settled before their pace says anything about the rest."""
PACE_MARGIN = 0.15
"""The interval of a pace, as a share of the time left, to both sides."""
STEP_SHARE, MAX_STEP = 0.5, 0.2
"""How far a new prediction moves the end that is shown: a share of the way, at most this share of the time left."""


def at_pace(feed: RunFeed, now: float) -> Prediction | None:
    """Return the end of a run that goes on at the pace so far; None while nobody can tell."""
    settled, left = feed.counts.settled - feed.settled_before, feed.counts.unsettled
    if feed.first_attempt_at is None or settled < MIN_SETTLED_FOR_PACE or not left:
        return None
    seconds = left * (now - feed.first_attempt_at) / settled
    return Prediction(now, left, now + seconds * (1 - PACE_MARGIN), now + seconds, now + seconds * (1 + PACE_MARGIN), 0)


def steadied(shown: Prediction, new: Prediction) -> Prediction:
    """Return what to show after a new prediction: a little nearer to it, in an interval no wider than needed."""
    if None in (shown.low, shown.middle, shown.high) or None in (new.low, new.middle, new.high):
        return new
    low, before, high = (float(at or 0.0) for at in (shown.low, shown.middle, shown.high))
    new_low, middle, new_high = (float(at or 0.0) for at in (new.low, new.middle, new.high))
    bound = MAX_STEP * max(before - new.at, middle - new.at, 0.0)
    end = before + max(-bound, min(bound, STEP_SHARE * (middle - before)))
    both = max(low, new_low), min(high, new_high)
    low, high = both if both[0] <= end <= both[1] else (min(new_low, end), max(new_high, end))
    return replace(new, low=low, middle=end, high=high)


def _agree(one: Prediction, other: Prediction) -> bool:
    """Say whether each of two predictions lies in the other's interval, more or less."""
    if one.middle is None or other.middle is None or other.low is None or other.high is None:
        return False
    return other.low <= one.middle <= other.high


class Forecast:
    """The end of the current run, as it is shown."""

    def __init__(self, run_in_background: RunInBackground) -> None:
        self._run_in_background = run_in_background
        self._run: Run | None = None
        self._updates_left = UPDATES_BEFORE_FIRST
        self._busy = False
        self._latest: Prediction | None = None
        self.shown: Prediction | None = None
        """None: two predictions have not agreed yet."""

    def tick(
        self, run: Run | None, policy: Policy, now: float, pace: Callable[[], Prediction | None] = lambda: None
    ) -> None:
        """Count an update of the panel while the run goes on, and predict its end if it is time.

        `pace`: returns the prediction for a run that is too long to be simulated.
        """
        if run is not self._run:
            self._run, self._updates_left, self._latest, self.shown = run, UPDATES_BEFORE_FIRST, None, None
        self._updates_left -= 1
        if run is None or self._busy or self._updates_left > 0:
            return
        if len(run.events) > MAX_EVENTS:
            self._take(pace())
            return
        self._busy = True

        def predict() -> Generator[None, None, Prediction | Exception]:
            try:
                return (yield from predict_in_slices(run.data, now=now, policy=policy))
            except Exception as error:  # noqa: BLE001 - of a user's own policy, say; the panel does without
                return error

        def take(result: Prediction | Exception) -> None:
            self._busy = False
            if run is self._run:
                self._take(result if isinstance(result, Prediction) and result.middle is not None else None)

        self._run_in_background(predict, take)

    def _take(self, new: Prediction | None) -> None:
        before, self._latest = self._latest, new
        if new is None:
            self.shown = None
        elif self.shown is not None:
            self.shown = steadied(self.shown, new)
        elif before is not None and _agree(before, new):
            self.shown = new
        self._updates_left = UPDATES_BETWEEN if self.shown is not None else UPDATES_UNTIL_SHOWN
