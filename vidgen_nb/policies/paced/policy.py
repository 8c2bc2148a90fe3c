"""Paced: submits just below each quota group's limit, learned from the answers, or told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RateInfo
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy, check_seconds
from vidgen_nb.errors import InputError
from vidgen_nb.policies.paced.rate_headers import Metered
from vidgen_nb.policies.paced.risk_budget import Risk

__all__ = ["LimitSpec", "LimitState", "Paced", "Told"]

GUESS = 5.0
"""Seconds to wait where a limit that was told is refused all the same, and the server does not say."""


class LimitState(Protocol):
    """What a limit has admitted so far; as `vidgen_nb.provider.LimitState`."""

    def ready_at(self, now: float) -> float:
        """Return `now`, or when a submit would be admitted; inf: when a job ends."""

    def take(self, now: float) -> None:
        """Count a submit."""

    def holds(self) -> bool:
        """Say whether it counts until `release`."""

    def release(self) -> None:
        """Say that a job has ended."""


class LimitSpec(Protocol):
    """A limit that can be told; as `TokenBucket(4, per=60)`."""

    def state(self) -> LimitState:
        """Return a fresh state."""


class Told:
    """A quota group whose limit is known; as a `Metered`, but it learns nothing.

    Every submit counts, also one that failed: that is never too fast.
    """

    def __init__(self, spec: LimitSpec) -> None:
        self._state = spec.state()
        self._holds = self._state.holds()

    def earliest(self, now: float) -> float:
        """Return when the next submit may leave; inf: when a job ends."""
        return self._state.ready_at(now)

    def sent(self, now: float) -> None:
        """A submit leaves."""
        self._state.take(now)

    def accepted(self, sent: float, now: float, rate: RateInfo | None) -> None:
        """A submit was accepted, as was expected."""

    def dropped(self, *, counts: bool) -> None:
        """A submit got another answer than accepted or refused."""
        self.ended()

    def refused(self, sent: float, now: float, outcome: RateLimited) -> None:
        """A submit got a 429: the limit is another one than was told."""
        self.ended()

    def pause(self, outcome: RateLimited) -> float:
        """Return for how many seconds to cool after a 429 that does not say."""
        return GUESS

    def ended(self) -> None:
        """A job has ended."""
        if self._holds:
            self._state.release()


@dataclass(frozen=True)
class Paced(Policy):
    """Submits to each quota group just below its limit, which it learns from what is accepted and what is refused.

    While a limit is unknown, a group has at most one submit without an answer. A 429 with a Retry-After is taken at its
    word; without one the reset is found by trying. Where answers tell what is left of the limit, in rate-limit headers,
    it goes by that (`core.metered`). `limits`: by profile or quota group, what is known already, such as
    `{"p1": TokenBucket(4, per=60)}`; nothing is learned there. Raises `InputError` for limits that are none.
    """

    limits: Mapping[str, LimitSpec] | None = None
    cap: float = field(default=600.0, kw_only=True)
    """A Retry-After above this takes the group out of the rotation for that long, and is reported."""
    _risk: Risk = field(init=False, repr=False, compare=False)
    _group_of: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _keepers: dict[str, Metered | Told] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By group."""
    _submits: dict[str, tuple[Metered | Told, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By scene, those without an answer, and when they left."""
    _running: dict[str, Metered | Told] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By scene, those that were accepted and have not ended."""
    _handlers: dict[type[ev.Event], Callable[[Any], None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_seconds("Paced", "cap", self.cap)
        if self.limits is not None and not isinstance(self.limits, Mapping):
            raise InputError(f"Paced: limits is a dict such as {{'p1': TokenBucket(4, per=60)}}, not {self.limits!r}")
        for name, spec in (self.limits or {}).items():
            if not hasattr(spec, "state"):
                raise InputError(f"Paced: the limit of {name!r} is one such as TokenBucket(4, per=60), not {spec!r}")
        object.__setattr__(self, "_risk", Risk())
        object.__setattr__(
            self,
            "_handlers",
            {
                ev.SceneAdded: self._added,
                ev.ProfileAdded: self._profile_added,
                ev.CooldownStarted: self._cooled,
                ev.AttemptStarted: self._sent,
                ev.Accepted: self._accepted,
                ev.CallFailed: self._failed,
                ev.Generated: self._ended,
                ev.SceneRequeued: self._ended,
                ev.SceneSettled: self._ended,
            },
        )

    def for_run(self) -> Self:
        """Return a copy that knows nothing yet."""
        return replace(self)

    # -- the port

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool the group until the reset: the server's word, or what is guessed. What is learned of it comes after."""
        wait = outcome.retry_after
        if wait is None:
            wait = self._keeper(group.name).pause(outcome)
        return Cooldown("group", now + wait, unusable=wait > self.cap)

    def earliest(self, profile: str, now: float) -> float:
        """Return when the group's limit admits the next submit."""
        return self._keeper(self._group_of.get(profile, profile)).earliest(now)

    def observe(self, event: ev.Event, now: float) -> None:
        """Learn from submits and their answers."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # -- what happens

    def _keeper(self, group: str) -> Metered | Told:
        keeper = self._keepers.get(group)
        if keeper is None:
            spec = (self.limits or {}).get(group)
            keeper = self._keepers[group] = Told(spec) if spec is not None else Metered(self._risk)
        return keeper

    def _added(self, event: ev.SceneAdded) -> None:
        self._risk.scenes += 1

    def _profile_added(self, event: ev.ProfileAdded) -> None:
        group = event.group or event.profile
        self._group_of[event.profile] = group
        spec = (self.limits or {}).get(event.profile)
        if spec is not None and group not in self._keepers:
            self._keepers[group] = Told(spec)

    def _cooled(self, event: ev.CooldownStarted) -> None:
        if not event.alone:  # the policy may have come after the profiles
            for profile in event.profiles:
                self._group_of.setdefault(profile, event.group)

    def _sent(self, event: ev.AttemptStarted) -> None:
        keeper = self._keeper(self._group_of.get(event.profile, event.profile))
        keeper.sent(event.at)
        self._submits[event.scene] = (keeper, event.at)

    def _accepted(self, event: ev.Accepted) -> None:
        if event.scene in self._submits:
            keeper, sent = self._submits.pop(event.scene)
            keeper.accepted(sent, event.at, event.operation.rate)
            self._running[event.scene] = keeper

    def _failed(self, event: ev.CallFailed) -> None:
        if event.phase == "submit" and event.scene in self._submits:
            keeper, sent = self._submits.pop(event.scene)
            if isinstance(event.outcome, RateLimited):
                keeper.refused(sent, event.at, event.outcome)
            else:
                keeper.dropped(counts=isinstance(event.outcome, Ambiguous))

    def _ended(self, event: ev.Generated | ev.SceneRequeued | ev.SceneSettled) -> None:
        keeper = self._running.pop(event.scene, None)
        if keeper is not None:
            keeper.ended()
        elif event.scene in self._submits:  # broken off
            self._submits.pop(event.scene)[0].dropped(counts=True)
