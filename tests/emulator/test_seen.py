"""What an emulator sees: its accounts' submits and jobs as the events of a run, in order, that all charts read."""

from __future__ import annotations

import pytest

from vidgen_nb.core import events as ev
from vidgen_nb.emulator import seen as module
from vidgen_nb.emulator.seen import SeenProvider
from vidgen_nb.provider import Concurrency, Constant, Fault, Load, SimulatedProfile, TokenBucket
from vidgen_nb.provider.model import Job
from vidgen_nb.run import Run


def two(**options: object) -> SeenProvider:
    """Return two accounts under one limit of three submits a minute, whose jobs take 10 s."""
    limit, service = TokenBucket(3, per=60), Constant(10)
    named = [SimulatedProfile(name, limit, service, capacity=1, quota_group="class") for name in ("ada", "ben")]
    return SeenProvider(named, 0, **options)


def seen(provider: SeenProvider, now: float) -> Run:
    """Return what was seen up to now, as a run; its events are in order."""
    events = provider.seen(now)
    assert [event.at for event in events] == sorted(event.at for event in events)
    return Run({}, list(events))


def test_each_account_is_a_lane_and_each_submit_an_attempt() -> None:
    """Accepted, queued at the provider, and refused, with the seconds that the refusal told."""
    provider = two()
    for at, who, scene in ((1, "ada", "s1"), (2, "ada", "s2"), (3, "ben", "s1"), (4, "ben", "s2")):
        provider.submit(who, scene, at, "a lighthouse")
    run = seen(provider, 25)
    assert run.data.profiles == ["ada", "ben"]
    told = [(each.scene, each.start, each.began, each.end, each.outcome) for each in run.attempts]
    assert told == [
        ("ada/s1", 1, 1, 11, "succeeded"),
        ("ada/s2", 2, 11, 21, "succeeded"),  # ada has one slot
        ("ben/s1", 3, 3, 13, "succeeded"),
        ("ben/s2", 4, 4 if run.attempts[3].accepted else None, 4, "rate_limited"),
    ]
    assert run.attempts[3].retry_after == pytest.approx(17)  # the next of three a minute comes 20 s after the first
    assert run.svg()


def test_a_job_ends_when_it_does_however_late_it_is_looked_at() -> None:
    """Read in small steps, or once at the end: the same events, and the list that was read before only grows."""
    steps, whole = two(), two()
    for provider in (steps, whole):
        for at, who in ((1, "ada"), (2, "ben")):
            provider.submit(who, "s", at)
    early = steps.seen(0.5 + 5)
    assert [type(event) for event in early][-1] is ev.Accepted
    for now in (9, 11.5, 30):
        assert steps.seen(now) is early
    assert early == whole.seen(30)


def test_a_scene_comes_again() -> None:
    """A refused one is tried again, one that ended is run again; beside a running job it is another scene."""
    provider = SeenProvider([SimulatedProfile("ada", TokenBucket(1, per=20), Constant(30))])
    for at in (0, 5, 20, 40, 90):
        provider.submit("ada", "s", at)
    run = seen(provider, 200)
    assert [(each.scene, each.number, each.outcome) for each in run.attempts] == [
        ("ada/s", 1, "succeeded"),
        ("ada/s (2)", 1, "rate_limited"),
        ("ada/s (2)", 2, "succeeded"),
        ("ada/s", 2, "succeeded"),
        ("ada/s", 3, "succeeded"),
    ]


def test_failures_and_cancelled_jobs() -> None:
    """What fails for good has failed, what may pass waits, and a cancelled job ends when it was cancelled."""
    faults = [Fault("content", scene="bad"), Fault("overload", scene="busy", nth=1), Fault("job_failure", scene="dies")]
    provider = SeenProvider([SimulatedProfile("ada", service=Constant(10))], 0, faults)
    for scene in ("bad", "busy", "dies"):
        provider.submit("ada", scene, 1)
    job = provider.submit("ada", "left", 1)
    assert isinstance(job, Job)
    assert provider.cancel(job, 4)
    run = seen(provider, 20)
    assert {each.id.removeprefix("ada/"): each.status for each in run.scenes} == {
        "bad": "failed", "busy": "queued", "dies": "failed", "left": "cancelled",
    }  # fmt: skip
    assert [each.end for each in run.attempts] == [1, 1, 11, 4]


def test_a_queue_that_moves_up_and_a_service_under_load() -> None:
    """A job whose end is only known later ends when the provider says so."""
    queue = SeenProvider([SimulatedProfile("ada", Concurrency(1, over="queue"), Constant(10))])
    first = queue.submit("ada", "a", 0)
    queue.submit("ada", "b", 1)
    assert isinstance(first, Job)
    assert queue.seen(2)
    queue.cancel(first, 3)
    assert [(each.began, each.end) for each in seen(queue, 30).attempts] == [(0, 3), (3, 13)]
    busy = SeenProvider([SimulatedProfile("ada", service=Constant(10))], load=Load(1))
    for scene in "ab":
        busy.submit("ada", scene, 0)
    assert max(each.end or 0 for each in seen(busy, 100).attempts) > 10


def test_what_strangers_send_is_kept_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name or a prompt of a megabyte is cut, an empty one is replaced; after so many submits no more is noted."""
    monkeypatch.setattr(module, "MAX_SEEN", 3)
    provider = SeenProvider([SimulatedProfile("ada", service=Constant(1))])
    for scene, prompt in (("x" * 1_000_000, "y" * 1_000_000), (" ", " "), ("third", "a"), ("fourth", "a")):
        provider.submit("ada", scene, 0, prompt)
    scenes = seen(provider, 10).scenes
    assert [len(each.id) < 200 and len(each.prompt) < 1000 for each in scenes] == [True] * 3
    assert provider.is_full
