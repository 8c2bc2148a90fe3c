"""Timeouts that are believed only after one more look: an answer that has come is read first.

A program may stand still: it was stopped, a cell computed on its loop, the machine slept. When it goes on, the time of
every timeout has passed, and asyncio's go off before what has come meanwhile is read: after a stop, its first look at
the sockets may even see nothing (`epoll` was interrupted, and its own timeout was over). So a timeout that is over
looks once more, for a moment. If its timer was late, the program stood still, and it waits a little longer: what was
on its way gets a chance to arrive.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

__all__ = ["Patience"]

LOOK_SECONDS: Final = 0.1
"""The last look, at most; shorter for timeouts that are short themselves."""
FRESH_SECONDS: Final = 5.0
"""How long it is waited after a standstill, at most."""
LATE_SECONDS: Final = 0.25
"""A timer that goes off later than this shows a standstill."""
MAX_STANDSTILLS: Final = 10
"""A loop that is late each time is busy, and not asleep: then the timeout counts."""


class Patience:
    """A block may take this many seconds, as with `asyncio.timeout`; `TimeoutError` is raised in it after that.

    `fresh`: how many seconds it gets after a standstill; default: its own, 5 at most. It may be entered again, for a
    further block with the same end.
    """

    def __init__(self, seconds: float, *, fresh: float | None = None) -> None:
        self.until = asyncio.get_running_loop().time() + seconds
        """Its end in loop time; it may be moved."""
        self._look = min(LOOK_SECONDS, max(seconds, 0.0) / 4)
        self._fresh = min(max(seconds, 0.0), FRESH_SECONDS) if fresh is None else fresh
        self._due = 0.0
        self._looks = 0
        """Times that it went off since its end was moved."""
        self._is_over = False
        self._timer: asyncio.Handle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def extend(self, seconds: float) -> None:
        """Let the block take this many seconds from now."""
        self.until = asyncio.get_running_loop().time() + seconds

    async def __aenter__(self) -> Self:
        self._task = task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is awaited
        self._cancelling = task.cancelling()
        self._wait_until(self.until)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        if self._is_over and task is not None:
            self._is_over = False
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _wait_until(self, due: float) -> None:
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._went_off)

    def _went_off(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self.until > self._due:  # it was moved meanwhile
            self._looks = 0
            self._wait_until(self.until)
        elif now - self._due > LATE_SECONDS and self._looks < MAX_STANDSTILLS:
            self._looks += 1
            self.until = now + self._fresh
            self._wait_until(self.until)
        elif not self._looks:
            self._looks = 1
            self._wait_until(now + self._look)
        else:
            # after what else is due in this turn: it may be the answer
            self._timer = loop.call_soon(self._give_up)

    def _give_up(self) -> None:
        if self._task is not None:
            self._is_over = True
            self._task.cancel()
