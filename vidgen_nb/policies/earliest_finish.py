"""Beyond taking turns: a scene goes to the profile on which it will be done first."""

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

LOOK = 0.1
"""A profile that is held back is looked at again after that part of its service time, at least after a second."""
SLOW = 0.1
"""A profile is slow if another one's service time is that part of its own, or less."""
ROUNDS = 2
"""So many service times of the fastest one show what it can do."""


class _Course:
    """What is seen of one profile."""

    __slots__ = ("accepted", "first", "hint", "samples", "total", "until")

    def __init__(self, hint: float | None) -> None:
        self.hint = hint
        self.samples = 0
        self.total = 0.0
        """Seconds of all samples."""
        self.first = math.inf
        """When its first submit was accepted."""
        self.accepted = 0
        """Submits accepted after that moment."""
        self.until = -math.inf
        """End of its cooldown; inf: it is out of the rotation."""

    def service(self, now: float) -> float:
        """Return the seconds that a scene takes here; where nobody knows, what the first one has taken so far."""
        if self.hint is not None:
            return self.hint
        return self.total / self.samples if self.samples else max(0.0, now - self.first)

    def rate(self, now: float) -> float:
        """Return the submits a second that were accepted, without those of the first moment."""
        return self.accepted / (now - self.first) if now > self.first else 0.0


class _Seen:
    """What is seen of a run."""

    def __init__(self, hints: Mapping[str, float]) -> None:
        self._hints = hints
        self._courses: dict[str, _Course] = {}
        self._waiting: set[str] = set()
        self._running: dict[str, tuple[_Course, float]] = {}
        """By scene, its profile's course and when it was accepted, or else sent."""
        self._began: float | None = None
        self._looked = math.nan
        self._ahead = math.inf
        """What `ahead` returned at that moment; NaN: it is to be found anew."""
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
        """Take in an event."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
            self._looked = math.nan

    def course(self, profile: str) -> _Course:
        """Return what is seen of a profile."""
        course = self._courses.get(profile)
        if course is None:
            course = self._courses[profile] = _Course(self._hints.get(profile))
        return course

    def ahead(self, now: float) -> float:
        """Return after how many seconds all that waits will be done, each profile going on at its rate; inf: never.

        The x for which the sum of rate · max(0, x - service - rest of its cooldown) is the number of waiting scenes.
        """
        if self._looked == now:
            return self._ahead
        starts = sorted(
            (each.service(now) + max(0.0, each.until - now), each.rate(now))
            for each in self._courses.values()
            if each.until < math.inf
        )
        left, rate, at = float(len(self._waiting)), 0.0, 0.0
        for start, more in starts:
            if rate and left <= rate * (start - at):
                break
            left -= rate * (start - at)
            rate, at = rate + more, start
        self._looked, self._ahead = now, at + left / rate if rate else math.inf
        return self._ahead

    def too_soon(self, service: float, now: float) -> bool:
        """Say whether a slow profile is to wait: it is not yet seen how much the fast ones can do."""
        if self._began is None or now - self._began >= service / 2:
            return False
        fastest = min((each.service(now) for each in self._courses.values() if each.until <= now), default=service)
        enough = max(LOOK * service, min(ROUNDS * fastest, service / 2))
        return fastest <= SLOW * service and now - self._began < enough

    def _run_started(self, event: ev.RunStarted) -> None:
        if self._began is None:
            self._began = event.at

    def _back(self, event: ev.ProfileAdded | ev.CooldownEnded) -> None:
        for profile in (event.profile,) if isinstance(event, ev.ProfileAdded) else event.profiles:
            self.course(profile).until = -math.inf

    def _removed(self, event: ev.ProfileRemoved) -> None:
        self.course(event.profile).until = math.inf

    def _cooled(self, event: ev.CooldownStarted) -> None:
        for profile in event.profiles:
            self.course(profile).until = math.inf if event.unusable else event.until

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
        self._running[event.scene] = (self.course(event.profile), event.at)

    def _accepted(self, event: ev.Accepted) -> None:
        if event.scene in self._running:
            course, _ = self._running[event.scene]
            self._running[event.scene] = (course, event.at)
            if course.first == math.inf:
                course.first = event.at
            elif event.at > course.first:
                course.accepted += 1

    def _generated(self, event: ev.Generated) -> None:
        if event.scene in self._running:
            course, at = self._running.pop(event.scene)
            course.samples += 1
            course.total += event.at - at


@dataclass(frozen=True)
class EarliestFinish(Policy):
    """Another policy, under which profiles do not take turns: a scene goes where it will be done first.

    Of the profiles that may submit, the one with the shortest service time gets the scene. One whose service time is so
    long that the others, at the rates seen so far, will have done all that waits before it, gets none. `service`:
    seconds by profile, where they are known; else they are learned from the jobs that are done, and until then a
    profile takes its turn. Earliest completion time first; Pinedo, "Scheduling", chapter 5.

    >>> policy = EarliestFinish(PerProfileCooldown(30), service={"p1": 10, "p2": 60})
    """

    policy: Policy = field(default_factory=PerProfileCooldown)
    service: Mapping[str, float] | None = None
    _seen: _Seen = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.policy, Policy) or isinstance(self.policy, EarliestFinish):
            raise InputError(f"EarliestFinish: policy is another policy, such as Paced(), not {self.policy!r}")
        if self.service is not None and not isinstance(self.service, Mapping):
            raise InputError(f"EarliestFinish: service is a dict such as {{'p1': 60}}, not {self.service!r}")
        for name, value in (self.service or {}).items():
            check_seconds("EarliestFinish", f"the service time of {name!r}", value)
        object.__setattr__(self, "_seen", _Seen(self.service or {}))
        object.__setattr__(self, "moves", self.policy.moves)

    def for_run(self) -> Self:
        """Return a copy that has seen nothing yet."""
        return replace(self, policy=self.policy.for_run())

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Ask the other policy."""
        return self.policy.on_429(group, outcome, now)

    def earliest(self, profile: str, now: float) -> float:
        """Ask the other policy, and hold back a profile that would be the last to be done."""
        earliest = self.policy.earliest(profile, now)
        if is_later(self.policy, "earliest", earliest, now):
            return earliest
        service = self._seen.course(profile).service(now)
        if service <= self._seen.ahead(now) and not self._seen.too_soon(service, now):
            return earliest
        return now + max(1.0, LOOK * service)

    def finish(self, profile: str, now: float) -> float:
        """Return when a scene given to this profile now would be done; at once where nobody knows."""
        return now + self._seen.course(profile).service(now)

    def observe(self, event: ev.Event, now: float) -> None:
        """Learn service times and rates, and let the other policy learn."""
        self._seen.observe(event)
        self.policy.observe(event, now)
