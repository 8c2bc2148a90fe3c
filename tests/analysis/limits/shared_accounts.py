"""Seeded runs whose limits are not what an estimate assumes: what it may say of them, and what it may not."""

from __future__ import annotations

from random import Random
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    Fault,
    FixedWindow,
    Limit,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, simulate

__all__ = ["KINDS", "Case"]

KINDS = (TokenBucket, FixedWindow, SlidingWindow)


class Case:
    """A limit of `n` per `per` seconds, a policy, a service and a latency, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._rng = rng = Random(seed)
        self.n, self.per = rng.choice([2, 3, 5, 8]), float(rng.choice([10, 20, 60]))
        self._told = rng.random() < 0.5
        policies: list[Policy] = [PerProfileCooldown(seconds) for seconds in (5, 10, 30)]
        policies += [PerProfileCooldown(30, honour_retry_after=True), GlobalPause(30), ExponentialCooldown(), Paced()]
        self._service = rng.choice([LogNormal(20, 0.4), Constant(20), Exponential(20)])
        self._options: dict[str, Any] = {
            "mode": Mode("boost", None, 8),
            "policy": rng.choice(policies),
            "seed": seed,
            "latency": rng.choice([0.0, 0.0, 0.1, 0.5]),
        }
        self.limit = self._kind()(self.n, per=self.per)

    def _kind(self) -> Any:
        return self._rng.choice(KINDS)

    def _run(self, limit: Limit | None, **options: Any) -> Run:
        profile = SimulatedProfile("p", limit, self._service, retry_after=self._told)
        return simulate(100, [profile], **self._options, **options)

    def alone(self) -> Run:
        """Return a run as an estimate assumes it."""
        return self._run(self.limit)

    def two_limits(self) -> Run:
        """Return one with a limit a minute and a longer one of half the rate, or two thirds."""
        times, share = self._rng.choice([(8, 4), (15, 10)])
        return self._run(self.limit & self._kind()(self.n * share, per=self.per * times))

    def at_random(self) -> Run:
        """Return one without a limit, with 429s at random."""
        return self._run(None, faults=[Fault("rate", probability=self._rng.choice([0.02, 0.05, 0.1, 0.3]))])

    def on_one_account(self, profiles: str) -> Run:
        """Return one whose profiles share an account, of which nobody told the scheduler."""
        made = [
            SimulatedProfile(name, self.limit, self._service, retry_after=self._told, quota_group="account")
            for name in profiles
        ]
        return simulate(60 * len(profiles), made, told_groups=False, **self._options)

    def jobs_at_once(self) -> Run:
        """Return one with a limit of jobs at once, at a provider whose 429s don't say which limit it was."""
        run = self._run(Concurrency(self.n))
        for event in run.events:
            if isinstance(event, ev.CallFailed) and getattr(event.outcome, "cause", "") == "concurrency":
                object.__setattr__(event.outcome, "cause", "rate")
        return run
