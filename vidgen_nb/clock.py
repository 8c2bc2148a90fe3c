"""The only access to wall-clock time, with a speed: at `speed=20`, 30 run seconds pass in 1.5 s."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from vidgen_nb.errors import InputError

__all__ = ["Clock", "as_speed", "local_time"]


def local_time(seconds_from_now: float = 0.0) -> datetime:
    """Return the date and time of day here, so many wall seconds from now."""
    return datetime.now().astimezone() + timedelta(seconds=seconds_from_now)  # noqa: TID251


def as_speed(speed: float) -> float:
    """Return run seconds per wall second; `InputError` for what is none."""
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not (0 < speed < math.inf):
        raise InputError(f"speed must be a finite number above 0, not {speed!r}")
    return float(speed)


class Clock:
    """Run seconds since the clock was made, on a monotonic base; `at`: its first value.

    `monotonic` is any function that returns wall seconds; tests pass their own.
    """

    def __init__(
        self,
        speed: float = 1.0,
        *,
        at: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,  # noqa: TID251
    ) -> None:
        self.epoch = time.time()  # noqa: TID251 - recorded once, in the run's header
        self.on_speed: list[Callable[[], object]] = []
        """Called when the speed has changed: who waits by `wall` reckons again."""
        self._monotonic = monotonic
        self._since = monotonic(), at, as_speed(speed)
        """What it goes by: wall and run seconds at one moment, and the speed since. One tuple, for other threads."""

    @property
    def speed(self) -> float:
        """Run seconds per wall second."""
        return self._since[2]

    def now(self) -> float:
        """Return run seconds since the start."""
        wall, at, speed = self._since
        return at + (self._monotonic() - wall) * speed

    def set_speed(self, speed: float) -> None:
        """Continue from now at another speed, without a jump; then call what is in `on_speed`."""
        wall, checked = self._monotonic(), as_speed(speed)
        before, at, earlier = self._since
        self._since = wall, at + (wall - before) * earlier, checked
        for call in self.on_speed:
            call()

    def wall(self, seconds: float) -> float:
        """Return how many wall seconds these run seconds take at the present speed."""
        return seconds / self._since[2]
