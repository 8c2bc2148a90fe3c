"""When the panel is written: soon after something has changed, and twice a second while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from vidgen_nb.errors import SessionError

__all__ = ["TOUCH_DELAY_SECONDS", "UPDATE_INTERVAL_SECONDS", "Ticker"]

UPDATE_INTERVAL_SECONDS = 0.5
"""Wall seconds between two updates."""
TOUCH_DELAY_SECONDS = 0.03
"""Wall seconds before an idle panel shows a change, so that changes that come together are shown together."""


class Ticker:
    """Carries out `steps`, each in its own call on the loop, so that the run's own timers get their turn in between.

    `later(seconds, function)` schedules on the loop, and raises `SessionError` when the loop is gone. `next_interval`
    returns the wall seconds until the next update, or None if there is nothing to show until somebody touches the
    panel. `on_error` is called with what a step raised.
    """

    def __init__(
        self,
        later: Callable[[float, Callable[[], Any]], None],
        steps: Sequence[Callable[[], None]],
        next_interval: Callable[[], float | None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._later, self._steps, self._next_interval, self._on_error = later, steps, next_interval, on_error
        self.armed = False
        self._dirty = True
        """Something has changed since the last update began."""
        self._generation = 0
        """Timers of earlier generations do nothing."""

    def touch(self) -> None:
        """Say that something has changed. On the loop; once that is gone, anywhere: then it is shown immediately."""
        self._dirty = True
        if not self.armed:
            try:
                self._arm(TOUCH_DELAY_SECONDS)
            except (SessionError, RuntimeError):
                self.update_now()

    def loop_changed(self) -> None:
        """Start afresh on another loop."""
        self._generation += 1
        self.armed = False
        self.touch()

    def loop_ended(self) -> None:
        """Show the final state, without a loop."""
        self._generation += 1
        self.armed = False
        self.update_now()

    def update_now(self) -> None:
        """Carry out all steps at once."""
        for step in self._steps:
            self._carry_out(step)

    def _carry_out(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the panel must not end silently
            self._on_error(error)

    def _arm(self, seconds: float) -> None:
        self._later(seconds, partial(self._on_timer, self._generation, 0))
        self.armed = True

    def _on_timer(self, generation: int, index: int) -> None:
        if generation != self._generation:
            return
        self.armed = False  # unless what follows arms it again, even if this is interrupted
        if index == 0:
            self._dirty = False
        self._carry_out(self._steps[index])
        with suppress(SessionError, RuntimeError):  # the loop is about to end: `loop_ended` shows the rest
            if index + 1 < len(self._steps):
                self._later(0, partial(self._on_timer, generation, index + 1))
                self.armed = True
            elif (seconds := self._next_interval()) is not None or self._dirty:
                self._arm(UPDATE_INTERVAL_SECONDS if seconds is None else seconds)
