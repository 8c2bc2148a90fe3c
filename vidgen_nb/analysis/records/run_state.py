"""Whether a run is still open, and when it could submit anything at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev

__all__ = ["SubmissionGate", "closed_spans", "end_reason", "is_open", "is_running"]


def end_reason(events: Sequence[ev.Event]) -> str | None:
    """Return why a run ended, such as `settled` or `stopped`; None: it goes on, or its program ended."""
    for event in reversed(events):
        if isinstance(event, ev.RunEnded):
            return event.reason
        if isinstance(event, ev.RunStarted | ev.SceneAdded | ev.AskedAgain):
            break
    return None


def is_running(data: RunData) -> bool:
    """Return whether an attempt is running."""
    return not all([attempt.outcome for attempt in data.attempts])  # noqa: C419 - a list is quicker


def is_open(data: RunData) -> bool:
    """Return whether more can come of a run: an attempt is running, or a scene waits and the run has not ended."""
    if is_running(data):
        return True
    return end_reason(data.events) is None and any(scene.status == "queued" for scene in data.scenes)


GATE_EVENTS: Final = frozenset((
    ev.RunStarted, ev.Stopped, ev.RunEnded, ev.BillingLimitReached, ev.BillingLimitChanged, ev.SpendingCapReached,
    ev.SpendingCapChanged, ev.SameFailureRepeated, ev.Paused, ev.Unpaused,
))  # fmt: skip
"""Those that a `SubmissionGate` goes by."""


class SubmissionGate:
    """Follows a run's events: may anything be submitted now? Not before the start, in a pause, or after a stop."""

    def __init__(self, *, started: bool = False) -> None:
        self._shut = set[str]() if started else {"stopped"}

    @property
    def is_shut(self) -> bool:
        """Whether nothing may be submitted, whatever waits."""
        return bool(self._shut)

    def take(self, event: ev.Event) -> None:
        """Take in the next event."""
        match event:
            case ev.RunStarted():
                self._shut -= {"stopped", "max_billed", "max_cost", "same failure"}
            case ev.Stopped() | ev.RunEnded():
                self._shut.add("stopped")
            case ev.BillingLimitReached():
                self._shut.add("max_billed")
            case ev.BillingLimitChanged():
                self._shut.discard("max_billed")
            case ev.SpendingCapReached():
                self._shut.add("max_cost")
            case ev.SpendingCapChanged():
                self._shut.discard("max_cost")
            case ev.SameFailureRepeated():
                self._shut.add("same failure")
            case ev.Paused():
                self._shut.add("paused")
            case ev.Unpaused():
                self._shut.discard("same failure")
                self._shut.discard("paused")
            case _:
                pass


def closed_spans(data: RunData, end: float) -> list[Span]:
    """Return when nothing could be submitted, up to `end`. Records without a `RunStarted` count as started at 0."""
    gate = SubmissionGate(started=not any(isinstance(event, ev.RunStarted) for event in data.events))
    since = 0.0
    spans: list[Span] = []
    for event in (each for each in data.events if type(each) in GATE_EVENTS):
        was_shut = gate.is_shut
        gate.take(event)
        if gate.is_shut and not was_shut:
            since = event.at
        elif was_shut and not gate.is_shut:
            spans.append((since, event.at))
    return [*spans, (since, end)] if gate.is_shut else spans
