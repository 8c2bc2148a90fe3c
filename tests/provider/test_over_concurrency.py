"""If a concurrency queues, jobs beyond it are accepted and wait for their turn, and no slot stays idle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Concurrency, Constant, DailyQuota, Job, LogNormal, Provider, Refused, SimulatedProfile
from vidgen_nb.provider.described import describe_profile, profile_from
from vidgen_nb.provider.limits import with_queue
from vidgen_nb.run import simulate

UNHURRIED = settings(deadline=None)
QUEUE = Concurrency(2, over="queue")
STEPS = st.lists(
    st.tuples(st.floats(0.0, 40.0), st.sampled_from(["p1", "p2", "cancel"]), st.integers(0, 30)),
    min_size=1,
    max_size=40,
)
"""(Seconds since the step before, who submits or that a job is cancelled, which job)."""


def accept(provider: Provider, profile: str, scene: str, now: float) -> Job:
    """Submit a scene that must be accepted."""
    answer = provider.submit(profile, scene, now)
    assert isinstance(answer, Job), answer
    return answer


def played(provider: Provider, steps: list[tuple[float, str, int]]) -> list[Job]:
    """Return the jobs of a history of submits and cancels."""
    now, jobs = 0.0, list[Job]()
    for gap, who, which in steps:
        now += gap
        if who != "cancel":
            jobs.append(accept(provider, who, f"s{len(jobs)}", now))
        elif jobs:
            provider.cancel(jobs[which % len(jobs)], now)
    return jobs


def provider_of(n: int, capacity: int | None = None) -> Provider:
    """Return a provider of two profiles in one group, whose concurrency queues."""
    limit, service = Concurrency(n, over="queue"), LogNormal(20, 0.7)
    return Provider(
        [SimulatedProfile(name, limit, service, capacity, quota_group="g") for name in ("p1", "p2")], seed=3
    )


def end(job: Job) -> float:
    """Return when a job left its slot, or its place in the queue."""
    return job.finish if job.cancelled is None else job.cancelled


def running(jobs: list[Job], now: float) -> int:
    """Return how many jobs run at a time."""
    return sum(job.start <= now < end(job) for job in jobs)


@UNHURRIED
@given(st.integers(1, 4), STEPS)
def test_never_too_many_and_never_an_idle_slot(n: int, steps: list[tuple[float, str, int]]) -> None:
    """At most n jobs run; while one waits, exactly n do; they start in the order in which they came."""
    jobs = played(provider_of(n), steps)
    started = [job for job in jobs if job.start < end(job)]
    assert [job.start for job in started] == sorted(job.start for job in started)
    for moment in {at for job in jobs for at in (job.created, job.start, end(job))}:
        assert running(jobs, moment) <= n
        if any(job.created <= moment < min(job.start, end(job)) for job in jobs):
            assert running(jobs, moment) == n


@UNHURRIED
@given(st.integers(1, 4), st.integers(1, 3), STEPS)
def test_a_capacity_holds_behind_the_line(n: int, capacity: int, steps: list[tuple[float, str, int]]) -> None:
    """With a capacity as well, neither is exceeded, and every job still takes its own service time."""
    provider = provider_of(n, capacity)
    jobs = played(provider, steps)
    for moment in {job.start for job in jobs}:
        assert running(jobs, moment) <= n
        for name in ("p1", "p2"):
            assert running([job for job in jobs if job.profile == name], moment) <= capacity
    fresh = provider_of(9)
    for job in jobs:
        alone = accept(fresh, job.profile, job.scene, 0.0)
        assert job.finish - job.start == pytest.approx(alone.finish)
        fresh.cancel(alone, 0.0)


def test_who_waits_is_queued_and_moves_up() -> None:
    """A third job waits as queued; when one before it is cancelled it starts, and its place is not taken by others."""
    provider = Provider([SimulatedProfile("p1", QUEUE, Constant(60))])
    first, second, third, fourth = (accept(provider, "p1", f"s{i}", float(i)) for i in range(4))
    assert provider.poll(third, 30.0).status == "queued"
    assert (third.start, fourth.start) == (60.0, 61.0)
    assert provider.cancel(second, 31.0)
    assert (third.start, third.finish, fourth.start) == (31.0, 91.0, 60.0)
    assert provider.cancel(fourth, 40.0)
    assert provider.poll(fourth, 41.0).status == "cancelled"
    assert accept(provider, "p1", "s5", 50.0).start == first.finish


def test_a_cancelled_job_leaves_no_ghost_in_the_capacity() -> None:
    """A profile's slot is free when its only job was cancelled, also if its group has a queue."""
    provider = Provider([SimulatedProfile("p1", QUEUE, Constant(60), capacity=1)])
    assert provider.cancel(accept(provider, "p1", "s1", 0.0), 10.0)
    assert accept(provider, "p1", "s2", 20.0).start == 20.0


def test_what_else_the_limit_says_still_refuses() -> None:
    """Beside a concurrency that queues, waiting jobs use up a daily quota, which then refuses."""
    provider = Provider([SimulatedProfile("p1", QUEUE & DailyQuota(3), Constant(60), retry_after=False)])
    for i in range(3):
        accept(provider, "p1", f"s{i}", 0.0)
    assert provider.submit("p1", "s3", 0.0) == Refused("day_quota", None, 86_400.0)


def test_a_line_within_a_line_gives_its_slots_back() -> None:
    """At most two run and at most three are accepted: a cancelled one makes room for one more."""
    limit = QUEUE & Concurrency(3)
    provider = Provider([SimulatedProfile("p1", limit, Constant(60))])
    jobs = [accept(provider, "p1", f"s{i}", 0.0) for i in range(3)]
    assert provider.submit("p1", "s3", 0.0) == Refused("concurrency")
    assert provider.cancel(jobs[0], 10.0)
    assert accept(provider, "p1", "s4", 10.0).start == 60.0
    assert provider.submit("p1", "s5", 59.0) == Refused("concurrency")
    assert accept(provider, "p1", "s6", 60.0).start == 70.0


def test_in_virtual_time_nothing_is_bounced() -> None:
    """Twelve scenes on two slots of 10 s: no 429, and the makespan of two servers."""
    profiles = [SimulatedProfile("p1", QUEUE, Constant(10))]
    run = simulate([Scene(f"s{i}", "a lighthouse") for i in range(12)], profiles=profiles, mode="boost")
    assert [scene.status for scene in run.scenes] == ["succeeded"] * 12
    assert not run.cooldowns and len(run.attempts) == 12
    assert run.metrics().makespan == pytest.approx(60.0, abs=1e-6)


def test_the_way_of_a_limit_is_written_down_and_checked() -> None:
    """`over` is part of a profile as plain data; another word is an error; `with_queue` changes nothing but it."""
    profile = SimulatedProfile("p1", QUEUE & DailyQuota(5))
    assert profile_from(describe_profile(profile)) == profile
    assert with_queue(Concurrency(2) & DailyQuota(5)) == profile.limit
    assert with_queue(Concurrency(2)) == QUEUE
    assert with_queue(DailyQuota(5)) == DailyQuota(5)
    with pytest.raises(InputError, match="'refuse' or 'queue'"):
        Concurrency(2, over="wait")  # type: ignore[arg-type]
