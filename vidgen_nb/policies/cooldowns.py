"""Policies that answer a 429 with a cooldown, and do nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import ClassVar, Literal, Self

from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy, check_seconds
from vidgen_nb.errors import InputError

__all__ = ["ExponentialCooldown", "GlobalPause", "PerProfileCooldown"]

Jitter = Literal["none", "full", "decorrelated"]


@dataclass(frozen=True)
class PerProfileCooldown(Policy):
    """Only the limited profile's quota group cools; its scene moves on at once. The default."""

    seconds: float = 30.0
    honour_retry_after: bool = field(default=False, kw_only=True)
    """Use the server's Retry-After, if there is one, instead of `seconds`."""
    cap: float = field(default=600.0, kw_only=True)
    """A Retry-After above this takes the group out of the rotation for that long, and is reported."""

    def __post_init__(self) -> None:
        check_seconds("PerProfileCooldown", "seconds", self.seconds)
        check_seconds("PerProfileCooldown", "cap", self.cap)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool the group for `seconds`, or for what the server asked."""
        if not self.honour_retry_after or outcome.retry_after is None:
            return Cooldown("group", now + self.seconds)
        return Cooldown("group", now + outcome.retry_after, unusable=outcome.retry_after > self.cap)


@dataclass(frozen=True)
class GlobalPause(Policy):
    """Naive baseline: one 429 pauses every profile, and the scene is retried on the same profile."""

    moves: ClassVar[bool] = False
    seconds: float = 30.0

    def __post_init__(self) -> None:
        check_seconds("GlobalPause", "seconds", self.seconds)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool every group."""
        return Cooldown("all", now + self.seconds)


class _Jitter:
    """The random numbers of one run, and the length of each group's latest cooldown."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - jitter, no secret
        self.lengths: dict[str, float] = {}


@dataclass(frozen=True)
class ExponentialCooldown(Policy):
    """The limited group cools longer with each consecutive 429, after AWS, "Exponential Backoff And Jitter" (2015).

    With k the group's consecutive 429s and d the previous cooldown's length (`base` at first):

    - `none`: min(cap, base · 2^(k-1))
    - `full`: uniform between 0 and that
    - `decorrelated`: min(cap, uniform between base and 3·d)

    An accepted submit starts over. Without jitter the scheduler's minimum (R7: 1 s, doubling up to 600 s whatever `cap`
    is) applies, as for every policy. With jitter it does not: at a `base` of 1 s it would be as long as the longest
    draw, and all clients that were refused together would come back together.
    """

    base: float = 5.0
    """Seconds."""
    cap: float = 300.0
    """Seconds."""
    jitter: Jitter = "none"
    seed: int = 0
    """Of the jitter, mixed with the run's own seed: each run has other numbers, and the same run the same ones."""
    _jitter: _Jitter = field(init=False, repr=False, compare=False)
    """What was drawn in this run."""

    def __post_init__(self) -> None:
        check_seconds("ExponentialCooldown", "base", self.base)
        check_seconds("ExponentialCooldown", "cap", self.cap)
        if self.jitter not in ("none", "full", "decorrelated"):
            raise InputError(f"ExponentialCooldown: jitter is 'none', 'full' or 'decorrelated', not {self.jitter!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise InputError(f"ExponentialCooldown: seed is a whole number, not {self.seed!r}")
        object.__setattr__(self, "_jitter", _Jitter(self.seed))
        object.__setattr__(self, "min_cooldown", type(self).min_cooldown if self.jitter == "none" else 0.0)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool the group for longer each time."""
        strikes = max(group.strikes, 1)
        if self.jitter == "decorrelated":
            previous = self._jitter.lengths.get(group.name, self.base) if strikes > 1 else self.base
            length = min(self.cap, self._jitter.random.uniform(self.base, max(3.0 * previous, self.base)))
            self._jitter.lengths[group.name] = length
        else:
            length = min(self.cap, self.base * 2.0 ** min(strikes - 1, 64))
            if self.jitter == "full":
                length = self._jitter.random.uniform(0.0, length)
        return Cooldown("group", now + length)

    def for_run(self) -> Self:
        """Return a copy whose jitter starts over."""
        return replace(self)
