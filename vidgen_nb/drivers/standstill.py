"""When a simulated run is given up: nothing is accepted any more, and nothing planned will change that.

A run that merely takes long goes on: a daily quota makes it wait for days, but then something is accepted. So time
counts from the last job's end on, and only after everything planned has happened.
"""

from __future__ import annotations

from typing import Final

from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError

__all__ = ["PATIENCE_SECONDS", "Standstill"]

PATIENCE_SECONDS: Final = 30 * 86_400.0
"""Run seconds without an accepted submit after which none is expected to come."""
MIN_WAKEUPS: Final = 1000
"""Wakeups there must be in that time: one long cooldown is not a standstill."""
MAX_REFUSALS_PER_PROFILE: Final = 20_000
"""Refused submits in a row that are a standstill, too: a server that always says "in a second" would fill the memory.
With the longest minimum of a cooldown they take four months."""
MAX_IDLE_WAKEUPS: Final = 500_000
"""Wakeups in a row without any event that are a standstill, too: a policy that always says "a moment later" would never
end."""


class Standstill:
    """Watches for a run that can never settle, and says what is in its way.

    `planned`: run seconds of the last planned change. `patience`: how long nothing may be accepted after that. A driver
    calls `check` whenever it wakes the scheduler later than `since`.
    """

    __slots__ = (
        "_events",
        "_idle_wakeups",
        "_last_progress",
        "_patience",
        "_scheduler",
        "_wakeups",
        "refusals",
        "since",
    )

    def __init__(self, scheduler: Scheduler, planned: float, patience: float) -> None:
        self._scheduler = scheduler
        self._patience = patience
        self._last_progress = 0.0
        self.since = planned
        """Run seconds from which on time counts; inf: never."""
        self.refusals = 0
        """Refused submits in a row."""
        self._wakeups = self._idle_wakeups = self._events = 0

    def note_progress(self, until: float) -> None:
        """Note that a job runs until then, or that a request came."""
        if until > self._last_progress:
            self._last_progress, self.since = until, max(until, self.since)
        self._wakeups = self._idle_wakeups = self.refusals = 0

    def check(self, now: float) -> None:
        """Count a wakeup; `InputError` if the run stands still."""
        if not self._wakeups:
            self.refusals = 0  # those before were planned
        self._wakeups += 1
        events = len(self._scheduler.events)
        self._idle_wakeups = self._idle_wakeups + 1 if events == self._events else 0
        self._events = events
        too_long = self._wakeups > MIN_WAKEUPS and now > self.since + self._patience
        too_many_refusals = self.refusals > MAX_REFUSALS_PER_PROFILE * max(1, len(self._scheduler.roster))
        if too_long or too_many_refusals or self._idle_wakeups > MAX_IDLE_WAKEUPS:
            raise InputError(
                f"this run can't settle: no submit was accepted from {self._last_progress:,.0f} s to {now:,.0f} s of "
                f"the run, and {self._scheduler.unsettled:,} scenes are left. {self._reason()}; or give until=, the "
                "run seconds at which it ends with the scenes that are left"
            )

    def _reason(self) -> str:
        """Return what is in the way: the latest failure since the last progress, otherwise the policy."""
        for event in reversed(self._scheduler.events):
            if event.at < self._last_progress:
                break
            if isinstance(event, ev.CallFailed | ev.JobFailed):
                failed = event.phase if isinstance(event, ev.CallFailed) else "job"
                reason = event.outcome.reason or event.outcome.kind
                return f"The last failure: {reason} (a {failed} of scene {event.scene!r}). Remove its cause"
        name = type(self._scheduler.policy).__name__
        return f"No submit failed: the policy {name} held the scenes back. Its earliest() must return a time that comes"
