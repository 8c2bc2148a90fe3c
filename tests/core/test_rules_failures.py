"""Rules R8-R12: failures other than a 429, what they cost, and when a run can't continue."""

from __future__ import annotations

import math
from random import Random

import pytest

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Artifact, Mode, RetryPolicy
from vidgen_nb.core.outcomes import Ambiguous, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown


def test_r8_429s_do_not_use_up_the_failure_budget() -> None:
    """A scene survives 50 429s with a budget of one failure."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(max_failures=1), policy=PerProfileCooldown(30))
    for _ in range(50):
        world.limit("s1")
        world.sleep_until(world.scheduler.next_wakeup() or math.nan)
    assert world.status("s1") == "submitting"


def test_r8_the_deadline_bounds_429s() -> None:
    """A scene that is still waiting at its deadline fails at that time."""
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
    """A daily quota that is back within max_wait is waited for; a later one ends the run."""
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
    """Failed polls and fetches are repeated on the same operation; the failure budget has nothing to do with them."""
    world = World(profiles=2, scenes=1, retry=RetryPolicy(max_failures=1, backoff=0))
    world.accept("s1")
    for _ in range(20):
        world.sleep_until(world.now + 10)
        world.feed(ev.CallFailed("s1", 1, "poll", Transient("503")))
    world.sleep_until(world.now + 10)
    world.feed(ev.Generated("s1", 1, Artifact("with_key")))
    for _ in range(20):
        world.feed(ev.CallFailed("s1", 1, "fetch", Transient("cut off")))
        world.sleep_until(world.now + 10)
    assert world.status("s1") == "fetching"
    world.feed(ev.Fetched("s1", 1))
    assert (world.status("s1"), len(world.submitted())) == ("succeeded", 1)


def test_r12_a_key_that_dies_while_a_job_runs_keeps_its_job() -> None:
    """A 401 on a poll: nothing more is submitted there, and the job is asked about until the key is good again."""
    world = World(profiles=1, scenes=1)
    world.accept("s1")
    world.sleep_until(1)
    world.feed(ev.CallFailed("s1", 1, "poll", ProfileUnusable("401")))
    world.add("s2")
    assert (world.status("s1"), world.status("s2"), len(world.submitted())) == ("generating", "queued", 1)
    world.sleep_until(20)
    world.feed(ev.Progressed("s1", 1, "running"))
    assert world.status("s2") == "submitting"


def test_a_job_that_broke_for_a_passing_reason_is_submitted_again() -> None:
    """The provider says that the job failed internally: there is nothing to wait for, so another attempt follows."""
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


def test_a_scene_that_waits_for_a_profile_does_not_wait_for_one_that_is_out() -> None:
    """Under GlobalPause a scene waits for the profile that bounced it, but not when its key turns out to be bad."""
    world = World(profiles=2, scenes=3, mode=BOOST, policy=GlobalPause(30))
    world.limit("s1")
    world.fail("s3", ProfileUnusable("401"))
    world.accept("s2")
    world.sleep_until(31)
    assert world.profile_of("s1") == "p2"


def test_r9_a_profile_whose_jobs_keep_breaking_cools() -> None:
    """An acceptance is not a success: jobs that fail internally one after another cool the profile."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(backoff=0))
    for number in (1, 2):
        world.accept("s1")
        world.feed(ev.JobFailed("s1", number, Transient("internal")))
    (cooldown,) = world.events(ev.CooldownStarted)
    assert (cooldown.alone, cooldown.profiles) == (True, ("p1",))


def test_no_word_of_a_server_parks_a_paid_job() -> None:
    """A job is polled again within a minute, whatever the server asks for."""
    world = World(profiles=1, scenes=1)
    world.accept("s1")
    world.sleep_until(0.5)
    world.feed(ev.CallFailed("s1", 1, "poll", RateLimited(30 * 86400)))
    assert world.scheduler.next_wakeup() == 60.5


def test_r12_a_submit_in_doubt_cools_its_profile() -> None:
    """A gateway that answers 502 to everything costs one scene a window, and the windows grow; an old record stays."""
    world = World(profiles=1, scenes=20, mode=Mode("one", max_submitting=1))
    for scene in ("s1", "s2", "s3"):
        world.fail(scene, Ambiguous("502"))
        world.sleep_until(world.now + 60)
    windows = [event.until - event.at for event in world.events(ev.CooldownStarted)]
    assert windows == [5.0, 10.0, 20.0]
    assert [world.status(f"s{k}") for k in (1, 2, 3, 4)] == ["held"] * 3 + ["submitting"]
    recorded = [each for each in world.scheduler.events if not isinstance(each, ev.CooldownStarted | ev.CooldownEnded)]
    again = Scheduler.replay(recorded, **{**world.settings, "rng": Random(1)})
    assert not any(isinstance(event, ev.CooldownStarted) for event in again.events)
