"""When a profile stood idle although scenes waited: time that nobody needed to lose."""

from __future__ import annotations

from collections import defaultdict

from vidgen_nb.analysis.records.bounded_series import Span
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.run_state import closed_spans
from vidgen_nb.analysis.records.timeline import queued_spans, subtract, union
from vidgen_nb.core import events as ev

__all__ = ["idle_spans"]


def idle_spans(data: RunData, end: float) -> dict[str, list[Span]]:
    """Return, per profile, when it could have worked and did not, although scenes waited; up to `end`.

    That is: no attempt ran on it; it was neither cooling nor unusable; it had been added and not removed; the run was
    started and neither paused nor stopped; a program ran it; and at least one scene waited whose back-off was over. A
    profile with one attempt running counts as busy, whatever its capacity. A scene queued at a provider waits there,
    and for no other profile.
    """
    not_before = {
        (event.scene, event.at): event.not_before
        for event in data.events
        if isinstance(event, ev.SceneRequeued) and event.not_before is not None
    }
    waited = zip(*queued_spans(data, end), strict=True)
    ready = ((max(start, not_before.get((scene, start), start)), stop) for scene, start, stop in waited)
    backlog = subtract(union(ready), union([*closed_spans(data, end), *data.off]))
    taken = _absent(data, end)
    for attempt in data.attempts:
        taken[attempt.profile].append((attempt.start, end if attempt.end is None else attempt.end))
    for window in data.cooldowns:
        taken[window.profile].append((window.start, window.end))
    return {profile: subtract(backlog, union(taken[profile])) for profile in data.profiles}


def _absent(data: RunData, end: float) -> dict[str, list[Span]]:
    """Return, per profile, when it was not part of the session; records without events have it there all the time."""
    spans: dict[str, list[Span]] = defaultdict(list)
    absent_since: dict[str, float] = {}
    for event in data.events:
        if isinstance(event, ev.ProfileAdded):
            spans[event.profile].append((absent_since.pop(event.profile, 0.0), event.at))
        elif isinstance(event, ev.ProfileRemoved):
            absent_since[event.profile] = event.at
    for profile, since in absent_since.items():
        spans[profile].append((since, end))
    return spans
