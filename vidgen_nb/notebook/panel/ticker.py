"""When the panel is written: soon after something has changed, and then twice a second as long as things go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from vidgen_nb.errors import SessionError

__all__ = ["AT_ONCE", "PERIOD", "Ticker"]

PERIOD = 0.5
"""Wall seconds between two updates."""
AT_ONCE = 0.03
"""Wall seconds until an idle panel shows a change: what comes together is shown together."""


class Ticker:
    """Carries out `steps`, each as a call of the loop: the run's own timers get their turn between two of them.

    `later(seconds, function)` schedules on the loop, and raises `SessionError` once that is gone. `goes_on`: the wall
    seconds until the next update, or None: there is nothing to show until somebody touches it. `failed`: is told what
    a step raised.
    """

    def __init__(
        self,
        later: Callable[[float, Callable[[], Any]], None],
        steps: Sequence[Callable[[], None]],
        goes_on: Callable[[], float | None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._later, self._steps, self._goes_on, self._failed = later, steps, goes_on, failed
        self.armed = False
        self._dirty = True
        self._generation = 0

    def touch(self) -> None:
        """Say that something is new; on the loop, or, when that is gone, anywhere: then it is shown at once."""
        self._dirty = True
        if not self.armed:
            try:
                self._arm(AT_ONCE)
            except (SessionError, RuntimeError):
                self._all()

    def moved(self) -> None:
        """There is another loop now."""
        self._generation += 1
        self.armed = False
        self.touch()

    def end(self) -> None:
        """The loop is gone: show what it came to."""
        self._generation += 1
        self.armed = False
        self._all()

    def _all(self) -> None:
        for step in self._steps:
            self._carry_out(step)

    def _carry_out(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the panel must not end silently
            self._failed(error)

    def _arm(self, seconds: float) -> None:
        self._later(seconds, partial(self._step, self._generation, 0))
        self.armed = True

    def _step(self, generation: int, which: int) -> None:
        if generation != self._generation:
            return
        self.armed = False  # unless what follows arms it again, even if this is interrupted
        if which == 0:
            self._dirty = False
        self._carry_out(self._steps[which])
        with suppress(SessionError, RuntimeError):  # the loop is about to end: `end` shows the rest
            if which + 1 < len(self._steps):
                self._later(0, partial(self._step, generation, which + 1))
                self.armed = True
            elif (seconds := self._goes_on()) is not None or self._dirty:
                self._arm(PERIOD if seconds is None else seconds)
