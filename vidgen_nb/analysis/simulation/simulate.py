"""A run in virtual time: scenes, simulated profiles and a policy in, a header and events out.

The scheduler is the one that live runs use. The same arguments give the same events, byte for byte, on every Python and
platform; a header holds only what was given.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import repeat
from random import Random
from typing import Any, Self

from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.simulation.arrivals import Arrivals, arrival_times, describe_arrivals
from vidgen_nb.analysis.simulation.given import as_absent, as_capacities, as_luck, as_requests
from vidgen_nb.analysis.simulation.serving import Order, ServingOrder, check_order
from vidgen_nb.analysis.validation import listed, plain_number, seconds, whole, yes_or_no
from vidgen_nb.core import events as ev
from vidgen_nb.core.context import OnAmbiguous, as_on_ambiguous
from vidgen_nb.core.model import NORMAL, Mode, PollSchedule, RetryPolicy, Scene, as_max_billed
from vidgen_nb.core.money import as_max_cost
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.requests.limits import as_pause_after
from vidgen_nb.core.retries import as_max_wait, as_retry
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.standstill import PATIENCE_SECONDS
from vidgen_nb.drivers.virtual import VirtualDriver
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import Fault, Load, Provider, SimulatedProfile
from vidgen_nb.provider.described import describe_profiles
from vidgen_nb.provider.limits import longest_period
from vidgen_nb.provider.load import as_load
from vidgen_nb.recording.codec import encode, plain

__all__ = ["Simulation"]

UNCHANGED = frozenset((str, int, bool, type(None)))
"""Kinds of values that stay as they are in `_with_whole_numbers`."""
POLL_WHEN_DUE = PollSchedule(shortest=0.0)
"""The provider says when a job will be done, and no server has to be spared: no service time is rounded up to the
next poll of a live run."""
LIMITS = ("max_billed", "max_cost", "pause_after_same_failure")
"""What may end a run early; in the header only where it is set."""
DIGEST_SAMPLE = 100
"""Of many scenes, or profiles, at least so many go into a run's id, and fewer than twice as many."""


@dataclass(frozen=True)
class Simulation:
    """What a run in virtual time begins with; `run()` can be called any number of times."""

    scenes: Sequence[Scene]
    profiles: Sequence[SimulatedProfile]
    mode: Mode = NORMAL
    policy: Policy = field(default_factory=PerProfileCooldown)
    """Each run uses a copy, so a policy carries nothing from one run to the next."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    seed: int = 0
    """Of all that is random: service times, faults, arrivals, the jitter of back-off, and the policy's numbers."""
    faults: Sequence[Fault] = ()
    arrivals: Arrivals | Sequence[float] | None = None
    """When scenes are added: a process such as `Poisson(6, per=60)`, or the run seconds of each; None: all at 0."""
    requests: Sequence[tuple[float, ev.Event]] = ()
    """(run seconds, event): what a user does meanwhile."""
    cooldowns: Sequence[ev.CooldownImposed] = ()
    """Cooldowns that profiles begin with."""
    latency: float = 0.0
    """Seconds that each call takes."""
    until: float = math.inf
    """Run seconds after which nothing new is submitted. Without it, a run in which nothing is accepted for too long
    (`drivers.standstill.PATIENCE_SECONDS`, 30 days, or more if limits and `retry` need it) is an `InputError`."""
    order: Order = "given"
    """Which of the scenes that wait is next: the first that came, or the one with the shortest or longest service time,
    which only a simulation knows. Nothing under way is broken off for it; what was refused still goes first (R2)."""
    absent: Sequence[str] = ()
    """Names of profiles that are missing at the start: `requests` add them with `ProfileAdded`."""
    capacities: Mapping[str, int | None] = field(default_factory=dict)
    """What profiles begin with if `requests` change it later; a profile's own is what the service runs at once."""
    told_groups: bool = True
    """Whether the scheduler knows which profiles share a quota; if not, each behaves like a client of its own."""
    on_ambiguous: OnAmbiguous = "hold"
    max_wait: float = 3600.0
    max_billed: int | None = None
    """Submits that may be accepted, including those in doubt; then the run stops. None: no bound."""
    max_cost: float | None = None
    """What the run may cost, by the profiles' prices; then it stops. None: no bound."""
    pause_after_same_failure: int | None = None
    """So many scenes that fail one after the other for the same reason end the run; None: never."""
    load: Load | None = None
    """What becomes of the provider under load; None: each job takes as long as it does alone."""
    attempt_timeout: float | None = None
    """Seconds after which a client gives up a job that is not done and submits its scene again, while the provider
    goes on with the job. Only simulated clients do so: a live one never pays twice (R12). None: it waits."""
    luck: Mapping[str, float] = field(default_factory=dict)
    """The quantile, 0 to 1, of a scene's service time, by scene, where it is known; others are drawn from the seed."""

    def __post_init__(self) -> None:
        checked = {
            "seed": whole("seed", self.seed),
            "faults": listed("faults", () if self.faults is None else self.faults, "Fault(kind, …) objects", Fault),
            "arrivals": self._checked_arrivals(),
            "requests": as_requests(self.requests),
            "cooldowns": listed("cooldowns", self.cooldowns, "CooldownImposed events", ev.CooldownImposed),
            "latency": seconds("latency", self.latency),
            "until": math.inf if self.until is None else seconds("until", self.until, finite=False),
            "told_groups": yes_or_no("told_groups", self.told_groups),
            "retry": as_retry(self.retry),
            "on_ambiguous": as_on_ambiguous(self.on_ambiguous),
            "max_wait": as_max_wait(plain_number(self.max_wait)),
            "max_billed": as_max_billed(plain_number(self.max_billed)),
            "max_cost": as_max_cost(plain_number(self.max_cost)),
            "pause_after_same_failure": as_pause_after(plain_number(self.pause_after_same_failure)),
            "load": None if self.load is None else as_load(self.load),
            "attempt_timeout": None
            if self.attempt_timeout is None
            else seconds("attempt_timeout", self.attempt_timeout, zero=False),
            "luck": as_luck(self.luck),
            "absent": as_absent(self.absent, self.profiles),
            "capacities": as_capacities(self.capacities),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        unpriced = [each.name for each in self.profiles if each.price is None] if self.max_cost is not None else []
        if unpriced:
            raise InputError(f"max_cost needs the price of every profile, and {unpriced[0]!r} has none: price=0.40")
        check_order(self.order)

    def _checked_arrivals(self) -> Arrivals | list[float] | None:
        if self.arrivals is None:
            return None
        times = arrival_times(self.arrivals, len(self.scenes), 0)
        return self.arrivals if isinstance(self.arrivals, Arrivals) else times

    def arrival_times(self) -> list[float] | None:
        """Return when each scene is added, in run seconds; None: all at 0."""
        return None if self.arrivals is None else arrival_times(self.arrivals, len(self.scenes), self.seed)

    def with_seed(self, seed: int) -> Self:
        """Return the same with another seed."""
        return replace(self, seed=seed)

    def run(self) -> tuple[dict[str, Any], list[ev.Event]]:
        """Simulate, and return the run's header and events."""
        with collector_paused():
            return self._run()

    def _run(self) -> tuple[dict[str, Any], list[ev.Event]]:
        driver = self.driver(self.provider(), Random(self.seed))  # noqa: S311 - jitter, no secret
        driver.run()
        return self.header(driver.asked), driver.scheduler.events

    def provider(self) -> Provider:
        """Return the provider, to which nothing was submitted yet."""
        return Provider(self.profiles, self.seed, self.faults, load=self.load)

    def driver(self, provider: Provider, rng: Random) -> VirtualDriver:
        """Return what runs these scenes on a provider, with the luck of `rng`; it has not begun."""
        scheduler = Scheduler(
            mode=self.mode,
            policy=deepcopy(self.policy),
            retry=self.retry,
            poll=POLL_WHEN_DUE,
            on_ambiguous=self.on_ambiguous,
            max_wait=self.max_wait,
            max_billed=self.max_billed,
            max_cost=self.max_cost,
            pause_after_same_failure=self.pause_after_same_failure,
            rng=rng,
        )
        provider.announce([scene.id for scene in self.scenes], self.luck)
        at_start = self._at_start()
        scheduler.prepare(at_start)
        planned, patience = self._in_sight()
        return VirtualDriver(
            scheduler, provider, self._later(), asked=at_start,
            latency=self.latency, until=self.until, planned=planned, patience=patience,
            attempt_timeout=math.inf if self.attempt_timeout is None else self.attempt_timeout,
        )  # fmt: skip

    def _in_sight(self) -> tuple[float, float]:
        """Return when the last thing that was planned happens, and how long after that a run is waited for."""
        times = [each.until for each in self.cooldowns] + [each.end for each in self.faults]
        times += [at for at, _ in self.requests] + [*(self.arrival_times() or ())]
        limits = {has.limit for each in self.profiles for has in (each, each.organisation) if has is not None}
        windows = [longest_period(limit) for limit in limits if limit is not None]
        waits = (max(windows, default=0.0), self.retry.deadline or 0.0, self.retry.job_timeout or 0.0)
        return max((at for at in times if at < math.inf), default=0.0), PATIENCE_SECONDS + sum(waits)

    def _arriving(self) -> Iterable[tuple[float, ev.Event]]:
        return zip(self.arrival_times() or repeat(0.0), self._serving.added(self.scenes), strict=False)

    @property
    def _serving(self) -> ServingOrder:
        times = None if self.order == "given" else self.arrival_times()
        return ServingOrder(self.order, times or (), self.seed, self.luck)

    def _at_start(self) -> list[ev.Event]:
        """Return the events before the start of the run."""
        events: list[ev.Event] = []
        for profile in (each for each in self.profiles if each.name not in self.absent):
            group = profile.quota_group if self.told_groups else None
            capacity = self.capacities.get(profile.name, profile.capacity)
            events.append(ev.ProfileAdded(profile.name, capacity, group or "", profile.price))
        events += self.cooldowns
        if self.arrivals is None:
            events += self._serving.added(self.scenes)
        else:
            events += (added for at, added in self._arriving() if at == 0)
        return events

    def _later(self) -> list[tuple[float, ev.Event]]:
        arriving = [(at, added) for at, added in self._arriving() if at > 0] if self.arrivals is not None else []
        return [(0.0, ev.RunStarted()), *arriving, *self._serving.requested(self.requests)]

    def header(self, asked: Sequence[ev.Event]) -> dict[str, Any]:
        """Return the header of the run's record; its id is a digest of what was given, and of what was asked for."""
        given = {
            "mode": plain(self.mode),
            "policy": plain(self.policy),
            "retry": plain(self.retry),
            "on_ambiguous": self.on_ambiguous,
            "max_wait": plain(self.max_wait),
            **{name: limit for name in LIMITS if (limit := getattr(self, name)) is not None},
            "seed": self.seed,
            "order": self.order,
            **({"luck": dict(self.luck)} if self.luck else {}),
            **({} if self.told_groups else {"told_groups": False}),
            **({"arrivals": described} if (described := describe_arrivals(self.arrivals)) else {}),
            "backend": {
                "name": "simulated",
                "profiles": describe_profiles(self.profiles),
                "faults": [_plain(fault) for fault in self.faults],
                "latency": float(self.latency),
                **({} if self.load is None else {"load": plain(self.load)}),
                **({} if self.attempt_timeout is None else {"attempt_timeout": self.attempt_timeout}),
            },
        }
        return {"run": f"simulated-{_digest(given, asked)}", "started": None, **given}


def _digest(given: dict[str, Any], asked: Sequence[ev.Event]) -> str:
    """Return eight characters that differ if the settings, or what was requested and when, differ.

    Of many scenes, their number and about `DIGEST_SAMPLE` of them count, and of what adds many profiles as much, since
    they stand among the settings: an id must not take longer than a run.
    """
    scenes = list(map(type, asked)).count(ev.SceneAdded)
    requests = [encode(event) for event in _sampled(_sampled(asked, ev.SceneAdded), ev.ProfileAdded)]
    text = json.dumps(_with_whole_numbers([given, scenes, requests]), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _sampled(events: Sequence[ev.Event], kind: type[ev.Event]) -> Sequence[ev.Event]:
    """Return the events with only a sample of one kind, behind the others, if there are many of it."""
    of_kind = [each for each in events if type(each) is kind]
    if len(of_kind) <= DIGEST_SAMPLE:
        return events
    return [*(each for each in events if type(each) is not kind), *of_kind[:: len(of_kind) // DIGEST_SAMPLE]]


def _with_whole_numbers(value: Any) -> Any:
    """Return plain data with 60 for 60.0, so that equal numbers are written the same way."""
    if isinstance(value, dict):
        return {name: each if type(each) in UNCHANGED else _with_whole_numbers(each) for name, each in value.items()}
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return [_with_whole_numbers(each) for each in value] if isinstance(value, list | tuple) else value


def _plain(fault: Fault) -> dict[str, Any]:
    """Return a fault as plain data; a function that chooses prompts can't be recorded."""
    data: dict[str, Any] = plain(replace(fault, prompt=None))
    return data if fault.prompt is None else {**data, "prompt": "a function"}
