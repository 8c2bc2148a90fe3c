"""The shortest possible makespan of a few scenes, by trying all orders and profiles: what a bound is held against.

It shares nothing with `analysis.bounds`. In an order of submits, none is better sent later than at the first moment at
which its limits admit it; so all orders of (scene, profile) are all there is to try. What is found is carried out on a
`Provider`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import floor, inf
from random import Random

import vidgen_nb as vg
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    Empirical,
    Exponential,
    FixedWindow,
    Job,
    LogNormal,
    Provider,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.provider.limits import DAY, All, Limit
from vidgen_nb.provider.service import Service, uniform

__all__ = ["KINDS", "Instance", "achieved", "in_organisation", "instance", "optimum"]

ROUNDING = 1e-9
KINDS = ("bucket", "fixed", "sliding", "refuse", "queue", "sum", "day", "none")


@dataclass
class Instance:
    """What is to be made, and where."""

    kind: str
    profiles: list[SimulatedProfile]
    releases: list[float]
    opens: dict[str, float]
    seed: int

    @property
    def scenes(self) -> list[str]:
        """Ids of the scenes."""
        return [f"s{k}" for k in range(len(self.releases))]


@dataclass(frozen=True)
class Submit:
    """A submit that is admitted."""

    at: float
    scene: str
    profile: str


@dataclass(frozen=True)
class State:
    """What has been admitted so far."""

    at: float = 0.0
    admitted: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Times of admission by quota group and organisation."""
    ends: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """When jobs end, by quota group and organisation."""
    busy: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """When slots become free, by profile, and by group if its jobs queue."""
    last: float = 0.0
    """The latest end."""


def _parts(limit: Limit | None) -> tuple[Limit, ...]:
    return () if limit is None else limit.parts if isinstance(limit, All) else (limit,)


def _free_at(part: Limit, t: float, admitted: tuple[float, ...], ends: tuple[float, ...]) -> float:
    """Return the first moment from `t` on at which this limit admits one more."""
    match part:
        case TokenBucket(n, per=per):
            tokens, last = float(n), 0.0
            for at in admitted:
                tokens, last = min(n, tokens + (at - last) * n / per) - 1, at
            tokens = min(n, tokens + (t - last) * n / per)
            return t if tokens > 1 - ROUNDING else t + (1 - tokens) * per / n
        case SlidingWindow(n, per=per):
            return t if len(admitted) < n else max(t, admitted[-n] + per)
        case FixedWindow(n) | DailyQuota(n):
            per = DAY if isinstance(part, DailyQuota) else part.per
            window = floor(t / per + ROUNDING)
            full = sum(floor(at / per + ROUNDING) == window for at in admitted) >= n
            return (window + 1) * per if full else t
        case Concurrency(n, over="refuse"):
            running = sorted(end for end in ends if end > t + ROUNDING)
            return t if len(running) < n else running[len(running) - n]
        case _:
            return t


def _slot(slots: float, busy: tuple[float, ...], t: float) -> float:
    """Return when a slot is free, at the earliest at `t`."""
    return t if len(busy) < slots else max(t, min(busy))


def _taken(slots: float, busy: tuple[float, ...], end: float) -> tuple[float, ...]:
    """Return the slots' ends with one more job."""
    return tuple(sorted((*busy, end) if len(busy) < slots else (*sorted(busy)[1:], end)))


class _Search:
    def __init__(self, given: Instance) -> None:
        self.given = given
        self.limits: dict[str, tuple[Limit, ...]] = {}
        self.shared: dict[str, list[str]] = {}
        """What each profile shares limits with: its quota group, and its organisation."""
        for each in given.profiles:
            group, team = each.quota_group or f"alone {each.name}", each.organisation
            self.limits[group] = _parts(each.limit) or self.limits.get(group, ())
            self.shared[each.name] = [group]
            if team is not None:
                self.limits[f"organisation {team.name}"] = _parts(team.limit)
                self.shared[each.name].append(f"organisation {team.name}")
        us = {scene: uniform(given.seed, "service", scene) for scene in given.scenes}
        self.seconds = {
            scene: {each.name: each.service.seconds(u) for each in given.profiles} for scene, u in us.items()
        }
        self.release = dict(zip(given.scenes, given.releases, strict=True))
        self.best, self.plan = inf, tuple[Submit, ...]()

    def add(self, state: State, scene: str, profile: SimulatedProfile) -> State:
        """Return the state after one more submit, as early as it can be admitted."""
        name, shared = profile.name, self.shared[profile.name]
        limits = [(part, key) for key in shared for part in self.limits[key]]
        at = max(state.at, self.release[scene], self.given.opens.get(name, 0.0))
        while True:
            later = max(
                (_free_at(part, at, state.admitted.get(key, ()), state.ends.get(key, ())) for part, key in limits),
                default=at,
            )
            if later <= at + ROUNDING:
                break
            at = later
        capacity = inf if profile.capacity is None else profile.capacity
        queues = [part.n for part, _ in limits if isinstance(part, Concurrency) and part.over == "queue"]
        queue = min(queues, default=inf)
        line, own = state.busy.get(shared[0], ()), state.busy.get(name, ())
        end = _slot(capacity, own, _slot(queue, line, at)) + self.seconds[scene][name]
        return State(
            at,
            {**state.admitted, **{key: (*state.admitted.get(key, ()), at) for key in shared}},
            {**state.ends, **{key: (*state.ends.get(key, ()), end) for key in shared}},
            {**state.busy, shared[0]: _taken(queue, line, end), name: _taken(capacity, own, end)},
            max(state.last, end),
        )

    def go_on(self, state: State, left: tuple[str, ...], plan: tuple[Submit, ...]) -> None:
        """Try everything that can follow."""
        if not left:
            self.best, self.plan = state.last, plan
            return
        if any(max(state.at, self.release[each]) + min(self.seconds[each].values()) >= self.best for each in left):
            return
        following = [(self.add(state, scene, each), scene, each.name) for scene in left for each in self.given.profiles]
        for then, scene, name in sorted(following, key=lambda each: (each[0].last, each[0].at)):
            if then.last < self.best - ROUNDING:
                rest = tuple(each for each in left if each != scene)
                self.go_on(then, rest, (*plan, Submit(then.at, scene, name)))


def optimum(given: Instance) -> tuple[float, tuple[Submit, ...]]:
    """Return the shortest makespan, and the submits that lead to it."""
    search = _Search(given)
    search.go_on(State(), tuple(given.scenes), ())
    return search.best, search.plan


def achieved(given: Instance, plan: tuple[Submit, ...]) -> float:
    """Carry out the submits on a provider, and return the makespan; none is refused."""
    provider = Provider(given.profiles, given.seed)
    release = dict(zip(given.scenes, given.releases, strict=True))
    jobs = []
    for each in plan:
        assert each.at >= release[each.scene] and each.at >= given.opens.get(each.profile, 0.0)
        job = provider.submit(each.profile, each.scene, each.at)
        assert isinstance(job, Job), (given, plan, job)
        jobs.append(job)
    assert {job.scene for job in jobs} == set(given.scenes)
    return max(job.finish for job in jobs)


def _limit(random: Random, kind: str) -> Limit | None:
    n, per = random.choice([1, 1, 2, 3]), random.choice([5.0, 10, 17, 30])
    rates: list[Limit] = [TokenBucket(n, per=per), FixedWindow(n, per=per), SlidingWindow(n, per=per)]
    others = [FixedWindow(2, per=40), Concurrency(random.choice([1, 2])), Concurrency(2, over="queue")]
    return {
        "bucket": rates[0], "fixed": rates[1], "sliding": rates[2], "refuse": Concurrency(n),
        "queue": Concurrency(n, over="queue"), "sum": random.choice(rates) & random.choice(others),
        "day": DailyQuota(n) & random.choice(rates), "none": None,
    }[kind]  # fmt: skip


def _service(random: Random) -> Service:
    mean = random.choice([3, 8, 20])
    kinds = [Constant(mean), LogNormal(mean, random.choice([0.3, 1])), Exponential(mean), Empirical([mean, 3 * mean])]
    return random.choice(kinds)


def instance(number: int) -> Instance:
    """Return a small instance; every eighth has the same kind of limit."""
    random, kind = Random(number), KINDS[number % len(KINDS)]
    count = random.choice([1, 2, 2, 3])
    scenes = random.randint(3, 8 - count)
    team = count > 1 and random.random() < 0.4
    shared, alike = _limit(random, kind), _service(random) if random.random() < 0.4 else None
    profiles = [
        SimulatedProfile(
            f"p{k}",
            shared if team else _limit(random, kind),
            alike or _service(random),
            random.choice([None, 1, 1, 1, 2]),
            quota_group="team" if team else None,
        )
        for k in range(count)
    ]
    late, closed = random.random() < 0.5, random.random() < 0.3
    releases = [round(random.uniform(0, 40), 1) if late else 0.0 for _ in range(scenes)]
    opens = {each.name: random.choice([0.0, 15, 40]) for each in profiles} if closed else {}
    return Instance(kind, profiles, releases, opens, number)


def in_organisation(number: int) -> Instance:
    """Return a small instance whose profiles belong to an organisation, with a limit on top of their own."""
    random, given = Random(number), instance(number)
    n, per = random.choice([1, 2, 3]), random.choice([10.0, 17, 30])
    limits: list[Limit] = [TokenBucket(n, per=per), FixedWindow(n, per=per), SlidingWindow(n, per=per), Concurrency(n)]
    team = vg.Organisation("team", random.choice(limits))
    given.profiles = [replace(each, organisation=team) for each in given.profiles]
    return given
