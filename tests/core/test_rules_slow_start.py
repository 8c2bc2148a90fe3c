"""R21: a quota group's unanswered submits are at most 4 plus those it has accepted since its last 429."""

from __future__ import annotations

from random import Random

import vidgen_nb as vg
from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.outcomes import Permanent, Transient
from vidgen_nb.core.scheduler import Scheduler


def unanswered(world: World) -> int:
    """Return how many submits are in the air."""
    return sum(type(command) is Submit for command in world.open)


def accept_round(world: World) -> int:
    """Accept all that is in the air, and return how many there were."""
    scenes = [command.scene.id for command in world.open if type(command) is Submit]
    for scene in scenes:
        world.accept(scene)
    return len(scenes)


def test_r21_answers_double_what_is_in_the_air() -> None:
    """Of a thousand scenes four leave, then eight, then sixteen: nine rounds accept them all."""
    world = World(profiles=1, scenes=1000, mode=BOOST)
    assert [accept_round(world) for _ in range(9)] == [4, 8, 16, 32, 64, 128, 256, 492, 0]


def test_r21_a_first_429_finds_few_in_the_air() -> None:
    """The limit is unknown, the first answer is a 429: four submits were bought, not a thousand."""
    world = World(profiles=1, scenes=1000, mode=BOOST)
    world.limit("s1")
    world.sleep_until(29)
    assert len(world.submitted()) == 4


def test_r21_after_a_429_it_starts_again() -> None:
    """What was accepted before a 429 says nothing any more; the probe after the cooldown does."""
    world = World(profiles=1, scenes=100, mode=BOOST)
    accept_round(world)
    accept_round(world)
    scenes = [command.scene.id for command in world.open if type(command) is Submit]
    assert len(scenes) == 16
    world.limit(scenes[0])
    for scene in scenes[1:]:
        world.limit(scene)
    world.sleep_until(40)
    assert accept_round(world) == 1
    assert [accept_round(world) for _ in range(2)] == [5, 10]


def test_r21_is_the_groups_and_only_its() -> None:
    """Three profiles of one account have four submits in the air together; another account has four of its own."""
    team: dict[str, tuple[int | None, str]] = {
        "a": (None, "team"),
        "b": (None, "team"),
        "c": (None, "team"),
        "alone": (None, ""),
    }
    world = World(team, scenes=50, mode=BOOST)
    profiles = [profile for _, profile in world.submitted()]
    assert profiles.count("alone") == 4
    assert len(profiles) == 8
    world.accept(next(scene for scene, profile in world.submitted() if profile == "b"))
    assert [profile for _, profile in world.submitted()][8:] in (["c", "a"], ["b", "c"], ["a", "b"])


def test_r21_a_refusal_makes_room_and_does_not_widen() -> None:
    """Each refused or failed submit is followed by one other, no more."""
    world = World(profiles=1, scenes=50, mode=BOOST)
    world.fail("s1", Permanent("refused"))
    assert unanswered(world) == 4
    world.fail("s2", Transient("503"))
    assert unanswered(world) == 4


def test_r21_is_counted_where_a_submit_was_made() -> None:
    """A profile that moves to another account leaves its unanswered submits with the old one."""
    world = World({"a": (None, "old"), "b": (None, "old")}, scenes=20, mode=BOOST)
    world.feed(ev.ProfileRemoved("a"))
    world.feed(ev.ProfileAdded("a", None, "new"))
    assert unanswered(world) == 8
    accept_round(world)
    groups = {profile.name: profile.group for profile in world.scheduler.roster.profiles.values()}
    assert (groups["a"].max_unanswered, groups["b"].max_unanswered) == (8, 8)


def test_r21_a_job_that_ends_makes_no_room_in_the_air() -> None:
    """While a group has all the submits in the air that it may have, only their answers offer its profiles again."""
    world = World(profiles=4, scenes=100, mode=BOOST)
    world.accept("s1")
    assert unanswered(world) == 17
    world.finish("s1")
    assert unanswered(world) == 17
    assert world.scheduler.roster.rotation.offered == [], "no profile is tried in vain"
    world.accept("s2")
    assert unanswered(world) == 18


def test_r21_costs_nothing_where_answers_are_instant() -> None:
    """In virtual time without latency, a profile with room for all has them all at once."""
    run = vg.simulate(300, [vg.SimulatedProfile("p1")], mode="boost")
    assert {event.at for event in run.events if isinstance(event, ev.AttemptStarted)} == {0.0}


def test_r21_is_rebuilt_by_replay_and_not_asked_of_old_runs() -> None:
    """A replay knows what is in the air; a record of before, with a thousand in the air, is taken as it is."""
    world = World(profiles=1, scenes=60, mode=BOOST)
    accept_round(world)
    again = Scheduler.replay(world.scheduler.events, **{**world.settings, "rng": Random(1)})
    gate = again.roster.profiles["p1"].group
    assert (gate.unanswered, gate.max_unanswered) == (8, 8)
    old = [event for event in world.scheduler.events if not isinstance(event, ev.Accepted)]
    old = [event for event in old if not isinstance(event, ev.AttemptStarted)]
    started = [ev.AttemptStarted(f"s{index}", 1, "p1", "") for index in range(1, 51)]
    for event in started:
        event.at = 0.0  # type: ignore[misc]
    burst = Scheduler.replay([*old, *started], **{**world.settings, "rng": Random(1)})
    assert burst.submitting == 50
    assert burst.wake(1.0) == [], "no more leave before the burst is answered"
