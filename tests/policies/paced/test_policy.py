"""Paced: given the limits it is never refused; learning them it is almost as fast, and rarely refused."""

from __future__ import annotations

import pickle
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from tests.audit import audit
from tests.benchmarks.policies import Against, play, scenarios
from tests.core.harness import World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, Operation, Scene
from vidgen_nb.core.outcomes import RateLimited, Transient
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.virtual import VirtualDriver
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Fault,
    FixedWindow,
    Limit,
    LimitState,
    LogNormal,
    Provider,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, simulate

LIMITS: list[Limit] = [
    TokenBucket(4, per=60),
    TokenBucket(1, per=20),
    FixedWindow(5, per=60),
    SlidingWindow(3, per=10),
    TokenBucket(10, per=1),
    Concurrency(3),
    TokenBucket(4, per=60) & Concurrency(2),
]


def run(limit: Limit, policy: Paced, *, scenes: int = 60, retry_after: bool = True, **more: Any) -> Run:
    """Run scenes on one profile."""
    profile = SimulatedProfile("p1", limit, Constant(5), retry_after=retry_after)
    return simulate(scenes, [profile], mode="boost", policy=policy, **more)


def refused(run: Run) -> list[float]:
    """Return when attempts were refused."""
    return [event.at for event in run.events if isinstance(event, ev.CallFailed)]


@pytest.mark.parametrize("limit", LIMITS, ids=repr)
def test_told_the_limit_it_is_never_refused(limit: Limit) -> None:
    """And as fast as the limit admits: a client that knows nothing and tries all the time is no faster."""
    told = run(limit, Paced({"p1": limit}))
    assert refused(told) == []
    assert {scene.status for scene in told.scenes} == {"succeeded"}
    eager = simulate(
        60, [SimulatedProfile("p1", limit, Constant(5))], policy=PerProfileCooldown(0, honour_retry_after=True)
    )
    assert (told.metrics().makespan or 0) <= (eager.metrics().makespan or 0) + 1e-6


def test_a_told_limit_is_the_groups() -> None:
    """Two profiles of a group share a limit that is given for the group or for one of them."""
    limit = TokenBucket(4, per=60) & Concurrency(2)
    profiles = [SimulatedProfile(name, limit, Constant(9), quota_group="team") for name in ("a", "b")]
    for key in ("team", "a"):
        shared = simulate(30, profiles, mode="boost", policy=Paced({key: limit}))
        assert refused(shared) == []
        assert shared.ended == "settled"
        assert {attempt.profile for attempt in shared.attempts} == {"a", "b"}


def test_no_burst_at_the_start() -> None:
    """At most one submit of a group is without an answer while its limit is unknown, however many scenes wait."""
    world = World({"p1": (None, ""), "p2": (None, "team"), "p3": (None, "team")}, scenes=50, mode=BOOST, policy=Paced())
    for _ in range(8):
        assert len({"team" if name != "p1" else name for name in map(world.profile_of, under_way(world))}) == 2
        assert len(under_way(world)) == 2
        world.accept(under_way(world)[0])
    world.limit(under_way(world)[0], 30.0)
    world.limit(under_way(world)[0], 30.0)
    assert under_way(world) == []


def under_way(world: World) -> list[str]:
    """Return the scenes whose submit has no answer."""
    return [name for name, state in world.scheduler.scenes.items() if state.status == "submitting"]


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        (TokenBucket(3, per=90), 2),
        (FixedWindow(3, per=90), 1),
        (SlidingWindow(3, per=90), 1),
        (TokenBucket(8, per=2), 2),
    ],
    ids=repr,
)
def test_a_true_retry_after_teaches_the_limit(limit: Limit, most: int) -> None:
    """One 429 finds a window, one more distinguishes a bucket; then nothing is refused, and nothing is lost."""
    learned, told = run(limit, Paced(), scenes=40), run(limit, Paced({"p1": limit}), scenes=40)
    assert len(refused(learned)) <= most
    assert learned.metrics().makespan == pytest.approx(told.metrics().makespan, rel=0.02)


@pytest.mark.parametrize("limit", [TokenBucket(4, per=40), FixedWindow(4, per=40), SlidingWindow(4, per=40)], ids=repr)
def test_without_one_it_finds_the_limit_by_trying(limit: Limit) -> None:
    """Within a third of what is possible, with few refusals."""
    learned = run(limit, Paced(), scenes=100, retry_after=False)
    told = run(limit, Paced({"p1": limit}), scenes=100)
    assert (learned.metrics().makespan or 0) < 1.35 * (told.metrics().makespan or 0)
    assert len(refused(learned)) <= 8


class Changing(Limit):
    """One limit until a time, then another."""

    __slots__ = ("after", "before", "when")

    def __init__(self, before: Limit, when: float, after: Limit) -> None:
        self.before, self.when, self.after = before, when, after

    def state(self) -> LimitState:
        """Return the first one's state."""
        return ChangingState(self)


class ChangingState(LimitState):
    """The state of the limit that holds."""

    __slots__ = ("now", "spec")

    def __init__(self, spec: Changing) -> None:
        self.spec, self.now = spec, spec.before.state()

    def ready_at(self, now: float) -> float:
        """Ask the one that holds."""
        if now >= self.spec.when and self.spec.when >= 0:
            self.now, self.spec = self.spec.after.state(), Changing(self.spec.after, -1.0, self.spec.after)
        return self.now.ready_at(now)

    def take(self, now: float) -> None:
        """Count in the one that holds."""
        self.now.take(now)


def changing(before: Limit, after: Limit, when: float, scenes: int, retry_after: bool) -> list[ev.Event]:
    """Return the events of a run whose limit changes."""
    scheduler = Scheduler(mode=BOOST, policy=Paced(), rng=Random(1))
    limit = Changing(before, when, after)
    provider = Provider([SimulatedProfile("p1", limit, Constant(1), retry_after=retry_after)])
    scheduler.handle(ev.ProfileAdded("p1"), 0.0)
    for name in names("s", scenes):
        scheduler.handle(ev.SceneAdded(Scene(name, name)), 0.0)
    VirtualDriver(scheduler, provider, [(0.0, ev.RunStarted())]).run()
    assert scheduler.ended == "settled"
    return scheduler.events


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize("kind", [TokenBucket, FixedWindow, SlidingWindow])
def test_it_recovers_when_the_limit_falls(kind: Any, retry_after: bool) -> None:
    """From 4 in 10 s to 2 in 20 s: few more refusals than necessary to notice, and work continues at the new pace."""
    events = changing(kind(4, per=10), kind(2, per=20), 200.0, 160, retry_after)
    late = [event.at for event in events if isinstance(event, ev.CallFailed) and event.at > 400]
    accepted = [event.at for event in events if isinstance(event, ev.Accepted) and event.at > 400]
    assert len(late) <= 0.15 * len(accepted)
    pace = len(accepted) / (accepted[-1] - accepted[0])
    assert pace > 0.6 * 0.1


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize("kind", [TokenBucket, FixedWindow, SlidingWindow])
def test_it_recovers_when_the_limit_rises(kind: Any, retry_after: bool) -> None:
    """From 2 in 20 s to 10 in 10 s, 10 times as many: it challenges the limit after a while, and gets most of it."""
    events = changing(kind(2, per=20), kind(10, per=10), 300.0, 900, retry_after)
    accepted = [event.at for event in events if isinstance(event, ev.Accepted)]
    last = accepted[-200:]
    assert 199 / (last[-1] - last[0]) > 0.5


def test_a_second_limit_is_obeyed_and_not_mistaken_for_the_first() -> None:
    """Two in 2 s and ten in a minute: a 429 of the slow limit does not make the fast one slow."""
    limit = TokenBucket(2, per=2) & FixedWindow(10, per=60)
    learned, told = run(limit, Paced(), scenes=80), run(limit, Paced({"p1": limit}), scenes=80)
    assert learned.metrics().makespan == pytest.approx(told.metrics().makespan, rel=0.05)
    assert len(refused(learned)) <= 12


@pytest.mark.parametrize("retry_after", [True, False])
def test_what_it_knows_follows_from_the_events(retry_after: bool) -> None:
    """A restored run decides as the one that was broken off would have, after each of its events."""
    limits = {"p1": TokenBucket(4, per=40), "p2": FixedWindow(3, per=20), "p3": SlidingWindow(2, per=15)}
    profiles = [SimulatedProfile(name, each, LogNormal(9, 0.5), 5, retry_after) for name, each in limits.items()]
    faults = [Fault("rate", probability=0.05)]
    events = simulate(60, profiles, mode="boost", policy=Paced(), seed=2, faults=faults).events
    asked, silent = Paced().for_run(), Paced().for_run()
    for event in events:
        for policy in (asked, silent):
            policy.observe(event, event.at)
        times = {name: asked.earliest(name, event.at) for name in limits}
        if type(event) is ev.CallFailed:
            assert {name: silent.earliest(name, event.at) for name in limits} == times
    assert any(type(event) is ev.CallFailed for event in events)


def test_a_concurrency_limit_is_learned_as_one() -> None:
    """After a 429 for concurrency, no more jobs run at once than were accepted; it doesn't count as a rate limit."""
    found = run(Concurrency(3), Paced(), scenes=60)
    assert len(refused(found)) <= 4
    assert found.metrics().makespan == pytest.approx(100, rel=0.3)


def test_other_failures_are_no_limits() -> None:
    """A submit with a passing failure uses up nothing and teaches nothing: the next profile gets the scene."""
    world = World(profiles=2, scenes=4, mode=BOOST, policy=Paced())
    world.fail("s1", Transient("503"))
    world.sleep_until(30)
    for _ in range(6):
        for scene in under_way(world):
            world.accept(scene)
    assert {world.status(scene) for scene in names("s", 4)} == {"generating"}


def test_what_one_run_teaches_the_next_does_not_know() -> None:
    """A policy object may be used again, copied and pickled: each run starts over, and is the same."""
    policy = Paced()
    first = run(FixedWindow(3, per=30), policy)
    for again in (policy, deepcopy(policy), pickle.loads(pickle.dumps(policy))):  # noqa: S301 - our own
        assert run(FixedWindow(3, per=30), again).events == first.events


def test_it_can_come_during_a_run() -> None:
    """It observes what has happened, so it knows the running jobs and the limit that was reached."""
    world = World(profiles=1, scenes=9, mode=BOOST)
    for scene in names("s", 9)[:3]:
        world.accept(scene)
    for scene in names("s", 9)[3:]:
        world.limit(scene, 60.0)
    world.feed(ev.PolicyChanged(Paced()))
    world.sleep_until(60)
    assert len(under_way(world)) == 1
    world.accept(under_way(world)[0])
    audit(world.scheduler.events, BOOST, turns=False)


def test_retry_after_above_the_cap_is_reported() -> None:
    """R7: for a wait longer than the cap, the group leaves the rotation."""
    world = World(profiles=1, scenes=1, policy=Paced(cap=100))
    world.limit("s1", 101)
    assert [event.unusable for event in world.events(ev.CooldownStarted)] == [True]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"limits": 4}, "limits is a dict"),
        ({"limits": {"p1": 4}}, "limit of 'p1' is one such as"),
        ({"cap": -1}, "cap"),
    ],
)
def test_settings_are_checked(wrong: Any, what: str) -> None:
    """The error says what is expected."""
    with pytest.raises(InputError, match=f"Paced: .*{what}"):
        Paced(**wrong)


def test_latency_costs_little() -> None:
    """With half a second per call, submits overlap once the limit is known; the learned limit stays right."""
    given = scenarios(10, first=40)
    for retry_after in (True, False):
        told = [play(each, each.truth, retry_after=retry_after, latency=0.5).makespan for each in given]
        found = Against((play(each, Paced(), retry_after=retry_after, latency=0.5) for each in given), told)
        assert found.median <= 1.2 and found.rejected < 0.09, found


def test_an_operation_needs_no_more_than_an_id() -> None:
    """An answer that nobody waits for is ignored."""
    policy = Paced()
    policy.observe(ev.Accepted("s1", 1, Operation("x"), at=1.0), 1.0)
    policy.observe(ev.CallFailed("s1", 1, "submit", RateLimited(), at=2.0), 2.0)
    assert policy.earliest("p1", 3.0) == 3.0
