"""What `Paced` knows in one run: which quota group each submit went to, and what was learned of each group's limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.policies.paced.prospects import Prospects
from vidgen_nb.policies.paced.rate_headers import HeaderLearner
from vidgen_nb.policies.paced.told_weights import LeavingScenes, weighed

__all__ = ["GroupLimits", "KnownLimit", "LimitSpec", "LimitState"]

GUESSED_WAIT_SECONDS = 5.0
"""After a 429 that the given limit did not expect, if the server does not say how long to wait."""


class LimitState(Protocol):
    """What a limit has admitted so far; as `vidgen_nb.provider.LimitState`."""

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a submit would be admitted; inf: when a job ends."""

    def take(self, now: float) -> None:
        """Count a submit."""

    def holds(self) -> bool:
        """Say whether a submit counts until `release`."""

    def release(self) -> None:
        """Note that a job has ended."""


class LimitSpec(Protocol):
    """A limit that the user can give, such as `TokenBucket(4, per=60)`."""

    def state(self) -> LimitState:
        """Return a fresh state."""


class KnownLimit:
    """Tracks a quota group whose limit the user gave; like a `HeaderLearner`, but it learns nothing.

    Every submit counts, even one that failed: that is never too fast.
    """

    def __init__(self, spec: LimitSpec) -> None:
        self._state = spec.state()
        self._counts_jobs = self._state.holds()

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: when a job ends."""
        return self._state.ready_at(now)

    def sent(self, now: float) -> None:
        """A submit leaves."""
        self._state.take(now)

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted, as expected."""

    def dropped(self, sent: float, *, counts: bool) -> None:
        """A submit was neither accepted nor refused."""
        self.ended()

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429: the limit is not the one that was given."""
        self.ended()

    def cooldown_seconds(self, outcome: RateLimited) -> float:
        """Return for how long to cool after a 429 that does not say."""
        return GUESSED_WAIT_SECONDS

    def ended(self) -> None:
        """A job has ended."""
        if self._counts_jobs:
            self._state.release()


Tracker = HeaderLearner | KnownLimit


class GroupLimits:
    """The trackers of all quota groups, and the submits and jobs that each of them counts."""

    def __init__(self, given: Mapping[str, LimitSpec]) -> None:
        self._scenes = LeavingScenes() if given else None
        self._given = weighed(given, self._scenes) if self._scenes is not None else given
        """By profile or quota group."""
        self._prospects = Prospects()
        self._group_of: dict[str, str] = {}
        self._trackers: dict[str, Tracker] = {}
        self._submits: dict[str, tuple[Tracker, float]] = {}
        """By scene, submits without an answer, and when they left."""
        self._running: dict[str, Tracker] = {}
        """By scene, jobs that were accepted and have not ended."""
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.SceneAdded: self._scene_added,
            ev.ProfileAdded: self._profile_added,
            ev.CooldownStarted: self._cooldown_started,
            ev.AttemptStarted: self._sent,
            ev.Accepted: self._accepted,
            ev.CallFailed: self._call_failed,
            ev.Generated: self._ended,
            ev.SceneRequeued: self._ended,
            ev.SceneSettled: self._ended,
        }

    def observe(self, event: ev.Event) -> None:
        """Learn from submits and their answers."""
        if self._scenes is not None:
            self._scenes.observe(event)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def of_profile(self, profile: str) -> Tracker:
        """Return the tracker of a profile's quota group."""
        return self.of_group(self._group_of.get(profile, profile))

    def of_group(self, group: str) -> Tracker:
        """Return the tracker of a quota group."""
        tracker = self._trackers.get(group)
        if tracker is None:
            spec = self._given.get(group)
            tracker = self._trackers[group] = KnownLimit(spec) if spec is not None else HeaderLearner(self._prospects)
        return tracker

    def _scene_added(self, event: ev.SceneAdded) -> None:
        self._prospects.added()

    def _profile_added(self, event: ev.ProfileAdded) -> None:
        group = event.group or event.profile
        self._group_of[event.profile] = group
        spec = self._given.get(event.profile)
        if spec is not None and group not in self._trackers:
            self._trackers[group] = KnownLimit(spec)

    def _cooldown_started(self, event: ev.CooldownStarted) -> None:
        if not event.alone:  # the policy may have been set after the profiles were added
            for profile in event.profiles:
                self._group_of.setdefault(profile, event.group)

    def _sent(self, event: ev.AttemptStarted) -> None:
        tracker = self.of_profile(event.profile)
        self._prospects.sent()
        tracker.sent(event.at)
        self._submits[event.scene] = (tracker, event.at)

    def _accepted(self, event: ev.Accepted) -> None:
        if event.scene in self._submits:
            tracker, sent = self._submits.pop(event.scene)
            tracker.accepted(sent, event.at, event.operation.rate)
            self._running[event.scene] = tracker

    def _call_failed(self, event: ev.CallFailed) -> None:
        if event.phase == "submit" and event.scene in self._submits:
            tracker, sent = self._submits.pop(event.scene)
            if isinstance(event.outcome, RateLimited):
                tracker.refused(sent, event.at, event.outcome)
            else:
                tracker.dropped(sent, counts=isinstance(event.outcome, Ambiguous))

    def _ended(self, event: ev.Generated | ev.SceneRequeued | ev.SceneSettled) -> None:
        tracker = self._running.pop(event.scene, None)
        if tracker is not None:
            tracker.ended()
        elif event.scene in self._submits:  # the run was broken off
            tracker, sent = self._submits.pop(event.scene)
            tracker.dropped(sent, counts=True)
