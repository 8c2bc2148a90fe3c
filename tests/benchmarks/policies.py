"""All policies over seeded scenarios: makespan against `Paced` told the true limits, and how many attempts are refused.

Scenarios: 1-20 profiles, token buckets and windows of 1-20 from 2/min to 10/s, service 1-120 s, 30-60 scenes a profile.
Half of them have the same limit on all profiles, as accounts of one provider have. `Paced` is measured on two more
sets: the README's two profiles, and one profile with each of 36 limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, median

from tests.benchmarks.measure import Row
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    FixedWindow,
    Limit,
    LogNormal,
    Service,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import simulate

__all__ = [
    "MOST_AGAINST_COOLDOWN",
    "ONE_BY_ONE",
    "PACED_MOST",
    "Against",
    "Scenario",
    "differing",
    "lower_bound",
    "measure",
    "one_profile",
    "paced_against",
    "play",
    "readme",
    "scenarios",
]

Kind = type[TokenBucket] | type[FixedWindow] | type[SlidingWindow]
KINDS: tuple[Kind, ...] = (TokenBucket, FixedWindow, SlidingWindow)
SIZES = (1, 2, 3, 4, 5, 8, 10, 20)
SLOWEST, FASTEST = 2 / 60, 10.0
"""Submits a second."""
LONGEST = 120.0
"""Seconds of service."""
ONE_BY_ONE = Mode("one by one", max_submitting=1)
"""For policies that do not pace: in boost all scenes would be submitted, and refused, at once."""


@dataclass(frozen=True)
class Scenario:
    """What a run is made of."""

    seed: int
    limits: dict[str, Limit]
    services: dict[str, Service]
    scenes: int
    capacity: int | Mapping[str, int] | None = None
    """Of each profile; or by its name."""

    @property
    def truth(self) -> Paced:
        """The policy that is told the limits."""
        return Paced(self.limits)


@dataclass(frozen=True)
class Played:
    """What came of it."""

    makespan: float
    attempts: int
    rejected: int


def _limit(random: Random, kinds: Sequence[Kind] = KINDS) -> TokenBucket | FixedWindow | SlidingWindow:
    rate, n = SLOWEST * (FASTEST / SLOWEST) ** random.random(), random.choice(SIZES)
    return random.choice(kinds)(n, per=n / rate)


def _scenario(seed: int, constant: bool) -> Scenario:
    random = Random(seed)
    names = [f"p{number}" for number in range(1, random.randint(1, 20) + 1)]
    shared, alike = _limit(random), random.random() < 0.5
    same = Constant(LONGEST ** random.random())
    cv = random.choice((0.0, 0.2, 0.5))
    return Scenario(
        seed,
        {name: shared if alike else _limit(random) for name in names},
        {name: same if constant else LogNormal(LONGEST ** random.random(), cv) for name in names},
        len(names) * random.randint(30, 60),
        None if constant else random.choice((None, None, None, 4, 16)),
    )


def scenarios(count: int, *, constant: bool = False, first: int = 0) -> list[Scenario]:
    """Return so many; `constant`: one service time for all, and no bound on capacity."""
    return [_scenario(seed, constant) for seed in range(first, first + count)]


def differing(count: int) -> list[Scenario]:
    """Return scenarios of 2-10 profiles whose service times differ a lot, with token buckets."""
    found = []
    for seed in range(count):
        random = Random(seed)
        names = [f"p{number}" for number in range(1, random.randint(2, 10) + 1)]
        limits = {}
        for name in names:
            n = random.choice((1, 2, 4, 8))
            limits[name] = TokenBucket(n, per=n / (SLOWEST * 60 ** random.random()))
        services = {name: Constant(LONGEST ** random.random()) for name in names}
        found.append(Scenario(seed, {**limits}, {**services}, len(names) * random.randint(10, 40)))
    return found


def play(
    scenario: Scenario,
    policy: Policy,
    *,
    retry_after: bool,
    mode: Mode = BOOST,
    latency: float = 0.0,
    rate_headers: bool = False,
) -> Played:
    """Run a scenario under a policy to its end."""
    profiles = [
        SimulatedProfile(
            name,
            limit,
            scenario.services[name],
            scenario.capacity[name] if isinstance(scenario.capacity, Mapping) else scenario.capacity,
            retry_after,
            rate_headers=rate_headers,
        )
        for name, limit in scenario.limits.items()
    ]
    run = simulate(scenario.scenes, profiles, mode=mode, policy=policy, seed=scenario.seed, latency=latency)
    assert run.ended == "settled"
    kinds = [type(event) for event in run.events]
    makespan = max(event.at for event in run.events if type(event) is ev.Fetched)
    return Played(makespan, kinds.count(ev.AttemptStarted), kinds.count(ev.CallFailed))


class Against:
    """Makespans against others', and refused attempts, over many scenarios."""

    def __init__(self, played: Iterable[Played], others: Iterable[float]) -> None:
        self.runs = list(played)
        self.ratios = sorted(run.makespan / other for run, other in zip(self.runs, others, strict=True))
        self.rejected = sum(run.rejected for run in self.runs) / sum(run.attempts for run in self.runs)

    @property
    def median(self) -> float:
        """The median ratio."""
        return median(self.ratios)

    @property
    def mean(self) -> float:
        """The mean ratio."""
        return fmean(self.ratios)

    @property
    def p90(self) -> float:
        """The ratio that nine of ten do not exceed."""
        return self.ratios[int(0.9 * (len(self.ratios) - 1))]

    @property
    def worst(self) -> float:
        """The largest ratio."""
        return self.ratios[-1]

    def worst_against(self, others: Against) -> float:
        """Return the largest ratio of a makespan to that of others in the same scenario."""
        return max(run.makespan / other.makespan for run, other in zip(self.runs, others.runs, strict=True))

    def missed(self, most: Mapping[str, float]) -> dict[str, float]:
        """Return the figures that are above what they may be: none of them."""
        return {name: value for name in most if (value := getattr(self, name)) > most[name]}

    def __str__(self) -> str:
        return f"p90 {self.p90:.2f}, {self.rejected:.1%} rejected"


PACED_MOST: dict[bool, dict[str, float]] = {
    True: {"median": 1.001, "mean": 1.03, "p90": 1.10, "rejected": 0.055},
    False: {"median": 1.08, "p90": 1.35, "worst": 2.0, "rejected": 0.12},
}
"""What `Paced` has to reach against `Paced` told the limits: where 429s tell the wait, and where they do not."""
MOST_AGAINST_COOLDOWN = 1.2
"""The largest makespan of `Paced` against `PerProfileCooldown(30)`, in any scenario."""


def readme(seeds: Iterable[int]) -> list[Scenario]:
    """Return the two profiles of the README: a bucket, and a window with a bound on jobs at once."""
    return [
        Scenario(
            seed,
            {"alice": TokenBucket(4, per=60), "bruno": SlidingWindow(6, per=60) & Concurrency(4)},
            {"alice": LogNormal(20, 0.3), "bruno": LogNormal(15, 0.3)},
            60,
            {"alice": 3, "bruno": 4},
        )
        for seed in seeds
    ]


def one_profile() -> list[Scenario]:
    """Return 60 scenes on one profile, for 36 limits of all kinds."""
    return [
        Scenario(0, {"a": kind(n, per=per)}, {"a": Constant(15)}, 60, 8)
        for kind in KINDS
        for n in (2, 4, 6, 10)
        for per in (20, 60, 120)
    ]


def paced_against(given: Sequence[Scenario], *, retry_after: bool, mode: Mode = BOOST) -> Against:
    """Compare `Paced` with `Paced` told the limits, which is never refused."""
    told = [play(each, each.truth, retry_after=retry_after, mode=mode) for each in given]
    assert not any(run.rejected for run in told)
    found = (play(each, Paced(), retry_after=retry_after, mode=mode) for each in given)
    return Against(found, (run.makespan for run in told))


def _admitted(limit: Limit, t: float) -> int:
    """Return how many a limit admits by time t at most."""
    if t < 0:
        return 0
    if isinstance(limit, TokenBucket):
        return int(limit.n + t * limit.n / limit.per + 1e-6)
    assert isinstance(limit, FixedWindow | SlidingWindow)
    return limit.n * (1 + int((t + 1e-6) // limit.per))


def lower_bound(scenario: Scenario) -> float:
    """Return L3, a lower bound, for profiles without a bound on capacity: no schedule is done earlier, in seconds."""

    def enough(t: float) -> bool:
        admitted = (_admitted(limit, t - scenario.services[name].mean) for name, limit in scenario.limits.items())
        return sum(admitted) >= scenario.scenes

    low, high = 0.0, 1.0
    while not enough(high):
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


POLICIES: tuple[tuple[str, Callable[[], Policy]], ...] = (
    ("Paced()", Paced),
    ("PerProfileCooldown(30)", PerProfileCooldown),
    ("  honouring Retry-After", lambda: PerProfileCooldown(honour_retry_after=True)),
    ("ExponentialCooldown()", ExponentialCooldown),
    ("  jitter='full'", lambda: ExponentialCooldown(jitter="full")),
    ("  jitter='decorrelated'", lambda: ExponentialCooldown(jitter="decorrelated")),
    ("GlobalPause(30)", GlobalPause),
)
SCENARIOS = 100


def _policies(retry_after: bool) -> list[Row]:
    given = scenarios(SCENARIOS)
    best = [play(each, each.truth, retry_after=retry_after, mode=ONE_BY_ONE).makespan for each in given]
    rows = []
    all_found = {}
    what = "with Retry-After" if retry_after else "no Retry-After"
    for name, policy in POLICIES:
        found = Against((play(each, policy(), retry_after=retry_after, mode=ONE_BY_ONE) for each in given), best)
        all_found[name] = found
        rows += (
            _paced(found, f"{name}, {what}", retry_after)
            if name == "Paced()"
            else [Row(name, str(found), found.median)]
        )
    worst = all_found["Paced()"].worst_against(all_found["PerProfileCooldown(30)"])
    rows.append(Row("Paced() / PerProfileCooldown(30), worst", "", worst, most=MOST_AGAINST_COOLDOWN))
    for name, others in (("README's profiles, 60 seeds", readme(range(60))), ("one profile, 36 limits", one_profile())):
        rows += _paced(paced_against(others, retry_after=retry_after), f"Paced(), {name}, {what}", retry_after)
    return rows


def _paced(found: Against, name: str, retry_after: bool) -> list[Row]:
    most = PACED_MOST[retry_after]
    return [
        Row(name, str(found), found.median, most=most["median"]),
        *(
            Row(f"  makespan, {figure}", "", getattr(found, figure), most=most[figure])
            for figure in ("mean", "p90", "worst")
            if figure in most
        ),
        Row("  rejected", "", 100 * found.rejected, "%", most=100 * most["rejected"]),
    ]


def _finish() -> list[Row]:
    given = differing(SCENARIOS // 4)
    bounds = [lower_bound(each) for each in given]
    rows = []
    for name, policy in (
        ("limits known, in turns / bound", lambda each: each.truth),
        ("  EarliestFinish, service known", lambda each: EarliestFinish(each.truth, _means(each))),
        ("  EarliestFinish, service learned", lambda each: EarliestFinish(each.truth)),
    ):
        found = Against((play(each, policy(each), retry_after=True) for each in given), bounds)
        rows.append(Row(name, str(found), found.median))
    return rows


def _means(scenario: Scenario) -> dict[str, float]:
    return {name: service.mean for name, service in scenario.services.items()}


def measure() -> list[Row]:
    """Compare all policies; each row's value is the median makespan over that of `Paced` told the limits."""
    constant = scenarios(SCENARIOS, constant=True)
    bounds = [lower_bound(each) for each in constant]
    equal = Against((play(each, Paced(), retry_after=True) for each in constant), bounds)
    return [
        *_policies(True),
        *_policies(False),
        Row("Paced() / lower bound, equal service", str(equal), equal.median, most=1.05),
        *_finish(),
    ]
