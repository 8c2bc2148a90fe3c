"""How failures are retried, and when accepted jobs are asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vidgen_nb.errors import InputError

__all__ = ["PollSchedule", "RetryBudget", "RetryPolicy", "as_max_wait", "as_retry", "is_count", "positive"]


def is_count(value: object) -> bool:
    """Return whether a value is a whole number from 1 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def positive(what: str, value: float, *, zero: bool = False) -> None:
    """Raise `InputError` for what is no finite number of seconds above 0, or from 0 up."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 <= value < math.inf) or (value == 0 and not zero):
        raise InputError(f"{what} must be {'0 or more' if zero else 'more than 0'} seconds, and finite, not {value!r}")


@dataclass(frozen=True)
class RetryBudget:
    """How many retries a run may have on top of its first attempts; a token bucket (`core.budget` has the source).

    A retry takes a token; without one the scene waits until there is one, or until nobody else could earn one. Polls
    and fetches of a job that was accepted are free, and so are attempts after a 429.
    """

    size: float = 10.0
    """Tokens at the start, and at most."""
    per_success: float = 0.1
    """Tokens that each scene adds that succeeds."""

    def __post_init__(self) -> None:
        for name, value, least in (("size", self.size, 1), ("per_success", self.per_success, 0)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not least <= value < math.inf:
                raise InputError(f"RetryBudget: {name} must be a finite number, {least} or more, not {value!r}")


@dataclass(frozen=True)
class RetryPolicy:
    """How failures that are not rate limits are retried (R8, R9). Times in run seconds."""

    max_failures: int = 7
    """The scene fails with its so-many-th failure. 429s do not count."""
    backoff: float = 1.0
    """Full jitter: the k-th failure waits uniform(0, min(backoff_cap, backoff · 2^(k-1)))."""
    backoff_cap: float = 60.0
    deadline: float | None = None
    """A scene that is still in the queue so long after it was added fails; None: it waits for ever."""
    budget: RetryBudget | None = None
    """Bounds the retries of the whole run; None: no bound."""
    job_timeout: float | None = 86_400.0
    """An accepted job that is not over so long after its submit is cancelled at the provider, and never submitted again
    by itself: the scene fails, or is held where the provider does not confirm. Long, because a wait in the provider's
    own queue counts, too. None: it is asked about for ever."""

    def __post_init__(self) -> None:
        if not is_count(self.max_failures):
            raise InputError(f"max_failures is a whole number from 1 up, not {self.max_failures!r}")
        positive("backoff", self.backoff, zero=True)
        positive("backoff_cap", self.backoff_cap, zero=True)
        for name in ("deadline", "job_timeout"):
            if (seconds := getattr(self, name)) is not None:
                positive(name, seconds)
        if self.budget is not None and not isinstance(self.budget, RetryBudget):
            raise InputError(f"budget is a RetryBudget(...) or None, not {self.budget!r}")


def as_retry(retry: RetryPolicy | None) -> RetryPolicy:
    """Return the policy, or the default one; `InputError` for anything else."""
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise InputError(f"retry is a RetryPolicy(...) or None, not {retry!r}")
    return retry or RetryPolicy()


def as_max_wait(seconds: float) -> float:
    """Return how long a run waits for a profile that is unusable; `InputError` for what is no such time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        raise InputError(f"max_wait must be 0 or more seconds, not {seconds!r}")
    return float(seconds)


MOST_DELAYS = 1000
LONGEST_POLL_AFTER = 60.0
"""Seconds: a server that asks for more is asked then all the same, or one odd header would park a paid job."""


@dataclass(frozen=True)
class PollSchedule:
    """When an accepted attempt is asked about, in run seconds; the server's own word wins, down to `shortest`."""

    first: float = 0.5
    factor: float = 1.5
    longest: float = 5.0
    shortest: float = 0.1
    delays: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """The first delays, until they reach `longest`; `MOST_DELAYS` at most, then the last one stays."""

    def __post_init__(self) -> None:
        for name in ("first", "longest", "shortest"):
            positive(f"poll {name}", getattr(self, name), zero=True)
        if not isinstance(self.factor, int | float) or not 1 <= self.factor < math.inf:
            raise InputError(f"poll factor must be a finite number from 1 up, not {self.factor!r}")
        delays = [min(self.first, self.longest)]
        while self.factor > 1 and 0 < delays[-1] < self.longest and len(delays) < MOST_DELAYS:
            delays.append(min(delays[-1] * self.factor, self.longest))
        object.__setattr__(self, "delays", tuple(max(delay, self.shortest) for delay in delays))

    def delay(self, polls: int, poll_after: float | None) -> float:
        """Return the seconds to wait before the next poll, after `polls` polls of this attempt."""
        if poll_after is not None and 0 <= poll_after < math.inf:
            return max(min(poll_after, LONGEST_POLL_AFTER), self.shortest)
        return self.delays[min(polls, len(self.delays) - 1)]
