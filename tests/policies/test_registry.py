"""Policies: built-in ones, users' own ones in the scheduler, and what is recorded of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.core.harness import BOOST, World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.events import Event
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.core.state import Gate
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced as LearningPaced
from vidgen_nb.policies.registry import RecordedPolicy, as_policy, describe, from_description
from vidgen_nb.provider import Constant, SimulatedProfile, TokenBucket
from vidgen_nb.run import simulate

GROUP = Gate("team")


@pytest.mark.parametrize(
    ("policy", "asked", "cooldown"),
    [
        (PerProfileCooldown(), 5.0, Cooldown("group", 130.0)),
        (PerProfileCooldown(7), None, Cooldown("group", 107.0)),
        (PerProfileCooldown(honour_retry_after=True), None, Cooldown("group", 130.0)),
        (PerProfileCooldown(honour_retry_after=True), 0.0, Cooldown("group", 100.0)),
        (PerProfileCooldown(honour_retry_after=True), 600.0, Cooldown("group", 700.0)),
        (PerProfileCooldown(honour_retry_after=True), 601.0, Cooldown("group", 701.0, unusable=True)),
        (PerProfileCooldown(honour_retry_after=True, cap=10), 11.0, Cooldown("group", 111.0, unusable=True)),
        (PerProfileCooldown(honour_retry_after=True), math.inf, Cooldown("group", math.inf, unusable=True)),
        (GlobalPause(), 5.0, Cooldown("all", 130.0)),
    ],
)
def test_what_follows_a_429(policy: Policy, asked: float | None, cooldown: Cooldown) -> None:
    """R7: 30 s, or with honour_retry_after what the server says, up to the cap; a longer wait takes the group out."""
    assert policy.on_429(GROUP, RateLimited(asked), 100.0) == cooldown


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, True, "30", None])
def test_settings_are_checked(seconds: Any) -> None:
    """An error names policy and setting."""
    with pytest.raises(InputError, match="PerProfileCooldown: seconds must be"):
        PerProfileCooldown(seconds)
    with pytest.raises(InputError, match="PerProfileCooldown: cap must be"):
        PerProfileCooldown(cap=seconds)
    with pytest.raises(InputError, match="GlobalPause: seconds must be"):
        GlobalPause(seconds)


def test_as_policy() -> None:
    """A name, or a policy itself; for anything else, also a class, the error lists what there is."""
    assert as_policy("GlobalPause") == GlobalPause()
    assert as_policy(own := Paced()) is own
    wrongs: list[Any] = ["Fastest", None, 30, []]
    for wrong in wrongs:
        with pytest.raises(InputError, match=r"choose one of PerProfileCooldown, GlobalPause, .*, or pass an"):
            as_policy(wrong)
    with pytest.raises(InputError, match=r"pass an instance of it, such as GlobalPause\(\)"):
        as_policy(GlobalPause)


@pytest.mark.parametrize(
    "policy",
    [
        PerProfileCooldown(5, honour_retry_after=True, cap=9),
        GlobalPause(1),
        ExponentialCooldown(2, 9, "full", 4),
        LearningPaced(cap=30),
        EarliestFinish(LearningPaced(), {"p1": 3}),
        RecordedPolicy("Mine", (("x", 1),)),
    ],
)
def test_a_described_policy_comes_back(policy: Policy) -> None:
    """By its class's name and its settings."""
    assert from_description(describe(policy)) == policy


def test_told_limits_are_recorded_as_text() -> None:
    """People can read them; rebuilding them is the task of `recording.policies`."""
    described = describe(LearningPaced({"p1": TokenBucket(4, per=60)}))
    assert described["limits"] == {"p1": "TokenBucket(n=4, per=60)"}
    assert isinstance(from_description(described), RecordedPolicy)


@dataclass
class Paced(Policy):
    """A user's own policy: a profile submits every 10 s at most, and it remembers all that it saw."""

    gap: float = 10.0
    seen: list[Event] = field(default_factory=list, init=False)
    last: dict[str, float] = field(default_factory=dict, init=False)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait as long again."""
        return Cooldown("group", now + self.gap)

    def earliest(self, profile: str, now: float) -> float:
        """Return when its last submit is long enough ago."""
        return self.last.get(profile, -math.inf) + self.gap

    def observe(self, event: Event, now: float) -> None:
        """Note submits, and everything."""
        assert event.at == now
        self.seen.append(event)
        if isinstance(event, ev.AttemptStarted):
            self.last[event.profile] = now


def test_a_users_policy_paces_and_learns() -> None:
    """Submits of a profile are 10 s apart, with no profile left waiting longer, and it sees every event."""
    policy = Paced()
    world = World(profiles=2, scenes=7, mode=BOOST, policy=policy)
    world.sleep_until(12)
    world.limit("s1")
    world.accept("s2")
    world.sleep_until(100)
    starts = {name: [e.at for e in world.events(ev.AttemptStarted) if e.profile == name] for name in names("p", 2)}
    assert starts == {"p1": [0.0, 10.0, 22.0], "p2": [0.0, 10.0, 20.0, 30.0, 40.0]}  # p1 cools, and then probes
    assert policy.seen == world.scheduler.events
    assert describe(policy) == {"name": "Paced", "gap": 10.0}


@dataclass(frozen=True)
class Answers(Policy):
    """A policy that answers a 429 in some odd way."""

    until: float
    error: Exception | None = None

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Answer, or fail."""
        if self.error is not None:
            raise self.error
        return Cooldown("group", self.until)


@pytest.mark.parametrize("until", [-math.inf, 0.0, -5.0])
def test_a_time_that_makes_no_sense_is_the_least_cooldown(until: float) -> None:
    """R7: whatever a policy returns, it can't block a profile forever or cool it for less than 1 s."""
    world = World(profiles=1, scenes=1, policy=Answers(until))
    world.sleep_until(5)
    world.limit("s1")
    assert [event.until for event in world.events(ev.CooldownStarted)] == [6.0]
    world.sleep_until(6)
    assert world.submitted() == [("s1", "p1"), ("s1", "p1")]


def test_a_cooldown_that_ends_at_no_time_is_an_error_of_the_policy() -> None:
    """NaN says nothing; the group cools for R7's default meanwhile, as after any bug."""
    world = World(profiles=1, scenes=1, policy=Answers(math.nan))
    with pytest.raises(InputError, match="until is a time in run seconds, not nan"):
        world.limit("s1")
    assert [event.until for event in world.events(ev.CooldownStarted)] == [30.0]


class AtOnce(Policy):
    """Submits again in the same moment, for ever."""

    min_cooldown = 0.0

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Rest for no time."""
        return Cooldown("group", now)


def test_no_policy_asks_without_end() -> None:
    """R7: even without a minimum of its own, the ninth 429 in a row cools for longer, up to a second."""
    run = simulate(6, [SimulatedProfile("p1", TokenBucket(2, per=60))], policy=AtOnce(), mode="boost")
    assert len(run.attempts) < 250
    lengths = [each.end - each.start for each in run.cooldowns[:24]]
    assert lengths[:8] == pytest.approx([1e-3] * 8)
    assert lengths[8:10] == pytest.approx([2e-3, 4e-3])
    assert lengths[18:] == pytest.approx([1.0] * 6)


def test_a_cooldown_without_an_end_takes_the_profile_out() -> None:
    """R11: nobody waits forever; when no other profile is left, the run ends and says why."""
    world = World(profiles=1, scenes=1, policy=Answers(math.inf))
    world.limit("s1")
    assert [event.unusable for event in world.events(ev.CooldownStarted)] == [True]
    assert world.scheduler.ended == "no usable profile"
    assert world.status("s1") == "queued"


def test_an_error_in_a_policy_is_raised_as_it_is() -> None:
    """It is a bug in the user's code: no scheduler hides or renames it."""
    error = ZeroDivisionError("in my policy")
    world = World(profiles=1, scenes=1, policy=Answers(0.0, error))
    with pytest.raises(ZeroDivisionError) as caught:
        world.limit("s1")
    assert caught.value is error


class Doubling(Policy):
    """As written in a notebook cell, without imports of types: the example of `Policy`."""

    def on_429(self, group, outcome, now):  # type: ignore[no-untyped-def]
        """Cool twice as long each time."""
        return Cooldown("group", until=now + min(5 * 2 ** (group.strikes - 1), 300))


def test_a_policy_of_ones_own_runs_everywhere() -> None:
    """One method is enough: in a simulation, inside another policy, recorded by its name, and called for each 429."""
    profiles = [SimulatedProfile("p1", TokenBucket(2, per=60), Constant(5))]
    run = simulate(6, profiles, policy=Doubling())
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    lengths = [event.until - event.at for event in run.events if isinstance(event, ev.CooldownStarted)]
    assert lengths[:3] == pytest.approx([5, 10, 20])
    assert run.header["policy"] == {"name": "Doubling"}
    inside = simulate(6, profiles, policy=EarliestFinish(Doubling()))
    assert inside.metrics().makespan == run.metrics().makespan


@dataclass
class Counting(Policy):
    """A policy that counts accepted submits, from 0 in each run."""

    accepted: int = field(default=0, init=False)

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Cool a little."""
        return Cooldown("group", now + 1)

    def observe(self, event: Event, now: float) -> None:
        """Count."""
        self.accepted += isinstance(event, ev.Accepted)

    def for_run(self) -> Counting:
        """Begin with nothing."""
        return Counting()


def test_a_policy_that_learns_begins_each_run_anew_and_knows_its_past() -> None:
    """A copy decides, and first observes what has happened; the scheduler shows the given policy."""
    given = Counting()
    world = World(profiles=1, scenes=4, mode=BOOST)
    world.accept("s1")
    world.accept("s2")
    world.feed(ev.PolicyChanged(given))
    world.accept("s3")
    deciding: Any = world.scheduler._context.policy
    assert (given.accepted, deciding.accepted) == (0, 3)
    assert world.scheduler.policy is given


@pytest.mark.parametrize("wrong", [None, math.nan, "soon", [1.0]])
@pytest.mark.parametrize(("method", "inside"), [("earliest", False), ("earliest", True), ("finish", False)])
def test_a_time_that_is_none_is_told(method: str, wrong: object, inside: bool) -> None:
    """The error names the user's class, its method and what it returned; also if it is inside another policy."""
    own = type("Own", (PerProfileCooldown,), {method: lambda *_: wrong})()
    policy = EarliestFinish(own) if inside else own
    says = re.escape(f"Own.{method} returned {wrong!r}: it must return run seconds")
    with pytest.raises(InputError, match=says):
        World(profiles=2, scenes=2, policy=policy)


def test_any_number_is_a_time() -> None:
    """Whole numbers, -inf and inf are times, too."""
    own = type("Own", (PerProfileCooldown,), {"earliest": lambda *_: 0, "finish": lambda *_: math.inf})()
    assert World(profiles=2, scenes=2, policy=own).submitted()
    own = type("Own", (PerProfileCooldown,), {"earliest": lambda *_: math.inf, "finish": lambda *_: -math.inf})()
    assert not World(profiles=2, scenes=2, policy=own).submitted()
