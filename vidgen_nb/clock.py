"""The only access to wall-clock time, with a speed: at `speed=20`, 30 run seconds pass in 1.5 s."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from vidgen_nb.errors import InputError

__all__ = ["Clock", "local_time"]


def local_time(seconds_from_now: float = 0.0) -> datetime:
    """Return the date and time of day here, so many wall seconds from now."""
    return datetime.now().astimezone() + timedelta(seconds=seconds_from_now)  # noqa: TID251


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
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not (0 < speed < math.inf):
            raise InputError(f"speed must be a finite number above 0, not {speed!r}")
        self.speed = float(speed)
        self.epoch = time.time()  # noqa: TID251 - recorded once, in the run's header
        self._monotonic = monotonic
        self._start = monotonic() - at / self.speed

    def now(self) -> float:
        """Return run seconds since the start."""
        return (self._monotonic() - self._start) * self.speed

    def set_speed(self, speed: float) -> None:
        """Continue from now at another speed."""
        now, self.speed = self.now(), float(speed)
        self._start = self._monotonic() - now / self.speed

    def wall(self, seconds: float) -> float:
        """Return how many wall seconds these run seconds take."""
        return seconds / self.speed
