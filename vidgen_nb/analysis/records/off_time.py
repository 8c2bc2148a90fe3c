"""When no program ran a run: from the last event before a restore to the restore.

Nobody asked about its jobs then, and nobody could submit. How busy its slots were is not known, so such time counts
as nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.timeline import Within, union
from vidgen_nb.core import events as ev

__all__ = ["HANDOVER", "OffTime", "all_without", "off_spans", "without"]

HANDOVER = (
    ev.Stopped, ev.AttemptAbandoned, ev.SceneSettled, ev.SceneRequeued, ev.CooldownReleased, ev.CooldownStarted,
    ev.CooldownEnded, ev.RunEnded,
)  # fmt: skip
"""What the next program records before `RunRestored`; the program before may have ended with the same."""


class OffTime:
    """Follows a run's events and finds when no program ran it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        """Sorted, disjoint."""
        self._last = 0.0
        self._gap: Span = (0.0, 0.0)
        """The longest one between two events since the last that no handover records."""

    def take(self, event: ev.Event) -> Span | None:
        """Take in the next event; return the time off that ends with it."""
        found, kind, at = None, type(event), event.at
        if kind is ev.RunRestored or kind in HANDOVER:
            if at - self._last > self._gap[1] - self._gap[0]:
                self._gap = (self._last, at)
        else:
            self._gap = (at, at)
        if isinstance(event, ev.RunRestored):
            start, end = self._gap if event.off_since is None else (event.off_since, at)
            if start < end:
                found = (start, end)
                self.spans = union([*self.spans, found])
            self._gap = (at, at)
        self._last = at
        return found


def off_spans(events: Sequence[ev.Event]) -> list[Span]:
    """Return when no program ran the run: sorted, disjoint."""
    off = OffTime()
    for index, event in enumerate(events):
        if type(event) is not ev.RunRestored:
            continue
        first = index
        while first > 1 and type(events[first - 1]) in HANDOVER:
            first -= 1
        for each in events[max(first - 1, 0) : index + 1]:
            off.take(each)
    return off.spans


def without(spans: list[Span]) -> Callable[[float], float]:
    """Return what a time becomes once these spans are cut out of it."""
    before = Within(spans)
    return lambda t: t - before(t) if spans else t


def all_without(spans: list[Span], times: list[float]) -> list[float]:
    """Return what times become once these spans are cut out of them; the same list if there are none."""
    return list(map(without(spans), times)) if spans else times
