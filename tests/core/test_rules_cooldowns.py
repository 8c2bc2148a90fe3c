"""Rules R1-R7, R18 and R19: where a bounced scene goes, and how long its quota group cools."""

from __future__ import annotations

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.model import Mode
from vidgen_nb.core.outcomes import Permanent, ProfileUnusable
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown


def test_r1_only_the_limited_group_cools() -> None:
    """A 429 cools the profiles that share the limited one's quota group, and no other."""
    world = World({"p1": (None, "team"), "p2": (None, "team"), "p3": (None, "")}, scenes=3, mode=BOOST)
    world.limit("s1")
    assert [(e.group, e.profiles, e.until) for e in world.events(ev.CooldownStarted)] == [("team", ("p1", "p2"), 30.0)]
    assert world.profile_of("s1") == "p3"


def test_r2_bounced_scenes_keep_the_original_order_in_front() -> None:
    """Bounced scenes go before those that never ran, in original order; a single scene goes before them."""
    world = World(profiles=2, scenes=4, mode=Mode("two", max_generating=1))
    world.limit("s2")
    world.limit("s1")
    world.add("single", single=True)
    world.sleep_until(30)
    world.open.clear()
    assert world.submitted()[2:] == [("single", "p1"), ("s1", "p2")]


def test_r3_a_bounced_scene_goes_to_another_profile_at_once() -> None:
    """The next attempt starts at the same instant, elsewhere, although the profile that bounced it is next in turn."""
    world = World(profiles=2, scenes=1)
    world.limit("s1", retry_after=0)
    assert world.submitted() == [("s1", "p1"), ("s1", "p2")]
    assert world.events(ev.AttemptStarted)[1].reason == "moved from p1"


def test_r3_back_to_the_same_profile_only_after_its_cooldown() -> None:
    """With Retry-After: 0 and nobody else, the scene comes back no sooner than the least cooldown ends."""
    world = World(profiles=1, scenes=1, policy=PerProfileCooldown(honour_retry_after=True))
    assert world.limit("s1", retry_after=0) == []
    assert world.sleep_until(0.999) == []
    assert len(world.sleep_until(1.0)) == 1
    assert world.events(ev.AttemptStarted)[1].reason == "back on p1: no other profile is free"


def test_r3_remembers_every_group_that_bounced_it() -> None:
    """Of three profiles, the one that has not bounced the scene yet is preferred when all are free again."""
    world = World(profiles=3, scenes=1, policy=PerProfileCooldown(5))
    world.feed(ev.CooldownImposed("p3", 20.0, "an earlier run"))
    world.limit("s1")
    world.limit("s1")
    assert world.sleep_until(4) == []
    world.feed(ev.Paused())
    world.sleep_until(20)
    world.feed(ev.Unpaused())
    assert world.submitted() == [("s1", "p1"), ("s1", "p2"), ("s1", "p3")]


def test_r4_round_robin() -> None:
    """Profiles take turns; a profile that comes back is next when its turn comes, not before."""
    world = World(profiles=3, scenes=4, mode=BOOST)
    assert [profile for _, profile in world.submitted()] == ["p1", "p2", "p3", "p1"]
    world.limit("s2")
    assert world.submitted()[-1] == ("s2", "p3")
    world.accept("s2")
    world.sleep_until(30)
    world.add("s5", "s6")
    assert [profile for _, profile in world.submitted()[-2:]] == ["p1", "p2"]


def test_r5_waits_for_the_earliest_cooldown() -> None:
    """When all profiles cool the scheduler waits, and continues the moment the first cooldown ends."""
    world = World(profiles=2, scenes=1)
    world.limit("s1")
    world.sleep_until(7)
    assert world.limit("s1") == []
    assert world.scheduler.ended is None
    assert world.scheduler.next_wakeup() == 30.0
    (submit,) = world.sleep_until(30)
    assert submit.profile == "p1"


def test_r6_a_cooldown_never_shortens_and_a_late_429_is_no_strike() -> None:
    """Two submits leave together; the second 429 is late: it moves the end, and counts no strike."""
    world = World(profiles=1, scenes=2, mode=BOOST, policy=PerProfileCooldown(honour_retry_after=True))
    world.sleep_until(1)
    world.limit("s1", retry_after=20)
    world.sleep_until(2)
    world.limit("s2", retry_after=5)
    assert [e.until for e in world.events(ev.CooldownStarted)] == [21.0]
    assert world.scheduler.roster.groups["p1"].strikes == 1
    world.sleep_until(21)
    world.limit("s1", retry_after=0)
    assert world.events(ev.CooldownStarted)[-1].until == 23.0
    assert world.scheduler.roster.groups["p1"].strikes == 2


def test_r7_the_least_cooldown_doubles_and_is_reset() -> None:
    """1, 2, 4 s with consecutive 429s; 1 s again after a submit was accepted."""
    world = World(profiles=1, scenes=2, policy=PerProfileCooldown(0))
    ends = []
    for _ in range(3):
        world.limit("s1")
        ends.append(world.events(ev.CooldownStarted)[-1].until - world.now)
        world.sleep_until(world.now + ends[-1])
    assert ends == [1.0, 2.0, 4.0]
    world.accept("s1")
    world.limit("s2")
    assert world.events(ev.CooldownStarted)[-1].until - world.now == 1.0


def test_r7_a_wait_above_the_cap_makes_the_profile_unusable() -> None:
    """A Retry-After of 900 s with a cap of 600 s takes the profile out of the rotation for that long."""
    world = World(profiles=2, scenes=1, policy=PerProfileCooldown(honour_retry_after=True))
    world.limit("s1", retry_after=900)
    (cooldown,) = world.events(ev.CooldownStarted)
    assert (cooldown.until, cooldown.unusable) == (900.0, True)
    assert world.profile_of("s1") == "p2"


def test_r18_one_probe_after_a_cooldown() -> None:
    """After a cooldown one submit goes; the others follow when it is accepted, not before."""
    world = World(profiles=1, scenes=4, mode=BOOST)
    for scene in ("s1", "s2", "s3", "s4"):
        world.limit(scene)
    assert len(world.sleep_until(60)) == 1
    world.add("s5", "s6")
    assert len(world.submitted()) == 5
    assert len([c for c in world.accept("s1") if isinstance(c, Submit)]) == 5


def test_r18_a_probe_that_fails_otherwise_is_followed_by_another_probe() -> None:
    """A probe that ends in a content refusal proves nothing: again one submit goes, not all."""
    world = World(profiles=1, scenes=3, mode=BOOST)
    for scene in ("s1", "s2", "s3"):
        world.limit(scene)
    world.sleep_until(30)
    assert len(world.fail("s1", Permanent("refused"))) == 1


def test_r19_last_429_at() -> None:
    """The time of the latest 429 on any profile is kept."""
    world = World(profiles=2, scenes=1)
    assert world.scheduler.last_429_at is None
    world.sleep_until(3)
    world.limit("s1")
    assert world.scheduler.last_429_at == 3.0


def test_a_cooldown_released_by_hand_ends_now() -> None:
    """The user can end a cooldown, and bring an unusable profile back."""
    world = World(profiles=1, scenes=1)
    world.limit("s1")
    world.sleep_until(4)
    assert len(world.feed(ev.CooldownReleased("p1"))) == 1
    world.fail("s1", ProfileUnusable("401"))
    assert world.scheduler.ended == "no usable profile"
    assert world.feed(ev.CooldownReleased("p1")) == []
    assert len(world.feed(ev.RunStarted())) == 1


def test_global_pause_stops_all_and_retries_on_the_same_profile() -> None:
    """The naive baseline: nobody submits for 30 s, then the scene goes back to the profile that bounced it."""
    world = World(profiles=3, scenes=3, policy=GlobalPause(30))
    world.accept("s1")
    world.limit("s2")
    assert [c for c in world.sleep_until(29.9) if isinstance(c, Submit)] == []
    assert {e.group for e in world.events(ev.CooldownStarted)} == {"p1", "p2", "p3"}
    world.sleep_until(30)
    assert world.submitted()[2:] == [("s2", "p2")]
    assert world.events(ev.AttemptStarted)[2].reason == "back on p2"


def test_a_better_policy_frees_scenes_that_wait_for_one_profile() -> None:
    """Changing from GlobalPause to a policy that moves lets bounced scenes go anywhere."""
    world = World(profiles=2, scenes=1, policy=GlobalPause(30))
    world.limit("s1")
    world.feed(ev.PolicyChanged(PerProfileCooldown()))
    world.feed(ev.CooldownReleased("p2"))
    assert world.submitted() == [("s1", "p1"), ("s1", "p2")]


def test_r2_a_single_scene_goes_before_scenes_that_wait_for_their_profile() -> None:
    """Also under a policy that does not move scenes."""
    world = World(profiles=1, scenes=1, policy=GlobalPause(30))
    world.limit("s1")
    world.add("now", single=True)
    world.sleep_until(30)
    assert world.submitted()[-1] == ("now", "p1")
