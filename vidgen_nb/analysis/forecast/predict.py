"""When will an open run be finished? The rest of it is simulated a few times, from where it stands.

Each simulation draws what is not known: a limit among those that explain the attempts so far (and whether some 429s
come at random), service times among those seen (resampled; running jobs count as longer than their age), whose times a
profile has that has shown few (`service_kinds`), whether failures come at random or in an outage, and how long that
lasts (`outages`), and how long the running jobs will still take. Jobs that are queued at their provider begin as those
before them end, as many at once as were seen to run there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from heapq import nlargest
from random import Random
from statistics import mean, quantiles, stdev
from typing import Final

from vidgen_nb.analysis.experiments.student_t import t_quantile
from vidgen_nb.analysis.forecast.outages import Outages
from vidgen_nb.analysis.forecast.policy_state import keeping_its_state, with_history
from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.analysis.forecast.service_kinds import drawn_kind, times_of
from vidgen_nb.analysis.forecast.snapshot import Snapshot, resume_events, snapshot
from vidgen_nb.analysis.forecast.weibull_tail import Tail, fit_tail
from vidgen_nb.analysis.limits.limit_samples import drawn_limits, jobs_admitted
from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.off_time import without
from vidgen_nb.analysis.records.provider_queue import provider_slots
from vidgen_nb.analysis.simulation.what_if import MIN_OWN_TIMES, policy_of, retry_of, service_times
from vidgen_nb.core import events as ev
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.virtual import VirtualDriver
from vidgen_nb.machine.browser import in_one_go
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import Concurrency, Empirical, Fault, Job, Provider, SimulatedProfile
from vidgen_nb.provider.limits import Limit
from vidgen_nb.recording.policies import resolve_policy

__all__ = ["predict_finish", "predict_in_slices"]

MAX_EVENTS: Final = 16_000
"""Events simulated together: this keeps a prediction fast."""
MIN_RUNS: Final = 4
MAX_RUNS: Final = 40
MAX_SCENES: Final = 500
"""Waiting scenes that are simulated; any more are assumed to go on at the pace of these."""
MAX_SECONDS: Final = 365 * 86_400.0
"""Run seconds after which a simulation is given up: a policy may hold scenes back forever."""
INTERVAL_FACTOR: Final = 1.25
"""The simulations' own 10 and 90 % points are a little too close: they share what is wrong with the model, such as a
limit of a kind that it does not know. Intervals wider by this factor held the truth in 83 of 100 seeded cases of ten
kinds, in each kind in 74 to 90 (`tests/analysis/forecast/test_coverage.py`); without it in 73."""


def predict_finish(
    data: RunData, *, now: float | None = None, policy: Policy | None = None, runs: int | None = None, seed: int = 0
) -> Prediction:
    """Predict when every scene of a run will be settled, with an interval that is right four times out of five.

    `now`: run seconds; None: the time of the last event. `policy`: the one in use; None: the one in the run's record. A
    copy of it is used that has seen the run's events. A pause counts as over. An outage under way may last as long
    again as it has lasted, or much longer; one that is still to come is in no forecast. It takes about a quarter of a
    second, and changes nothing: a thread may run it.
    """
    return in_one_go(predict_in_slices(data, now=now, policy=policy, runs=runs, seed=seed))


def predict_in_slices(
    data: RunData, *, now: float | None = None, policy: Policy | None = None, runs: int | None = None, seed: int = 0
) -> Generator[None, None, Prediction]:
    """As `predict_finish`, with a `yield` before each simulation, where others may have a turn on the same thread."""
    state = snapshot(data)
    at = max(data.end, data.end if now is None else now)
    left = len(state.waiting) + len(state.jobs_running)
    if not left:
        return Prediction(data.end, 0, data.end, data.end, data.end, 0)
    times = service_times(data)
    if not any(times.values()):
        return Prediction(at, left, None, None, None, 0, "no scene has succeeded yet")
    if not state.profiles:
        return Prediction(at, left, None, None, None, 0, "there is no profile")
    chosen = policy or (resolve_policy(state.policy) if state.policy else policy_of(data.header))
    if chosen is not None:
        chosen = with_history(chosen, data.events, state.submitting.values(), in_use=policy is not None)
    with collector_paused():  # it would stop all threads while it scans the run's events
        simulations = _Simulations(data, state, at, times, chosen)
    ends: list[float] = []
    while len(ends) < (runs or MAX_RUNS) and (runs or len(ends) < MIN_RUNS or simulations.simulated < MAX_EVENTS):
        yield
        with collector_paused():
            end = simulations.finish(Random(f"{seed}/{len(ends)}"))  # noqa: S311 - no secret
        if end is None:
            return Prediction(at, left, None, None, None, len(ends), "every profile stays unusable, or held back")
        ends.append(end)
    return Prediction(at, left, *_spread(ends, at), len(ends))


def _spread(ends: Sequence[float], at: float) -> tuple[float, float, float]:
    """Return the 10, 50 and 90 % points; for few runs, Student's prediction interval, mean ± t·s·√(1 + 1/n)."""
    if len(ends) >= MAX_RUNS // 2:
        tenths = quantiles(ends, n=10, method="exclusive")
        low, middle, high = tenths[0], tenths[4], tenths[8]
    else:
        middle = mean(ends)
        half = t_quantile(0.8, len(ends) - 1) * stdev(ends) * math.sqrt(1 + 1 / len(ends)) if len(ends) > 1 else 0.0
        low, high = middle - half, middle + half
    return max(at, middle - INTERVAL_FACTOR * (middle - low)), middle, middle + INTERVAL_FACTOR * (high - middle)


class _Simulations:
    """What is known about a run; `finish` plays its rest once, as often as it is called."""

    def __init__(
        self, data: RunData, state: Snapshot, at: float, times: dict[str, list[float]], policy: Policy | None
    ) -> None:
        self.state, self.at, self.policy = state, at, policy
        self.header = data.header
        self.simulated = 0
        """Events of all simulations so far."""
        self.times = times
        self.slots = provider_slots(data)
        queues = [(name, Concurrency(count, over="queue")) for name, count in self.slots.items()]
        self.concurrency = [*queues, *((name, Concurrency(count)) for name, count in jobs_admitted(data).items())]
        """By profile: jobs at once, beyond which further ones are queued, or refused."""
        self.queued = _queued_at_provider(state, data, self.slots)
        """Scenes whose job is queued at its provider, in the order of acceptance."""
        self.ages = _ages(state, at, data, {*self.queued})
        self.tails = {name: fit_tail(own, [*self.ages.get(name, {}).values()]) for name, own in times.items() if own}
        under_way = [age for ages in self.ages.values() for age in ages.values()]
        self.tail = fit_tail([seconds for own in times.values() for seconds in own], under_way)
        self.told = any(attempt.retry_after is not None for attempt in data.attempts)
        self.groups = drawn_limits(data)
        self.outages = Outages.seen(state.answers)

    def finish(self, rng: Random) -> float | None:
        """Return when all scenes are settled in one simulation; None: some never are."""
        state, at = self.state, self.at
        chosen = {name: each for names, drawn in self.groups for each in (rng.choice(drawn),) for name in names}
        limits: dict[str, Limit | None] = {name: each.limit for name, each in chosen.items()}
        for name, slots in self.concurrency:
            if name in limits:
                limit = limits[name]
                limits[name] = slots if limit is None else limit & slots
        services, ends = self._services(rng)
        starts = self._queued_jobs(services, ends, rng)
        profiles = [
            SimulatedProfile(name, limits[name], services[name], None, self.told, added.group or None)
            for name, added in state.profiles.items()
        ]
        waiting = state.waiting
        room = max(1, MAX_SCENES - len(state.jobs_running))
        scheduler = Scheduler.replay(
            resume_events(state, at, waiting[:room], ends),
            whole=False,
            policy=PerProfileCooldown(),
            mode=state.mode,
            retry=retry_of(self.header),
            max_wait=float(self.header.get("max_wait", 3600.0)),
            rng=rng,
        )
        if self.policy is not None:  # it has already seen the events that lead up to here
            scheduler.handle(ev.PolicyChanged(keeping_its_state(self.policy)), at)
        faults = self.outages.drawn(at, rng)
        faults += [each.fault(name) for name, each in chosen.items() if each.refused_by_chance]
        if state.broken:
            faults.append(Fault("job_failure", probability=min(0.9, state.broken / max(1, state.accepted))))
        provider = Provider(profiles, str(rng.random()), faults)
        jobs = [
            Job(-place, state.jobs_running[name].profile, name, "", at, starts.get(name, at), end)
            for place, (name, end) in enumerate(ends.items())
        ]
        for job in jobs:
            if job.profile in state.profiles:
                provider.adopt(job)
        _Resumed(scheduler, provider, [(at, ev.RunStarted())], jobs).run()
        self.simulated += len(scheduler.events)
        if scheduler.ended != ev.EndReason.SETTLED:
            return None
        last = max(event.at for event in scheduler.events)
        done = sorted(event.at for event in scheduler.events if isinstance(event, ev.Fetched))
        return max([last, *(ends[name] for name in ends)]) + _seconds_for_rest(done, len(waiting) - room)

    def _services(self, rng: Random) -> tuple[dict[str, Empirical], dict[str, float]]:
        """Draw each profile's service times, and when its running jobs will end.

        A running job is drawn from the times that are longer than its age, the youngest job first, and then counts as
        one more time seen. Otherwise the start of a run would show short times only (Kaplan and Meier's redistribution
        to the right).
        """
        ends: dict[str, float] = {}
        services: dict[str, Empirical] = {}
        for name in self.state.profiles:
            ages = self.ages.get(name, {})
            seen, tail = self._seen(name, [*ages.values()], rng)
            drawn = [rng.choice(seen) for _ in range(min(len(seen), 200))]
            for scene, age in ages.items():
                longer = [each for each in drawn if each > age]
                place = rng.randrange(len(longer) + 1)
                lasts = longer[place] if place < len(longer) else tail.beyond(max(age, *drawn), rng)
                ends[scene] = self.at - age + lasts
                drawn.append(lasts)
            drawn.append(tail.beyond(max(drawn), rng))
            services[name] = Empirical([max(each, 1e-6) for each in drawn])
        return services, ends

    def _seen(self, name: str, ages: list[float], rng: Random) -> tuple[list[float], Tail]:
        """Return the times that stand for a profile's, and their tail: its own, if there are enough of them."""
        own = self.times[name]
        if len(own) >= MIN_OWN_TIMES:
            return own, self.tails[name].drawn(rng)
        others = {each: tail for each, tail in self.tails.items() if each != name}
        kind = drawn_kind(own, ages, others, self.tail, rng)
        if isinstance(kind, Tail):
            return times_of(kind, own, rng), kind
        tail = self.tails[kind] if len(self.times[kind]) >= MIN_OWN_TIMES else self.tail
        return [*own, *self.times[kind]], tail.drawn(rng)

    def _queued_jobs(self, services: dict[str, Empirical], ends: dict[str, float], rng: Random) -> dict[str, float]:
        """Return when jobs that are queued at their provider begin, and add their ends: first come, first served."""
        starts: dict[str, float] = {}
        profiles, flights = self.state.profiles, self.state.jobs_running
        for name in self.queued:
            own = profiles.get(flights[name].profile)
            if own is None:
                continue
            members = {
                each.profile for each in profiles.values() if (each.group or each.profile) == (own.group or own.profile)
            }
            busy = [end for scene, end in ends.items() if flights[scene].profile in members]
            slots = nlargest(self.slots[own.profile], busy)
            starts[name] = self.at if len(slots) < self.slots[own.profile] else max(self.at, slots[-1])
            ends[name] = starts[name] + services[own.profile].seconds(rng.random())
        return starts


def _queued_at_provider(state: Snapshot, data: RunData, slots: dict[str, int]) -> list[str]:
    """Return the scenes whose job is queued at its provider, in the order of acceptance.

    What was accepted after one that waits there, or while all its slots were taken, waits as well, though no poll has
    told it yet.
    """
    running = [each for each in data.attempts if each.end is None and each.scene in state.jobs_running]
    running.sort(key=lambda each: state.jobs_running[each.scene].since)
    found: list[str] = []
    busy: Counter[str] = Counter()
    for each in running:
        profile = state.profiles.get(each.profile)
        group = each.profile if profile is None else profile.group or each.profile
        is_told = each.began is not None and each.accepted is not None and each.began > each.accepted
        if each.waits_at_provider or (busy[group] >= slots.get(each.profile, math.inf) and not is_told):
            busy[group] += slots.get(each.profile, 0)
            found.append(each.scene)
        else:
            busy[group] += 1
    return found


def _ages(state: Snapshot, at: float, data: RunData, queued: set[str]) -> dict[str, dict[str, float]]:
    """Return the ages of running jobs, by profile and scene, the youngest first; not of those queued at the provider.

    The time in which no program ran the run is left out: a job may have finished then, and nobody saw it.
    """
    cut = without(data.off)
    flying = {each.scene: each for each in data.attempts if each.end is None}
    ages: dict[str, dict[str, float]] = {}
    for scene, flight in sorted(state.jobs_running.items(), key=lambda each: -each[1].since):
        if scene in queued:
            continue
        began = flying[scene].began if scene in flying else None
        ages.setdefault(flight.profile, {})[scene] = cut(at) - cut(flight.since if began is None else began)
    return ages


class _Resumed(VirtualDriver):
    """A driver that begins with running jobs."""

    def __init__(
        self, scheduler: Scheduler, provider: Provider, requests: list[tuple[float, ev.Event]], jobs: list[Job]
    ) -> None:
        super().__init__(scheduler, provider, requests, until=requests[0][0] + MAX_SECONDS)
        self._jobs.update((job.scene, job) for job in jobs)


def _seconds_for_rest(done: Sequence[float], more: int) -> float:
    """Return how much longer `more` scenes take, at the pace of the second half of those simulated."""
    if more <= 0:
        return 0.0
    first, last = len(done) // 2, len(done) * 9 // 10
    return more * (done[last] - done[first]) / max(1, last - first)
