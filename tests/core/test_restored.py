"""A run that is restored: it has new settings, and jobs in flight are polled again."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.cancellation import GRACE_SECONDS
from vidgen_nb.core.commands import Cancel, Poll
from vidgen_nb.core.model import Artifact, RetryBudget, RetryPolicy, Scene
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import ReplayError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown


def restored(retry: RetryPolicy | None = None, **other: Any) -> ev.RunRestored:
    """Return the event, with ordinary settings except these."""
    settings = {"seed": 0, "on_ambiguous": "hold", "max_wait": 3600.0, **other}
    return ev.RunRestored(epoch=1e9, speed=1.0, retry=retry or RetryPolicy(), **settings)


def taken_up(world: World) -> Scheduler:
    """Return a scheduler that replayed a world's events."""
    return Scheduler.replay(list(world.scheduler.events), **{**world.settings, "rng": Random(1)})


def test_accepted_jobs_are_polled_at_once() -> None:
    """A replay issues no command; once the run is restored, each job is polled, and a cancel repeated."""
    world = World(profiles=2, scenes=2, mode=BOOST)
    world.accept("s1")
    world.accept("s2")
    world.feed(ev.CancelRequested("s2"))
    twin = taken_up(world)
    commands = twin.handle(restored(), 50.0)
    kinds = sorted((command.scene.id, type(command).__name__) for command in commands)
    assert kinds == [("s1", "Poll"), ("s2", "Cancel"), ("s2", "Poll")]
    assert twin.handle(ev.Progressed("s1", 1, "running"), 50.1) == []
    assert [type(each) for each in twin.wake(200.0)] == [Poll]
    assert {type(each) for each in commands} == {Poll, Cancel}


def test_another_retry_budget() -> None:
    """Without a budget nobody waits any longer; a smaller one caps the tokens left."""
    retry = RetryPolicy(backoff=0, budget=RetryBudget(1, 0.1))
    world = World(profiles=4, scenes=3, mode=BOOST, retry=retry)
    world.fail("s1", Transient("503"))
    world.fail("s2", Transient("503"))
    assert list(world.scheduler._ledger.retries.waiting) == ["s2"]
    world.feed(restored(RetryPolicy(backoff=0)))
    assert world.events(ev.RetryGranted)[-1].reason == "there is no longer a retry budget"
    assert world.status("s2") == "submitting"
    assert taken_up(world).events == world.scheduler.events
    world.feed(restored(RetryPolicy(budget=RetryBudget(5))))
    world.feed(restored(RetryPolicy(budget=RetryBudget(3))))
    assert world.scheduler._ledger.retries.tokens == 3


@pytest.mark.parametrize(("deadline", "status"), [(None, "queued"), (500.0, "queued"), (20.0, "failed")])
def test_another_deadline(deadline: float | None, status: str) -> None:
    """It counts from when the scene was added, and the old one no longer counts."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(deadline=100))
    world.limit("s1")
    world.feed(ev.Paused())
    world.sleep_until(40)
    world.feed(restored(RetryPolicy(deadline=deadline)))
    world.sleep_until(200)
    assert world.status("s1") == status


def test_decisions_come_from_the_record() -> None:
    """A policy that would answer differently now doesn't change the past; a record that doesn't add up is an error."""
    world = World(profiles=2, scenes=2, mode=BOOST, policy=PerProfileCooldown(9))
    world.limit("s1")
    events = list(world.scheduler.events)
    other = {**world.settings, "policy": PerProfileCooldown(77), "rng": Random(1)}
    twin = Scheduler.replay(events, **other)
    assert twin.events == events and twin.cooling(1.0) == {"p1": 8.0}
    without = [event for event in events if not isinstance(event, ev.CallFailed)]
    with pytest.raises(ReplayError, match="event"):
        Scheduler.replay(without, **other)
    with pytest.raises(ReplayError, match="earlier than the event before it"):
        Scheduler.replay([ev.Paused(at=2.0), ev.Unpaused(at=1.0)], policy=PerProfileCooldown())
    with pytest.raises(ReplayError, match=r"is impossible: AttemptStarted: .*s9"):
        Scheduler.replay([ev.AttemptStarted("s9", 1, "p1", "", at=1.0)], policy=PerProfileCooldown())
    doubled = [*events, ev.SceneAdded(Scene("s2", "again"), at=9.0)]
    with pytest.raises(ReplayError, match="already submitting"):
        Scheduler.replay(doubled, **other)


def test_a_pause_of_all_while_one_is_out_of_the_rotation() -> None:
    """If one group is unusable when all cool, the others don't become unusable."""
    world = World(profiles=2, scenes=2, mode=BOOST, policy=GlobalPause(30))
    world.feed(ev.CooldownImposed("p1", 5.0, "a day's quota", unusable=True))
    world.limit("s2")
    assert [event.unusable for event in world.events(ev.CooldownStarted)] == [True, True, False]
    assert taken_up(world).events == world.scheduler.events


def test_a_job_that_was_late_while_nobody_looked() -> None:
    """However long the gap, the job is cancelled first, once, and held only if that is not confirmed in time."""
    retry, gap = RetryPolicy(job_timeout=100), 100 + 10 * GRACE_SECONDS
    world = World(profiles=1, scenes=1, retry=retry)
    world.accept("s1")
    twin = taken_up(world)
    assert [type(each) for each in twin.handle(restored(retry), gap)] == [Poll]
    assert [type(each) for each in twin.handle(ev.Progressed("s1", 1, "running"), gap)] == [Cancel]
    twin.wake(gap + GRACE_SECONDS - 1)
    assert twin.handle(ev.Progressed("s1", 1, "running"), gap + GRACE_SECONDS - 1) == []
    twin.wake(gap + GRACE_SECONDS + 61)
    twin.handle(ev.Progressed("s1", 1, "running"), gap + GRACE_SECONDS + 61)
    assert twin.scenes["s1"].status == "held"


def test_a_result_that_was_not_fetched_while_nobody_looked() -> None:
    """One failed fetch after a long gap does not give up a paid result: it is retried, as without a gap."""
    retry, gap = RetryPolicy(job_timeout=100, backoff=0), 100 + 10 * GRACE_SECONDS
    world = World(profiles=1, scenes=1, retry=retry)
    world.accept("s1")
    world.feed(ev.Generated("s1", 1, Artifact("inline")))
    twin = taken_up(world)
    twin.handle(restored(retry), gap)
    twin.handle(ev.CallFailed("s1", 1, "fetch", Transient("reset")), gap + 1)
    assert twin.in_flight == 1
    twin.wake(gap + 70)
    twin.handle(ev.Fetched("s1", 1), gap + 70)
    assert twin.scenes["s1"].status == "succeeded"
