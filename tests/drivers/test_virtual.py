"""Virtual time: the same run every time, by the rules, and the same as the other drivers make of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit import audit
from tests.drivers.harness import play
from tests.drivers.model_backend import ModelBackend
from tests.drivers.over_http import over_http
from tests.fakes import MemorySink
from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.clock import Clock
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, Mode, Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.realtime import RealtimeDriver
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.ports import Profile
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    DailyQuota,
    Exponential,
    Fault,
    FixedWindow,
    LogNormal,
    Provider,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.recording.codec import encode
from vidgen_nb.run import Run


def scenes(count: int) -> list[Scene]:
    """Return this many scenes."""
    return [Scene(f"s{k:03}", f"prompt {k}") for k in range(1, count + 1)]


FOUR = (
    SimulatedProfile("p1", TokenBucket(2, per=60), LogNormal(22, 0.25), capacity=3),
    SimulatedProfile("p2", SlidingWindow(4, per=50), Exponential(18), capacity=3),
    SimulatedProfile("p3", FixedWindow(3, per=40), Constant(14), capacity=2, retry_after=False),
    SimulatedProfile("p4", TokenBucket(30, per=60) & Concurrency(2), LogNormal(26, 0.25), capacity=4),
)
LIMITS = st.one_of(
    st.none(),
    st.builds(TokenBucket, st.integers(1, 6), per=st.sampled_from([5.0, 60.0])),
    st.builds(FixedWindow, st.integers(1, 6), per=st.sampled_from([7.0, 60.0])),
    st.builds(SlidingWindow, st.integers(1, 6), per=st.sampled_from([7.0, 60.0])),
    st.builds(Concurrency, st.integers(1, 3)),
    st.builds(DailyQuota, st.integers(1, 20)),
)
SERVICES = st.one_of(st.builds(Constant, st.sampled_from([0.0, 1.0, 30.0])), st.just(LogNormal(20, 0.5)))
PROFILES = st.lists(
    st.tuples(LIMITS, SERVICES, st.integers(1, 4), st.booleans(), st.sampled_from([None, "team"])),
    min_size=1,
    max_size=4,
)
SOMETIMES, ONCE = ["overload", "lost_answer", "job_failure", "job_empty", "content"], ["cut_off", "slow", "expired"]
FAULTS = st.lists(
    st.one_of(
        st.builds(Fault, st.sampled_from(SOMETIMES), probability=st.just(0.2)),
        st.builds(Fault, st.just("auth"), nth=st.integers(1, 9)),
        st.builds(Fault, st.sampled_from(ONCE), nth=st.integers(1, 5)),
        st.builds(Fault, st.just("rate"), call=st.just("poll"), nth=st.integers(1, 5)),
    ),
    max_size=2,
)


def made(spec: list[tuple[object, ...]]) -> list[SimulatedProfile]:
    """Return profiles; those of the group share the first one's limit."""
    shared = next((each[0] for each in spec if each[4]), None)
    return [
        SimulatedProfile(f"p{k}", shared if group else limit, service, capacity, told, group)  # type: ignore[arg-type]
        for k, (limit, service, capacity, told, group) in enumerate(spec)
    ]


@given(
    PROFILES, FAULTS, st.sampled_from([NORMAL, BOOST]), st.sampled_from([0.0, 0.3]),
    st.sampled_from([PerProfileCooldown(10), PerProfileCooldown(honour_retry_after=True), GlobalPause(8)]),
    st.integers(0, 5),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_every_run_obeys_the_rules(
    spec: list[tuple[object, ...]], faults: list[Fault], mode: Mode, latency: float, policy: Policy, seed: int
) -> None:
    """Whatever the limits and faults: the audit finds nothing, and no scene is lost (R17)."""
    simulation = Simulation(scenes(15), made(spec), mode, policy, seed=seed, faults=faults, latency=latency)
    header, events = simulation.run()
    audit(events, mode, moves=policy.moves)
    run = Run(header, events)
    assert run.ended in ("settled", "no usable profile")
    assert Counter(scene.status for scene in run.scenes).total() == 15
    if run.ended == "settled":
        assert all(scene.end is not None for scene in run.scenes)


PROGRAM = """
import json
from tests.drivers.test_virtual import FOUR, scenes
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core.model import BOOST
from vidgen_nb.recording.codec import encode
from vidgen_nb.provider import Fault
header, events = Simulation(scenes(40), FOUR, BOOST, seed=3, faults=[Fault("overload", probability=0.1)]).run()
print(json.dumps([header, *map(encode, events)]))
"""


def test_the_same_seed_gives_the_same_bytes() -> None:
    """In another process with another hash seed, too; another seed gives another run."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    first, second = (Simulation(scenes(10), FOUR, seed=seed).run()[1] for seed in (1, 2))
    assert [*map(encode, first)] != [*map(encode, second)]


Seen = list[tuple[str, int, str, float, float | None, str | None]]


def seen(header: dict[str, object], events: list[ev.Event]) -> Seen:
    """Return what happened, attempt by attempt."""
    attempts = build(header, events).attempts
    return [(a.scene, a.number, a.profile, a.start, a.end, a.outcome) for a in attempts]


def in_process(simulation: Simulation) -> Seen:
    """Return what the realtime driver makes of it, on a loop whose time jumps."""
    found: list[Seen] = []

    async def go() -> None:
        clock = Clock(monotonic=asyncio.get_running_loop().time)
        backend = ModelBackend(Provider(simulation.profiles, simulation.seed), clock.now, simulation.latency)
        scheduler = Scheduler(mode=simulation.mode, policy=simulation.policy, rng=Random(simulation.seed))
        profiles = {each.name: Profile(each.name) for each in simulation.profiles}
        driver = RealtimeDriver(scheduler, backend, profiles, clock, lambda scene, number: MemorySink(scene))
        driver.post(*(ev.ProfileAdded(each.name, each.capacity) for each in simulation.profiles))
        driver.post(*(ev.SceneAdded(scene) for scene in simulation.scenes), ev.RunStarted())
        await driver.run()
        found.append(seen({}, scheduler.events))

    play(go())
    return found[0]


@pytest.mark.parametrize(("mode", "latency"), [(NORMAL, 0.25), (BOOST, 0.0)], ids=["normal", "boost"])
@pytest.mark.parametrize("policy", [PerProfileCooldown(), GlobalPause()], ids=lambda policy: type(policy).__name__)
def test_the_realtime_driver_makes_the_same_of_it(mode: Mode, latency: float, policy: Policy) -> None:
    """Attempt by attempt, to the microsecond: one core, and one model, whichever the driver."""
    simulation = Simulation(scenes(40), FOUR, mode, policy, seed=5, latency=latency)
    virtual, live = seen(*simulation.run()), in_process(simulation)
    assert [each[:3] + each[5:] for each in live] == [each[:3] + each[5:] for each in virtual]
    for (*_, start, end, _), (*_, start_then, end_then, _) in zip(live, virtual, strict=True):
        assert start == pytest.approx(start_then, abs=1e-5)
        assert end == pytest.approx(end_then, abs=1e-5)


def spread(*pairs: tuple[float, float]) -> list[SimulatedProfile]:
    """Return profiles from (seconds of a bucket of two, service time) that don't meet: order hangs on no timer."""
    return [
        SimulatedProfile(f"p{k}", TokenBucket(2, per=per), Constant(service), capacity=2)
        for k, (per, service) in enumerate(pairs, 1)
    ]


def test_normal_mode_over_http() -> None:
    """Attempt by attempt, to the millisecond; so are the moves and the cooldowns."""
    simulation = Simulation(scenes(14), spread((70, 17), (110, 31), (70, 22), (110, 50)), NORMAL, latency=0.25)
    virtual, live = Run(*simulation.run()), over_http(simulation)
    tries = [[(a.scene, a.number, a.profile, a.outcome) for a in run.attempts] for run in (virtual, live)]
    assert tries[1] == tries[0]
    moves = [[(m.scene, m.from_profile, m.to_profile) for m in run.moves] for run in (virtual, live)]
    assert moves[1] == moves[0] != []
    ends = [
        [(each.start, each.end) for each in run.attempts] + [(each.start, each.end) for each in run.cooldowns]
        for run in (virtual, live)
    ]
    for one, other in zip(ends[1], ends[0], strict=True):
        assert one == pytest.approx(other, abs=1e-3)


def test_boost_mode_over_http() -> None:
    """Counts agree within two, windows within 15 %, the end within 1 %.

    Which of the submits that leave together arrives first is up to their connections. One that is called back before it
    leaves, because a 429 came in that moment, is a 429 in virtual time.
    """
    simulation = Simulation(scenes(24), spread((50, 15), (50, 33), (70, 57), (90, 26)), BOOST, latency=0.25)
    virtual, live = Run(*simulation.run()), over_http(simulation)
    not_made = [sum(each.outcome in ("rate_limited", "cancelled") for each in run.attempts) for run in (virtual, live)]
    counts = [
        (missed, len(run.attempts), len(run.moves)) for missed, run in zip(not_made, (virtual, live), strict=True)
    ]
    assert counts[1] == pytest.approx(counts[0], abs=2)
    assert sum(w.end - w.start for w in live.cooldowns) == pytest.approx(
        sum(w.end - w.start for w in virtual.cooldowns), rel=0.15
    )
    assert live.metrics().makespan == pytest.approx(virtual.metrics().makespan, rel=0.01)


@pytest.mark.parametrize(("mode", "latency"), [(NORMAL, 0.25), (BOOST, 0.0)], ids=["normal", "boost"])
def test_rate_headers_in_both_drivers(mode: Mode, latency: float) -> None:
    """Paced goes by them, in real time as in virtual time: attempt by attempt the same, and where told not refused."""
    profiles = [replace(each, rate_headers=True) for each in FOUR]
    simulation = Simulation(scenes(40), profiles, mode, Paced(), seed=5, latency=latency)
    virtual, live = seen(*simulation.run()), in_process(simulation)
    assert [each[:3] + each[5:] for each in live] == [each[:3] + each[5:] for each in virtual]
    refused = {attempt.profile for attempt in Run(*simulation.run()).attempts if attempt.outcome == "rate_limited"}
    assert refused <= {"p4"}  # two limits at once: nothing is told


def test_arrivals_and_requests() -> None:
    """Scenes come when they come, also after all before them have settled; a user's hand is planned the same way."""
    run = Run(*Simulation(scenes(3), FOUR[3:], arrivals=[0, 5, 500]).run())
    assert [scene.queued for scene in run.scenes] == [0, 5, 500]
    assert run.ended == "settled"
    paused = [(1.0, ev.Paused()), (90.0, ev.Unpaused()), (95.0, ev.ProfileRemoved("p4"))]
    run = Run(*Simulation(scenes(8), FOUR[2:], requests=paused).run())
    assert not any(1.0 < attempt.start < 90.0 for attempt in run.attempts)
    assert all(attempt.profile == "p3" for attempt in run.attempts if attempt.start > 95.0)


def test_until() -> None:
    """What is under way then settles, the rest stays queued."""
    run = Run(*Simulation(scenes(40), FOUR, until=30.0).run())
    assert run.ended == "stopped"
    assert max(attempt.start for attempt in run.attempts) <= 30.0
    assert {scene.status for scene in run.scenes} == {"succeeded", "queued"}


def test_requests_after_the_end_are_left_out() -> None:
    """A run is as long as its scenes took, whatever was planned for later; a scene that comes later is still run."""
    profiles = [SimulatedProfile("p1", service=Constant(9))]
    later = [(500.0, ev.Paused()), (600.0, ev.ModeChanged(BOOST))]
    _, events = Simulation(scenes(2), profiles, until=400.0, requests=later).run()
    assert (type(events[-1]), events[-1].at) == (ev.RunEnded, 9)
    _, events = Simulation(scenes(2), profiles, arrivals=[0.0, 700.0], requests=later[1:]).run()
    assert [(type(event), event.at) for event in events if event.at > 9] == [
        (ev.ModeChanged, 600), (ev.SceneAdded, 700), (ev.RunStarted, 700), (ev.AttemptStarted, 700),
        (ev.Accepted, 700), (ev.Generated, 709), (ev.Fetched, 709), (ev.RunEnded, 709),
    ]  # fmt: skip


def test_paused_for_ever_is_left_open() -> None:
    """Nothing can happen any more: the driver returns."""
    run = Run(*Simulation(scenes(2), FOUR, requests=[(0.0, ev.Paused())], arrivals=[1, 2]).run())
    assert run.ended is None
    assert {scene.status for scene in run.scenes} == {"queued"}


def test_no_usable_profile() -> None:
    """A bad key ends the run as it does live; scenes stay queued."""
    run = Run(*Simulation(scenes(3), FOUR[:1], faults=[Fault("auth")]).run())
    assert run.ended == "no usable profile"
    assert {scene.status for scene in run.scenes} == {"queued"}


def test_cooldowns_to_begin_with() -> None:
    """A profile that cools at the start is not used before."""
    cools = [ev.CooldownImposed("p4", 40.0, "from the run before")]
    run = Run(*Simulation(scenes(1), FOUR[3:], cooldowns=cools).run())
    assert run.attempts[0].start == 40.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"arrivals": [0.0]}, {"arrivals": [0.0, -1.0]}, {"latency": -1.0}, {"seed": "a"}, {"seed": 1.5}, {"seed": None},
        {"until": -1.0}, {"until": float("nan")}, {"requests": [(float("nan"), ev.Paused())]},
    ],
)  # fmt: skip
def test_what_can_not_be_simulated(wrong: dict[str, object]) -> None:
    """It says so before anything runs."""
    with pytest.raises(InputError):
        Simulation(scenes(2), FOUR, **wrong)  # type: ignore[arg-type]


def test_a_run_can_be_saved_and_read(tmp_path: Path) -> None:
    """Its header says what it was made of."""
    run = Run(*Simulation(scenes(5), FOUR, faults=[Fault("content", prompt=str.isupper)]).run())
    text = run.save(tmp_path / "run.jsonl").read_text()
    header = json.loads(text.splitlines()[0])
    assert [each["name"] for each in header["backend"]["profiles"]] == ["p1", "p2", "p3", "p4"]
    assert "sk-" not in text
