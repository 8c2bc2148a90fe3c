"""What follows a 429: the policy port and the two policies that the seed compares (design.md section 6).

A policy is one small class. The scheduler asks it three things and tells it everything:

- `on_429(group, outcome, now)`: which groups cool, and until when. Also asked for a late 429 (R6).
- `earliest(profile, now)`: when this profile may submit next; `now` or less: at once.
- `observe(event, now)`: every event of the run, to learn from.
- `moves`: whether a bounced scene goes to another profile at once (R3) or waits for the same one.

The scheduler itself sees to it that a cooldown never shortens (R6) and lasts at least 1 s, doubling with each
consecutive 429 (R7). Times are run seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, Literal, Protocol

from vidgen_nb.core.events import Event
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.errors import InputError

__all__ = [
    "POLICIES",
    "Cooldown",
    "GlobalPause",
    "GroupView",
    "PerProfileCooldown",
    "Policy",
    "RecordedPolicy",
    "as_policy",
    "describe",
    "recorded",
]


class GroupView(Protocol):
    """What a policy sees of the quota group that got the 429."""

    @property
    def name(self) -> str:
        """The group's name; a profile's own where it stands alone."""

    @property
    def strikes(self) -> int:
        """Consecutive 429s, this one included."""

    @property
    def until(self) -> float:
        """End of its cooldown so far, in run seconds; -inf: it never cooled."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """A policy's answer to a 429."""

    scope: Literal["group", "all"]
    """`group`: the quota group that was limited; `all`: every group."""
    until: float
    """Run seconds."""
    unusable: bool = False
    """The server asked for more than the policy waits: the group leaves the rotation until then."""

    def __post_init__(self) -> None:
        if self.scope not in ("group", "all"):
            raise InputError(f"a Cooldown's scope is 'group' or 'all', not {self.scope!r}")
        if isinstance(self.until, bool) or not isinstance(self.until, int | float):
            raise InputError(f"a Cooldown's until is a time in run seconds, not {self.until!r}")


class Policy:
    """The port; a policy overrides `on_429`, and the rest where it wants to."""

    moves: ClassVar[bool] = True

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Return which groups cool, and until when."""
        raise NotImplementedError

    def earliest(self, profile: str, now: float) -> float:
        """Return when this profile may submit next."""
        return now

    def observe(self, event: Event, now: float) -> None:
        """Learn from an event of the run."""


def _check_seconds(policy: str, name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InputError(f"{policy}: {name} must be 0 or more seconds, and finite, not {value!r}")


@dataclass(frozen=True)
class PerProfileCooldown(Policy):
    """Only the limited profile's quota group cools; its scene moves on at once. The default."""

    seconds: float = 30.0
    honour_retry_after: bool = field(default=False, kw_only=True)
    """Take the server's Retry-After, where it gives one, instead of `seconds`."""
    cap: float = field(default=600.0, kw_only=True)
    """A Retry-After above this takes the group out of the rotation for that long, and is reported."""

    def __post_init__(self) -> None:
        _check_seconds("PerProfileCooldown", "seconds", self.seconds)
        _check_seconds("PerProfileCooldown", "cap", self.cap)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool the group for `seconds`, or for what the server asked."""
        if not self.honour_retry_after or outcome.retry_after is None:
            return Cooldown("group", now + self.seconds)
        return Cooldown("group", now + outcome.retry_after, unusable=outcome.retry_after > self.cap)


@dataclass(frozen=True)
class GlobalPause(Policy):
    """What the seed replaced: a 429 stops every profile, and the scene is retried on the same one."""

    moves: ClassVar[bool] = False
    seconds: float = 30.0

    def __post_init__(self) -> None:
        _check_seconds("GlobalPause", "seconds", self.seconds)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool everything."""
        return Cooldown("all", now + self.seconds)


@dataclass(frozen=True)
class RecordedPolicy(Policy):
    """Stands for a policy of a recorded run whose class is not at hand; it can be shown, not run."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Refuse: the class that decided is not here."""
        raise InputError(f"the policy class {self.name!r} of this run is not known here: import it, or pass policy=")


POLICIES: dict[str, type[Policy]] = {kind.__name__: kind for kind in (PerProfileCooldown, GlobalPause)}


def as_policy(policy: object) -> Policy:
    """Return the policy of that name with its defaults, or the policy itself; `InputError` for an unknown one."""
    if isinstance(policy, Policy) and type(policy).on_429 not in (Policy.on_429, RecordedPolicy.on_429):
        return policy
    if isinstance(policy, Policy):
        raise InputError(f"{policy!r} can't decide: a policy needs an on_429 method of its own")
    if isinstance(policy, str) and policy in POLICIES:
        return POLICIES[policy]()
    if isinstance(policy, type) and issubclass(policy, Policy):
        raise InputError(f"the policy is a class: pass an instance of it, such as {policy.__name__}()")
    raise InputError(f"unknown policy {policy!r}: choose one of {', '.join(POLICIES)}, or pass an instance of Policy")


def describe(policy: Policy) -> dict[str, Any]:
    """Return a policy as data: its class's name and its settings, which are its dataclass fields, where it is one."""
    if isinstance(policy, RecordedPolicy):
        return {"name": policy.name, **dict(policy.settings)}
    own = [each.name for each in fields(policy) if each.init] if is_dataclass(policy) else list[str]()
    return {**{name: getattr(policy, name) for name in own}, "name": type(policy).__name__}


def recorded(data: dict[str, Any]) -> Policy:
    """Return the policy that `describe` described, or a `RecordedPolicy` where its class is not known."""
    settings = {key: value for key, value in data.items() if key != "name"}
    kind = POLICIES.get(data["name"])
    return kind(**settings) if kind else RecordedPolicy(data["name"], tuple(settings.items()))
