"""Recorded events, fed to a scheduler again: recorded decisions are repeated, not made again.

What users asked for and drivers found out is handled as before, and most decisions follow from it in the same way. The
others are looked up: which attempt started where, which cooldown the policy chose, which retry was granted. At the end
all decisions are compared with the recorded ones, so that no state is built on a file that does not add up.
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
from vidgen_nb.core.context import Context
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown
from vidgen_nb.core.profiles.roster import Roster
from vidgen_nb.core.state import SceneState
from vidgen_nb.errors import InputError, ReplayError

__all__ = ["Replay"]


class Replay:
    """Feeds a record to the handlers of a fresh scheduler."""

    def __init__(
        self,
        recorded: list[ev.Event],
        handlers: Mapping[type[ev.Event], Callable[[Any, float], None]],
        context: Context,
        ledger: Ledger,
        failures: Failures,
    ) -> None:
        self._recorded = recorded
        self._handlers = handlers
        self._ledger = ledger
        self._failures = failures
        self._index = 0
        context.is_replay = True

    @contextmanager
    def at(self, index: int) -> Iterator[None]:
        """Turn the error of an event that makes no sense into a `ReplayError` that says which one it is."""
        self._index = index
        try:
            yield
        except (InputError, KeyError, AssertionError) as error:
            kind = type(self._recorded[index]).__name__
            raise ReplayError(f"is impossible: {kind}: {error}", index) from error

    def begin(self, event: ev.AttemptStarted, roster: Roster) -> None:
        """Repeat a recorded choice of scene and profile."""
        state, profile = self._ledger.scenes[event.scene], roster[event.profile]
        if state.status != "queued":
            raise InputError(f"scene {event.scene!r} is {state.status}")
        if state.pinned_to is None:  # else it was not the profile's turn
            roster.rotation.cursor = profile.index
        self._ledger.begin(state, profile, event.at, recorded=event)

    def feed(self, event: ev.Event) -> None:
        """Handle an event as it was handled then; decisions follow by themselves."""
        if isinstance(event, ev.RetryGranted):
            self._ledger.retries.replay_grant(event.scene, event.at)
        if isinstance(event, ev.SceneSettled):
            self._settle_in_flight(event)
        if isinstance(event, ev.CooldownEnded) and event.alone:
            self._failures.reopen(event)
        if isinstance(event, ev.DECISIONS):
            return
        if isinstance(event, ev.Progressed | ev.CallFailed | ev.JobFailed):
            state = self._ledger.scenes[event.scene]
            state.awaiting_answer = True  # it was, or there would be no answer; not every poll is recorded
            self._failures.replayed_end = self._recorded_end(event.scene)
            if isinstance(event, ev.CallFailed) and event.phase == "cancel":
                self._note_cancel(state)
            if state.profile is not None:
                self._failures.replayed_cooldown = self._recorded_cooldown(event, state.profile.group.name)
                self._failures.replayed_window = self._recorded_window(state.profile.name)
        if isinstance(event, ev.CancelAnswered):
            self._note_cancel(self._ledger.scenes[event.scene])
        try:
            self._handlers[type(event)](event, event.at)
        finally:
            self._failures.replayed_cooldown = self._failures.replayed_window = self._failures.replayed_end = None

    def _note_cancel(self, state: SceneState) -> None:
        """A cancel that nobody asked for was that of a late job."""
        if not state.cancelling:
            state.start_cancelling(timed_out=True)

    def _settle_in_flight(self, event: ev.SceneSettled) -> None:
        """Repeat the end of a scene whose job could not be asked about, or not any more."""
        state = self._ledger.scenes[event.scene]
        if state.status in ("generating", "fetching") and state.number == event.number:
            profile = self._ledger.end(state)
            self._ledger.settle(state, event.status, event.reason, event.at, profile, event.outcome)

    def _recorded_end(self, scene: str) -> ev.SceneRequeued | ev.SceneSettled | None:
        """Return the decision about a scene that followed at once, or None where the record ends before."""
        for after in range(self._index + 1, len(self._recorded)):
            following = self._recorded[after]
            if not isinstance(following, ev.DECISIONS):
                return None
            if isinstance(following, ev.SceneRequeued | ev.SceneSettled) and following.scene == scene:
                return following
        return None

    def _recorded_window(self, profile: str) -> float | None:
        """Return until when the profile's own gate closed after this failure, -inf if it did not; None: not known."""
        if self._index + 1 >= len(self._recorded):
            return None
        following = self._recorded[self._index + 1]
        if isinstance(following, ev.CooldownStarted) and following.alone and following.group == profile:
            return following.until
        return -math.inf

    def _recorded_cooldown(self, event: ev.Event, group: str) -> Cooldown | None:
        """Return the cooldown that followed from a 429 of that quota group.

        None: the event is not a 429, or the record ends too early to tell.
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
        if not closed:  # the group was closed for longer already, which stays
            return Cooldown("group", -math.inf)
        only_group = all(each.group == group for each in closed)
        # if only some are unusable, these were out of the rotation before
        unusable = all(each.unusable for each in closed)
        return Cooldown("group" if only_group else "all", closed[0].until, unusable=unusable)

    def check(self, replayed: list[ev.Event]) -> None:
        """Raise `ReplayError` where the replay differs; otherwise keep the record as it was, word for word."""
        recorded = self._recorded
        for index, (then, now) in enumerate(zip(recorded, replayed, strict=False)):
            if then is not now and not _same(then, now):
                raise ReplayError(f"is {then}, but {now} follows from the events before it", index)
        if len(replayed) < len(recorded):
            raise ReplayError(
                f"is {recorded[len(replayed)]}, which does not follow from those before it", len(replayed)
            )
        replayed[: len(recorded)] = recorded
        for state in self._ledger.scenes.values():
            state.call_at = math.inf  # `RunRestored` polls each job once


def _same(then: Any, now: Any) -> bool:
    """Compare two events, or their outcomes; reasons may be worded differently."""
    if type(then) is not type(now):
        return False
    for each in fields(then):
        before, after = getattr(then, each.name), getattr(now, each.name)
        if each.name == "outcome" and before is not None and after is not None:
            if not _same(before, after):
                return False
        elif each.name != "reason" and before != after:
            return False
    return True
