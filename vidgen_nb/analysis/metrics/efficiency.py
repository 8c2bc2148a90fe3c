"""The lower bound that a run's makespan is held against: for what was made, with the service times that there were.

What was made is every success, those of scenes that were run again by hand included: each could not begin before its
scene was added for it. Scenes that failed, were cancelled or are held count for nothing; they can only have used up
slots and admissions. A profile that was added later was closed until then.

Service times of a simulated run are known from its seed. Of a recorded one they are those observed: s_i on profile p,
from the acceptance (or from when a slot of the assumed capacity was free, or the provider said that it began) until a
poll found the result. On another profile q the scene would have taken s_i · f_q/f_p, where f are the assumed mean
services; where the times observed on a profile contradict these (their geometric means differ by more than three
standard errors), what was observed replaces its f. So efficiency is LB ÷ M for the scenes as long as they were: the
share of the time that the best schedule would have taken, if the assumed limits are right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappush, heapreplace
from itertools import compress
from math import exp, inf, log, sqrt
from statistics import fmean, variance

from vidgen_nb.analysis.bounds.lower_bound import LowerBound, bound
from vidgen_nb.analysis.on_demand import Question
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.records.off_time import without
from vidgen_nb.core import events as ev
from vidgen_nb.provider import Constant, SimulatedProfile
from vidgen_nb.provider.limits import queues_over

__all__ = ["BoundQuestion", "bound_question"]

SHORTEST = 1e-3
"""Seconds that a job takes at least, where logarithms are taken."""
ENOUGH = 5
"""Times that must be observed on a profile before they can contradict what is assumed."""
CERTAIN = 3.0
"""Standard errors by which they must differ."""


@dataclass(slots=True)
class _Job:
    """An attempt that was accepted, and what is known of its job."""

    scene: str
    profile: str
    release: float
    """When its scene was added for it."""
    begins: float
    """When it began at the earliest, as far as is known."""
    ends: float = inf
    made: bool = False


@dataclass(frozen=True)
class BoundQuestion(Question):
    """What the bound on a run needs to know, and nothing more; runs of one seed in several cases ask the same."""

    scenes: tuple[str, ...]
    profiles: tuple[SimulatedProfile, ...]
    seed: int | str | None
    closed: tuple[tuple[str, float], ...]
    releases: tuple[float, ...]
    lengths: tuple[float, ...] | None
    aligned: bool

    def __call__(self) -> dict[str, LowerBound]:
        """Return the bound; worked out once."""
        return {"bound": self._bound}

    @cached_property
    def _bound(self) -> LowerBound:
        return bound(
            self.scenes,
            self.profiles,
            seed=self.seed,
            cooldowns=dict(self.closed),
            releases=self.releases,
            lengths=self.lengths,
            aligned=self.aligned,
        )


def bound_question(data: RunData, profiles: Sequence[SimulatedProfile], seed: int | str | None) -> BoundQuestion:
    """Return the question for the bound on what a run made.

    `seed`: of the service times; None: those observed count.
    """
    closed = _closed_at_start(data)
    for name, steps in data.capacity_steps.items():
        added = next((at for at, capacity in steps if capacity != 0), 0.0)
        if added > 0:
            closed = {**closed, name: max(added, closed.get(name, 0.0))}
    known = {profile.name for profile in profiles}
    shut = tuple((name, until) for name, until in closed.items() if name in known)
    aligned = (data.header.get("backend") or {}).get("name") == "simulated"
    if seed is not None and not data.readded_at:
        made = [each for each in data.scenes if each.status == "succeeded"]
        scenes, times = tuple([each.id for each in made]), tuple([each.queued for each in made])
        return BoundQuestion(scenes, tuple(profiles), seed, shut, times, None, aligned)
    jobs = _jobs(data)
    done = [each for each in jobs if each.made and each.profile in known]
    scenes, times = tuple(each.scene for each in done), tuple(each.release for each in done)
    if seed is not None:
        return BoundQuestion(scenes, tuple(profiles), seed, shut, times, None, aligned)
    seconds = _service_seconds(data, jobs, profiles)
    means = _means(done, seconds, profiles)
    lengths = tuple(seconds[id(each)] / means[each.profile] for each in done)
    assumed = tuple(replace(each, service=Constant(means[each.name])) for each in profiles)
    return BoundQuestion(scenes, assumed, None, shut, times, lengths, aligned)


def _closed_at_start(data: RunData) -> dict[str, float]:
    """Return until when profiles were closed before the first attempt: cooldowns known from elsewhere."""
    found: dict[str, float] = {}
    kinds = {ev.AttemptStarted, ev.CooldownStarted}
    for event in compress(data.events, map(kinds.__contains__, map(type, data.events))):
        if isinstance(event, ev.AttemptStarted):
            break
        if isinstance(event, ev.CooldownStarted):
            found.update((name, max(event.until, found.get(name, 0.0))) for name in event.profiles)
    for window in data.cooldowns if found else ():
        if window.start == 0 and window.profile in found:  # released by hand, so it ended earlier
            found[window.profile] = min(found[window.profile], max(window.end, 0.0))
    return found


def _jobs(data: RunData) -> list[_Job]:
    """Return the jobs that were submitted in this run and accepted, in the order of acceptance."""
    added: dict[str, float] = {}
    started: dict[str, tuple[str, float]] = {}
    running: dict[str, _Job] = {}
    jobs: list[_Job] = []
    for event in data.events:
        match event:
            case ev.SceneAdded():
                added[event.scene.id] = event.at
            case ev.AskedAgain():  # its job was made, or begun, before
                running.pop(event.scene.id, None)
            case ev.AttemptStarted():
                started[event.scene] = event.profile, added.get(event.scene, 0.0)
                running.pop(event.scene, None)
            case ev.Accepted() if event.scene in started:
                job = _Job(event.scene, *started[event.scene], event.at)
                running[event.scene] = job
                jobs.append(job)
            case ev.Progressed() if event.scene in running:
                if event.status == "queued" or running[event.scene].begins == inf:
                    running[event.scene].begins = inf if event.status == "queued" else event.at
            case ev.Generated() | ev.JobFailed() | ev.SceneRequeued() | ev.SceneSettled():
                _end(running.get(event.scene), event.at)
            case ev.Fetched() if event.scene in running:
                job = running.pop(event.scene)
                _end(job, event.at)
                job.made = True
    return jobs


def _end(job: _Job | None, at: float) -> None:
    if job is not None and job.ends == inf:
        job.ends = at
        job.begins = min(job.begins, at)


def _service_seconds(data: RunData, jobs: Sequence[_Job], profiles: Sequence[SimulatedProfile]) -> dict[int, float]:
    """Return how long each job was worked on: not while it waited for a slot of its profile, or of a group's queue."""
    slots: dict[object, tuple[float, list[float]]] = {}
    lines: dict[str, list[object]] = defaultdict(list)
    for profile in profiles:
        group = profile.quota_group or profile.name
        queue = None if profile.limit is None else queues_over(profile.limit)
        if queue is not None:
            slots.setdefault(("group", group), (queue, []))
        if profile.capacity is not None:
            slots["profile", profile.name] = profile.capacity, []
            lines[profile.name].append(("profile", profile.name))
    for profile in profiles:
        if ("group", group := profile.quota_group or profile.name) in slots:
            lines[profile.name].append(("group", group))
    cut, seconds = without(data.off), dict[int, float]()
    for job in jobs:
        taken = [slots[line] for line in lines[job.profile]]
        begins = max([job.begins, *(busy[0] for count, busy in taken if len(busy) >= count)])
        begins = min(begins, job.ends)
        for count, busy in taken:
            heappush(busy, job.ends) if len(busy) < count else heapreplace(busy, job.ends)
        seconds[id(job)] = cut(job.ends) - cut(begins) if job.ends < inf else 0.0
    return seconds


def _means(
    made: Iterable[_Job], seconds: Mapping[int, float], profiles: Sequence[SimulatedProfile]
) -> dict[str, float]:
    """Return each profile's mean service as assumed, up to a common factor; or as observed, if that contradicts it."""
    assumed = {each.name: each.service.mean or 1.0 for each in profiles}
    ratios: dict[str, list[float]] = defaultdict(list)
    for job in made:
        ratios[job.profile].append(log(max(seconds[id(job)], SHORTEST) / assumed[job.profile]))
    factors: dict[str, float] = {}
    for name, mine in ratios.items():
        others = [each for other, values in ratios.items() if other != name for each in values]
        if len(mine) >= ENOUGH and len(others) >= ENOUGH:
            error = sqrt(variance(mine) / len(mine) + variance(others) / len(others))
            if abs(fmean(mine) - fmean(others)) > CERTAIN * error:
                factors[name] = fmean(mine)
    common = [each for name, mine in ratios.items() if name not in factors for each in mine]
    usual = fmean(common) if common else fmean(factors.values()) if factors else 0.0
    return {name: mean * exp(factors.get(name, usual)) for name, mean in assumed.items()}
