"""When the run will be done, foretold now and then beside the loop: it takes longer than a tick may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidgen_nb.analysis.forecast.predict import Prediction
from vidgen_nb.core.policy import Policy
from vidgen_nb.run import Run

__all__ = ["Forecast"]

FIRST, EVERY = 6, 20
"""Updates of the panel until the first one, and between two: 3 and 10 wall seconds."""
MOST = 60_000
"""Events above which a run is not looked through again and again."""


class Forecast:
    """The latest prediction of the run under way. `aside`: does the first off the loop, the second on it."""

    def __init__(self, aside: Callable[[Callable[[], Any], Callable[[Any], None]], None]) -> None:
        self._aside = aside
        self._run: Run | None = None
        self._wait = FIRST
        self._busy = False
        self.latest: Prediction | None = None

    def tick(self, run: Run | None, policy: Policy, now: float) -> None:
        """Take note of an update while the run goes on, and foretell if it is time."""
        if run is not self._run:
            self._run, self._wait, self.latest = run, FIRST, None
        self._wait -= 1
        if run is None or self._busy or self._wait > 0 or len(run.events) > MOST:
            return
        self._wait, self._busy = EVERY, True

        def foretell() -> Prediction | Exception:
            try:
                return run.predict_finish(now=now, policy=policy)
            except Exception as error:  # noqa: BLE001 - a user's policy, say; the panel does without
                return error

        def take(found: Prediction | Exception) -> None:
            self._busy = False
            if run is self._run:
                self.latest = found if isinstance(found, Prediction) else None

        self._aside(foretell, take)
