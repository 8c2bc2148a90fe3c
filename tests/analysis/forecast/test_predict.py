"""When a run will be done: the truth lies in the interval as often as it says, and it doesn't take long."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest

from vidgen_nb.analysis.forecast.predict import predict_finish
from vidgen_nb.analysis.forecast.prediction import Prediction
from vidgen_nb.analysis.forecast.snapshot import snapshot
from vidgen_nb.analysis.limits.limit_samples import drawn_limits
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryPolicy, Scene
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    Exponential,
    Fault,
    FixedWindow,
    LogNormal,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, simulate

BOOST = Mode("boost", None, 8)


def until(run: Run, share: float) -> RunData:
    """Return a run as it stood after a share of its time."""
    cut = run.data.end * share
    return build(run.header, [event for event in run.events if event.at <= cut])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("mode", ["normal", "boost"])
@pytest.mark.parametrize("n", [1, 2])
def test_jobs_queued_at_the_provider_are_finished_one_after_the_other(n: int, mode: str, share: float) -> None:
    """Equal jobs, n at once: their end is known to a few seconds, whether they wait with us or there."""
    run = simulate(16, [SimulatedProfile("p", Concurrency(n, over="queue"), Constant(20))], mode=mode)
    truth = 16 * 20 / n
    found = predict_finish(until(run, share))
    assert run.data.end == pytest.approx(truth)
    assert found.middle == pytest.approx(truth, abs=6)
    assert found.low is not None and found.high is not None
    assert found.low - 1 <= truth <= found.high + 1 and found.high - found.low < 60


def case(seed: int, policy: Policy | None = None) -> tuple[Run, RunData]:
    """Return a run on 1 to 8 profiles with different limits and services, and how it stood on the way."""
    rng = Random(seed)
    services = (Exponential(40), LogNormal(60, 0.3), Constant(30))
    kinds = (TokenBucket, FixedWindow, SlidingWindow)
    profiles = [
        SimulatedProfile(
            f"p{k}",
            rng.choice(kinds)(rng.choice([2, 4, 8]), per=rng.choice([10, 30, 60, 120])),
            rng.choice(services),
            retry_after=rng.random() < 0.5,
        )
        for k in range(rng.choice([1, 2, 4, 8]))
    ]
    mode = rng.choice([Mode("normal", 1, 4), BOOST])
    chosen = policy or PerProfileCooldown(rng.choice([10, 30]))
    run = simulate(rng.choice([24, 60, 120]), profiles, mode=mode, policy=chosen, seed=seed)
    return run, until(run, rng.choice([0.3, 0.5, 0.7]))


def covered(seeds: range, policy: Policy | None = None) -> tuple[int, int]:
    """Return of how many cases the true finish lies in the interval, and how many there are."""
    within = told = 0
    for seed in seeds:
        run, data = case(seed, policy)
        found = predict_finish(data, runs=20)
        if found.low is None or found.middle is None or found.high is None:
            assert found.reason
            continue
        assert data.end <= found.low <= found.middle <= found.high
        told += 1
        within += found.low - 1e-3 <= run.data.end <= found.high + 1e-3
    return within, told


def test_the_truth_lies_within() -> None:
    """An interval of 80 % contains the true finish in at least 70 % of 30 cases."""
    within, told = covered(range(1000, 1030))
    assert told >= 27
    assert within >= 0.7 * told


@pytest.mark.long
def test_the_truth_lies_within_in_200_cases() -> None:
    """The same, of more: nearly in as many as it says."""
    within, told = covered(range(2000, 2200))
    assert told >= 180
    assert within >= 0.78 * told


@pytest.mark.long
@pytest.mark.parametrize(
    "policy", [Paced(), ExponentialCooldown(), GlobalPause(15)], ids=lambda each: type(each).__name__
)
def test_the_truth_lies_within_whatever_the_policy(policy: Policy) -> None:
    """The same for policies that learn, wait longer each time, or close every group."""
    within, told = covered(range(2000, 2100), policy)
    assert told >= 85
    assert within >= 0.74 * told


def test_the_same_again() -> None:
    """It is a pure function: no clock, nothing changed; a seed of its own gives other draws."""
    _, data = case(3)
    before = list(data.events)
    first, second = predict_finish(data), predict_finish(data)
    assert first == second and list(data.events) == before
    assert predict_finish(data, seed=1) != first


def four(count: int, mode: Mode, share: float) -> tuple[Run, RunData]:
    """Return a run of that many scenes on four equal profiles, and how it stood."""
    profiles = [SimulatedProfile(f"p{k}", TokenBucket(4, per=60), LogNormal(60, 0.2)) for k in range(4)]
    run = simulate(count, profiles, mode=mode)
    return run, until(run, share)


@pytest.mark.parametrize("mode", [Mode("normal", 1, 4), BOOST], ids=lambda mode: mode.name)
def test_it_is_quick(mode: Mode) -> None:
    """With 24 to 500 scenes left it takes a fraction of a second: no more than 40 simulated runs of 100 scenes."""
    yardstick, _ = four(100, mode, 1.0)
    one = best(lambda: simulate(100, profiles_of(yardstick), mode=mode))
    for count, share in ((40, 0.4), (250, 0.4), (600, 1 / 6)):
        _, data = four(count, mode, share)
        assert best(lambda data=data: predict_finish(data)) < 60 * one  # type: ignore[misc]


def profiles_of(run: Run) -> list[SimulatedProfile]:
    """Return four profiles as in the run."""
    return [SimulatedProfile(name, TokenBucket(4, per=60), LogNormal(60, 0.2)) for name in run.data.profiles]


def best(call: Callable[[], object]) -> float:
    """Return the shorter of two times it takes, in CPU seconds."""
    took = []
    for _ in range(2):
        begun = time.process_time()
        call()
        took.append(time.process_time() - begun)
    return min(took)


def test_thousands_left() -> None:
    """Of very many scenes some are simulated, and the rest goes on at their pace."""
    run, data = four(3000, BOOST, 0.2)
    found = predict_finish(data)
    assert found.left > 2300 and found.runs < 10
    assert found.middle == pytest.approx(run.data.end, rel=0.05)


def test_the_end_and_the_beginning() -> None:
    """A finished run ended when it did; without a result there is no prediction; an empty run is finished."""
    run, _ = case(2)
    end = run.data.end
    assert predict_finish(run.data) == Prediction(end, 0, end, end, end, 0)
    early = predict_finish(until(run, 0.0))
    assert (early.middle, early.reason) == (None, "no scene has succeeded yet")
    assert predict_finish(build({}, [])).left == 0


def test_constant_times_without_a_limit() -> None:
    """One profile, one at a time, 10 s each: the rest takes 10 s a scene, after what is running."""
    run = simulate(30, [SimulatedProfile("p1", None, Constant(10))], mode=Mode("one", 1, 1))
    found = predict_finish(build(run.header, [event for event in run.events if event.at <= 155]))
    assert found.left == 15
    assert found.middle == pytest.approx(300, abs=12)


def test_cooldowns_and_what_is_used_up_count() -> None:
    """An empty bucket and an open cooldown count in the prediction."""
    profile = SimulatedProfile("p1", TokenBucket(4, per=400), Constant(10))
    run = simulate(14, [profile], mode=BOOST, policy=PerProfileCooldown(50))
    found = predict_finish(build(run.header, [event for event in run.events if event.at <= 320]))
    assert found.low is not None and found.high is not None
    assert found.low - 1 <= run.data.end <= found.high + 50  # a token each 100 s: the last at about 1000 s
    end = run.data.end
    added = ev.SceneAdded(Scene("late", "x"), at=end)
    cool = ev.CooldownStarted("p1", False, "p1", ("p1",), 3000.0, "x", at=end)
    closed = build(run.header, [*run.events[:-1], added, cool])
    late = predict_finish(closed)
    assert late.low is not None and late.low >= 3000


class Slow(Policy):
    """A policy that has learned something."""

    wait = 0.0

    def earliest(self, profile: str, now: float) -> float:
        """Wait until what was learned is over."""
        return max(now, self.wait)

    def on_429(self, group: GroupView, outcome: object, now: float) -> Cooldown:
        """Cool for a second."""
        return Cooldown("group", now + 1)


def test_a_policy_with_what_it_learned() -> None:
    """The one in use may be given; a copy of it decides."""
    _, data = four(30, BOOST, 0.3)
    policy = Slow()
    policy.wait = 5000.0
    found = predict_finish(data, policy=policy)
    assert found.low is not None and found.low > 5000
    assert vars(policy) == {"wait": 5000.0}


def test_a_policy_that_learns_goes_on_from_what_it_knows() -> None:
    """What the run has shown decides, whether the policy is given or not; a submit without an answer is no loss."""
    profile = SimulatedProfile("p1", SlidingWindow(2, per=100), Constant(10), retry_after=False)
    run = simulate(40, [profile], mode=BOOST, policy=Paced(), latency=1.0)
    assert not any(isinstance(event, ev.CallFailed) for event in run.events if event.at > run.data.end / 2)
    for late in (0, 1, 2):
        sent = [event.at for event in run.events if isinstance(event, ev.AttemptStarted)][len(run.attempts) // 2 + late]
        data = build(run.header, [event for event in run.events if event.at <= sent])
        found = predict_finish(data)
        assert found.middle == pytest.approx(run.data.end, rel=0.01)
        assert predict_finish(data, policy=Paced()) == found


class Never(Policy):
    """A policy that lets nothing out once it has seen a result, and looks again each day."""

    done = False

    def earliest(self, profile: str, now: float) -> float:
        """Look again tomorrow."""
        return now + 86_400 if self.done else now

    def on_429(self, group: GroupView, outcome: object, now: float) -> Cooldown:
        """Cool for a second."""
        return Cooldown("group", now + 1)

    def observe(self, event: ev.Event, now: float) -> None:
        """Note a result."""
        self.done = self.done or isinstance(event, ev.Fetched)


def test_a_policy_that_lets_nothing_out() -> None:
    """It is not simulated forever: there is no prediction."""
    run = simulate(9, [SimulatedProfile("p1", None, Constant(10))], mode=Mode("one", 1, 1))
    assert predict_finish(until(run, 0.5), policy=Never()).reason == "every profile stays unusable, or held back"


def test_limits_that_others_have_met() -> None:
    """A group that has met no limit may have one as another's; not one that refuses what it has let through."""
    some, more = TokenBucket(3, per=300), TokenBucket(30, per=300)
    profiles = [
        SimulatedProfile(name, limit, Constant(10)) for name, limit in (("p1", some), ("p2", some), ("p3", more))
    ]
    run = simulate(60, profiles, mode=Mode("few", 1, None), policy=PerProfileCooldown(100))
    met = next(k for k, event in enumerate(run.events) if isinstance(event, ev.SceneRequeued))
    for late in (1, 40):
        drawn = {
            name: [each.limit for each in limits]
            for names, limits in drawn_limits(build(run.header, run.events[: met + late]))
            for name in names
        }
        assert None not in drawn["p1"] and None in drawn["p3"]
        assert any(drawn["p3"]) is (late == 1)


def test_stopped_and_stuck() -> None:
    """After a stop only running jobs count; without a profile that will be usable there is no prediction."""
    run, data = four(60, BOOST, 0.3)
    stopped = build(run.header, [*data.events, ev.Stopped(at=data.end)])
    assert predict_finish(stopped).left == len(snapshot(data).jobs_running) < predict_finish(data).left
    removed = [ev.ProfileRemoved(name, at=data.end) for name in data.profiles]
    assert predict_finish(build(run.header, [*data.events, *removed])).reason == "there is no profile"
    gone = [ev.CooldownStarted(name, True, name, (name,), float("inf"), "no credit", unusable=True, at=data.end)
            for name in data.profiles]  # fmt: skip
    assert (
        predict_finish(build(run.header, [*data.events, *gone])).reason == "every profile stays unusable, or held back"
    )


def test_submits_in_doubt_count_as_billed() -> None:
    """Of what `max_billed` lets, those are gone that may have been accepted: what it stopped is not waited for."""
    lost = [Fault("lost_answer", scene=f"s00{k}") for k in (1, 2, 3)]
    run = simulate(8, [SimulatedProfile("p1", None, Constant(9))], mode=BOOST, faults=lost, max_billed=5)
    assert run.metrics().scenes == {"held": 3, "succeeded": 2, "queued": 3} and run.ended == "max_billed"
    assert run.predict_finish().left == 0
    run = simulate(3, [SimulatedProfile("p1")], max_billed=2, latency=1.0)
    begun = run.events[: 1 + [type(event) for event in run.events].index(ev.AttemptStarted)]
    given_up = [
        *begun,
        ev.AttemptAbandoned("s001", 1, sent=True, reason=""),
        ev.SceneSettled("s001", 1, "p1", "held", ""),
    ]
    assert len(snapshot(build(run.header, given_up)).waiting) == 1


def test_failures_so_far_are_expected_to_go_on() -> None:
    """Where half of the jobs break, the rest takes about twice as long as without."""
    profile = SimulatedProfile("p1", None, Constant(20))
    broken = simulate(60, [profile], mode=Mode("one", 1, 1), faults=[Fault("job_failure", probability=0.5)])
    data = until(broken, 0.4)
    found = predict_finish(data)
    assert found.middle is not None
    assert found.middle - data.end > 1.5 * 20 * found.left


def test_a_run_can_be_asked() -> None:
    """`Run.predict_finish` is the same, at any later moment, too."""
    run, data = four(60, BOOST, 0.3)
    live = Run(run.header, list(data.events))
    assert live.predict_finish() == predict_finish(data)
    later = live.predict_finish(now=data.end + 500)
    assert later.at == data.end + 500 and later.low is not None and later.low >= later.at


def test_the_time_in_which_no_program_ran_makes_no_job_older() -> None:
    """An hour off before a restore moves the finish by that hour, not by what jobs an hour old would take longer."""
    run = simulate(30, [SimulatedProfile("p", None, LogNormal(60, 0.3), 3)], mode="boost", seed=4)
    data = until(run, 0.5)
    later = [ev.Stopped(ev.StopReason.BROKEN_OFF), restored(data.end), ev.RunStarted()]
    for event in later:
        event.at = data.end + 3600.0  # type: ignore[misc]  # events are frozen for everyone else
    off = build(run.header, [*data.events, *later])
    assert off.off == [(data.end, data.end + 3600.0)]
    then, now = predict_finish(data, runs=20), predict_finish(off, runs=20)
    assert then.high is not None and now.high is not None and then.middle is not None and now.middle is not None
    assert now.middle - 3600 == pytest.approx(then.middle, rel=0.05)
    assert now.high - 3600 == pytest.approx(then.high, rel=0.1)


def restored(last: float) -> ev.RunRestored:
    """Return the restore of a run whose program recorded its last event at that time."""
    return ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 3600.0, off_since=last)
