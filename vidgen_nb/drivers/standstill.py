"""When a simulated run is given up: nothing is accepted any more, and nothing that is known of will change that.

A run that takes long is none of these: a day's quota makes days of waiting, but then something is accepted. So time
counts from the last job's end on, and only after all that was planned is over.
"""

from __future__ import annotations

from typing import Final

from vidgen_nb.core import events as ev
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError

__all__ = ["FOREVER", "Standstill"]

FOREVER: Final = 30 * 86_400.0
"""Run seconds without any submit that is accepted, after which it is taken for granted that none will be."""
LOOKS: Final = 1000
"""So often something was looked at in that time: one long cooldown is no standstill."""
REFUSALS: Final = 20_000
"""Refused submits in a row, for each profile, that are one as well: else a server that says to come back in a second
would fill the memory. At the longest minimum of a cooldown they take four months."""
HELD: Final = 500_000
"""Wakeups in a row at which nothing happens, not even an attempt, that are one as well: a policy that always says a
moment later would never come to an end."""


class Standstill:
    """Watches for a run that can never settle, and says what stands in its way.

    `planned`: run seconds until which something that was planned changes. `patience`: how long nothing may be accepted
    after that. A driver calls `look` whenever it wakes the scheduler later than `since`.
    """

    __slots__ = ("_events", "_held", "_looks", "_patience", "_quiet", "_scheduler", "refused", "since")

    def __init__(self, scheduler: Scheduler, planned: float, patience: float) -> None:
        self._scheduler = scheduler
        self._patience = patience
        self._quiet = 0.0
        self.since = planned
        """Run seconds from which on time counts; inf: it never does."""
        self.refused = 0
        """Submits in a row."""
        self._looks = self._held = self._events = 0

    def goes_on(self, until: float) -> None:
        """Take note that something runs until then, or was asked for."""
        if until > self._quiet:
            self._quiet, self.since = until, max(until, self.since)
        self._looks = self._held = self.refused = 0

    def look(self, now: float) -> None:
        """Count a wakeup; `InputError` where the run stands still."""
        if not self._looks:
            self.refused = 0  # those before were meant
        self._looks += 1
        seen = len(self._scheduler.events)
        self._held = self._held + 1 if seen == self._events else 0
        self._events = seen
        long = self._looks > LOOKS and now > self.since + self._patience
        if long or self._held > HELD or self.refused > REFUSALS * max(1, len(self._scheduler.roster)):
            raise InputError(
                f"this run can't settle: no submit was accepted from {self._quiet:,.0f} s to {now:,.0f} s of the run, "
                f"and {self._scheduler.unsettled:,} scenes are left. {self._reason()}; or give until=, the run seconds "
                "at which it ends with what is left"
            )

    def _reason(self) -> str:
        """Return what stands in the way: the latest failure since then, or else the policy."""
        for event in reversed(self._scheduler.events):
            if event.at < self._quiet:
                break
            if isinstance(event, ev.CallFailed | ev.JobFailed):
                what = event.phase if isinstance(event, ev.CallFailed) else "job"
                reason = event.outcome.reason or event.outcome.kind
                return f"The last failure: {reason} (a {what} of scene {event.scene!r}). Take away what causes it"
        name = type(self._scheduler.policy).__name__
        return f"No submit failed: the policy {name} held the scenes back. Let its earliest() return a time that comes"
