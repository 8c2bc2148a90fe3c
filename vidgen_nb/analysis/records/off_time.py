"""When no program ran a run: from the last event before a restore to the restore.

Nobody asked about its jobs then, and nobody could submit. How busy its slots were is not known, so such time counts
as nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.timeline import Within, union
from vidgen_nb.core import events as ev

__all__ = ["off_spans", "without"]

HANDOVER = (
    ev.Stopped, ev.AttemptAbandoned, ev.SceneSettled, ev.SceneRequeued, ev.CooldownReleased, ev.CooldownStarted,
    ev.CooldownEnded, ev.RunEnded,
)  # fmt: skip
"""What the next program records before `RunRestored`; the program before may have ended with the same."""


def off_spans(events: Sequence[ev.Event]) -> list[Span]:
    """Return when no program ran the run: sorted, disjoint."""
    found: list[Span] = []
    for index, event in enumerate(events):
        if type(event) is not ev.RunRestored:
            continue
        first = index
        while first > 1 and type(events[first - 1]) in HANDOVER:
            first -= 1
        times = [each.at for each in events[max(first - 1, 0) : index + 1]]
        longest = max(range(1, len(times)), key=lambda place: times[place] - times[place - 1], default=0)
        if longest:
            found.append((times[longest - 1], times[longest]))
    return union(found)


def without(spans: list[Span]) -> Callable[[float], float]:
    """Return what a time becomes once these spans are cut out of it."""
    before = Within(spans)
    return lambda t: t - before(t) if spans else t
