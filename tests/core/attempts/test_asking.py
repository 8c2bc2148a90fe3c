"""Trouble in asking about an accepted job, or in fetching it: bounded by time, and held at the end, never failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.attempts.asking import LONGEST_PAUSE_SECONDS, REFUSED_SECONDS, UNKNOWN_SECONDS
from vidgen_nb.core.attempts.cancellation import GRACE_SECONDS
from vidgen_nb.core.commands import Cancel, Fetch, Poll
from vidgen_nb.core.model import Artifact, Operation, RetryPolicy, Scene
from vidgen_nb.core.outcomes import (
    Ambiguous,
    Cancelled,
    Failure,
    Permanent,
    ProfileUnusable,
    RateLimited,
    Transient,
)
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.errors import InputError

DAY = 86_400.0
NOT_FOUND = Permanent("HTTP 404", "no_result")
TROUBLES: list[Failure] = [
    Transient("HTTP 503"),
    Transient("HTTP 503", 3600.0),
    NOT_FOUND,
    Permanent("HTTP 400"),
    ProfileUnusable("HTTP 401"),
    ProfileUnusable("HTTP 402", "credit"),
    ProfileUnusable("quota of the day", "day_quota", 20.0),
    RateLimited(30.0),
]


def world(scenes: int = 1, **retry: float | None) -> World:
    """Return a world of two profiles, on which the first job was accepted at once."""
    made = World(profiles=2, scenes=scenes, retry=RetryPolicy(**retry))  # type: ignore[arg-type]
    made.accept("s1")
    return made


def ask(made: World, until: float, answer: Callable[[], ev.Event | None] | Failure) -> list[float]:
    """Let time pass while each poll or fetch of s1 has the same answer; return when they were made."""
    times = []
    while (due := made.scheduler.next_wakeup()) is not None and due <= until and not made.scheduler.ended:
        made.sleep_until(due)
        for call in [each for each in made.open if isinstance(each, Poll | Fetch) and each.scene.id == "s1"]:
            made.open.remove(call)
            times.append(made.now)
            phase: ev.Phase = "poll" if isinstance(call, Poll) else "fetch"
            event = answer() if callable(answer) else ev.CallFailed("s1", call.number, phase, answer)
            if event is not None:
                made.feed(event)
    return times


def the_end(made: World) -> ev.SceneSettled:
    """Return how s1 settled; a replay of the events gives the same."""
    ends = [e for e in made.scheduler.events if isinstance(e, ev.SceneSettled) and e.scene == "s1"]
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.events == made.scheduler.events
    assert again.scenes["s1"].status == ends[-1].status
    return ends[-1]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: f"{each.kind}: {each.reason}")
@pytest.mark.parametrize("phase", ["poll", "fetch"])
def test_it_passes(phase: str, trouble: Failure) -> None:
    """For nine minutes: the job is asked about again, with pauses of a minute at most, and its result is kept."""
    made = world(max_failures=1)
    if phase == "fetch":
        made.feed(ev.Generated("s1", 1, Artifact("with_key")))
        made.feed(ev.CallFailed("s1", 1, "fetch", trouble))
    times = ask(made, 540, trouble)
    assert len(times) > 8
    assert max(after - before for before, after in pairwise(times)) <= 60
    if phase == "poll":
        made.finish("s1")
    else:
        made.sleep_until(made.now + 61)
        made.feed(ev.Fetched("s1", 1))
    assert made.status("s1") == "succeeded"
    assert [scene for scene, _ in made.submitted()] == ["s1"]


def test_pauses_grow() -> None:
    """An outage is not answered by a storm of polls."""
    made = world()
    times = ask(made, 3600, Transient("HTTP 503"))
    pauses = [after - before for before, after in pairwise(times)]
    assert sum(pauses[:5]) < 30
    assert sum(pauses[-20:]) / 20 > 20


@pytest.mark.parametrize("trouble", [Transient("HTTP 503"), ProfileUnusable("HTTP 401"), RateLimited()])
def test_a_day_of_it_is_some_hundred_calls(trouble: Failure) -> None:
    """Five minutes between two calls at most; the longer it has lasted, the longer are the pauses."""
    made = world(job_timeout=None)
    times = ask(made, DAY, trouble)
    pauses = [after - before for before, after in pairwise(times)]
    assert len(times) < 700
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    assert sum(pauses[-100:]) / 100 > 150


@pytest.mark.parametrize(("lasted", "most"), [(60.0, 61.0), (600.0, 61.0), (1800.0, 181.0), (DAY / 2, 301.0)])
def test_the_end_of_it_is_noticed_soon(lasted: float, most: float) -> None:
    """Within a tenth of the time that it lasted, or a minute."""
    made = world(job_timeout=None)
    ask(made, lasted, Transient("HTTP 503"))
    heard = ask(made, lasted + most, lambda: ev.Progressed("s1", 1, "running"))
    assert heard and heard[0] <= lasted + most


@pytest.mark.parametrize("trouble", [Transient("HTTP 503"), ProfileUnusable("HTTP 401"), RateLimited()])
@pytest.mark.parametrize("limit", [300.0, DAY])
def test_the_end_of_patience(limit: float, trouble: Failure) -> None:
    """At `job_timeout` the scene is held, with the job's id; nothing is cancelled, since it may be done."""
    made = world(job_timeout=limit)
    ask(made, limit - 61, trouble)
    assert made.status("s1") == "generating"
    ask(made, limit + 61, trouble)
    end = the_end(made)
    assert (end.status, "'job-s1-1'" in end.reason, trouble.reason in end.reason) == ("held", True, True)
    assert not [each for each in made.open if isinstance(each, Cancel)]


def test_without_a_timeout_it_has_no_end() -> None:
    """`job_timeout=None`: asked for ever."""
    made = world(job_timeout=None)
    ask(made, 3 * DAY, Transient("HTTP 503"))
    assert made.status("s1") == "generating"


def test_a_job_that_nobody_knows() -> None:
    """A server that says nothing but 404 from the first poll on: held after ten minutes, not after a day."""
    made = world()
    ask(made, DAY, NOT_FOUND)
    end = the_end(made)
    assert (end.status, "'job-s1-1'" in end.reason) == ("held", True)
    assert UNKNOWN_SECONDS <= end.at <= UNKNOWN_SECONDS + 120


def test_a_result_that_is_refused() -> None:
    """The provider said that the job is done, so its result gets an hour to appear."""
    made = world()
    made.feed(ev.Generated("s1", 1, Artifact("with_key")))
    made.feed(ev.CallFailed("s1", 1, "fetch", NOT_FOUND))
    ask(made, DAY, NOT_FOUND)
    end = the_end(made)
    assert end.status == "held"
    assert REFUSED_SECONDS <= end.at <= REFUSED_SECONDS + 120


def test_refusals_amid_other_trouble_are_asked_about_longer() -> None:
    """Only refusals and nothing else say that the job is not known."""
    made = world()
    answers = iter(range(10**6))
    ask(made, 7200, lambda: ev.CallFailed("s1", 1, "poll", NOT_FOUND if next(answers) % 3 else Transient("HTTP 503")))
    assert made.status("s1") == "generating"


def test_what_the_user_cancelled_has_an_end_soon() -> None:
    """While nobody answers, a cancelled scene is given up after some minutes, with a word about the bill."""
    made = world()
    made.feed(ev.CancelRequested("s1"))
    ask(made, 2 * GRACE_SECONDS, Transient("HTTP 503"))
    end = the_end(made)
    assert (end.status, "billed" in end.reason) == ("cancelled", True)


def test_the_provider_says_that_it_was_cancelled() -> None:
    """That is its word about the job."""
    made = world()
    made.sleep_until(1)
    made.feed(ev.CallFailed("s1", 1, "poll", Cancelled()))
    assert the_end(made).status == "cancelled"


def test_a_key_that_is_good_again_brings_its_profile_back() -> None:
    """What a poll closed, a good answer opens; what a submit closed stays so."""
    made = World(profiles=1, scenes=3)
    made.accept("s1")
    made.accept("s2")
    made.sleep_until(1)
    made.feed(ev.CallFailed("s1", 1, "poll", ProfileUnusable("HTTP 403")))
    assert made.scheduler.cooling(1) == {"p1": math.inf}
    made.feed(ev.Generated("s2", 1, Artifact("with_key")))
    assert made.scheduler.cooling(1) == {}
    made.fail("s3", ProfileUnusable("HTTP 402", "credit"))
    made.feed(ev.Fetched("s2", 1))
    assert made.scheduler.cooling(1) == {"p1": math.inf}
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.events == made.scheduler.events
    assert again.cooling(1) == {"p1": math.inf}


def test_a_record_that_counted_failed_polls_is_restored() -> None:
    """Earlier versions failed a scene after seven failed polls: their records say so, and are believed."""
    made = world()
    ask(made, 60, Transient("HTTP 503"))
    at = made.now
    failed = ev.SceneSettled("s1", 1, "p1", "failed", "gave up after 7 failures", Transient("HTTP 503"), at=at)
    old = [*made.scheduler.events, failed, ev.RunEnded(ev.EndReason.SETTLED, at=at)]
    again = Scheduler.replay(old, **made.settings)
    assert (again.scenes["s1"].status, again.ended) == ("failed", "settled")
    assert again.scenes["s1"].has_open_job


def held(known: bool) -> World:
    """Return a world whose s1 is held: with a job whose id is known, or in doubt after its submit."""
    if not known:
        made = World(profiles=2, scenes=1)
        made.fail("s1", Ambiguous("HTTP 502"))
        return made
    made = world(job_timeout=300)
    ask(made, 400, Transient("HTTP 503"))
    return made


@pytest.mark.parametrize("known", [True, False])
def test_it_was_made(known: bool) -> None:
    """A held scene's job is asked about again where it was submitted, and nothing is submitted."""
    made = held(known)
    assert (made.status("s1"), made.scheduler.ended) == ("held", "settled")
    job = "job-s1-1" if known else "video_9"
    (poll,) = made.feed(ev.AskedAgain(Scene("s1", "prompt s1"), 2, "p1", job))
    assert isinstance(poll, Poll) and (poll.profile, poll.operation.id, poll.number) == ("p1", job, 2)
    made.feed(ev.RunStarted())
    made.feed(ev.Generated("s1", 2, Artifact("with_key")))
    made.feed(ev.Fetched("s1", 2))
    assert (made.status("s1"), made.scheduler.ended) == ("succeeded", "settled")
    assert len(made.submitted()) == 1
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert (again.scenes["s1"].status, again.scenes["s1"].operation) == ("succeeded", Operation(job))


def test_it_is_held_again_where_nobody_answers() -> None:
    """Asking again has a `job_timeout` of its own."""
    made = held(known=True)
    began = made.now
    made.feed(ev.AskedAgain(Scene("s1", "prompt s1"), 2, "p1", "job-s1-1"))
    made.feed(ev.RunStarted())
    made.feed(ev.CallFailed("s1", 2, "poll", Transient("HTTP 503")))
    ask(made, began + 200, Transient("HTTP 503"))
    assert made.status("s1") == "generating"
    ask(made, began + 400, Transient("HTTP 503"))
    assert the_end(made).status == "held"


def test_submit_again() -> None:
    """The other answer: it says that it may cost twice, and the scene is submitted."""
    made = held(known=True)
    made.feed(ev.SubmitAgainRequested("s1"))
    made.add("s1")
    assert [scene for scene, _ in made.submitted()] == ["s1", "s1"]
    again = Scheduler.replay(made.scheduler.events, **made.settings)
    assert again.events == made.scheduler.events


def test_answers_that_make_no_sense() -> None:
    """Only held scenes have these two answers."""
    made = world(scenes=2)
    for event in (
        ev.AskedAgain(Scene("s1", "x"), 2, "p1", "job"),
        ev.AskedAgain(Scene("nobody", "x"), 2, "p1", "job"),
        ev.SubmitAgainRequested("s1"),
        ev.SubmitAgainRequested("nobody"),
    ):
        with pytest.raises(InputError):
            made.feed(event)
    doubt = held(known=False)
    for event in (
        ev.AskedAgain(Scene("s1", "x"), 2, "p1", ""),
        ev.AskedAgain(Scene("s1", "x"), 3, "p1", "job"),
        ev.AskedAgain(Scene("s1", "x"), 2, "nobody", "job"),
    ):
        with pytest.raises(InputError):
            doubt.feed(event)
    assert doubt.status("s1") == "held"
