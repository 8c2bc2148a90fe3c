"""What the answers in a run reveal of each quota group's limit, whatever the run's policy: it watches, decides nothing.

`Paced` has one submit at a time under way where the answer teaches something. Other policies don't, so each submit is
learned from when its answer comes, as if it had been alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.policies.paced.belief import Belief
from vidgen_nb.policies.paced.candidates import Candidate, Kind
from vidgen_nb.policies.paced.group_limits import GroupLimits, KnownLimit

__all__ = ["ObservedLimit", "ObservedLimits"]

MAX_REPLAYED = 200
"""Submits from which the level of a learned bucket is found."""
SURE = 0.2
"""Paces that differ by no more than this (as a logarithm) are one."""


@dataclass(frozen=True, slots=True)
class ObservedLimit:
    """A limit as it is known of a group now."""

    level: float
    """How many submits it would admit now."""
    size: int
    """How many at most at once."""
    paces: tuple[float, float] | None
    """Submits a second for long: the slowest and the fastest that explain the answers; None: headers tell the level."""
    kind: Kind | None
    """None: headers tell the level, or it is not clear yet."""
    seconds: float
    """The period of a window, or the seconds that a bucket needs for a token."""


class ObservedLimits:
    """Learns from events; `of` says what is known."""

    def __init__(self) -> None:
        self._limits = GroupLimits({})
        self._sent: dict[str, ev.AttemptStarted] = {}
        """By scene, submits without an answer."""
        self._latest: dict[int, float] = {}
        """By tracker, when the latest submit left that was learned from."""

    def observe(self, event: ev.Event) -> None:
        """Learn from an event of the run."""
        if isinstance(event, ev.AttemptStarted):
            self._sent[event.scene] = event
            return
        if isinstance(event, ev.Accepted) or (isinstance(event, ev.CallFailed) and event.phase == "submit"):
            self._learn_submit(event.scene)
        elif isinstance(event, ev.SceneRequeued | ev.SceneSettled):
            self._sent.pop(event.scene, None)
        self._limits.observe(event)

    def _learn_submit(self, scene: str) -> None:
        started = self._sent.pop(scene, None)
        if started is None:
            return
        tracker = id(self._limits.of_profile(started.profile))
        at = self._latest[tracker] = max(started.at, self._latest.get(tracker, 0.0))  # answers may overtake each other
        moved: Any = replace(started, at=at) if at != started.at else started
        self._limits.observe(moved)

    def of(self, profile: str, now: float) -> ObservedLimit | None:
        """Return what is known of the limit of a profile's group; None: it was not met yet."""
        tracker = self._limits.of_profile(profile)
        if isinstance(tracker, KnownLimit):  # none was given
            return None
        if (meter := tracker.meter) is not None:
            own = sum(at > now for at in meter.own_holds)
            others = meter.held_by_others if meter.others_free_at > now else 0
            return ObservedLimit(max(0.0, float(meter.limit - own - others)), meter.limit, None, None, 0.0)
        return None if tracker.belief is None else _believed(tracker.belief, now)


def _believed(belief: Belief, now: float) -> ObservedLimit:
    """Return the likeliest of the limits that explain the answers."""
    likeliest = max(belief.candidates, key=lambda each: -each.pace(each.high) if belief.told else each.mass)
    x = likeliest.high
    kinds = {each.kind for each in belief.candidates}
    sure = belief.doubt <= SURE and (len(kinds) == 1 or likeliest.n == 1)
    level, paces = _level(likeliest, belief, x, now), (belief.pace, belief.pace * math.exp(belief.doubt))
    return ObservedLimit(level, likeliest.n, paces, likeliest.kind if sure else None, x)


def _level(limit: Candidate, belief: Belief, x: float, now: float) -> float:
    """Return how many submits a candidate would admit now."""
    log = belief.log
    if limit.kind == "fixed":
        return float(max(0, limit.n - limit.used(log, now)))
    times = list(log.times)[-MAX_REPLAYED:]
    if limit.kind == "window":
        return float(max(0, limit.n - sum(at > now - x for at in times)))
    level, before = float(limit.n), times[0] if times else now
    if limit.opened > before:  # it was found empty then
        level, before = 0.0, limit.opened
    for at in times:
        if at > before or limit.opened < before:
            level = max(0.0, min(limit.n, level + (at - before) / x) - 1)
            before = at
    return min(float(limit.n), level + max(0.0, now - before) / x)
