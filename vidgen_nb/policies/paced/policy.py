"""`Paced`: submits just below each quota group's limit, which it learns from the answers or is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy, check_seconds
from vidgen_nb.errors import InputError
from vidgen_nb.policies.paced.group_limits import GroupLimits, LimitSpec

__all__ = ["Paced"]


@dataclass(frozen=True)
class Paced(Policy):
    """Submits to each quota group just below its limit, which it learns from what is accepted and what is refused.

    While a limit is unknown, a group has at most one submit without an answer. The Retry-After of a 429 is believed;
    without one, the reset is found by trying. If answers say in rate-limit headers what is left of the limit, those are
    followed. `limits`: limits that are known already, by profile or quota group, such as
    `{"p1": TokenBucket(4, per=60)}`; nothing is learned there. Raises `InputError` for anything but limits.
    """

    limits: Mapping[str, LimitSpec] | None = None
    cap: float = field(default=600.0, kw_only=True)
    """A Retry-After above this takes the group out of the rotation for that long, and is reported."""
    _limits: GroupLimits = field(init=False, repr=False, compare=False)
    """What is known in this run."""

    def __post_init__(self) -> None:
        check_seconds("Paced", "cap", self.cap)
        if self.limits is not None and not isinstance(self.limits, Mapping):
            raise InputError(f"Paced: limits is a dict such as {{'p1': TokenBucket(4, per=60)}}, not {self.limits!r}")
        for name, spec in (self.limits or {}).items():
            if not hasattr(spec, "state"):
                raise InputError(f"Paced: the limit of {name!r} is one such as TokenBucket(4, per=60), not {spec!r}")
        object.__setattr__(self, "_limits", GroupLimits(self.limits or {}))

    def for_run(self) -> Self:
        """Return a copy that knows nothing yet."""
        return replace(self)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool the group until the reset: what the server says, or a guess. What the 429 teaches is observed later."""
        wait = outcome.retry_after
        if wait is None:
            wait = self._limits.of_group(group.name).cooldown_seconds(outcome)
        return Cooldown("group", now + wait, unusable=wait > self.cap)

    def earliest(self, profile: str, now: float) -> float:
        """Return when the group's limit admits the next submit."""
        return self._limits.of_profile(profile).earliest(now)

    def observe(self, event: ev.Event, now: float) -> None:
        """Learn from submits and their answers."""
        self._limits.observe(event)
