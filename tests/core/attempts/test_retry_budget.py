"""The retry budget: who waits for it, who gets the next token, and that no scene is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.harness import BOOST, World, names
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import RetryBudget, RetryPolicy
from vidgen_nb.core.outcomes import RateLimited, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Constant, Fault, SimulatedProfile, TokenBucket
from vidgen_nb.recording.codec import plain
from vidgen_nb.run import Run, simulate

BROKEN = Transient("503")


def retry(size: float, per_success: float, **more: Any) -> RetryPolicy:
    """Return a policy with a budget, and without back-off."""
    return RetryPolicy(backoff=0, budget=RetryBudget(size, per_success), **more)


def waiting(world: World) -> list[str]:
    """Return who waits for a token, in order."""
    return list(world.scheduler._ledger.retries.waiting)


def test_retries_take_tokens_and_then_wait() -> None:
    """The first two failures are retried at once; the third scene waits, and its reason says for what."""
    world = World(profiles=5, scenes=5, mode=BOOST, retry=retry(2, 0.5))
    for scene in ("s1", "s2", "s3"):
        world.fail(scene, BROKEN)
    assert waiting(world) == ["s3"]
    assert [event.unpaid for event in world.events(ev.SceneRequeued)] == [False, False, True]
    assert world.events(ev.SceneRequeued)[-1].reason == "waits for the retry budget, failure 1"
    assert world.status("s3") == "queued"
    world.sleep_until(5000)
    assert world.status("s3") == "queued"  # s4 and s5 have no answer yet: a token may still come


def test_successes_pay_for_retries_first_come_first_served() -> None:
    """With half a token per success, every second success lets the first waiting scene go."""
    world = World(profiles=8, scenes=8, mode=BOOST, retry=retry(1, 0.5))
    for scene in names("s", 3):
        world.fail(scene, BROKEN)
    assert waiting(world) == ["s2", "s3"]
    for scene, left in (("s4", ["s2", "s3"]), ("s5", ["s3"]), ("s6", ["s3"]), ("s7", [])):
        world.accept(scene)
        world.finish(scene)
        assert waiting(world) == left
    assert [(event.scene, event.reason) for event in world.events(ev.RetryGranted)] == [
        ("s2", "the retry budget has a token"),
        ("s3", "the retry budget has a token"),
    ]


def test_when_all_wait_one_goes_unpaid() -> None:
    """R17: an outage that hits every scene is probed by one at a time, and once it is over all scenes finish."""
    world = World(profiles=4, scenes=4, mode=BOOST, retry=retry(1, 0.1))
    for scene in names("s", 4):
        world.fail(scene, BROKEN)
    world.fail("s1", BROKEN)  # the one that was paid
    assert waiting(world) == ["s3", "s4", "s1"]
    assert world.events(ev.RetryGranted)[-1].reason == "all scenes wait for the retry budget: this retry is unpaid"
    for scene in ("s2", "s3", "s4", "s1"):
        assert [command.scene.id for command in world.open] == [scene]
        world.accept(scene)
        world.finish(scene)
        world.open = [command for command in world.open if world.status(command.scene.id) == "submitting"]
    assert world.scheduler.ended == "settled"


def test_an_unpaid_retry_waits_out_its_back_off() -> None:
    """An unpaid retry leaves no earlier than full jitter says."""
    world = World(profiles=1, scenes=1, retry=RetryPolicy(backoff=8, budget=RetryBudget(1, 0)))
    world.fail("s1", BROKEN)
    world.sleep_until(20)
    world.fail("s1", BROKEN)
    (granted,) = world.events(ev.RetryGranted)
    assert granted.not_before is not None and 20 < granted.not_before <= 36
    world.sleep_until(36)
    assert [event.at for event in world.events(ev.AttemptStarted)][-1] == granted.not_before


def test_who_waits_can_be_cancelled_and_has_a_deadline() -> None:
    """R8, R16: waiting for a token is waiting in the queue."""
    world = World(profiles=4, scenes=4, mode=BOOST, retry=retry(1, 0, deadline=50))
    for scene in ("s1", "s2", "s3"):
        world.fail(scene, BROKEN)
    world.feed(ev.CancelRequested("s2"))
    assert (world.status("s2"), waiting(world)) == ("cancelled", ["s3"])
    world.sleep_until(50)
    assert (world.status("s3"), waiting(world)) == ("failed", [])


def test_429s_are_free() -> None:
    """R8: with no token at all a rate-limited scene still moves on at once."""
    world = World(profiles=3, scenes=3, mode=BOOST, retry=retry(1, 0))
    world.fail("s1", BROKEN)
    world.fail("s2", RateLimited())
    assert world.status("s2") == "submitting"
    assert waiting(world) == []


def outage(budget: RetryBudget | None) -> Run:
    """Simulate 100 scenes through a minute in which four of five submits fail."""
    limit, service = TokenBucket(5, per=5), Constant(5)
    profiles = [SimulatedProfile(f"p{k}", limit, service, capacity=4) for k in range(10)]
    retry = RetryPolicy(50, backoff=0.5, backoff_cap=1, budget=budget)
    return simulate(
        100, profiles, mode="boost", seed=3, retry=retry, faults=[Fault("overload", end=60, probability=0.8)]
    )


def test_an_outage_costs_no_more_retries_than_the_budget() -> None:
    """Retries never exceed the initial, earned and unpaid ones; soon after the outage all scenes succeed."""
    size, part = 3, 0.05
    run = outage(RetryBudget(size, part))
    paid, budget = 0, float(size)
    for event in run.events:
        if isinstance(event, ev.SceneRequeued) and isinstance(event.outcome, Transient):
            paid += not event.unpaid
        elif isinstance(event, ev.RetryGranted):
            paid += "unpaid" not in event.reason
        elif isinstance(event, ev.Fetched):
            budget += size if event.number > 1 else part  # at most
        assert paid <= budget + 1e-6
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    before = [retried(each, 60) for each in (outage(None), run)]
    assert before[1] < 0.7 * before[0]
    assert (run.metrics().makespan or 0) < 3 * (outage(None).metrics().makespan or 0)


def retried(run: Run, until: float) -> int:
    """Return how many retries there were before a time."""
    return sum(attempt.number > 1 and attempt.start < until for attempt in run.attempts)


def test_it_is_recorded_with_the_run() -> None:
    """The run's header holds the budget."""
    assert plain(RetryPolicy(budget=RetryBudget(4, 0.25)))["budget"] == {"size": 4, "per_success": 0.25}
    assert plain(RetryPolicy())["budget"] is None


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": "9"}, {"per_success": -0.1}, {"per_success": float("nan")}])
def test_settings_are_checked(wrong: Any) -> None:
    """An error names the setting."""
    with pytest.raises(InputError, match=f"RetryBudget: {next(iter(wrong))} must be"):
        RetryBudget(**wrong)
    with pytest.raises(InputError, match=r"budget is a RetryBudget\(...\) or None"):
        RetryPolicy(budget=3)  # type: ignore[arg-type]
