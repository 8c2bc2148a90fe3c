"""Trouble of this machine costs no scene a failure and no profile its good name, and is not tried without a pause."""

from __future__ import annotations

import math
from itertools import pairwise

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.failures import MAX_LOCAL_WAIT_SECONDS
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.model import RetryPolicy
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.core.scheduler import Scheduler

NO_FILES = Transient("this machine has too many files open", local=True)


def fail_until(made: World, until: float) -> list[float]:
    """Answer every submit with that trouble; return when they were made."""
    times = []
    while made.now < until and not made.scheduler.ended:
        while submit := next((each for each in made.open if isinstance(each, Submit)), None):
            times.append(made.now)
            made.fail(submit.scene.id, NO_FILES)
        due = made.scheduler.next_wakeup()
        made.sleep_until(until if due is None else due)
    return times


def replays(made: World) -> bool:
    """Say whether a replay of the events gives the same."""
    return Scheduler.replay(made.scheduler.events, **made.settings).events == made.scheduler.events


def test_it_counts_against_nobody() -> None:
    """For some minutes; then all goes on, and a real failure is the first one of its profile."""
    made = World(profiles=1, scenes=3, retry=RetryPolicy(max_failures=1))
    fail_until(made, 590.0)
    assert not made.events(ev.SceneSettled)
    assert made.scheduler.scenes["s1"].failures == 0
    made.sleep_until(made.now + MAX_LOCAL_WAIT_SECONDS)
    made.accept("s1")
    made.finish("s1")
    made.fail("s2", Transient("HTTP 503"))
    assert not made.scheduler.cooling(made.now)
    assert made.scheduler.scenes["s2"].status == "failed"
    assert replays(made)


def test_pauses_grow() -> None:
    """One second, then twice that; half a minute at most, so that it goes on soon once there is room again."""
    made = World(profiles=1, scenes=50)
    times = fail_until(made, 300.0)
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:5] == [1, 2, 4, 8, 16]
    assert set(pauses[5:]) == {MAX_LOCAL_WAIT_SECONDS}
    assert replays(made)


def test_it_begins_with_a_second_again() -> None:
    """Once a submit was accepted."""
    made = World(profiles=1, scenes=9)
    fail_until(made, 60.0)
    made.sleep_until(made.now + MAX_LOCAL_WAIT_SECONDS)
    made.accept("s1")
    made.fail("s2", NO_FILES)
    assert made.scheduler.cooling(made.now) == {"p1": 1.0}


def test_it_has_an_end() -> None:
    """After `max_wait` without a success the run ends, and its scenes stay queued: none has failed."""
    made = World(profiles=2, scenes=3, max_wait=600.0, retry=RetryPolicy(max_failures=1))
    fail_until(made, 3600.0)
    assert made.scheduler.ended == "no usable profile"
    assert 600 < made.scheduler.events[-1].at < 700
    assert [each.status for each in made.scheduler.scenes.values()] == ["queued"] * 3
    assert replays(made)


def test_an_answer_about_a_job_ends_it() -> None:
    """What works for polls works for submits: the profile comes back."""
    made = World(profiles=1, scenes=2, max_wait=600.0)
    made.accept("s1")
    fail_until(made, 1200.0)
    assert made.scheduler.cooling(made.now) == {"p1": math.inf}
    made.feed(ev.Progressed("s1", 1, "running"))
    made.accept("s2")
    assert replays(made)
