"""The rules R1-R20 of design.md, one by one, on the scheduler with an explicit clock."""

from __future__ import annotations

import math

import pytest

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Fetch, Poll, Submit
from vidgen_nb.core.model import Artifact, Mode, RetryPolicy, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.core.policy import Cooldown
from vidgen_nb.errors import DuplicateScene, InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown


def test_commands_follow_events() -> None:
    """A scene is submitted, polled after 0.5 s, fetched and done, by commands alone."""
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
    """When all profiles cool the scheduler waits, and goes on the moment the first cooldown ends."""
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


def test_r8_429s_do_not_use_up_the_failure_budget() -> None:
    """A scene survives 50 429s with a budget of one failure."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(max_failures=1), policy=PerProfileCooldown(30))
    for _ in range(50):
        world.limit("s1")
        world.sleep_until(world.scheduler.next_wakeup() or math.nan)
    assert world.status("s1") == "submitting"


def test_r8_the_deadline_bounds_429s() -> None:
    """With a deadline, a scene still queued when it is over fails, at that time."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(deadline=10))
    world.limit("s1")
    world.sleep_until(10)
    (settled,) = world.events(ev.SceneSettled)
    assert (settled.status, settled.at) == ("failed", 10.0)


def test_r9_transient_failures_back_off_elsewhere_and_use_the_budget() -> None:
    """A 503 is retried on another profile after at most the back-off; the last failure of the budget ends the scene."""
    world = World(profiles=3, scenes=1, retry=RetryPolicy(max_failures=3, backoff=2.0))
    world.fail("s1", Transient("503"))
    (requeued,) = world.events(ev.SceneRequeued)
    assert 0 < requeued.not_before <= 2.0
    world.sleep_until(2)
    world.fail("s1", Transient("503"))
    world.sleep_until(6)
    world.fail("s1", Transient("503"))
    assert [profile for _, profile in world.submitted()] == ["p1", "p2", "p3"]
    assert world.status("s1") == "failed"
    assert "gave up after 3 failures" in world.events(ev.SceneSettled)[0].reason


def test_r9_a_profile_that_keeps_failing_cools_alone() -> None:
    """The second failure in a row cools the profile, not its group, for 5 s; the next one for 10 s."""
    world = World({"p1": (None, "team"), "p2": (None, "team")}, retry=RetryPolicy(backoff=0))
    world.feed(ev.CooldownImposed("p2", math.inf, "bad key", alone=True, unusable=True))
    world.add("s1")
    windows = []
    for _ in range(3):
        world.fail("s1", Transient("503"))
        world.sleep_until(world.now + 20)
    windows = [(e.alone, e.profiles, e.until - e.at) for e in world.events(ev.CooldownStarted)[1:]]
    assert windows == [(True, ("p1",), 5.0), (True, ("p1",), 10.0)]


def test_r10_permanent_failures_end_the_scene_and_can_be_retried_by_hand() -> None:
    """A refused prompt fails at once; added again by hand it runs as attempt 2."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", Permanent("content policy", "content"))
    assert (world.status("s1"), world.scheduler.ended) == ("failed", "settled")
    (submit,) = world.add("s1")
    assert (submit.number, world.scheduler.ended) == (2, None)


def test_r11_an_unusable_profile_leaves_and_the_run_goes_on() -> None:
    """A bad key takes the profile out for good; its scene moves on at no cost."""
    world = World(profiles=2, scenes=1, retry=RetryPolicy(max_failures=1))
    world.fail("s1", ProfileUnusable("401: invalid api key", "auth"))
    assert world.profile_of("s1") == "p2"
    world.accept("s1")
    world.sleep_until(9000)
    world.add("s2")
    assert world.profile_of("s2") == "p2"


def test_r11_the_run_ends_when_no_profile_is_usable() -> None:
    """With every key refused the run ends; the scene stays queued."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", ProfileUnusable("401", "auth"))
    world.fail("s1", ProfileUnusable("402", "credit"))
    assert (world.scheduler.ended, world.status("s1")) == ("no usable profile", "queued")


@pytest.mark.parametrize(("wait", "ended"), [(3600.0, None), (3601.0, "no usable profile")])
def test_r11_a_known_time_is_waited_for_up_to_max_wait(wait: float, ended: str | None) -> None:
    """A day's quota that is back within max_wait is waited for; a later one ends the run."""
    world = World(profiles=1, scenes=1)
    world.fail("s1", ProfileUnusable("quota of the day", "day_quota", wait))
    assert world.scheduler.ended == ended
    if ended is None:
        assert len(world.sleep_until(3600)) == 1


def test_r12_an_ambiguous_submit_is_held() -> None:
    """A submit that may have been accepted is never sent again by itself."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", Ambiguous("502 on submit"))
    assert world.status("s1") == "held"
    assert "run the scene again" in world.events(ev.SceneSettled)[0].reason
    assert len(world.submitted()) == 1


def test_r12_retry_opts_in() -> None:
    """With on_ambiguous='retry' it is retried like a transient failure."""
    world = World(profiles=2, scenes=1, on_ambiguous="retry")
    world.fail("s1", Ambiguous("502 on submit"))
    world.sleep_until(1)
    assert world.submitted() == [("s1", "p1"), ("s1", "p2")]


def test_r12_trouble_with_an_accepted_job_never_submits_again() -> None:
    """Polls and fetches that fail are tried again on the same operation until the budget is used up."""
    world = World(profiles=2, scenes=1, retry=RetryPolicy(max_failures=3, backoff=0))
    world.accept("s1")
    for phase in ("poll", "poll"):
        world.sleep_until(world.now + 10)
        world.feed(ev.CallFailed("s1", 1, phase, Transient("503")))
    world.sleep_until(world.now + 10)
    world.feed(ev.Generated("s1", 1, Artifact("with_key")))
    world.feed(ev.CallFailed("s1", 1, "fetch", Transient("cut off")))
    assert world.status("s1") == "failed"
    assert "job-s1-1" in world.events(ev.SceneSettled)[0].reason
    assert len(world.submitted()) == 1


def test_r12_a_key_that_dies_while_a_job_runs_holds_the_scene() -> None:
    """A 401 on a poll: the job is paid for and out of reach, so the scene is held, not sent to another profile."""
    world = World(profiles=2, scenes=1)
    world.accept("s1")
    world.sleep_until(1)
    world.feed(ev.CallFailed("s1", 1, "poll", ProfileUnusable("401")))
    assert (world.status("s1"), len(world.submitted())) == ("held", 1)


def test_a_job_that_broke_for_a_passing_reason_is_submitted_again() -> None:
    """The provider says that the job failed inside: nothing is left to wait for, so another attempt follows."""
    world = World(profiles=2, scenes=1, retry=RetryPolicy(backoff=0))
    world.accept("s1")
    world.sleep_until(1)
    world.feed(ev.JobFailed("s1", 1, Transient("internal error")))
    assert world.submitted() == [("s1", "p1"), ("s1", "p2")]


def test_a_limit_on_polls_cools_nobody() -> None:
    """A 429 on a poll delays that poll and nothing else."""
    world = World(profiles=1, scenes=1)
    world.accept("s1")
    world.sleep_until(0.5)
    world.feed(ev.CallFailed("s1", 1, "poll", RateLimited(8.0)))
    assert world.scheduler.next_wakeup() == 8.5
    assert world.events(ev.CooldownStarted) == []


def test_r14_capacity_queues() -> None:
    """More scenes than slots: the rest waits, and a free slot is taken at once."""
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
    """Boost takes hold at once; a removed profile finishes what it has; an added one is used."""
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
    """Pause holds new submits back; stop ends the run when what runs has settled; the rest stays queued."""
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


def test_r18_one_probe_after_a_cooldown() -> None:
    """After a cooldown one submit goes; the others follow when it is accepted, not before."""
    world = World(profiles=1, scenes=5, mode=BOOST)
    for scene in ("s1", "s2", "s3", "s4", "s5"):
        world.limit(scene)
    assert len(world.sleep_until(60)) == 1
    world.add("s6")
    assert len(world.submitted()) == 6
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
    """The user's word ends a window, and brings an unusable profile back."""
    world = World(profiles=1, scenes=1)
    world.limit("s1")
    world.sleep_until(4)
    assert len(world.feed(ev.CooldownReleased("p1"))) == 1
    world.fail("s1", ProfileUnusable("401"))
    assert world.scheduler.ended == "no usable profile"
    assert world.feed(ev.CooldownReleased("p1")) == []
    assert len(world.feed(ev.RunStarted())) == 1


def test_global_pause_stops_all_and_retries_on_the_same_profile() -> None:
    """What the seed replaced: nobody submits for 30 s, then the scene goes back to the profile that bounced it."""
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


def test_requests_that_make_no_sense_change_nothing() -> None:
    """Unknown profiles and scenes, a doubled profile, a decision fed in: errors that name what is wrong."""
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
    """A profile or a scene that comes after the end waits for the run to go on."""
    world = World(profiles=1, scenes=1)
    world.fail("s1", ProfileUnusable("401"))
    assert world.feed(ev.ProfileAdded("p2")) == []
    assert world.feed(ev.SceneAdded(Scene("s2", "x"))) == []
    assert [c.scene.id for c in world.feed(ev.RunStarted())] == ["s1"]


def test_a_scene_that_waits_for_a_profile_does_not_wait_for_one_that_is_out() -> None:
    """Under GlobalPause a scene waits for the profile that bounced it, but not when its key turns out to be bad."""
    world = World(profiles=2, scenes=3, mode=BOOST, policy=GlobalPause(30))
    world.limit("s1")
    world.fail("s3", ProfileUnusable("401"))
    world.accept("s2")
    world.sleep_until(31)
    assert world.profile_of("s1") == "p2"


def test_r2_a_single_scene_goes_before_scenes_that_wait_for_their_profile() -> None:
    """Also under a policy that does not move."""
    world = World(profiles=1, scenes=1, policy=GlobalPause(30))
    world.limit("s1")
    world.add("now", single=True)
    world.sleep_until(30)
    assert world.submitted()[-1] == ("now", "p1")


def test_r9_a_profile_whose_jobs_keep_breaking_cools() -> None:
    """Accepting is no success: jobs that break inside one after the other cool the profile."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(backoff=0))
    for number in (1, 2):
        world.accept("s1")
        world.feed(ev.JobFailed("s1", number, Transient("internal")))
    (cooldown,) = world.events(ev.CooldownStarted)
    assert (cooldown.alone, cooldown.profiles) == (True, ("p1",))


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
    """When a run is broken off, what was submitting or accepted is in doubt; the rest stays queued."""
    world = World(profiles=1, scenes=3)
    world.accept("s1")
    world.feed(ev.Stopped())
    world.feed(ev.AttemptAbandoned("s1", 1))
    world.feed(ev.AttemptAbandoned("s2", 1))
    assert [world.status(s) for s in ("s1", "s2", "s3")] == ["held", "held", "queued"]
    assert world.scheduler.ended == "stopped"
    assert "'job-s1-1'" in world.events(ev.SceneSettled)[0].reason


def test_a_policy_that_raises_leaves_everything_as_it_was() -> None:
    """Its exception gets out; the attempt can still be answered."""

    class Broken(PerProfileCooldown):
        def on_429(self, *_: object) -> Cooldown:
            raise ZeroDivisionError

    world = World(profiles=1, scenes=1, policy=Broken())
    before = list(world.scheduler.events)
    with pytest.raises(ZeroDivisionError):
        world.feed(ev.CallFailed("s1", 1, "submit", RateLimited()))
    assert world.scheduler.events == before
    assert world.scheduler.roster.groups["p1"].strikes == 0
    world.accept("s1")
    assert world.status("s1") == "generating"


def test_a_profile_that_is_added_again_begins_anew() -> None:
    """A bad key of its first life is forgotten; a cooldown of its group is not."""
    world = World(profiles=2, scenes=1)
    world.fail("s1", ProfileUnusable("401"))
    world.limit("s1")
    world.feed(ev.ProfileRemoved("p1"))
    world.feed(ev.ProfileAdded("p1"))
    assert world.profile_of("s1") == "p1"


def test_a_profile_and_a_group_do_not_share_a_name() -> None:
    """Else a profile would cool with a group that it is no part of (R1)."""
    with pytest.raises(InputError, match="use two names"):
        World({"team": (None, ""), "b": (None, "team")})
    with pytest.raises(InputError, match="use two names"):
        World({"b": (None, "team"), "team": (None, "")})


def test_no_word_of_a_server_parks_a_paid_job() -> None:
    """A poll is asked again within a minute, whatever the server would like."""
    world = World(profiles=1, scenes=1)
    world.accept("s1")
    world.sleep_until(0.5)
    world.feed(ev.CallFailed("s1", 1, "poll", RateLimited(30 * 86400)))
    assert world.scheduler.next_wakeup() == 60.5


def test_a_policy_that_returns_nothing_is_told_what_to_return() -> None:
    """The likeliest mistake in a policy of one's own."""

    class Forgets(PerProfileCooldown):
        def on_429(self, *_: object) -> Cooldown:
            return None  # type: ignore[return-value]

    world = World(profiles=1, scenes=1, policy=Forgets())
    with pytest.raises(InputError, match=r"Forgets.on_429 returned None: a policy returns a Cooldown"):
        world.feed(ev.CallFailed("s1", 1, "submit", RateLimited()))
