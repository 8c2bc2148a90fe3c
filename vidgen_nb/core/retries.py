"""How failures are retried, and when accepted jobs are polled."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vidgen_nb.errors import InputError

__all__ = ["PollSchedule", "RetryBudget", "RetryPolicy", "as_max_wait", "as_retry", "check_duration", "is_count"]


def is_count(value: object) -> bool:
    """Say whether a value is a whole number of at least 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def check_duration(what: str, value: float, *, zero: bool = False) -> None:
    """Raise `InputError` unless a value is a finite number of seconds above 0; `zero`: 0 will do, too."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 <= value < math.inf) or (value == 0 and not zero):
        raise InputError(f"{what} must be {'0 or more' if zero else 'more than 0'} seconds, and finite, not {value!r}")


@dataclass(frozen=True)
class RetryBudget:
    """How many retries a run may make on top of its first attempts; a token bucket.

    A retry takes a token; without one the scene waits until there is one, or until no other scene could earn one. Polls
    and fetches of accepted jobs are free, and so are attempts after a 429.
    """

    size: float = 10.0
    """Tokens at the start, and the most there can be."""
    per_success: float = 0.1
    """Tokens that each success adds."""

    def __post_init__(self) -> None:
        for name, value, least in (("size", self.size, 1), ("per_success", self.per_success, 0)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not least <= value < math.inf:
                raise InputError(f"RetryBudget: {name} must be a finite number, {least} or more, not {value!r}")


@dataclass(frozen=True)
class RetryPolicy:
    """How failures that are not rate limits are retried (R8, R9). Times in run seconds."""

    max_failures: int = 7
    """The scene fails when it has failed this often. 429s do not count, nor do polls and fetches of accepted jobs."""
    backoff: float = 1.0
    """Full jitter: the k-th failure waits uniform(0, min(backoff_cap, backoff · 2^(k-1)))."""
    backoff_cap: float = 60.0
    deadline: float | None = None
    """A scene fails if it is still waiting this long after it was added; None: it waits forever."""
    budget: RetryBudget | None = None
    """Limits the retries of the whole run; None: no limit."""
    job_timeout: float | None = 86_400.0
    """An accepted job that has not finished this long after its submit is cancelled at the provider and never submitted
    again by itself: the scene fails, or is held if the provider does not confirm. One that can't be asked about, or
    fetched, is held and not cancelled, because it may be done. Long, because time in the provider's own queue counts,
    too. None: it is asked about for ever."""

    def __post_init__(self) -> None:
        if not is_count(self.max_failures):
            raise InputError(f"max_failures is a whole number from 1 up, not {self.max_failures!r}")
        check_duration("backoff", self.backoff, zero=True)
        check_duration("backoff_cap", self.backoff_cap, zero=True)
        for name in ("deadline", "job_timeout"):
            if (seconds := getattr(self, name)) is not None:
                check_duration(name, seconds)
        if self.budget is not None and not isinstance(self.budget, RetryBudget):
            raise InputError(f"budget is a RetryBudget(...) or None, not {self.budget!r}")


def as_retry(retry: RetryPolicy | None) -> RetryPolicy:
    """Return the policy, or the default one; `InputError` for anything else."""
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise InputError(f"retry is a RetryPolicy(...) or None, not {retry!r}")
    return retry or RetryPolicy()


def as_max_wait(seconds: float) -> float:
    """Return how long a run waits for an unusable profile, in seconds; `InputError` for an impossible value."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        raise InputError(f"max_wait must be 0 or more seconds, not {seconds!r}")
    return float(seconds)


MAX_DELAYS = 1000
MAX_POLL_AFTER_SECONDS = 60.0
"""A server that asks for a longer wait is polled after this anyway, or one odd header would park a paid job."""


@dataclass(frozen=True)
class PollSchedule:
    """When an accepted job is polled, in run seconds; the server's poll-after wins, but not below `shortest`."""

    first: float = 0.5
    factor: float = 1.5
    longest: float = 5.0
    shortest: float = 0.1
    delays: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """The first delays, until they reach `longest`; at most `MAX_DELAYS`, then the last one is repeated."""

    def __post_init__(self) -> None:
        for name in ("first", "longest", "shortest"):
            check_duration(f"poll {name}", getattr(self, name), zero=True)
        if not isinstance(self.factor, int | float) or not 1 <= self.factor < math.inf:
            raise InputError(f"poll factor must be a finite number from 1 up, not {self.factor!r}")
        delays = [min(self.first, self.longest)]
        while self.factor > 1 and 0 < delays[-1] < self.longest and len(delays) < MAX_DELAYS:
            delays.append(min(delays[-1] * self.factor, self.longest))
        object.__setattr__(self, "delays", tuple(max(delay, self.shortest) for delay in delays))

    def delay(self, polls: int, poll_after: float | None) -> float:
        """Return the seconds to wait before the next poll, after `polls` polls of this attempt."""
        if poll_after is not None and self.shortest <= poll_after <= MAX_POLL_AFTER_SECONDS:
            return poll_after
        if poll_after is not None and 0 <= poll_after < math.inf:
            return max(min(poll_after, MAX_POLL_AFTER_SECONDS), self.shortest)
        return self.delays[polls] if polls < len(self.delays) else self.delays[-1]
