"""The numbers of independent clients together, by the names that those of one run have.

Counts and costs are sums. Times are those of all clients' scenes: a quantile of `wait` is one of every scene's wait,
whichever client it is of. What belongs to one scheduler has no sum: the profiles' slots and cooldowns, the queue, the
bound. What a run's options leave out (`after=`, `until=`) is left out of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NoReturn, Self

from vidgen_nb.analysis.metrics.measure import Metrics
from vidgen_nb.analysis.metrics.quantiles import Spread

__all__ = ["ClientMetrics"]


@dataclass(frozen=True, slots=True)
class ClientMetrics:
    """Several clients of one provider in numbers, which mean what they mean of one run. Times in run seconds."""

    clients: int
    scenes: dict[str, int]
    attempts: int
    """Calls: submits of all clients, refused ones too."""
    rate_limited: int
    moves: int
    makespan: float | None
    """The latest success of any client."""
    first_result: float | None
    """The earliest one."""
    length: float
    """Of the longest run; of a window, its seconds."""
    flow: Spread | None
    wait: Spread | None
    queued: Spread | None
    amplification: float | None
    """Attempts ÷ scenes, as of one run; this and the two shares are means over the clients, by how much each did."""
    wasted_share: float | None
    rate_429: float | None
    goodput: float | None
    """Successes of all clients per second of `length`."""
    cost: float | None
    wasted_cost: float | None

    @classmethod
    def of(cls, runs: Sequence[Metrics]) -> Self:
        """Return the numbers of these clients together."""
        length = max((each.length for each in runs), default=0.0)
        scenes: Counter[str] = Counter()
        for each in runs:
            scenes.update(each.scenes)
        return cls(
            clients=len(runs),
            scenes=dict(scenes),
            attempts=sum(each.attempts for each in runs),
            rate_limited=sum(each.rate_limited for each in runs),
            moves=sum(each.moves for each in runs),
            makespan=max(_known(each.makespan for each in runs), default=None),
            first_result=min(_known(each.first_result for each in runs), default=None),
            length=length,
            flow=_together(each.flow for each in runs),
            wait=_together(each.wait for each in runs),
            queued=_together(each.queued for each in runs),
            amplification=_mean(runs, "amplification", lambda each: sum(each.scenes.values())),
            wasted_share=_mean(runs, "wasted_share", lambda each: each.attempts),
            rate_429=_mean(runs, "rate_429", lambda each: each.attempts),
            goodput=sum((each.goodput or 0.0) * each.length for each in runs) / length if length else None,
            cost=_sum(each.cost for each in runs),
            wasted_cost=_sum(each.wasted_cost for each in runs),
        )

    @property
    def queue_time(self) -> float | None:
        """Mean time of a scene in its client's queue."""
        return None if self.queued is None else self.queued.mean

    @property
    def cost_per_video(self) -> float | None:
        """What was spent ÷ scenes that succeeded."""
        videos = self.scenes.get("succeeded", 0)
        return None if self.cost is None or not videos else round(self.cost / videos, 6)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"several clients together have no {name}; they have {', '.join(_names())}")


def _names() -> list[str]:
    """Return the names of all numbers of clients."""
    return [*(each.name for each in fields(ClientMetrics)), "queue_time", "cost_per_video"]


def _known(values: Iterable[float | None]) -> list[float]:
    return [each for each in values if each is not None]


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None: nothing is."""
    known = _known(values)
    return sum(known) if known else None


def _together(spreads: Iterable[Spread | None]) -> Spread | None:
    """Return the spread of all values; it does not say which scene has which."""
    return Spread.of(dict(enumerate(value for each in spreads if each is not None for value in each.ordered)))


def _mean(runs: Sequence[Metrics], name: str, weight: Callable[[Metrics], int]) -> float | None:
    """Return the mean of a number of each run, with these weights; None: none has it."""
    known = [(getattr(each, name), weight(each)) for each in runs if getattr(each, name) is not None]
    total = sum(many for _, many in known)
    return sum(value * many for value, many in known) / total if total else None
