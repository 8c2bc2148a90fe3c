"""Rules R14-R17: capacity, changes during a run, and that no scene is lost or run twice."""

from __future__ import annotations

import math

import pytest

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Fetch, Poll, Submit
from vidgen_nb.core.model import Artifact, Mode, Scene
from vidgen_nb.core.outcomes import Cancelled, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.core.policy import Cooldown
from vidgen_nb.errors import DuplicateScene, InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown


def test_commands_follow_events() -> None:
    """A scene is submitted, polled after 0.5 s and fetched, by commands alone."""
    world = World(profiles=1, scenes=1)
    scene = Scene("s1", "prompt s1")
    assert world.open == [Submit(scene, 1, "p1")]
    world.accept("s1")
    assert world.scheduler.next_wakeup() == 0.5
    (poll,) = world.sleep_until(0.5)
    assert isinstance(poll, Poll)
    assert poll.operation.id == "job-s1-1"
    world.feed(ev.Progressed("s1", 1, "running"))
    assert world.scheduler.next_wakeup() == pytest.approx(0.5 + 0.75)
    (fetch,) = world.feed(ev.Generated("s1", 1, Artifact("with_key")))
    assert isinstance(fetch, Fetch)
    assert world.feed(ev.Fetched("s1", 1, "s1.mp4")) == []
    assert world.status("s1") == "succeeded"
    assert world.scheduler.ended == "settled"


def test_r14_capacity_queues() -> None:
    """More scenes than slots: the others wait, and a free slot is taken at once."""
    world = World({"p1": (2, "")}, scenes=3, mode=BOOST)
    assert len(world.submitted()) == 2
    world.accept("s1")
    world.finish("s1")
    assert world.submitted()[-1] == ("s3", "p1")


def test_normal_mode_submits_one_at_a_time_and_four_per_profile() -> None:
    """Each submit is awaited; at most four scenes generate on a profile."""
    world = World(profiles=1, scenes=6)
    for scene in ("s1", "s2", "s3", "s4"):
        assert [s for s, _ in world.submitted()][-1] == scene
        world.accept(scene)
    assert len(world.submitted()) == 4


def test_r15_mode_and_profiles_change_during_a_run() -> None:
    """Boost takes effect at once; a removed profile finishes its attempts; an added one is used."""
    world = World(profiles=1, scenes=8)
    assert len(world.submitted()) == 1
    world.feed(ev.ModeChanged(Mode("boost", max_generating=3)))
    assert len(world.submitted()) == 3
    world.feed(ev.ProfileAdded("p2", 1))
    assert world.submitted()[3:] == [("s4", "p2")]
    world.feed(ev.ProfileRemoved("p1"))
    world.accept("s1")
    world.finish("s1")
    assert len(world.submitted()) == 4
    assert world.status("s1") == "succeeded"
    world.feed(ev.ProfileChanged("p2", 2))
    assert world.submitted()[-1] == ("s5", "p2")
    world.feed(ev.PolicyChanged(PerProfileCooldown(7)))
    world.limit("s5")
    assert world.events(ev.CooldownStarted)[-1].until == 7.0


def test_r16_pause_stop_and_cancel() -> None:
    """Pause holds new submits back; stop ends the run when running attempts have settled; the others keep waiting."""
    world = World(profiles=2, scenes=5)
    world.feed(ev.Paused())
    world.accept("s1")
    assert len(world.submitted()) == 1
    world.feed(ev.Unpaused())
    assert len(world.submitted()) == 2
    world.feed(ev.Stopped())
    world.accept("s2")
    world.finish("s1")
    assert world.scheduler.ended is None
    world.finish("s2")
    assert world.scheduler.ended == "stopped"
    assert [world.status(f"s{k}") for k in (3, 4, 5)] == ["queued"] * 3
    world.feed(ev.RunStarted())
    assert world.submitted()[-1] == ("s3", "p1")


def test_r16_cancel_reaches_the_provider() -> None:
    """Queued scenes are cancelled at once, generating ones at the provider, submitting ones once they are accepted."""
    world = World(profiles=1, scenes=3)
    world.accept("s1")
    commands = world.feed(ev.CancelRequested())
    assert [type(command) for command in commands] == [Cancel]
    assert [world.status(s) for s in ("s1", "s2", "s3")] == ["generating", "submitting", "cancelled"]
    assert Cancel in [type(command) for command in world.accept("s2")]
    world.feed(ev.CancelAnswered("s1", 1, "cancelled"))
    world.feed(ev.CancelAnswered("s2", 1, "requested"))
    world.sleep_until(5)
    world.feed(ev.JobFailed("s2", 1, Cancelled()))
    assert [world.status(s) for s in ("s1", "s2", "s3")] == ["cancelled"] * 3
    assert world.scheduler.ended == "settled"


def test_r17_late_and_second_answers_change_nothing() -> None:
    """An answer for an attempt that is over, or the same answer again, is ignored and not recorded."""
    world = World(profiles=2, scenes=1)
    world.limit("s1")
    before = len(world.scheduler.events)
    assert world.feed(ev.CallFailed("s1", 1, "submit", RateLimited())) == []
    world.accept("s1")
    world.sleep_until(0.5)
    world.feed(ev.Progressed("s1", 2, "running"))
    assert world.feed(ev.Progressed("s1", 2, "running")) == []
    assert world.feed(ev.Generated("s1", 1, Artifact("with_key"))) == []
    assert len(world.scheduler.events) == before + 2
    assert [type(c) for c in world.sleep_until(3)] == [Poll]


def test_r17_the_same_id_twice_is_an_error() -> None:
    """A scene that is not settled can't be added again; nothing changes."""
    world = World(profiles=1, scenes=2)
    before = list(world.scheduler.events)
    with pytest.raises(DuplicateScene, match="'s2' is already queued"):
        world.add("s2")
    assert world.scheduler.events == before


def test_requests_that_make_no_sense_change_nothing() -> None:
    """Unknown profiles and scenes, a repeated profile, a decision fed in: errors that name what is wrong."""
    world = World(profiles=1, scenes=1)
    before = list(world.scheduler.events)
    for event, text in [
        (ev.ProfileRemoved("nobody"), "nobody"),
        (ev.CancelRequested("s9"), "s9"),
        (ev.ProfileAdded("p1"), "already there"),
        (ev.PolicyChanged("fast"), "Policy"),
        (ev.RunEnded(ev.EndReason.SETTLED), "RunEnded"),
        (ev.CooldownImposed("p1", math.nan, "?"), "nan"),
    ]:
        with pytest.raises(InputError, match=text):
            world.feed(event)
    assert world.scheduler.events == before


def test_nothing_is_dispatched_once_the_run_has_ended() -> None:
    """A profile or a scene that comes after the end waits for the run to continue."""
    world = World(profiles=1, scenes=1)
    world.fail("s1", ProfileUnusable("401"))
    assert world.feed(ev.ProfileAdded("p2")) == []
    assert world.feed(ev.SceneAdded(Scene("s2", "x"))) == []
    assert [c.scene.id for c in world.feed(ev.RunStarted())] == ["s1"]


def test_r16_a_cancel_that_failed_is_repeated() -> None:
    """As long as the job runs; when the job is gone, the scene is cancelled, not failed."""
    world = World(profiles=1, scenes=1)
    world.accept("s1")
    world.feed(ev.CancelRequested("s1"))
    world.feed(ev.CallFailed("s1", 1, "cancel", Transient("503")))
    assert Cancel in [type(command) for command in world.sleep_until(5)]
    world.feed(ev.CallFailed("s1", 1, "poll", Permanent("404", "no_result")))
    assert world.status("s1") == "cancelled"


def test_r17_an_abandoned_attempt_is_held() -> None:
    """When a run is broken off, submits and accepted jobs are in doubt; the other scenes stay queued."""
    world = World(profiles=1, scenes=3)
    world.accept("s1")
    world.feed(ev.Stopped())
    world.feed(ev.AttemptAbandoned("s1", 1))
    world.feed(ev.AttemptAbandoned("s2", 1))
    assert [world.status(s) for s in ("s1", "s2", "s3")] == ["held", "held", "queued"]
    assert world.scheduler.ended == "stopped"
    assert "'job-s1-1'" in world.events(ev.SceneSettled)[0].reason


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(3)])
def test_a_policy_that_raises_loses_no_scene(error: BaseException) -> None:
    """Its exception gets out once the 429 is dealt with as by default: the group cools, the scene waits."""

    class Broken(PerProfileCooldown):
        def on_429(self, *_: object) -> Cooldown:
            raise error

    world = World(profiles=2, scenes=1, policy=Broken())
    with pytest.raises(type(error)):
        world.feed(ev.CallFailed("s1", 1, "submit", RateLimited()))
    assert world.scheduler.policy_fault is error
    assert world.status("s1") == "queued", "a policy with a bug submits nothing more in that step"
    assert list(world.scheduler.cooling(world.now).values()) == [30.0]


def test_a_profile_that_is_added_again_begins_anew() -> None:
    """A bad key from before is forgotten; a cooldown of its group is not."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", ProfileUnusable("401"))
    world.limit("s1")
    world.feed(ev.ProfileRemoved("p1"))
    world.feed(ev.ProfileAdded("p1"))
    assert world.profile_of("s1") == "p1"


def test_a_profile_and_a_group_do_not_share_a_name() -> None:
    """Otherwise a profile would cool with a group that it doesn't belong to (R1)."""
    with pytest.raises(InputError, match="use two names"):
        World({"team": (None, ""), "b": (None, "team")})
    with pytest.raises(InputError, match="use two names"):
        World({"b": (None, "team"), "team": (None, "")})


def test_a_policy_that_returns_nothing_is_told_what_to_return() -> None:
    """The most likely mistake in a user's own policy."""

    class Forgets(PerProfileCooldown):
        def on_429(self, *_: object) -> Cooldown:
            return None  # type: ignore[return-value]

    world = World(profiles=1, scenes=1, policy=Forgets())
    with pytest.raises(InputError, match=r"Forgets.on_429 returned None: a policy returns a Cooldown"):
        world.feed(ev.CallFailed("s1", 1, "submit", RateLimited()))
