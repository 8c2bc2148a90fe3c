"""The one timer of the asyncio driver, set to the scheduler's next wakeup."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from vidgen_nb.clock import Clock

__all__ = ["Alarm"]


class Alarm:
    """Calls a function on the loop once a time of the run has come; set again, it forgets the time before."""

    def __init__(self, clock: Clock, on_due: Callable[[], object]) -> None:
        self.due: float | None = None
        """What it is set to, in run seconds; None: it is not set, or what it rang for is done."""
        self._clock = clock
        self._on_due = on_due
        self._timer: asyncio.TimerHandle | None = None
        clock.on_speed.append(self._reckon_again)

    @property
    def has_rung(self) -> bool:
        """Whether it is time for what it was set to."""
        return self._timer is None and self.due is not None

    def set(self, due: float | None) -> None:
        """Set it to a time of the run; None: to none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self.due = None, due
        if due is not None:
            delay = max(0.0, self._clock.wall(due - self._clock.now()))
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _reckon_again(self) -> None:
        if self._timer is not None:
            self.set(self.due)

    def _ring(self) -> None:
        self._timer = None
        self._on_due()
