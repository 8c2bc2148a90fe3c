"""A provider that depends on its load, against birth-death chains and by hand."""

from __future__ import annotations

from random import Random
from statistics import fmean

import httpx
import pytest

from vidgen_nb.analysis.experiments.student_t import mean_interval
from vidgen_nb.clients import simulate_clients
from vidgen_nb.clock import Clock
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    FixedWindow,
    Job,
    Load,
    LogNormal,
    Organisation,
    Provider,
    Refused,
    Service,
    SimulatedProfile,
)
from vidgen_nb.run import load_run, simulate


def birth_death(load: Load, arrivals: float, mean: float) -> tuple[float, float]:
    """Return the mean number of jobs and the share of submits refused, for Poisson arrivals and exponential services.

    In state k, jobs come at arrivals · (1 - refusing(k + 1)) and end at k · speed(k) / mean. More than 80 jobs are
    never met: the one that does less under load would then never recover.
    """
    weights = [1.0]
    for k in range(1, 80):
        weights.append(weights[-1] * arrivals * (1 - load.refusing(k)) / (k * load.speed(k) / mean))
    total = sum(weights)
    number = sum(k * each for k, each in enumerate(weights)) / total
    refused = sum(each * load.refusing(k + 1) for k, each in enumerate(weights)) / total
    return number, refused


def served(load: Load, arrivals: float, service: Service, seed: int, count: int = 4000) -> tuple[float, float]:
    """Return the mean time of a job at a provider with Poisson arrivals, and the share of submits that it refused."""
    provider, rng, now = Provider([SimulatedProfile("a", service=service)], seed, load=load), Random(seed), 0.0
    jobs, refused = [], 0
    for number in range(count):
        now += rng.expovariate(arrivals)
        answer = provider.submit("a", f"s{number}", now)
        if isinstance(answer, Job):
            jobs.append(answer)
        else:
            assert answer == Refused("overload")
            refused += 1
    assert all(provider.poll(job, now + 1e6).status == "succeeded" for job in jobs)
    return fmean(job.finish - job.created for job in jobs[count // 10 :]), refused / count


@pytest.mark.parametrize(
    ("load", "arrivals"),
    [
        pytest.param(Load(1), 0.5, marks=pytest.mark.long),  # M/M/1-PS
        (Load(4), 2.8),  # M/M/4 with sharing
        pytest.param(Load(4, slowdown=1.3), 1.6, marks=pytest.mark.long),  # does less under load
        pytest.param(Load(3, slowdown=0.0), 4.0, marks=pytest.mark.long),  # M/M/∞
        (Load(2, errors=0.8), 3.0),  # sheds load, above what it can do
    ],
)
def test_against_the_birth_death_chain(load: Load, arrivals: float) -> None:
    """Mean times and refusals are those of the chain, within the 99.9 % interval of 30 runs."""
    number, refused = birth_death(load, arrivals, mean=1.0)
    runs = [served(load, arrivals, Exponential(1.0), seed) for seed in range(30)]
    _, low, high = mean_interval([seconds for seconds, _ in runs], 0.999)
    assert low < number / (arrivals * (1 - refused)) < high
    assert high / low < 1.25
    if load.errors:
        _, low, high = mean_interval([share for _, share in runs], 0.999)
        assert low < refused < high


@pytest.mark.parametrize("service", [pytest.param(Constant(1.0), marks=pytest.mark.long), LogNormal(1.0, 1.5)])
def test_sharing_does_not_depend_on_the_distribution(service: Service) -> None:
    """M/G/1-PS: the mean time is 1 / (1 - load) whatever the distribution; first come, first served would not do so."""
    _, low, high = mean_interval([served(Load(1), 0.5, service, seed)[0] for seed in range(30)], 0.999)
    assert low < 2.0 < high
    assert high / low < 1.25


def test_by_hand() -> None:
    """Two jobs of 10 s, the second at 5: 5 s alone, 10 s shared, 5 s alone; a third that is cancelled still counts."""
    provider = Provider([SimulatedProfile("a", Concurrency(3), service=Constant(10))], load=Load(1))
    first, second = provider.submit("a", "1", 0.0), provider.submit("a", "2", 5.0)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert provider.poll(first, 7.0).remaining == pytest.approx(8.0)
    assert provider.poll(first, 15.0).status == "succeeded"
    third = provider.submit("a", "3", 15.0)
    assert isinstance(third, Job)
    assert provider.cancel(third, 16.0)
    assert provider.poll(second, 20.0).status == "running"
    assert provider.poll(third, 20.0).status == "cancelled"
    assert provider.poll(second, 25.0).status == "succeeded"
    assert (first.finish, second.finish) == pytest.approx((15.0, 25.0))
    answers = [provider.submit("a", str(k), 25.0) for k in range(4, 8)]
    assert [isinstance(each, Job) for each in answers] == [True, True, True, False]


def test_of_many_jobs_no_end_is_said_too_late() -> None:
    """What a poll says of a job's end is exact or too early, and each time it is asked again it is closer."""
    provider, rng = Provider([SimulatedProfile("a", service=LogNormal(50, 1.0))], load=Load(3, slowdown=1.2)), Random(2)
    jobs = [job for k in range(500) if isinstance(job := provider.submit("a", f"s{k}", k * 0.01), Job)]
    said = {job.number: [provider.poll(job, 5.0).remaining + 5.0] for job in jobs}
    looks = 0
    for job in rng.sample(jobs, 40):
        other = Provider([SimulatedProfile("a", service=LogNormal(50, 1.0))], load=Load(3, slowdown=1.2))
        again = [each for k in range(500) if isinstance(each := other.submit("a", f"s{k}", k * 0.01), Job)]
        now, mine = said[job.number][0], again[job.number - 1]
        while (state := other.poll(mine, now)).status == "running":
            now += state.remaining
            looks += 1
        assert mine.finish <= now + 1e-9
        assert now == pytest.approx(mine.finish, abs=1e-6)
    assert looks < 40 * 6


@pytest.mark.parametrize("clients", [1, 7])
def test_a_run_measures_what_the_provider_does(clients: int) -> None:
    """However many jobs share it, each result is there when its job ends: to a microsecond, for several clients too."""
    load, service, rng, times = Load(3, slowdown=1.1), LogNormal(2.0, 1.0), Random(6), [0.0]
    for _ in range(7 * 100 - 1):
        times.append(times[-1] + rng.expovariate(1.3))
    arrivals = [times[place::clients] for place in range(clients)]
    profile = SimulatedProfile("a", service=service)
    found = simulate_clients(clients, 700 // clients, [profile], mode="boost", arrivals=arrivals, load=load, seed=9)
    ends = {scene.id: scene.end for run in found for scene in run.scenes}
    provider = Provider([profile], 9, load=load)
    jobs = []
    for number, at in enumerate(times):
        scene = f"c{number % clients + 1:03}-s{number // clients + 1:03}"
        jobs.append(provider.submit("a", scene, at))
    for job in jobs:
        assert isinstance(job, Job)
        assert ends[job.scene] == pytest.approx(provider.end_of(job, 1e6), abs=1e-6)


def test_given_up_and_worked_on() -> None:
    """A client that gives up after 15 s submits again; the provider finishes both jobs, so the second takes longer."""
    profile = SimulatedProfile("a", service=Constant(20))
    run = simulate(1, [profile], load=Load(1), attempt_timeout=15)
    assert [each.outcome for each in run.attempts] == ["transient"] * 7
    assert "given up: not done 15 s after its submit; the provider works on" in (run.scenes[0].error or "")
    patient = simulate(1, [profile], load=Load(1), attempt_timeout=20)
    assert patient.metrics().makespan == pytest.approx(20)
    assert simulate(1, [profile], attempt_timeout=15).attempts[0].end == 15


def test_recorded_and_asked_again(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A run's file says how its provider depends on load and when clients give up; what-if gives the same events."""
    profile = SimulatedProfile("a", service=LogNormal(10, 0.5))
    run = simulate(40, [profile], mode="boost", load=Load(10, slowdown=1.5, errors=0.3), attempt_timeout=45, seed=4)
    read = load_run(run.save(tmp_path / "run.jsonl"))
    assert read.what_if().events == run.events
    assert {each.outcome for each in run.attempts} == {"succeeded", "transient"}
    assert read.what_if(load=None, attempt_timeout=None).metrics().wasted_share == 0
    plain = simulate(40, [profile], mode="boost", load=Load(1000), seed=4)
    assert [each.end for each in plain.attempts] == pytest.approx(
        [each.end for each in simulate(40, [profile], mode="boost", seed=4).attempts]
    )


def test_an_emulator_under_load() -> None:
    """The emulator's jobs share what it can do, and an organisation's limit stands above its accounts' keys."""
    team = Organisation("team", FixedWindow(3, per=3600))
    profiles = [SimulatedProfile(name, None, Constant(60), api_key=name, organisation=team) for name in "ab"]
    clock = Clock()
    with Emulator(profiles, clock=clock, load=Load(1)) as emulator, httpx.Client() as client:
        made = [
            client.post(
                f"{emulator.base_url}/videos", data={"prompt": "a fox"}, headers={"Authorization": f"Bearer {k}"}
            )
            for k in "abab"
        ]
        assert [each.status_code for each in made] == [200, 200, 200, 429]
        assert emulator.provider.work is not None
        jobs = [each for _, _, each in emulator.provider.work._ends]
        assert len(jobs) == 3
        assert all(emulator.provider.end_of(job, clock.now()) > job.created + 100 for job in jobs)
    with pytest.raises(InputError, match="with load=, no job queues"):
        Emulator([SimulatedProfile("a", Concurrency(1))], dialect="runway", load=Load(1))


def test_what_makes_no_sense() -> None:
    """Impossible numbers, a queue under load, or something else than a Load: an error says so."""
    for wrong in ({"jobs": 0}, {"jobs": True}, {"jobs": 1, "slowdown": -1}, {"jobs": 1, "errors": 1.1}):
        with pytest.raises(InputError, match="Load: "):
            Load(**wrong)
    with pytest.raises(InputError, match="with load=, no job queues"):
        simulate(1, [SimulatedProfile("a", Concurrency(1, over="queue"))], load=Load(1))
    with pytest.raises(InputError, match=r"load is Load\(jobs, …\) or None, not 3"):
        simulate(1, [SimulatedProfile("a")], load=3)
    with pytest.raises(InputError, match="attempt_timeout is a finite number of seconds, above 0"):
        simulate(1, [SimulatedProfile("a")], attempt_timeout=0)
