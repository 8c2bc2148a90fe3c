"""What follows a 429, and who may submit when: the port that policies fit (design.md section 6).

A policy is one small class. The scheduler asks it these things and tells it everything; all but the first may be left
as they are, and cost nothing then:

- `on_429(group, outcome, now)`: which groups cool, and until when. Also asked for a late 429 (R6).
- `earliest(profile, now)`: when this profile may submit next; `now` or less: at once.
- `finish(profile, now)`: when a scene that is given to this profile now would be done; of the profiles that may
  submit, the one with the least gets it. Not overridden: they take turns (R4).
- `observe(event, now)`: every event of the run, to learn from.
- `moves`: whether a bounced scene goes to another profile at once (R3) or waits for the same one.
- `for_run()`: the policy that decides in one run; one that learns returns a fresh copy of itself.

The scheduler itself sees to it that a cooldown never shortens (R6) and lasts at least 1 s, doubling with each
consecutive 429 (R7). Times are run seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

from vidgen_nb.core.events import Event
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.errors import InputError

__all__ = ["Cooldown", "GroupView", "Policy", "check_seconds", "is_later"]


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
    """The port; a policy overrides `on_429`, and the rest where it wants to.

    >>> class Doubling(Policy):
    ...     def on_429(self, group, outcome, now):
    ...         return Cooldown("group", until=now + min(5 * 2 ** (group.strikes - 1), 300))

    As a dataclass its fields are its settings, which are recorded with the run. What it learns it keeps in attributes
    that `for_run` begins anew.
    """

    moves: ClassVar[bool] = True

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Return which groups cool, and until when."""
        raise NotImplementedError

    def earliest(self, profile: str, now: float) -> float:
        """Return when this profile may submit next, in run seconds; inf: not before an answer or a job's end."""
        return now

    def finish(self, profile: str, now: float) -> float:
        """Return when a scene given to this profile now would be done; asked of profiles that may submit."""
        return now

    def observe(self, event: Event, now: float) -> None:
        """Learn from an event of the run."""

    def for_run(self) -> Self:
        """Return the policy that decides in one run: itself, or where it learns a copy that knows nothing yet."""
        return self


def check_seconds(policy: str, name: str, value: float, *, least: float = 0.0) -> None:
    """Raise `InputError` for a setting that is no finite number of seconds, or too small."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
        raise InputError(f"{policy}: {name} must be {least:g} or more seconds, and finite, not {value!r}")


def is_later(policy: Policy, method: str, value: float, now: float) -> bool:
    """Say whether a time that a policy returned is after now; `InputError` for what is no time."""
    try:
        if value > now:
            return True
        if value <= now:
            return False
    except (TypeError, ValueError):  # not to be compared with a number
        pass
    raise InputError(
        f"{type(policy).__name__}.{method} returned {value!r}: a policy returns run seconds there, such as now"
    )
