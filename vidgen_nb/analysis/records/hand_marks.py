"""What a hand did while a run went on: mode, policy, pause, cap, profiles in and out; as marks on the axis of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import compress
from typing import Any

from vidgen_nb.analysis.records.model import HandMark
from vidgen_nb.core import events as ev
from vidgen_nb.plaintext import one_line

__all__ = ["MAX_LIVE_MARKS", "HandMarks", "hand_marks"]

MAX_LIVE_MARKS = 60
"""Marks that a live chart keeps: the latest."""


class HandMarks:
    """Follows a run's events. What is changed between runs, or by a restore, is no mark: the run stood still."""

    def __init__(self, most: int | None = None) -> None:
        self.marks: deque[HandMark] = deque(maxlen=most)
        self._runs = False
        self._mode = ""
        self._capacities: dict[str, int | None] = {}

    def take(self, event: ev.Event) -> None:
        """Take in the next event, of any kind."""
        if type(event) not in _KINDS:
            return
        if isinstance(event, ev.RunStarted):
            self._runs = True
        elif isinstance(event, ev.RunEnded | ev.RunRestored):
            self._runs = False
        elif isinstance(event, ev.Stopped) and event.reason != ev.StopReason.BY_USER:
            self._runs = self._runs and event.reason != ev.StopReason.BROKEN_OFF
        elif self._runs and (text := self._text(event)):
            self.marks.append(HandMark(event.at, text))
        self._remember(event)

    def _text(self, event: Any) -> str:
        """Say what was done."""
        match event:
            case ev.ModeChanged():
                return _mode_text(event.mode, self._mode)
            case ev.PolicyChanged():
                return f"policy: {one_line(getattr(event.policy, 'name', type(event.policy).__name__), 40)}"
            case ev.Paused():
                return "paused: nothing new is submitted"
            case ev.Unpaused():
                return "resumed"
            case ev.Stopped():
                return "stopped: what was running went on"
            case ev.CancelRequested():
                return "cancelled everything" if event.scene is None else f"cancelled {one_line(event.scene, 40)}"
            case ev.CooldownReleased():
                return f"cooldown of {one_line(event.profile, 40)} released"
            case ev.BillingLimitChanged():
                return "spending cap: none" if event.max_billed is None else f"spending cap: {event.max_billed:,} jobs"
            case ev.SpendingCapChanged():
                return "spending cap: none" if event.max_cost is None else f"spending cap: {event.max_cost:,.2f}"
            case ev.ProfileAdded():
                return f"{one_line(event.profile, 40)} on"
            case ev.ProfileRemoved():
                return f"{one_line(event.profile, 40)} off"
            case ev.ProfileChanged():
                before = self._capacities.get(event.profile)
                sizes = " → ".join("no limit" if size is None else str(size) for size in (before, event.capacity))
                return f"parallel on {one_line(event.profile, 40)}: {sizes}"
        return ""

    def _remember(self, event: ev.Event) -> None:
        if isinstance(event, ev.ModeChanged):
            self._mode = event.mode.name
        elif isinstance(event, ev.ProfileAdded | ev.ProfileChanged):
            self._capacities[event.profile] = event.capacity


_KINDS = frozenset({
    ev.RunStarted, ev.RunEnded, ev.RunRestored, ev.ModeChanged, ev.PolicyChanged, ev.Paused, ev.Unpaused, ev.Stopped,
    ev.CancelRequested, ev.CooldownReleased, ev.BillingLimitChanged, ev.SpendingCapChanged, ev.ProfileAdded,
    ev.ProfileRemoved, ev.ProfileChanged,
})  # fmt: skip


def _mode_text(mode: Any, before: str) -> str:
    """Say which mode it was and is; the cap alone may have changed."""
    cap = "" if mode.max_generating is None else f", at most {mode.max_generating} parallel per account"
    name = one_line(mode.name, 40)
    return f"mode: {one_line(before, 40)} → {name}{cap}" if before not in ("", mode.name) else f"mode: {name}{cap}"


def hand_marks(events: Sequence[ev.Event]) -> list[HandMark]:
    """Return all marks of a run, in order."""
    found = HandMarks()
    for event in compress(events, map(_KINDS.__contains__, map(type, events))):  # few of many
        found.take(event)
    return list(found.marks)
