"""Seeded runs of one profile whose limit is known, for tests of what can be learned from its attempts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.provider import (
    Constant,
    Exponential,
    FixedWindow,
    Limit,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.limit_states import BucketState, SlidingLogState, WindowState
from vidgen_nb.run import Run, simulate

__all__ = ["Limited", "limited", "met_in_use", "submits"]

Limited = TokenBucket | FixedWindow | SlidingWindow
KINDS: list[Callable[..., Limited]] = [TokenBucket, FixedWindow, SlidingWindow]


def limited(seed: int) -> tuple[Limited, Run]:
    """Return a limit of 2 a minute to 10 a second and a run of 30 to 120 scenes against it."""
    rng = Random(seed)
    n = rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30])
    per = n / math.exp(rng.uniform(math.log(2 / 60), math.log(10)))
    if rng.random() < 0.5:
        per = float(f"{per:.1g}")
    limit = rng.choice(KINDS)(n, per=per)
    policies: list[Policy] = [PerProfileCooldown(seconds) for seconds in (5, 10, 30, per * rng.uniform(0.1, 1.5))]
    policies += [PerProfileCooldown(30, honour_retry_after=True), GlobalPause(30)]
    mean = rng.choice([1, 5, 20, 60, 120])
    service = rng.choice([Constant(mean), Exponential(mean), LogNormal(mean, 0.3)])
    mode = rng.choice([Mode("normal", 1, 4), Mode("boost", max_generating=rng.choice([8, 20, 50]))])
    profile = SimulatedProfile("p1", limit, service, retry_after=rng.random() < 0.5)
    return limit, simulate(rng.choice([30, 60, 120]), [profile], mode=mode, policy=rng.choice(policies), seed=seed)


def submits(events: Iterable[ev.Event]) -> list[tuple[float, bool]]:
    """Return when the provider answered each submit, and whether it accepted."""
    answers = (ev.Accepted, ev.CallFailed)
    return [(event.at, isinstance(event, ev.Accepted)) for event in events if isinstance(event, answers)]


def met_in_use(limit: Limit, run: Run) -> int:
    """Count the moments at which a 429 met a limit that an earlier moment had used up in part, by the true limit."""
    state: Any = limit.state()
    moments: set[float] = set()
    last, unused = -1.0, True
    for at, accepted in submits(run.events):
        if at > last:
            last = at
            state.ready_at(at)
            match state:
                case BucketState():
                    unused = at - state.full_at >= state.taken * state.interval - 1e-6
                case WindowState():
                    unused = state.taken == 0
                case SlidingLogState():
                    unused = all(at - before >= state.per - 1e-6 for before in state.admitted)
        if accepted:
            state.take(at)
        elif not unused:
            moments.add(at)
    return len(moments)
