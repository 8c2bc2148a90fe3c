"""A program that stood still asks before it gives a job up, and does not ask about all of them at once."""

from __future__ import annotations

import pytest

from tests.core.harness import BOOST, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Cancel, Fetch, Poll
from vidgen_nb.core.model import Artifact, RetryPolicy
from vidgen_nb.core.outcomes import Permanent, Transient
from vidgen_nb.core.scheduler import Scheduler

LIMIT = 100.0
HOURS = 7200.0


def world(scenes: int = 1) -> World:
    """Return a world in which every scene was accepted at once."""
    made = World(profiles=1, scenes=scenes, mode=BOOST, retry=RetryPolicy(job_timeout=LIMIT))
    while made.scheduler.submitting:
        made.accept(next(s for s, state in made.scheduler.scenes.items() if state.status == "submitting"))
    return made


def stand_still(made: World, seconds: float) -> None:
    """Let time pass in which nobody wakes the scheduler."""
    made.now += seconds
    made._took(made.scheduler.wake(made.now))


def replays(made: World) -> bool:
    """Say whether a replay of the events gives the same."""
    return Scheduler.replay(made.scheduler.events, **made.settings).events == made.scheduler.events


def test_an_answer_from_before_is_asked_for_again() -> None:
    """In progress: that was true when the machine fell asleep: the job is done by now, and is not cancelled."""
    made = world()
    made.sleep_until(5.0)
    made.command(Poll, "s1")
    made.now += HOURS
    commands = made.feed(ev.Progressed("s1", 1, "running"))
    assert commands == [] and made.status("s1") == "generating"
    made.sleep_until(made.now + 5)
    made.command(Poll, "s1")
    made.finish("s1")
    assert made.status("s1") == "succeeded"
    assert replays(made)


@pytest.mark.parametrize("trouble", [Transient("no connection"), Permanent("HTTP 404", "no_result")])
def test_a_call_from_before_that_failed_is_repeated(trouble: Transient | Permanent) -> None:
    """Its connection did not survive; the next call decides."""
    for phase in ("poll", "fetch"):
        made = world()
        made.sleep_until(5.0)
        if phase == "fetch":
            made.feed(ev.Generated("s1", 1, Artifact("with_key")))
        kind = Poll if phase == "poll" else Fetch
        made.command(kind, "s1")
        made.now += HOURS
        made.feed(ev.CallFailed("s1", 1, phase, trouble))
        assert made.status("s1") in ("generating", "fetching")
        made.sleep_until(made.now + 61)
        made.command(kind, "s1")
        made.finish("s1")
        assert made.status("s1") == "succeeded"
        assert replays(made)


def test_a_submit_that_was_answered_long_ago_is_asked_about() -> None:
    """Its job is older than `job_timeout` when the answer is read, and nobody has asked about it yet."""
    made = World(profiles=1, scenes=1, retry=RetryPolicy(job_timeout=LIMIT))
    made.now += HOURS
    made.accept("s1")
    made.sleep_until(made.now + 5)
    made.command(Poll, "s1")
    made.finish("s1")
    assert made.status("s1") == "succeeded"
    assert not [each for each in made.open if isinstance(each, Cancel)]
    assert replays(made)


def test_a_job_that_still_runs_is_cancelled_before_it_is_held() -> None:
    """However long the program stood still, the provider has some minutes to confirm a cancel."""
    made = world()
    stand_still(made, HOURS)
    made.command(Poll, "s1")
    (cancel,) = made.feed(ev.Progressed("s1", 1, "running"))[:1]
    assert isinstance(cancel, Cancel) and made.status("s1") == "generating"
    made.feed(ev.CancelAnswered("s1", 1, "cancelled"))
    assert made.status("s1") == "failed"
    assert replays(made)


def test_polls_are_spread() -> None:
    """All are due when the program goes on; each is asked about within one poll's pause, and not at once."""
    made = world(scenes=100)
    stand_still(made, 60.0)
    assert not [each for each in made.open if isinstance(each, Poll)]
    made.sleep_until(made.now + 2.5)
    assert 25 <= sum(isinstance(each, Poll) for each in made.open) <= 75
    made.sleep_until(made.now + 2.5)
    assert sum(isinstance(each, Poll) for each in made.open) == 100
