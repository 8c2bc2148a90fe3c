"""Instead of taking turns: a scene goes to the profile that will finish it first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy, check_seconds, is_later
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown

__all__ = ["EarliestFinish"]

RECHECK_SHARE = 0.1
"""A profile that is held back is checked again after this share of its service time, or after a second if longer."""
SLOW_SHARE = 0.1
"""A profile is slow if another one's service time is at most this share of its own."""
FAST_ROUNDS = 2
"""After this many service times of the fastest profile, its rate is known."""


class _ProfileHistory:
    """What was seen of one profile."""

    __slots__ = ("accepted", "cooling_until", "first_accepted_at", "given_service", "samples", "total")

    def __init__(self, given_service: float | None) -> None:
        self.given_service = given_service
        self.samples = 0
        self.total = 0.0
        """Seconds of all samples together."""
        self.first_accepted_at = math.inf
        """When its first submit was accepted."""
        self.accepted = 0
        """Submits accepted after that."""
        self.cooling_until = -math.inf
        """End of its cooldown; inf: it is out of the rotation."""

    def service(self, now: float) -> float:
        """Return how many seconds a scene takes here; if that is unknown, how long the first one has taken so far."""
        if self.given_service is not None:
            return self.given_service
        return self.total / self.samples if self.samples else max(0.0, now - self.first_accepted_at)

    def rate(self, now: float) -> float:
        """Return the submits per second that were accepted, not counting those of the first moment."""
        return self.accepted / (now - self.first_accepted_at) if now > self.first_accepted_at else 0.0


class _RunHistory:
    """What was seen of a run."""

    def __init__(self, given_services: Mapping[str, float]) -> None:
        self._given_services = given_services
        self._profiles: dict[str, _ProfileHistory] = {}
        self._waiting: set[str] = set()
        self._running: dict[str, tuple[_ProfileHistory, float]] = {}
        """By scene, its profile's history, and when it was accepted (or sent, if it has no answer yet)."""
        self._started_at: float | None = None
        self._backlog_at = math.nan
        self._backlog = math.inf
        """What `backlog_seconds` returned at `_backlog_at`; NaN there: compute it again."""
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.ProfileAdded: self._back,
            ev.ProfileRemoved: self._removed,
            ev.CooldownStarted: self._cooled,
            ev.CooldownEnded: self._back,
            ev.SceneAdded: self._added,
            ev.AttemptStarted: self._started,
            ev.Accepted: self._accepted,
            ev.Generated: self._generated,
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
        }

    def observe(self, event: ev.Event) -> None:
        """Learn from an event."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
            self._backlog_at = math.nan

    def of_profile(self, profile: str) -> _ProfileHistory:
        """Return what was seen of a profile."""
        history = self._profiles.get(profile)
        if history is None:
            history = self._profiles[profile] = _ProfileHistory(self._given_services.get(profile))
        return history

    def backlog_seconds(self, now: float) -> float:
        """Return in how many seconds all waiting scenes will be finished if each profile keeps its rate; inf: never.

        The x for which the sum of rate · max(0, x - service - rest of its cooldown) is the number of waiting scenes.
        """
        if self._backlog_at == now:
            return self._backlog
        starts = sorted(
            (each.service(now) + max(0.0, each.cooling_until - now), each.rate(now))
            for each in self._profiles.values()
            if each.cooling_until < math.inf
        )
        left, rate, at = float(len(self._waiting)), 0.0, 0.0
        for start, more in starts:
            if rate and left <= rate * (start - at):
                break
            left -= rate * (start - at)
            rate, at = rate + more, start
        self._backlog_at, self._backlog = now, at + left / rate if rate else math.inf
        return self._backlog

    def is_too_soon(self, service: float, now: float) -> bool:
        """Say whether a slow profile should wait, because it is not yet known how much the fast ones can do."""
        if self._started_at is None or now - self._started_at >= service / 2:
            return False
        fastest = min(
            (each.service(now) for each in self._profiles.values() if each.cooling_until <= now), default=service
        )
        enough = max(RECHECK_SHARE * service, min(FAST_ROUNDS * fastest, service / 2))
        return fastest <= SLOW_SHARE * service and now - self._started_at < enough

    def _run_started(self, event: ev.RunStarted) -> None:
        if self._started_at is None:
            self._started_at = event.at

    def _back(self, event: ev.ProfileAdded | ev.CooldownEnded) -> None:
        for profile in (event.profile,) if isinstance(event, ev.ProfileAdded) else event.profiles:
            self.of_profile(profile).cooling_until = -math.inf

    def _removed(self, event: ev.ProfileRemoved) -> None:
        self.of_profile(event.profile).cooling_until = math.inf

    def _cooled(self, event: ev.CooldownStarted) -> None:
        for profile in event.profiles:
            self.of_profile(profile).cooling_until = math.inf if event.unusable else event.until

    def _added(self, event: ev.SceneAdded) -> None:
        self._waiting.add(event.scene.id)

    def _requeued(self, event: ev.SceneRequeued) -> None:
        self._waiting.add(event.scene)
        self._running.pop(event.scene, None)

    def _settled(self, event: ev.SceneSettled) -> None:
        self._waiting.discard(event.scene)
        self._running.pop(event.scene, None)

    def _started(self, event: ev.AttemptStarted) -> None:
        self._waiting.discard(event.scene)
        self._running[event.scene] = (self.of_profile(event.profile), event.at)

    def _accepted(self, event: ev.Accepted) -> None:
        if event.scene in self._running:
            history, _ = self._running[event.scene]
            self._running[event.scene] = (history, event.at)
            if history.first_accepted_at == math.inf:
                history.first_accepted_at = event.at
            elif event.at > history.first_accepted_at:
                history.accepted += 1

    def _generated(self, event: ev.Generated) -> None:
        if event.scene in self._running:
            history, at = self._running.pop(event.scene)
            history.samples += 1
            history.total += event.at - at


@dataclass(frozen=True)
class EarliestFinish(Policy):
    """Adds to another policy that profiles do not take turns: a scene goes where it will be finished first.

    Of the profiles that may submit, the one with the shortest service time gets the scene. A profile gets none if it is
    so slow that the others, at their rates so far, will have finished all waiting scenes before it. `service`: known
    service times in seconds, by profile; others are learned from finished jobs, and until then a profile takes its
    turn. Earliest completion time first; Pinedo, "Scheduling", chapter 5.

    >>> policy = EarliestFinish(PerProfileCooldown(30), service={"p1": 10, "p2": 60})
    """

    policy: Policy = field(default_factory=PerProfileCooldown)
    service: Mapping[str, float] | None = None
    _history: _RunHistory = field(init=False, repr=False, compare=False)
    """What was seen in this run."""

    def __post_init__(self) -> None:
        if not isinstance(self.policy, Policy) or isinstance(self.policy, EarliestFinish):
            raise InputError(f"EarliestFinish: policy is another policy, such as Paced(), not {self.policy!r}")
        if self.service is not None and not isinstance(self.service, Mapping):
            raise InputError(f"EarliestFinish: service is a dict such as {{'p1': 60}}, not {self.service!r}")
        for name, value in (self.service or {}).items():
            check_seconds("EarliestFinish", f"the service time of {name!r}", value)
        object.__setattr__(self, "_history", _RunHistory(self.service or {}))
        object.__setattr__(self, "moves", self.policy.moves)
        object.__setattr__(self, "min_cooldown", self.policy.min_cooldown)

    def for_run(self) -> Self:
        """Return a copy that has seen nothing yet."""
        return replace(self, policy=self.policy.for_run())

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Ask the other policy."""
        return self.policy.on_429(group, outcome, now)

    def earliest(self, profile: str, now: float) -> float:
        """Ask the other policy, and hold back a profile that would be the last to finish."""
        earliest = self.policy.earliest(profile, now)
        if is_later(self.policy, "earliest", earliest, now):
            return earliest
        service = self._history.of_profile(profile).service(now)
        if service <= self._history.backlog_seconds(now) and not self._history.is_too_soon(service, now):
            return earliest
        return now + max(1.0, RECHECK_SHARE * service)

    def finish(self, profile: str, now: float) -> float:
        """Return when a scene given to this profile now would be finished; `now` if that is unknown."""
        return now + self._history.of_profile(profile).service(now)

    def observe(self, event: ev.Event, now: float) -> None:
        """Learn service times and rates, and let the other policy learn."""
        self._history.observe(event)
        self.policy.observe(event, now)
