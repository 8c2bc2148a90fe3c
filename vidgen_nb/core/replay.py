"""Recorded events, fed to a scheduler again: what was decided then is taken over, not decided again.

What users asked for and drivers found out is handled as before, and most decisions follow from it in the same way. The
rest is looked up: which attempt started where, which cooldown a policy answered with, which retry was let go. At the
end the decisions are compared with the recorded ones, so that no state is built on a file that does not add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failures import Failures
from vidgen_nb.core.attempts.ledger import Ledger
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown
from vidgen_nb.errors import InputError, ReplayError

__all__ = ["Replay"]


class Replay:
    """Feeds a record to the handlers of a fresh scheduler."""

    def __init__(
        self,
        recorded: list[ev.Event],
        handlers: Mapping[type[ev.Event], Callable[[Any, float], None]],
        ledger: Ledger,
        failures: Failures,
    ) -> None:
        self._recorded = recorded
        self._handlers = handlers
        self._ledger = ledger
        self._failures = failures
        self._index = 0

    @contextmanager
    def at(self, index: int) -> Iterator[None]:
        """Say of an event that makes no sense which one it is."""
        self._index = index
        try:
            yield
        except (InputError, KeyError, AssertionError) as error:
            kind = type(self._recorded[index]).__name__
            raise ReplayError(f"can't be: {kind}: {error}", index) from error

    def feed(self, event: ev.Event) -> None:
        """Handle an event as it was handled then; what follows from others is left to follow."""
        if isinstance(event, ev.RetryGranted):
            self._ledger.retries.take_over(event.scene, event.at)
        if isinstance(event, ev.DECISIONS):
            return
        if isinstance(event, ev.Progressed | ev.CallFailed | ev.JobFailed):
            state = self._ledger.scenes[event.scene]
            state.asked = True  # or there had been no answer; not every poll is on record
            if state.profile is not None:
                self._failures.recorded = self._cooldown(event, state.profile.group.name)
        try:
            self._handlers[type(event)](event, event.at)
        finally:
            self._failures.recorded = None

    def _cooldown(self, event: ev.Event, group: str) -> Cooldown | None:
        """Return the cooldown that followed from a 429 of that quota group.

        None: it is no 429, or the record ends before all that followed from it.
        """
        if not isinstance(event, ev.CallFailed | ev.JobFailed) or not isinstance(event.outcome, RateLimited):
            return None
        closed: list[ev.CooldownStarted] = []
        for after in range(self._index + 1, len(self._recorded)):
            following = self._recorded[after]
            if not isinstance(following, ev.CooldownStarted):
                break
            closed.append(following)
        else:
            return None
        if not closed:  # a window that was open longer stayed as it was
            return Cooldown("group", -math.inf)
        alone = all(each.group == group for each in closed)
        # one that was out of the rotation already says so of itself alone
        unusable = all(each.unusable for each in closed)
        return Cooldown("group" if alone else "all", closed[0].until, unusable=unusable)

    def check(self, replayed: list[ev.Event]) -> None:
        """Raise `ReplayError` where not all has come about again; else let the record be as it was, word for word."""
        recorded = self._recorded
        for index, (then, now) in enumerate(zip(recorded, replayed, strict=False)):
            if then is not now and not _same(then, now):
                raise ReplayError(f"is {then}, where {now} follows from those before it", index)
        if len(replayed) < len(recorded):
            raise ReplayError(f"is {recorded[len(replayed)]}, which does not follow", len(replayed))
        replayed[: len(recorded)] = recorded
        for state in self._ledger.scenes.values():
            state.calls += 1  # polls that were due go by that number: `RunRestored` asks anew, and once


def _same(then: ev.Event, now: ev.Event) -> bool:
    """Compare what two events say; reasons may be worded anew."""
    names = [each.name for each in fields(then) if each.name != "reason"]
    return type(then) is type(now) and all(getattr(then, name) == getattr(now, name) for name in names)
