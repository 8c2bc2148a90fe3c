"""A job that never ends: cancelled at the provider after `job_timeout`, and never submitted again by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.cancellation import GRACE_SECONDS
from vidgen_nb.core.commands import Cancel, Command, Fetch, Poll, Submit
from vidgen_nb.core.model import Artifact, RetryPolicy
from vidgen_nb.core.outcomes import Cancelled, Failure, RateLimited, Transient
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError

LIMIT = 100.0
OVER = LIMIT + GRACE_SECONDS + 61


def world(**retry: Any) -> World:
    """Return a world of one profile, on which a job was accepted at once."""
    made = World(profiles=1, scenes=1, retry=RetryPolicy(**{"job_timeout": LIMIT, **retry}))
    made.accept("s1")
    return made


def asked(made: World, until: float, answer: Failure | str = "running") -> list[Command]:
    """Let time pass while every poll has the same answer; return the cancels."""
    cancels: list[Command] = []
    while (due := made.scheduler.next_wakeup()) is not None and due <= until and not made.scheduler.ended:
        commands = made.sleep_until(due)
        for poll in [each for each in made.open if isinstance(each, Poll)]:
            made.open.remove(poll)
            told = ev.Progressed("s1", poll.number, answer) if isinstance(answer, str) else None
            commands += made.feed(told or ev.CallFailed("s1", poll.number, "poll", answer))  # type: ignore[arg-type]
        cancels += [each for each in commands if isinstance(each, Cancel)]
    return cancels


def settled(made: World) -> ev.SceneSettled:
    """Check that the scene was submitted once and that a replay gives the same; return how the scene ended."""
    assert len(made.submitted()) == 1
    assert made.scheduler.ended == "settled"
    (end,) = made.events(ev.SceneSettled)
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.scenes["s1"].status == end.status
    assert again.events == made.scheduler.events
    assert isinstance(end, ev.SceneSettled)
    return end


def test_it_is_cancelled_once_and_fails() -> None:
    """The first poll after the timeout cancels it; once the provider confirms that, the scene has failed."""
    made = world()
    assert asked(made, LIMIT - 1) == []
    assert len(asked(made, LIMIT + 20)) == 1
    made.feed(ev.CancelAnswered("s1", 1, "cancelled"))
    end = settled(made)
    assert (end.status, end.outcome) == ("failed", Cancelled("not finished after job_timeout=100 s: it was cancelled"))


@pytest.mark.parametrize("answer", ["requested", "too late"])
def test_a_poll_may_tell_how_it_ended(answer: Any) -> None:
    """After a cancel that was merely requested, polls continue: a result is kept, another end is a failure."""
    made = world()
    asked(made, LIMIT + 20)
    made.feed(ev.CancelAnswered("s1", 1, answer))
    made.sleep_until(made.now + 6)
    made.feed(ev.JobFailed("s1", 1, Cancelled()))
    assert settled(made).status == "failed"

    made = world()
    asked(made, LIMIT + 20)
    made.feed(ev.CancelAnswered("s1", 1, answer))
    made.finish("s1")
    assert made.status("s1") == "succeeded"


@pytest.mark.parametrize("answer", ["unsupported", "requested", None])
def test_it_is_held_where_the_provider_does_not_confirm(answer: Any) -> None:
    """It may still run and be billed: the scene is held, at the latest a few minutes later."""
    made = world()
    asked(made, LIMIT + 20)
    if answer is not None:
        made.feed(ev.CancelAnswered("s1", 1, answer))
    asked(made, OVER)
    end = settled(made)
    assert end.status == "held"
    assert "'job-s1-1'" in end.reason and "job_timeout=100 s" in end.reason
    assert end.at <= OVER


def test_it_is_cancelled_only_when_it_has_just_been_heard_to_run() -> None:
    """A cancel failed, and so do polls: it may be done meanwhile, and a cancel would delete its result."""
    made = world()
    assert len(asked(made, LIMIT + 20)) == 1
    made.feed(ev.CallFailed("s1", 1, "cancel", Transient("HTTP 503")))
    assert asked(made, LIMIT + 150, Transient("HTTP 503")) == []
    made.finish("s1")
    assert made.status("s1") == "succeeded"

    made = world()
    asked(made, LIMIT + 20)
    made.feed(ev.CallFailed("s1", 1, "cancel", Transient("HTTP 503")))
    assert asked(made, LIMIT + 90, Transient("HTTP 503")) == []
    assert len(asked(made, LIMIT + 200)) == 1
    made.feed(ev.CancelAnswered("s1", 1, "cancelled"))
    assert settled(made).status == "failed"


def test_a_restore_asks_before_it_cancels() -> None:
    """The program ended while a late job was cancelled: what became of the job is asked first."""
    made = world()
    asked(made, LIMIT + 20)
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    now, kept = LIMIT + 5000, {"retry": made.settings["retry"], "on_ambiguous": "hold", "max_wait": 9.0}
    first = again.handle(ev.RunRestored(epoch=1e9, speed=1.0, seed=0, **kept), now)
    assert [type(each) for each in first] == [Poll]
    assert [type(each) for each in again.handle(ev.Progressed("s1", 1, "running"), now + 1)] == [Cancel]


def test_a_job_that_breaks_late_is_not_submitted_again() -> None:
    """A passing failure would be retried, but the job took too long already."""
    made = world()
    asked(made, LIMIT + 20)
    made.feed(ev.JobFailed("s1", 1, Transient("internal")))
    assert settled(made).status == "failed"


def test_limited_polls_have_an_end() -> None:
    """A 429 on a poll costs nothing, but not forever: it is held then, not cancelled, because it may be done."""
    made = world()
    assert asked(made, OVER, RateLimited()) == []
    assert settled(made).status == "held"


def test_limited_downloads_have_an_end() -> None:
    """The same for the fetch of a finished result: held, because the job was paid for."""
    made = world()
    made.feed(ev.Generated("s1", 1, Artifact("with_key")))
    while not made.scheduler.ended and made.now < OVER:
        made.command(Fetch, "s1")
        made.feed(ev.CallFailed("s1", 1, "fetch", RateLimited()))
        made.sleep_until(made.now + 60)
    assert settled(made).status == "held"


def test_what_the_user_cancels_stays_cancelled() -> None:
    """A cancelled job that never ends is settled, too: as cancelled, with a note about the bill."""
    made = world()
    made.feed(ev.CancelRequested("s1"))
    made.feed(ev.CancelAnswered("s1", 1, "requested"))
    assert asked(made, OVER) == []
    end = settled(made)
    assert (end.status, "may bill it" in end.reason) == ("cancelled", True)


def test_a_cancel_that_fails_is_repeated_with_growing_pauses() -> None:
    """While polls say that the job runs: five seconds first, five minutes at most, not sooner than the server asks."""
    made = world(job_timeout=None)
    made.feed(ev.CancelRequested("s1"))
    times: list[float] = []
    while made.now < 3600:
        for cancel in [each for each in made.open if isinstance(each, Cancel)]:
            made.open.remove(cancel)
            times.append(made.now)
            trouble = RateLimited(60.0) if len(times) == 1 else Transient("HTTP 503")
            made.feed(ev.CallFailed("s1", cancel.number, "cancel", trouble))
        asked(made, made.now + 1)
        made.sleep_until(made.now + 1)
    pauses = [round(after - before) for before, after in pairwise(times)]
    assert [pause // 5 * 5 for pause in pauses[:6]] == [60, 10, 20, 40, 80, 160]
    assert all(300 <= pause < 305 for pause in pauses[6:])
    made.feed(ev.CancelAnswered("s1", 1, "cancelled"))
    assert settled(made).status == "cancelled"


def test_none_asks_for_ever() -> None:
    """Without a timeout, and by default for a day, a job is polled as long as it takes."""
    made = world(job_timeout=None)
    assert asked(made, 3000.0) == []
    assert made.status("s1") == "generating"
    assert RetryPolicy().job_timeout == 86_400
    assert not [each for each in made.open if isinstance(each, Submit)]


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan"), True, "6 h"])
def test_wrong_limits(wrong: Any) -> None:
    """An impossible timeout is an input error."""
    with pytest.raises(InputError, match="job_timeout"):
        RetryPolicy(job_timeout=wrong)
