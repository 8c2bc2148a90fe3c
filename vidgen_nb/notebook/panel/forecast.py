"""When the run is expected to end, predicted now and then in the background: it takes longer than an update may."""

from __future__ import annotations

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.core.policy import Policy
from vidgen_nb.notebook.panel.background import RunInBackground
from vidgen_nb.run import Run

__all__ = ["Forecast"]

UPDATES_BEFORE_FIRST = 6
"""Updates of the panel before the first prediction: 3 wall seconds."""
UPDATES_BETWEEN = 20
"""Updates of the panel between two predictions: 10 wall seconds."""
MAX_EVENTS = 60_000
"""A run with more events takes too long to read again and again."""


class Forecast:
    """The latest prediction of the current run."""

    def __init__(self, run_in_background: RunInBackground) -> None:
        self._run_in_background = run_in_background
        self._run: Run | None = None
        self._updates_left = UPDATES_BEFORE_FIRST
        self._busy = False
        self.latest: Prediction | None = None

    def tick(self, run: Run | None, policy: Policy, now: float) -> None:
        """Count an update of the panel while the run goes on, and predict its end if it is time."""
        if run is not self._run:
            self._run, self._updates_left, self.latest = run, UPDATES_BEFORE_FIRST, None
        self._updates_left -= 1
        if run is None or self._busy or self._updates_left > 0 or len(run.events) > MAX_EVENTS:
            return
        self._updates_left, self._busy = UPDATES_BETWEEN, True

        def predict() -> Prediction | Exception:
            try:
                return run.predict_finish(now=now, policy=policy)
            except Exception as error:  # noqa: BLE001 - of a user's own policy, say; the panel does without
                return error

        def take(result: Prediction | Exception) -> None:
            self._busy = False
            if run is self._run:
                self.latest = result if isinstance(result, Prediction) else None

        self._run_in_background(predict, take)
