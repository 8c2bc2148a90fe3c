"""What follows a 429, and who may submit when: the port that policies implement.

A policy is one small class. Only `on_429` is required; a method that is not overridden costs nothing:

- `on_429(group, outcome, now)`: which groups cool, and until when. Called for late 429s, too (R6).
- `earliest(profile, now)`: when this profile may submit next; `now` or less means at once.
- `finish(profile, now)`: when a scene given to this profile now would be finished; of the profiles that may submit, the
  one with the smallest value gets the scene. Without it, profiles take turns (R4).
- `observe(event, now)`: every event of the run, to learn from.
- `moves`: whether a bounced scene goes to another profile at once (R3) or waits for the same one.
- `for_run()`: the policy that decides in one run; one that learns returns a fresh copy of itself.
- `with_seed(seed)`: the same with the run's luck. A policy that draws random numbers keeps its `random.Random` (or a
  NumPy generator) in an attribute, and the rest is done: each run seeds it anew, from the policy's seed and the run's.

- `min_cooldown`: how long a cooldown lasts at least, doubling with each consecutive 429 (R7): 1 s. A policy whose own
  lengths grow, and are jittered, sets 0: a minimum would take the jitter away. From the ninth 429 in a row on, what
  is left of it doubles all the same, from 2 ms to 1 s: no group is asked without end.

The scheduler itself makes sure of that minimum, and that a cooldown never shortens (R6). Times are run seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

from vidgen_nb.core.events import Event
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.random_seeds import reseeded
from vidgen_nb.errors import InputError

__all__ = ["Cooldown", "GroupView", "Policy", "check_seconds", "is_later"]


class GroupView(Protocol):
    """What a policy sees of the quota group that got the 429."""

    @property
    def name(self) -> str:
        """The group's name; the profile's name if it has no group."""

    @property
    def strikes(self) -> int:
        """Consecutive 429s, including this one."""

    @property
    def until(self) -> float:
        """End of its latest cooldown, in run seconds; -inf if it never cooled."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """A policy's answer to a 429."""

    scope: Literal["group", "all"]
    """`group`: the quota group that was limited; `all`: every group."""
    until: float
    """Run seconds."""
    unusable: bool = False
    """Whether the group leaves the rotation until then: the server asked for more than the policy waits."""

    def __post_init__(self) -> None:
        if self.scope not in ("group", "all"):
            raise InputError(f"a Cooldown's scope is 'group' or 'all', not {self.scope!r}")
        if isinstance(self.until, bool) or not isinstance(self.until, int | float) or math.isnan(self.until):
            raise InputError(f"a Cooldown's until is a time in run seconds, not {self.until!r}")


class Policy:
    """The port; a policy overrides `on_429`, and other methods if it needs them.

    >>> class Doubling(Policy):
    ...     def on_429(self, group, outcome, now):
    ...         return Cooldown("group", until=now + min(5 * 2 ** (group.strikes - 1), 300))

    The fields of a dataclass are its settings, which are recorded with the run. A policy that learns keeps what it
    knows in an object of its own, which `for_run` replaces by a fresh one.
    """

    moves: ClassVar[bool] = True
    min_cooldown: ClassVar[float] = 1.0

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Return which groups cool, and until when."""
        raise NotImplementedError

    def earliest(self, profile: str, now: float) -> float:
        """Return when this profile may submit next, in run seconds; inf: only after an answer or a job's end."""
        return now

    def finish(self, profile: str, now: float) -> float:
        """Return when a scene given to this profile now would be finished; called for profiles that may submit."""
        return now

    def observe(self, event: Event, now: float) -> None:
        """Learn from an event of the run."""

    def for_run(self) -> Self:
        """Return the policy that decides in one run: itself, or a copy that knows nothing yet if it learns."""
        return self

    def with_seed(self, seed: int) -> Self:
        """Return the policy with the luck of a run, after `for_run`: itself, or a copy if it draws random numbers.

        Every generator that it holds in an attribute is seeded from its own state and this seed, which comes from the
        run's: the same run has the same luck, another one has another. Override it for generators of another kind.
        """
        return reseeded(self, seed)  # type: ignore[no-any-return]


def check_seconds(policy: str, name: str, value: float, *, least: float = 0.0) -> None:
    """Raise `InputError` unless a setting is a finite number of seconds, and large enough."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
        raise InputError(f"{policy}: {name} must be {least:g} or more seconds, and finite, not {value!r}")


def is_later(policy: Policy, method: str, value: float, now: float) -> bool:
    """Say whether a time that a policy returned is after now; `InputError` if it is not a time."""
    try:
        if value > now:
            return True
        if value <= now:
            return False
    except (TypeError, ValueError):  # can't be compared with a number
        pass
    raise InputError(f"{type(policy).__name__}.{method} returned {value!r}: it must return run seconds, such as now")
