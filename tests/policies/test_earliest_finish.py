"""EarliestFinish: who gets a scene when profiles do not take turns."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.benchmarks.policies import Against, differing, lower_bound, play
from tests.core.harness import BOOST, World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.policies.registry import describe, from_description
from vidgen_nb.provider import Constant, SimulatedProfile, TokenBucket
from vidgen_nb.run import simulate


def finish(service: dict[str, float] | None = None) -> EarliestFinish:
    """Return the policy over the default one."""
    return EarliestFinish(PerProfileCooldown(30), service)


def test_the_fastest_free_profile_gets_the_scene() -> None:
    """With known service times: the fastest first, the next one once that is full; a bounced scene goes elsewhere."""
    given: dict[str, tuple[int | None, str]] = {"slow": (1, ""), "fast": (2, ""), "middle": (1, "")}
    world = World(given, scenes=4, mode=BOOST, policy=finish({"slow": 9, "fast": 5, "middle": 7}))
    assert [profile for _, profile in world.submitted()] == ["fast", "fast", "middle", "slow"]
    world.limit("s1")
    assert world.profile_of("s1") is None  # nobody else is free, and its own profile cools
    world.accept("s3")
    world.finish("s3")
    assert world.profile_of("s1") == "middle"


def test_without_times_profiles_take_turns() -> None:
    """If nothing is known, profiles take turns (R4)."""
    world = World(profiles=3, scenes=6, mode=Mode("two", max_generating=2), policy=finish())
    assert [profile for _, profile in world.submitted()] == [*names("p", 3), *names("p", 3)]


def test_a_slow_profile_is_not_the_last_to_be_done() -> None:
    """Three scenes of 10 s on the fast profile, one after another, finish before one of 100 s on the other."""
    profiles = [SimulatedProfile("fast", None, Constant(10), 1), SimulatedProfile("slow", None, Constant(100), 1)]
    policy = finish({"fast": 10, "slow": 100})
    assert simulate(3, profiles, mode="boost", policy=policy).metrics().makespan == pytest.approx(30)
    assert simulate(3, profiles, mode="boost").metrics().makespan == pytest.approx(100)
    many = simulate(60, profiles, mode="boost", policy=policy)  # here it helps
    assert {attempt.profile for attempt in many.attempts} == {"fast", "slow"}
    assert (many.metrics().makespan or 0) < 570


def test_learned_times_keep_the_tail_short() -> None:
    """It learns by itself that one profile is slow, and keeps the last scenes off it."""
    profiles = [SimulatedProfile("fast", None, Constant(5), 1), SimulatedProfile("slow", None, Constant(90), 1)]
    learned = simulate(40, profiles, mode="boost", policy=finish()).metrics().makespan or 0
    in_turns = simulate(40, profiles, mode="boost").metrics().makespan or 0
    assert learned <= 195 < in_turns


def test_a_profile_that_is_out_does_not_hold_back_the_others() -> None:
    """Only usable profiles count: with the fast one gone, the slow one does the work."""
    given: dict[str, tuple[int | None, str]] = {"fast": (1, ""), "slow": (1, "")}
    world = World(given, scenes=3, mode=BOOST, policy=finish({"fast": 1, "slow": 100}))
    assert world.submitted() == [("s1", "fast")]
    world.feed(ev.ProfileRemoved("fast"))
    world.accept("s1")
    world.finish("s1")
    world.sleep_until(15)
    assert world.submitted()[1:] == [("s2", "slow")]


def test_it_is_near_the_bound_where_turns_are_not() -> None:
    """Limits known, service times 1-120 s: a median well below that of turns; learned times help, too."""
    given = differing(16)
    bounds = [lower_bound(each) for each in given]

    def median(policy: Any) -> float:
        return Against((play(each, policy(each), retry_after=True) for each in given), bounds).median

    def told(each: Any) -> Policy:
        return EarliestFinish(each.truth, {name: service.mean for name, service in each.services.items()})

    turns = median(lambda each: each.truth)
    assert median(told) < 1.1 < turns
    assert median(lambda each: EarliestFinish(each.truth)) < turns


def test_it_asks_the_other_policy() -> None:
    """What follows a 429, whether scenes move, and when a profile may submit are the inner policy's decisions."""
    assert not EarliestFinish(GlobalPause()).moves
    assert EarliestFinish().moves
    limit = TokenBucket(2, per=20)
    run = simulate(
        10, [SimulatedProfile("p1", limit, Constant(1))], mode="boost", policy=EarliestFinish(Paced({"p1": limit}))
    )
    assert not any(isinstance(event, ev.CallFailed) for event in run.events)


def test_it_is_recorded_with_the_policy_inside() -> None:
    """And comes back, pickled too."""
    policy = EarliestFinish(PerProfileCooldown(5), {"p1": 2.5})
    assert describe(policy) == {
        "name": "EarliestFinish",
        "policy": {"name": "PerProfileCooldown", "seconds": 5, "honour_retry_after": False, "cap": 600.0},
        "service": {"p1": 2.5},
    }
    assert from_description(describe(policy)) == policy == pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"policy": "Paced"}, "policy is another policy"),
        ({"policy": EarliestFinish()}, "policy is another policy"),
        ({"service": 3}, "service is a dict"),
        ({"service": {"p1": -3}}, "the service time of 'p1' must be"),
    ],
)
def test_settings_are_checked(wrong: Any, what: str) -> None:
    """The error says what is expected."""
    with pytest.raises(InputError, match=f"EarliestFinish: {what}"):
        EarliestFinish(**wrong)


def test_a_profile_held_back_goes_once_the_fast_ones_are_gone() -> None:
    """It does not wait for its next check when the others cool, are out of the rotation or are removed."""
    policy = EarliestFinish(Paced(), {"p1": 100, "p2": 1, "p3": 5})
    for gone in (ev.ProfileRemoved("p2"), ev.CooldownImposed("p2", 900, "elsewhere")):
        world = World(3, 4, BOOST, policy)
        assert "p1" not in [profile for _, profile in world.submitted()]
        world.limit("s2")
        world.feed(gone)
        assert world.profile_of("s2") == "p1"
