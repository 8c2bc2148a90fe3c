"""How full each account's limit is while a run goes on: what was told of it, or else what its answers reveal.

Limits that were told (the emulator's, or those given to `Paced`) are counted by the provider model itself; others are
those that `Paced` would believe in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.policies.paced.observed_limits import ObservedLimit, ObservedLimits
from vidgen_nb.provider.gauge import available, in_words, rate_parts
from vidgen_nb.provider.limit_states import LimitState
from vidgen_nb.provider.limits import Limit

__all__ = ["Gauge", "LimitGauges"]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One account's limit."""

    limit: str = ""
    """In words; empty: not known yet."""
    level: float | None = None
    """How many submits it would admit now; None: not known."""
    size: int = 0
    """How many at most at once."""
    source: str = ""
    """Where it is known from, in words."""


class LimitGauges:
    """Reads a run's events in order; `of` says how full a limit is."""

    def __init__(self, told: Mapping[str, Limit]) -> None:
        """`told`: limits by profile or quota group."""
        self._told = told
        self._observed = ObservedLimits()
        self._group_of: dict[str, str] = {}
        self._states: dict[str, list[LimitState]] = {}
        """Of told limits, by group."""
        self._sent: dict[str, ev.AttemptStarted] = {}
        self._latest = 0.0

    def observe(self, event: ev.Event) -> None:
        """Take in the next event, of any kind."""
        self._observed.observe(event)
        match event:
            case ev.ProfileAdded():
                self._group_of[event.profile] = group = event.group or event.profile
                limit = self._told.get(event.profile, self._told.get(group))
                if limit is not None and group not in self._states:
                    self._states[group] = [part.state() for part in rate_parts(limit)]
            case ev.AttemptStarted():
                self._sent[event.scene] = event
            case ev.Accepted():
                self._count(event.scene, accepted=True)
            case ev.CallFailed(phase="submit", outcome=RateLimited()):
                self._count(event.scene, accepted=False)
            case ev.SceneRequeued() | ev.SceneSettled():
                self._sent.pop(event.scene, None)
            case _:
                pass

    def _count(self, scene: str, *, accepted: bool) -> None:
        """Count a submit where told limits count it: when it left, and never before an earlier one."""
        started = self._sent.pop(scene, None)
        states = None if started is None else self._states.get(self._group_of.get(started.profile, started.profile))
        if started is None or not states:
            return
        at = self._latest = max(started.at, self._latest)
        for state in states:
            if state.ready_at(at) <= at and accepted:
                state.take(at)
            elif not accepted:
                state.refuse(at)

    def of(self, profile: str, now: float) -> Gauge:
        """Return what is known of a profile's limit now."""
        group = self._group_of.get(profile, profile)
        limit = self._told.get(profile, self._told.get(group))
        if limit is not None:
            parts = rate_parts(limit)
            states = self._states.get(group) or [part.state() for part in parts]
            levels = [(available(state, now), getattr(part, "n", 1)) for state, part in zip(states, parts, strict=True)]
            level, size = min(levels, key=lambda each: each[0] / each[1], default=(None, 0))
            return Gauge(in_words(limit), level, size, "as the provider's limit is known")
        found = self._observed.of(profile, now)
        return Gauge() if found is None else Gauge(_observed_in_words(found), found.level, found.size, _source(found))


def _source(found: ObservedLimit) -> str:
    return "from its rate-limit headers" if found.paces is None else "learned from its answers"


def _observed_in_words(found: ObservedLimit) -> str:
    if found.paces is None:
        return f"{found.level:.0f} of {found.size:,} left"
    every = f"{found.seconds:.3g} s"
    match found.kind:
        case "bucket":
            return f"about {found.size:,}, then 1 every {every}"
        case "window":
            return f"about {found.size:,} in any {every}"
        case "fixed":
            return f"about {found.size:,} in each {every}"
        case _:
            slow, fast = (f"{pace * 60:.2g}" for pace in found.paces)
            return f"about {slow} a minute" if slow == fast else f"{slow} to {fast} a minute"
