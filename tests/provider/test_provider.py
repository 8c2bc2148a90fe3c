"""The provider admits, queues, runs, fails and cancels jobs according to its profiles and faults."""

from __future__ import annotations

from typing import Any

import pytest

from vidgen_nb.errors import InputError
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Fault,
    FixedWindow,
    Job,
    LogNormal,
    Provider,
    Refused,
    SimulatedProfile,
    TokenBucket,
)


def accept(provider: Provider, profile: str, scene: str, now: float, prompt: str = "") -> Job:
    """Submit a scene that must be accepted."""
    answer = provider.submit(profile, scene, now, prompt)
    assert isinstance(answer, Job), answer
    return answer


def test_a_job_runs_its_service_time() -> None:
    """A job starts at once, shows its progress, and ends exactly its service time later."""
    provider = Provider([SimulatedProfile("p1", service=Constant(60))])
    job = accept(provider, "p1", "s1", 10.0)
    assert (job.start, job.finish) == (10.0, 70.0)
    look = provider.poll(job, 25.0)
    assert (look.status, look.progress, look.remaining) == ("running", 0.25, 45.0)
    assert provider.poll(job, 69.999).status == "running"
    assert provider.poll(job, 70.0).status == "succeeded"


def test_service_time_belongs_to_the_scene() -> None:
    """A scene takes equally long in every attempt, in any order, and proportionally long on other profiles."""
    profiles = [SimulatedProfile("p1", service=LogNormal(60, 0.5)), SimulatedProfile("p2", service=LogNormal(30, 0.5))]
    one, other = Provider(profiles, seed=3), Provider(profiles, seed=3)
    first = accept(one, "p1", "s1", 0.0)
    accept(other, "p2", "s2", 0.0)
    again = accept(other, "p2", "s1", 0.0)
    assert again.finish * 2 == first.finish
    assert accept(Provider(profiles, seed=4), "p1", "s1", 0.0).finish != first.finish


def test_a_refusal_tells_the_reset_or_hides_it() -> None:
    """`retry_after=False` hides the reset from the client; the model still knows it."""
    limit = FixedWindow(1, per=60)
    provider = Provider([SimulatedProfile("p1", limit), SimulatedProfile("p2", limit, retry_after=False)])
    for name, told in (("p1", 50.0), ("p2", None)):
        accept(provider, name, "s1", 0.0)
        assert provider.submit(name, "s2", 10.0) == Refused("rate", told, 50.0)


def test_a_quota_group_shares_one_limit() -> None:
    """Profiles of one group use up one limit, also if only one of them has it; other profiles are independent."""
    provider = Provider(
        [
            SimulatedProfile("p1", TokenBucket(2, per=60), quota_group="g"),
            SimulatedProfile("p2", quota_group="g"),
            SimulatedProfile("g", TokenBucket(2, per=60)),
        ]
    )
    accept(provider, "p1", "s1", 0.0)
    accept(provider, "p2", "s2", 0.0)
    assert provider.submit("p1", "s3", 0.0) == Refused("rate", 30.0, 30.0)
    assert provider.submit("p2", "s3", 0.0) == Refused("rate", 30.0, 30.0)
    accept(provider, "g", "s3", 0.0)


def test_a_concurrency_slot_is_given_back_at_the_end() -> None:
    """A slot is held until the job's end, or until it is cancelled, and given back once."""
    provider = Provider([SimulatedProfile("p1", Concurrency(1), service=Constant(60))])
    first = accept(provider, "p1", "s1", 0.0)
    assert provider.submit("p1", "s2", 59.9) == Refused("concurrency")
    second = accept(provider, "p1", "s2", 60.0)
    assert provider.cancel(second, 70.0)
    assert not provider.cancel(second, 71.0)
    assert not provider.cancel(first, 71.0)
    accept(provider, "p1", "s3", 80.0)
    assert provider.submit("p1", "s4", 125.0) == Refused("concurrency")
    accept(provider, "p1", "s4", 140.0)


def test_slots_of_a_sum_are_given_back_too() -> None:
    """Beside a rate, a concurrency limit still gets its slots back."""
    limit = Concurrency(1) & TokenBucket(9, per=60)
    provider = Provider([SimulatedProfile("p1", limit, service=Constant(10))])
    job = accept(provider, "p1", "s1", 0.0)
    assert provider.submit("p1", "s2", 5.0) == Refused("concurrency")
    assert provider.cancel(job, 6.0)
    assert provider.poll(job, 7.0).status == "cancelled"
    for now in (7.0, 17.0, 27.0):
        accept(provider, "p1", "s2", now)


def test_beyond_its_capacity_a_profile_queues() -> None:
    """More jobs than the capacity are accepted, wait as queued, and start in order as slots become free."""
    provider = Provider([SimulatedProfile("p1", service=Constant(60), capacity=2)])
    jobs = [accept(provider, "p1", f"s{i}", float(i)) for i in range(5)]
    assert [job.start for job in jobs] == [0.0, 1.0, 60.0, 61.0, 120.0]
    assert provider.poll(jobs[2], 30.0).status == "queued"
    assert provider.cancel(jobs[4], 100.0)
    assert accept(provider, "p1", "s5", 100.0).start == 120.0


def test_a_scripted_refusal_hits_the_nth_submit() -> None:
    """The third submit of one profile, and a scene's first on any profile, get the scripted answers."""
    faults = [Fault("rate", profile="p1", nth=3), Fault("rate", scene="s005", nth=1, retry_after=30)]
    provider = Provider([SimulatedProfile("p1"), SimulatedProfile("p2")], faults=faults)
    accept(provider, "p1", "s001", 0.0)
    accept(provider, "p2", "s002", 0.0)
    accept(provider, "p1", "s003", 0.0)
    assert provider.submit("p1", "s004", 0.0) == Refused("rate")
    accept(provider, "p1", "s004", 0.0)
    assert provider.submit("p2", "s005", 0.0) == Refused("rate", 30, 30)
    accept(provider, "p1", "s005", 0.0)


def test_a_refusal_by_fault_uses_up_no_limit() -> None:
    """A submit that a fault refuses does not use up the limit."""
    provider = Provider([SimulatedProfile("p1", TokenBucket(1, per=60))], faults=[Fault("overload", nth=1)])
    assert provider.submit("p1", "s1", 0.0) == Refused("overload")
    accept(provider, "p1", "s1", 0.0)


def test_every_matching_fault_counts_each_call() -> None:
    """A fault counts the calls that an earlier one answers, so that scripts don't shift each other."""
    provider = Provider([SimulatedProfile("p1")], faults=[Fault("rate", nth=1), Fault("overload", nth=2)])
    causes = [answer.cause if isinstance(answer := provider.submit("p1", "s1", 0.0), Refused) else None for _ in "123"]
    assert causes == ["rate", "overload", None]


def test_an_outage_lasts_from_start_to_end() -> None:
    """A fault with times strikes in [start, end) only."""
    provider = Provider([SimulatedProfile("p1")], faults=[Fault("overload", start=20, end=40)])
    hit = [isinstance(provider.submit("p1", "s1", now), Refused) for now in (19.9, 20.0, 39.9, 40.0)]
    assert hit == [False, True, True, False]


def test_random_faults_depend_on_seed_and_scene_alone() -> None:
    """About the given share of submits fails, the same ones in any order, others under another seed."""

    def hit(seed: int, scenes: list[str]) -> set[str]:
        provider = Provider([SimulatedProfile("p1")], seed, [Fault("overload", probability=0.2)])
        return {scene for scene in scenes if isinstance(provider.submit("p1", scene, 0.0), Refused)}

    scenes = [f"s{i}" for i in range(1000)]
    assert hit(0, scenes) == hit(0, scenes[::-1]) != hit(1, scenes)
    assert 150 < len(hit(0, scenes)) < 250


def test_content_is_refused_by_prompt() -> None:
    """A predicate over prompts decides which are refused."""
    provider = Provider([SimulatedProfile("p1")], faults=[Fault("content", prompt={"bad"}.__contains__)])
    assert provider.submit("p1", "s1", 0.0, "bad") == Refused("content")
    accept(provider, "p1", "s2", 0.0, "good")


def test_jobs_fail_at_their_end_or_get_lost() -> None:
    """An accepted job may fail by itself, for its content or without a video, or its client may never hear of it."""
    faults = [Fault("job_failure", scene="a"), Fault("job_content", scene="b"), Fault("lost_answer", scene="c")]
    faults.append(Fault("job_empty", scene="e"))
    provider = Provider([SimulatedProfile("p1", service=Constant(5))], faults=faults)
    jobs = [accept(provider, "p1", scene, 0.0) for scene in "abcde"]
    assert [(job.failure, job.lost) for job in jobs] == [
        ("internal", False),
        ("content", False),
        (None, True),
        (None, False),
        ("empty", False),
    ]
    assert [provider.poll(job, 4.0).status for job in jobs] == ["running"] * 5
    assert [provider.poll(job, 5.0).status for job in jobs] == ["failed", "failed", "succeeded", "succeeded", "failed"]


def test_faults_are_switched_while_it_runs() -> None:
    """Faults can be added and cleared at any time."""
    provider = Provider([SimulatedProfile("p1")])
    accept(provider, "p1", "s1", 0.0)
    provider.faults.add(Fault("overload"))
    assert provider.submit("p1", "s1", 0.0) == Refused("overload")
    provider.faults.clear()
    accept(provider, "p1", "s1", 0.0)


def test_default_keys_are_sendable_and_hidden() -> None:
    """Default keys are plain ASCII, differ between names, and show in no repr."""
    keys = [SimulatedProfile(name).api_key for name in ("p1", "é", "a b", "a_20_b")]
    assert keys[0] == "sk-emulated-p1"
    assert len(set(keys)) == 4
    assert all(key.isascii() and " " not in key for key in keys)
    assert "sk-" not in repr(SimulatedProfile("p1"))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"name": " "}, "name"),
        ({"limit": 3}, "limit"),
        ({"service": 60}, "service"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": True}, "capacity"),
    ],
)
def test_wrong_profiles_are_refused(options: dict[str, Any], problem: str) -> None:
    """The error names the impossible parameter of a simulated profile."""
    with pytest.raises(InputError, match=problem):
        SimulatedProfile(**({"name": "p1"} | options))


def test_wrong_sets_of_profiles_are_refused() -> None:
    """No profiles, repeated names, two limits in one group, and things that are not profiles."""
    p1 = SimulatedProfile("p1", TokenBucket(1, per=1), quota_group="g")
    p2 = SimulatedProfile("p2", TokenBucket(2, per=1), quota_group="g")
    wrong: list[tuple[list[Any], str]] = [
        ([], "at least one"),
        ([p1, p1], "two profiles are named"),
        ([p1, p2], "two limits"),
        (["p1"], "SimulatedProfile"),
    ]
    for profiles, problem in wrong:
        with pytest.raises(InputError, match=problem):
            Provider(profiles)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"kind": "flood"}, "unknown fault"),
        ({"call": "delete"}, "call"),
        ({"nth": 0}, "nth"),
        ({"probability": 1.1}, "probability"),
        ({"retry_after": -1}, "retry_after"),
        ({"start": 5, "end": 5}, "before end"),
    ],
)
def test_wrong_faults_are_refused(options: dict[str, Any], problem: str) -> None:
    """The error names the impossible parameter of a fault."""
    with pytest.raises(InputError, match=problem):
        Fault(**({"kind": "rate"} | options))


def test_only_faults_are_faults() -> None:
    """Something else in the list of faults is an error at once."""
    with pytest.raises(InputError, match="Fault"):
        Provider([SimulatedProfile("p1")], faults=["rate"])  # type: ignore[list-item]
