"""The numbers of a run as records; `measure` computes them.

Slots and cooldowns are measured up to the makespan (`results.horizon`), queue and goodput over the run's length, the
time of its last event. The two differ only if something else ended after the last success.

In a run that was restored, `off` is the time in which no program ran it. Makespan, length, first result, lower bound,
`over_wait` and `recovery` are times of the run's clock, which went on meanwhile. All other durations and rates leave it
out: flow, wait, the queue, goodput, cooldowns. In the slot split it has a share of its own.

Time for which an accepted job is queued at its provider is waiting, as time in our queue is, and no service. Whether
the jobs beyond four wait with us (a capacity of 4) or there, wait, L and utilisation are the same, up to the interval
at which a live run asks. A slot of ours is taken meanwhile, which has a share of its own in the slot split.

`metrics(after=a, until=b)` measures a window of the run, (a, b], as it was known at b; for a steady state, `after`
cuts the beginning off. Then

- counts are of what ended in the window or was still open at its end: scenes, attempts, 429s, moves, early wakes,
  over-waits. Amplification is attempts that ended ÷ scenes that settled;
- `flow`, `wait` and `queued` are those of scenes that settled in it, with all the time that they took;
- rates and time averages are over the window: goodput, L, slot time, utilisation, cooldowns; λ counts what was added;
- `makespan` and `first_result` are the latest and the earliest success in it; it has no lower bound. `recovery` is that
  of the whole run.

A scene that was run again by hand stands as it did the last time: that is what `scenes`, `flow` and `wait` count. What
happened before still happened: each of its successes counts in `makespan`, `goodput` and the profiles' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vidgen_nb.analysis.bounds.lower_bound import LowerBound
from vidgen_nb.analysis.metrics.quantiles import Spread
from vidgen_nb.analysis.metrics.recovery import Recovery
from vidgen_nb.analysis.metrics.slot_time import SlotTime
from vidgen_nb.analysis.on_demand import OnDemand

__all__ = ["MetricsData", "ProfileMetrics", "SlotSplit", "WaitingMetrics"]


@dataclass(frozen=True, slots=True)
class SlotSplit:
    """What slots did with their time, in shares that sum to 1 (`slot_time.SlotTime` says what each means)."""

    ok: float
    wasted: float
    cooling: float
    idle_empty: float
    idle_waiting: float
    running: float = 0.0
    off: float = 0.0
    queued_at_provider: float = 0.0

    @classmethod
    def of(cls, time: SlotTime) -> SlotSplit | None:
        """Return the shares of slot-seconds, or None if there are none."""
        if not (total := time.total) > 0:
            return None
        return cls(**{name: getattr(time, name) / total for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class ProfileMetrics:
    """One profile's share of a run. Times in run seconds."""

    profile: str
    scenes: int
    """Attempts that succeeded on it."""
    attempts: int
    rate_limited: int
    """Attempts that got a 429."""
    cooldown: float
    """Length of the union of its cooldown windows, cut at the makespan, without the time off."""
    utilisation: float
    """Slot time of attempts that succeeded ÷ all slot time, 0 to 1: the split's `ok`."""
    split: SlotSplit | None = None
    """None: it had no slot time."""
    cooldown_duty: float = 0.0
    """`cooldown` ÷ makespan, without the time off."""
    stranded: float = 0.0
    """Slot-seconds in which it cooled while scenes waited: c_p · ∫ 1[cooling and Q > 0] dt."""
    ideal: float = 0.0
    """Its fair share of all successes (`fairness.ideal_shares`)."""
    cost: float | None = None
    """What was spent on it; None: no price is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMetrics(OnDemand):
    """What a run lost to waiting: in our queue, in a provider's, and while profiles cooled. Times in run seconds."""

    queued: Spread | None = None
    """Time in our queue, requeues and back-off included, and in a provider's, of every scene, without the time off. Its
    mean is W_q."""
    queued_at_provider: Spread | None = None
    """The part of it in which accepted jobs were queued at their provider; None: no scene was."""
    queue_length: float | None = None
    """L: the mean of Q(t), which is the queue's integral ÷ length, both without the time off. A scene that is queued at
    a provider counts in Q, as one in our queue."""
    arrival_rate: float | None = None
    """λ: scenes ÷ length without the time off."""
    little_residual: float | None = None
    """Σ|L - λW| ÷ ΣL over ten equal windows (`little`): small where the queue is stationary; None if nobody waited.
    Over the whole run at once it would be 0 for any run that begins and ends without a queue."""
    cooldown_duty: float | None = None
    """Mean of the profiles' `cooldown_duty`."""
    stranded: float = 0.0
    """Slot-seconds of profiles that cooled while scenes waited."""
    early_wakes: float | None = None
    """Share of first attempts after a cooldown that got a 429."""
    over_wait: Spread | None = None
    """A cooldown's end minus the limit's true reset, by (group, start); only if limits are known."""

    @property
    def queue_time(self) -> float | None:
        """W_q: mean time of a scene in the queue."""
        return None if self.queued is None else self.queued.mean


@dataclass(frozen=True, slots=True)
class MetricsData(WaitingMetrics):
    """A run in numbers. Times in run seconds; None: not known, or there is nothing to measure.

    What takes long is worked out when it is first asked for: the lower bound; of a large run all that is not a count.
    """

    scenes: dict[str, int]
    """How many scenes stand in which status."""
    attempts: int
    rate_limited: int
    moves: int
    makespan: float | None
    """Latest end of an attempt that succeeded, from the run's start; None: none did."""
    profiles: list[ProfileMetrics]
    length: float = 0.0
    """Time of the last event; of a window, its seconds."""
    off: float = 0.0
    """Seconds of that in which no program ran it: from the last event before each restore to the restore."""
    bound: LowerBound | None = None
    """What no policy could have beaten for what was made (`efficiency`); None: limits and services are not known."""
    first_result: float | None = None
    """Earliest end of an attempt that succeeded."""
    flow: Spread | None = None
    """F_i: time from when a scene was added (the last time) to its result; of scenes that stand as succeeded."""
    wait: Spread | None = None
    """W_i: F_i without the service, which is the attempt that succeeded without its time in the provider's queue; of
    the same scenes."""
    split: SlotSplit | None = None
    """Of all slots together."""
    amplification: float | None = None
    """Attempts ÷ scenes."""
    wasted_share: float | None = None
    """Ended attempts that did not succeed ÷ all that ended."""
    rate_429: float | None = None
    """Attempts that got a 429 ÷ all that ended."""
    goodput: float | None = None
    """Successes per second of the run's length without the time off; over time: `timeline.goodput`."""
    move_matrix: dict[tuple[str, str], int] = field(default_factory=dict)
    """Moves by (from, to)."""
    fairness: float | None = None
    """Jain's index of successes ÷ ideal share over the profiles."""
    recovery: Recovery | None = None
    """From the given trouble, or from a simulated run's faults that had an end."""

    cost: float | None = None
    """What was spent: jobs that were done, or cancelled once accepted (`core.spending`); None: no price is known."""
    wasted_cost: float | None = None
    """The part of it that gave no video."""
    currency: str = ""

    measured: tuple[float, float] | None = None
    """The window that was measured; None: the whole run."""

    @property
    def lower_bound(self) -> float | None:
        """The tightest of `bound`, in seconds; `bound.method` says how it was made."""
        return None if self.bound is None else self.bound.seconds

    @property
    def efficiency(self) -> float | None:
        """Lower bound ÷ makespan: 1 is the best possible. Of a recorded run, with the service times that there were."""
        return self.bound.seconds / self.makespan if self.bound is not None and self.makespan else None

    @property
    def cost_per_video(self) -> float | None:
        """What was spent ÷ scenes that succeeded."""
        videos = self.scenes.get("succeeded", 0)
        return None if self.cost is None or not videos else round(self.cost / videos, 6)

    @property
    def utilisation(self) -> float | None:
        """Slot time of attempts that succeeded ÷ all slot time."""
        return None if self.split is None else self.split.ok
