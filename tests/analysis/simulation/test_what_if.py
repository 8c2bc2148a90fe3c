"""A recorded run again: the same if nothing is changed, else another one, which says what was assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.core.harness import World
from vidgen_nb.analysis.simulation.what_if import service_times
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Mode, RetryBudget, RetryPolicy, Scene
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.provider import Concurrency, Constant, Empirical, Fault, FixedWindow, LogNormal, SimulatedProfile
from vidgen_nb.provider import TokenBucket as Bucket
from vidgen_nb.recording.codec import plain
from vidgen_nb.run import Run, load_run, simulate

PROFILES = [
    SimulatedProfile("p1", Bucket(4, per=60) & Concurrency(3), LogNormal(40, 0.4)),
    SimulatedProfile("p2", FixedWindow(2, per=60), Empirical([3, 40, 50]), capacity=2, retry_after=False),
]
EVENTFUL: dict[str, Any] = {
    "faults": [Fault("overload", probability=0.1), Fault("lost_answer", scene="s009"), Fault("slow", nth=3, end=99.0)],
    "arrivals": [0.0] * 10 + [7.0 * k for k in range(14)],
    "requests": [
        (0.0, ev.CooldownReleased("p1")),
        (30.0, ev.Paused()), (70.0, ev.Unpaused()), (80.0, ev.ModeChanged(Mode("wide", None, 9))),
        (90.0, ev.PolicyChanged(PerProfileCooldown(12))), (95.0, ev.CancelRequested("s002")),
        (100.0, ev.SceneAdded(Scene("first", "x", seconds=4), True)), (120.0, ev.ProfileRemoved("p2")),
        (180.0, ev.ProfileAdded("p2", 1)), (185.0, ev.CooldownImposed("p1", 200.0, "another kernel")),
    ],
    "cooldowns": [ev.CooldownImposed("p1", 20.0, "an earlier run")],
    "retry": RetryPolicy(max_failures=3, backoff=2.0),
    "latency": 0.2,
    "until": 400.0,
}  # fmt: skip


@pytest.mark.parametrize("policy", [PerProfileCooldown(10), GlobalPause(15)])
def test_unchanged_it_is_the_same(policy: Policy, tmp_path: Path) -> None:
    """Faults, arrivals, and whatever a user did come again: the events are equal, also after saving and loading."""
    run = simulate(24, PROFILES, policy=policy, seed=5, **EVENTFUL)
    again = run.what_if()
    assert again.events == run.events
    assert again.header["run"] == run.header["run"]
    assert again.header["what_if"] == {"run": run.header["run"], "changed": {}, "assumed": []}
    assert load_run(run.save(tmp_path / "run.jsonl")).what_if().events == run.events


def test_changes() -> None:
    """Policy, mode, profiles, seed and settings by name: the result is what `simulate` makes of them."""
    run = simulate(24, PROFILES, seed=5)
    other = run.what_if(policy=GlobalPause(9), mode="boost", seed=6)
    assert other.events == simulate(24, PROFILES, policy=GlobalPause(9), mode="boost", seed=6).events
    assert other.header["what_if"]["changed"] == {"policy": "GlobalPause(seconds=9)", "mode": "boost", "seed": "6"}
    assert run.what_if(profiles=1).events == simulate(24, PROFILES[:1], seed=5).events
    assert (
        run.what_if(profiles=PROFILES[1:], cooldown=5).events
        == simulate(24, PROFILES[1:], policy=PerProfileCooldown(5), seed=5).events
    )
    more, base = run.what_if(profiles=5).metrics().makespan, run.metrics().makespan
    assert more is not None and base is not None and more < 0.6 * base
    with pytest.raises(InputError, match="can't be varied"):
        run.what_if(colour=1)


def test_other_scenes() -> None:
    """How long for that many? They are there at the start; requests about other scenes are left out."""
    asked: list[tuple[float, ev.Event]] = [(3.0, ev.CancelRequested("s002")), (4.0, ev.Paused()), (9.0, ev.Unpaused())]
    run = simulate(5, PROFILES, seed=5, arrivals=[0, 0, 5, 6, 7], requests=asked)
    assert run.what_if(scenes=30).events == simulate(30, PROFILES, seed=5, requests=asked[1:]).events
    assert as_live(run).what_if(scenes=1).metrics().scenes == {"succeeded": 1}


def test_a_change_replaces_what_was_done_by_hand() -> None:
    """Another mode or policy holds throughout, whatever was set during the run; pauses stay."""
    run = simulate(24, PROFILES, seed=5, **EVENTFUL)
    other = run.what_if(policy="GlobalPause", mode="boost", profiles=2)
    kinds = {type(event) for event in other.events}
    assert not kinds & {ev.ModeChanged, ev.PolicyChanged, ev.ProfileRemoved}
    assert {ev.Paused, ev.Unpaused} <= kinds
    assert other.data.end < EVENTFUL["until"] and ev.Stopped not in kinds  # it was over before


@dataclass(frozen=True)
class Own(Policy):
    """A policy of a user."""

    def on_429(self, group: GroupView, outcome: Any, now: float) -> Cooldown:
        """Cool for a second."""
        return Cooldown("group", now + 1)


class Hides(Own):
    """One with a setting that is not recorded."""

    def __init__(self, seconds: float) -> None:
        object.__setattr__(self, "seconds", seconds)


@pytest.mark.parametrize("policy", [Own(), Paced({"p1": PROFILES[0].limit}), EarliestFinish(Own())])  # type: ignore[dict-item]
def test_a_policy_is_made_again(policy: Policy, tmp_path: Path) -> None:
    """A policy of one's own, or one with given limits: its class is found, at the start and after a change."""
    later: list[tuple[float, ev.Event]] = [(30.0, ev.PolicyChanged(policy))]
    for run in (simulate(14, PROFILES, policy=policy), simulate(14, PROFILES, requests=later)):
        loaded = load_run(run.save(tmp_path / "run.jsonl"))
        assert loaded.what_if().events == run.events == run.what_if().events
        under_way = [event for event in loaded.events if event.at < 80]
        assert Run(loaded.header, under_way).predict_finish().middle is not None


def test_what_the_record_does_not_hold() -> None:
    """A policy whose settings are not recorded must be given, a fault's function is left out, both in words."""
    run = simulate(5, PROFILES, policy=Hides(1), faults=[Fault("content", prompt=lambda text: True)])
    with pytest.raises(InputError, match=r"'Hides' of this run can't be rebuilt.*pass policy="):
        run.what_if()
    other = run.what_if(policy=Own())
    assert run.metrics().scenes == {"failed": 5} and other.metrics().scenes == {"succeeded": 5}
    (assumed,) = other.header["what_if"]["assumed"]
    assert "chose its prompts by a function, which is left out" in assumed


def test_a_run_that_was_stopped_goes_on_where_it_did() -> None:
    """A stop, or `max_billed`, and the start after it come again at their times."""
    stopped = [(5.0, ev.Stopped()), (70.0, ev.RunStarted())]
    run = simulate(14, PROFILES, mode="boost", requests=stopped)
    assert run.metrics().scenes == {"succeeded": 14} and run.what_if().events == run.events
    raised = [(200.0, ev.BillingLimitChanged(20)), (200.0, ev.RunStarted())]
    run = simulate(14, PROFILES, mode="boost", max_billed=3, requests=raised)
    assert run.metrics().scenes == {"succeeded": 14} and run.what_if().events == run.events


def test_a_run_that_had_ended_goes_on_where_it_did() -> None:
    """Without a usable profile it ends; with one again, and a start, it goes on. A scene alone makes it go on, too."""
    profile = SimulatedProfile("p1", FixedWindow(2, per=60), Constant(10), capacity=2)
    gone: list[tuple[float, ev.Event]] = [(5, ev.ProfileRemoved("p1")), (40, ev.ProfileAdded("p1", 2, ""))]
    again: tuple[float, ev.Event]
    for again in ((41, ev.RunStarted()), (41, ev.SceneAdded(Scene("more", "x")))):
        run = simulate(4, [profile], requests=[*gone, again])
        assert run.what_if().events == run.events and run.ended == "settled"
    run = simulate(4, [profile], requests=[(5, ev.Stopped()), (41, ev.SceneAdded(Scene("more", "x")))])
    assert run.what_if().events == run.events and run.metrics().scenes == {"succeeded": 2, "queued": 3}


def test_at_one_moment_the_order_is_kept() -> None:
    """What was asked for at the same time, scenes among it, is asked for in the same order."""
    one, two = ev.SceneAdded(Scene("one", "x")), ev.SceneAdded(Scene("two", "x"))
    requests: list[tuple[float, ev.Event]] = [(20.0, one), (20.0, ev.Paused()), (20.0, two), (30.0, ev.Unpaused())]
    run = simulate(2, PROFILES, requests=requests)
    assert run.what_if().events == run.events


def test_groups_that_were_not_told_and_a_budget_of_retries() -> None:
    """Both are in the record, and a forecast uses them too."""
    profiles = [SimulatedProfile(name, Bucket(2, per=60), Constant(10), quota_group="g") for name in ("p1", "p2")]
    for options in ({"told_groups": False}, {"retry": RetryPolicy(budget=RetryBudget())}):
        run = simulate(9, profiles, **options)
        assert run.what_if().events == run.events
        assert Run(run.header, [e for e in run.events if e.at < 50]).predict_finish().middle is not None


def test_a_header_that_is_damaged() -> None:
    """The error says which setting, and what is wrong with it."""
    run = simulate(2, PROFILES)
    with pytest.raises(InputError, match=r"the header of this run: retry: .*unknown field 'more'"):
        Run({**run.header, "retry": {"more": 1}}, run.events).what_if()


def test_profiles_that_came_later_or_changed() -> None:
    """Of a live run, too, a profile is used from when it came, and begins with the capacity that it had first."""
    profiles = [SimulatedProfile(name, None, Constant(10), capacity=1) for name in ("p1", "p2")]
    profiles[0] = replace(profiles[0], capacity=3)
    came: list[tuple[float, ev.Event]] = [(48.0, ev.ProfileAdded("p2", 1)), (70.0, ev.ProfileChanged("p1", 3))]
    run = simulate(30, profiles, absent=["p2"], capacities={"p1": 1}, requests=came)
    assert run.what_if().events == run.events
    again = as_live(run).what_if()
    assert min(each.start for each in again.attempts if each.profile == "p2") == 48
    assert again.data.capacity_steps == run.data.capacity_steps
    assert again.metrics().makespan == pytest.approx(run.metrics().makespan)
    other = as_live(run).what_if(profiles=2)
    assert min(each.start for each in other.attempts if each.profile == "p2") == 0
    assert other.data.capacities == {"p1": 1, "p2": 1}
    assert as_live(run).what_if(capacity=2).data.capacity_steps == {"p1": [(0.0, 2)], "p2": [(48.0, 1)]}
    with pytest.raises(InputError, match="absent names a profile 'p3', which does not exist"):
        simulate(3, profiles, absent=["p3"])


def test_runs_are_told_apart_by_their_ids() -> None:
    """Whatever was given or asked for makes another id; equal numbers don't."""
    cool = ev.CooldownImposed("p1", 20.0, "an earlier run")
    cases: list[Any] = [
        {"scenes": 3}, {"scenes": 4}, {"scenes": [Scene("s001", "x")]}, {"scenes": [Scene("s001", "x", seconds=4)]},
        {"arrivals": [0, 0, 1]}, {"until": 5.0}, {"told_groups": False}, {"cooldowns": [cool]}, {"latency": 1},
        {"requests": [(1.0, ev.Paused()), (2.0, ev.Unpaused())]},
    ]  # fmt: skip
    ids = [simulate(**{"scenes": 3, "profiles": PROFILES, **case}).header["run"] for case in cases]
    assert len(set(ids)) == len(cases)
    assert ids[0] == simulate(3, PROFILES, latency=0, policy=PerProfileCooldown(30)).header["run"]
    assert ids[4] == simulate(3, PROFILES, arrivals=[0.0, 0.0, 1.0]).header["run"]


def test_a_run_that_was_restored() -> None:
    """That its program ended is not repeated; jobs that nobody watched say nothing of service times, if others do."""
    restored = ev.RunRestored(epoch=0.0, speed=1.0, seed=0, retry=RetryPolicy(), on_ambiguous="hold", max_wait=3600.0)

    def broken(at: float) -> Run:
        came: list[tuple[float, ev.Event]] = [
            (at, ev.Stopped(ev.StopReason.BROKEN_OFF)),
            (at, restored),
            (at, ev.RunStarted()),
        ]
        return simulate(6, [SimulatedProfile("p1", None, Constant(40), 2)], mode="boost", requests=came)

    for run in (broken(50.0), as_live(broken(50.0))):
        other = run.what_if()
        assert other.metrics().scenes == {"succeeded": 6}
        assert not any(isinstance(event, ev.Stopped | ev.RunRestored) for event in other.events)
    assert "its program never ended, though it did" in other.header["what_if"]["assumed"]
    assert service_times(broken(50.0).data) == {"p1": [40.0] * 4}  # without the two that were running
    assert service_times(Run({}, [e for e in broken(1.0).events if e.at <= 40]).data) == {"p1": [40.0] * 2}


def test_a_cooldown_that_was_known_at_a_restore() -> None:
    """It is repeated for as long as it lasted then: not for the hour as well in which no program ran."""
    kept = RetryPolicy()
    restored = ev.RunRestored(0.0, 1.0, 0, kept, "hold", 3600.0, off_since=50.0)
    known = ev.CooldownImposed("p1", 3730.0, "seen elsewhere")
    came: list[tuple[float, ev.Event]] = [
        (50.0, ev.Stopped(ev.StopReason.BROKEN_OFF)), (3650.0, restored), (3650.0, known), (3650.0, ev.RunStarted())
    ]  # fmt: skip
    run = simulate(6, [SimulatedProfile("p1", None, Constant(40), 2)], mode="boost", requests=came)
    assert run.data.off == [(50.0, 3650.0)] and run.metrics().makespan == pytest.approx(3770)
    other = run.what_if()
    (cooldown,) = other.cooldowns
    assert (cooldown.start, cooldown.end) == (50.0, 130.0)
    assert other.metrics().makespan == pytest.approx(170)


def as_live(run: Run) -> Run:
    """Return a run as if it had been made over HTTP: its header doesn't describe the provider."""
    return Run({**run.header, "backend": {"name": "openai_videos"}}, run.events)


def test_of_a_live_run_the_provider_is_estimated() -> None:
    """Limits from its attempts, service times from those seen: the same policy comes out close to what happened."""
    profiles = [
        SimulatedProfile("a", Bucket(4, per=60), LogNormal(20, 0.4)),
        SimulatedProfile("b", FixedWindow(3, per=90), Constant(30)),
        SimulatedProfile("c", None, Constant(150), capacity=1),
    ]
    run = simulate(80, profiles, mode=Mode("boost", None, 6), seed=3)
    again = as_live(run).what_if()
    took, base = again.metrics().makespan, run.metrics().makespan
    assert took is not None and base is not None and took == pytest.approx(base, rel=0.1)
    assumed = again.header["what_if"]["assumed"]
    assert "a: TokenBucket(n=4, per=60.0)" in assumed
    assert any(each.startswith("c: no limit on its rate (no 429") for each in assumed)
    assert any(each.startswith("a: service times drawn from ") and each.endswith("of its own") for each in assumed)
    assert any(each.startswith("c: service times drawn from ") for each in assumed)
    assert again.header["backend"]["profiles"][2]["capacity"] == 1
    faster = as_live(run).what_if(profiles=6).metrics().makespan
    truth = run.what_if(profiles=6).metrics().makespan
    assert faster is not None and truth is not None and faster == pytest.approx(truth, rel=0.15)


def test_a_queue_at_the_provider_is_repeated_and_is_no_service() -> None:
    """Jobs of 20 s, two at once, the others queued there: the estimate has both, so another mode changes nothing."""
    run = simulate(16, [SimulatedProfile("p", Concurrency(2, over="queue"), Constant(20))], mode="boost")
    assert service_times(run.data)["p"] == pytest.approx([20.0] * 16)
    for mode in ("boost", "normal"):
        again = as_live(run).what_if(mode=mode)
        assert "p: 2 jobs at once; further ones are queued there" in again.header["what_if"]["assumed"]
        assert again.metrics().makespan == pytest.approx(160.0, abs=0.5)


def test_what_was_under_way_at_a_restart_tells_no_service_time() -> None:
    """Nobody saw when it finished; it counts only if nothing else is known, and a forecast uses the others."""
    scenes, profiles = 12, [SimulatedProfile("p1", None, Constant(20), capacity=2)]
    events = simulate(scenes, profiles, mode="boost").events
    cut = next(k for k, event in enumerate(events) if event.at > 30)
    kept = RetryPolicy()
    restored = ev.RunRestored(at=1030.0, epoch=0.0, speed=1.0, seed=0, retry=kept, on_ambiguous="hold", max_wait=9.0)
    late = [replace(event, at=event.at + 1000) for event in events[cut:]]
    run = Run({"backend": {"name": "x"}}, [*events[:cut], restored, *late])
    times = service_times(run.data)["p1"]
    assert len(times) == scenes - 2 and max(times) < 30
    early = Run({}, [event for event in run.events if event.at < 1050])
    told = early.predict_finish()
    assert told.high is not None and told.high < 1300
    only = [each for each in run.events if not isinstance(each, ev.Fetched) or each.scene in ("s003", "s004")]
    assert min(service_times(Run({}, only).data)["p1"]) > 1000


def test_a_live_run_without_a_result() -> None:
    """Nobody knows how long a scene takes: an error that says what to give; with that it works."""
    run = as_live(simulate(3, PROFILES, faults=[Fault("content")]))
    with pytest.raises(InputError, match=r"no scene of this run succeeded.*pass profiles="):
        run.what_if()
    assert run.what_if(profiles=PROFILES).metrics().scenes == {"succeeded": 3}


def test_a_gap_in_a_run_is_no_service_time() -> None:
    """A run that was killed and restored is run to its end, by the service times of jobs that were watched."""
    world = World(profiles=2, scenes=12, mode=Mode("test", 2, 1))

    def on(rounds: int, seconds: float = 10.0) -> None:
        for _ in range(rounds):
            for scene in [each for each in world.scheduler.scenes if world.status(each) == "submitting"]:
                world.accept(scene)
            world.sleep_until(world.now + seconds)
            for scene in [each for each in world.scheduler.scenes if world.status(each) == "generating"]:
                world.finish(scene)

    on(2)
    for scene in [each for each in world.scheduler.scenes if world.status(each) == "submitting"]:
        world.accept(scene)
    world.now += 25
    world.feed(ev.Stopped("the program that ran it has ended"))
    kept: dict[str, Any] = {"seed": 0, "retry": RetryPolicy(), "on_ambiguous": "hold", "max_wait": 3600.0}
    world.feed(ev.RunRestored(epoch=1e9, speed=1.0, **kept))
    world.feed(ev.RunStarted())
    on(1, 0.0)
    on(6)
    header = {"run": "restored", "mode": plain(Mode("test", 2, 1)), "backend": {"name": "fake"}}
    again = Run(header, world.scheduler.events).what_if()
    assert again.ended == "settled"
    assert [scene.status for scene in again.scenes] == ["succeeded"] * 12
    assert again.metrics().makespan == 60
