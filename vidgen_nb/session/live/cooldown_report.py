"""Says every 3 s that all profiles cool (R5): a live report, not an event of the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.alarm import Alarm
from vidgen_nb.recording.runlog import cooling_line

__all__ = ["CooldownReport"]

log = logging.getLogger("vidgen_nb")

REPORT_INTERVAL = 3.0
"""Run seconds between two reports."""


class CooldownReport:
    """While scenes wait and every profile cools, logs every 3 s which ones, and for how much longer (R5)."""

    def __init__(self, scheduler: Scheduler, clock: Clock) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._alarm = Alarm(clock, self._report)

    def __call__(self, events: Sequence[ev.Event]) -> None:
        """Start to report once all profiles cool (an observer)."""
        if self._alarm.due is None:
            self._report()

    def _report(self) -> None:
        self._alarm.set(None)
        scheduler, now = self._scheduler, self._clock.now()
        holds_back = scheduler.ended or scheduler.stopped or scheduler.paused
        if scheduler.waiting and not holds_back and scheduler.roster.all_closed(now):  # (R5)
            log.warning("[%7.1f s] %s", now, cooling_line(scheduler.cooling(now), scheduler.waiting))
            self._alarm.set(now + REPORT_INTERVAL)
