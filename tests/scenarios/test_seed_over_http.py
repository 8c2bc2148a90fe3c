"""The project's first scenarios for 429s per profile, live: real HTTP on the emulator, in both modes, batch and single.

Nothing here depends on how fast the machine is: what is compared are the run's own events, which the audit has checked
against every rule.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.audit import audit
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, Scene, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.emulator import Emulator
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.provider import Constant, Fault, SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.session.session import Session

MODES = pytest.mark.parametrize("mode", ["normal", "boost"])
Play = Callable[[Session], Run]


def scenes(count: int) -> list[Scene]:
    """Return this many scenes."""
    return [Scene(f"s{k}", f"prompt {k}") for k in range(1, count + 1)]


def live(
    folder: Path,
    play: Play,
    *,
    mode: str,
    faults: Iterable[Fault],
    policy: Policy | None = None,
    service: float = 20.0,
    speed: float = 120.0,
) -> Run:
    """Play a session on an emulator of four profiles, check the run's events, and that every scene succeeded."""
    simulated = [SimulatedProfile(f"p{k}", service=Constant(service), capacity=2) for k in range(1, 5)]
    with (
        Emulator(simulated, speed=speed, faults=faults) as emulator,
        Session(
            OpenAIVideos(emulator.base_url), emulator.profiles, mode=mode, policy=policy, speed=speed, output=folder
        ) as session,
    ):
        run = play(session)
        accepted = [r.scene for r in emulator.requests if r.method == "POST" and r.status == 200]
    audit(run.events, as_mode(mode), moves=policy is None or policy.moves)
    assert run.ended == "settled"
    assert {scene.status for scene in run.scenes} == {"succeeded"}
    assert all(Path(scene.path or "").stat().st_size > 0 for scene in run.scenes)
    assert len(accepted) == len(set(accepted)), "a scene was billed twice"
    return run


def starts(run: Run) -> list[ev.AttemptStarted]:
    """Return the attempts' starts, in order."""
    return [event for event in run.events if isinstance(event, ev.AttemptStarted)]


def of(run: Run, kind: type[ev.Event]) -> list[ev.Event]:
    """Return the events of a kind."""
    return [event for event in run.events if type(event) is kind]


@MODES
def test_one_profile_gets_a_429_in_a_batch(mode: str, tmp_path: Path) -> None:
    """Only the limited profile cools, for 30 s; scene 5 moves at once; the others continue; it rejoins by itself."""
    # many short scenes, so that however slow the machine is, some begin during the window and some after it
    faults = [Fault("rate", scene="s5", nth=1)]
    run = live(tmp_path, lambda s: s.run_blocking(scenes(60)), mode=mode, faults=faults, service=4, speed=60)
    (window,) = run.cooldowns
    assert window.end - window.start == pytest.approx(30)
    first, second = [a for a in run.attempts if a.scene == "s5"]
    assert (first.profile, first.outcome, second.outcome) == (window.profile, "rate_limited", "succeeded")
    assert second.profile != first.profile
    assert [(m.scene, m.from_profile) for m in run.moves] == [("s5", window.profile)]

    during = {a.profile for a in run.attempts if window.start < a.start < window.end}
    assert during
    assert window.profile not in during
    after = [a for a in run.attempts if a.profile == window.profile and a.start >= window.end]
    assert after, "it rejoins"
    (ended,) = of(run, ev.CooldownEnded)
    assert after[0].start >= ended.at >= window.end


@MODES
def test_one_profile_gets_a_429_on_a_single_scene(mode: str, tmp_path: Path) -> None:
    """A single scene moves on at once; the next single run knows that the profile still cools."""
    runs: list[Run] = []

    async def play(session: Session) -> Run:
        async with session:
            runs.extend([await session.run_one(Scene(f"s{k}", f"prompt {k}")) for k in (5, 6, 7, 8, 9)])
        return runs[0]

    faults = [Fault("rate", scene="s5", nth=1)]
    run = live(tmp_path, lambda s: asyncio.run(play(s)), mode=mode, faults=faults, policy=PerProfileCooldown(5000))
    assert [a.profile for a in run.attempts] == ["p1", "p2"]
    assert run.attempts[1].start == run.attempts[0].end
    (imposed,) = of(runs[1], ev.CooldownImposed)
    assert isinstance(imposed, ev.CooldownImposed)
    assert (imposed.profile, imposed.until < 5000) == ("p1", True)
    assert all(a.profile != "p1" for later in runs[1:] for a in later.attempts)


@MODES
def test_several_profiles_get_429s_at_different_times(mode: str, tmp_path: Path) -> None:
    """Three profiles cool, each for its own 30 s from its own 429 on."""
    faults = [
        Fault("rate", profile="p1", nth=2),
        Fault("rate", profile="p2", nth=3),
        Fault("rate", profile="p3", nth=4),
    ]
    run = live(tmp_path, lambda s: s.run_blocking(scenes(40)), mode=mode, faults=faults)
    assert sorted(window.profile for window in run.cooldowns) == ["p1", "p2", "p3"]
    assert [window.end - window.start for window in run.cooldowns] == pytest.approx([30, 30, 30])
    assert len({window.start for window in run.cooldowns}) == 3


@MODES
def test_all_profiles_cool(mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It waits, reports every 3 s who cools and for how long, uses the first free profile, and recovers one by one."""
    caplog.set_level(logging.INFO, "vidgen_nb")
    faults = [Fault("rate", profile=f"p{k}", nth=1) for k in range(1, 5)]
    run = live(tmp_path, lambda s: s.run_blocking(scenes(3)), mode=mode, faults=faults, speed=40)
    assert sorted(window.profile for window in run.cooldowns) == ["p1", "p2", "p3", "p4"]
    last_start = max(window.start for window in run.cooldowns)
    later = [a for a in run.attempts if a.start > last_start]
    ended = [event for event in of(run, ev.CooldownEnded) if isinstance(event, ev.CooldownEnded)]
    assert later[0].start == ended[0].at, "at the moment that the first is free"
    ends = {window.profile: window.end for window in run.cooldowns}
    assert [ends[event.profiles[0]] for event in ended] == sorted(ends[event.profiles[0]] for event in ended)

    reports = [record.getMessage() for record in caplog.records if "all profiles cool" in record.getMessage()]
    assert reports
    left = [dict(re.findall(r"(p\d) ([\d.]+) s", report)) for report in reports]
    assert all(set(each) == {"p1", "p2", "p3", "p4"} for each in left)
    assert all(float(a["p1"]) > float(b["p1"]) for a, b in itertools.pairwise(left))


def test_the_mode_changes_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """Normal has one submit at a time; from the change on boost fills every slot at once."""

    def play(session: Session) -> Run:
        def change(events: Iterable[ev.Event]) -> None:
            if any(isinstance(event, ev.Accepted) for event in events) and session.mode == NORMAL:
                session.mode = BOOST

        session.observe(change)
        return session.run_blocking(scenes(12))

    run = live(tmp_path, play, mode="normal", faults=[])
    (changed,) = of(run, ev.ModeChanged)
    at_once = [event for event in starts(run) if event.at == changed.at]
    assert len([event for event in starts(run) if event.at < changed.at]) == 2
    assert len(at_once) == 6, "four profiles of two slots, two of them taken"


@MODES
def test_a_single_scene_while_a_batch_runs(mode: str, tmp_path: Path) -> None:
    """It goes before all waiting scenes, and its run is the batch's; waiting for it ends with it."""

    async def play(session: Session) -> Run:
        async with session:
            session.start(scenes(20))
            run = await session.run_one(Scene("now", "at once"))
            assert next(scene.status for scene in run.scenes if scene.id == "now") == "succeeded"
            assert run.ended is None
            assert await session.run() is run
        return run

    run = live(tmp_path, lambda s: asyncio.run(play(s)), mode=mode, faults=[])
    order = [event.scene for event in starts(run)]
    queued_then = 20 - order.index("now")
    assert queued_then > 0
    first_after = order.index("now")
    added = next(e.at for e in run.events if isinstance(e, ev.SceneAdded) and e.scene.id == "now")
    assert all(event.at <= added for event in starts(run)[:first_after]), "nobody was submitted before it"


def one(session: Session) -> Run:
    """Run scene 5 alone."""
    return asyncio.run(session.run_one(Scene("s5", "prompt 5")))


@MODES
def test_a_single_scene_meets_429s_on_all_profiles(mode: str, tmp_path: Path) -> None:
    """It tries one profile after another at once, waits for the first that is free again, and goes back there."""
    faults = [Fault("rate", profile=f"p{k}", nth=1) for k in range(1, 5)]
    run = live(tmp_path, one, mode=mode, faults=faults)
    assert run.trail("s5") == "p1✕429→p2✕429→p3✕429→p4✕429→p1✓"
    assert all(later.start == earlier.end for earlier, later in itertools.pairwise(run.attempts[:4]))
    assert run.attempts[4].start >= run.cooldowns[0].end
    assert [window.end - window.start for window in run.cooldowns] == pytest.approx([30] * 4)


@MODES
def test_what_the_old_behaviour_cost_a_single_scene(mode: str, tmp_path: Path) -> None:
    """Under GlobalPause it waits 30 s for the profile that refused it, with three others free."""
    run = live(tmp_path, one, mode=mode, faults=[Fault("rate", scene="s5", nth=1)], policy=GlobalPause(30))
    assert run.trail("s5") == "p1✕429→p1✓"
    assert run.attempts[1].start - (run.attempts[0].end or 0) >= 30 - 1e-6
    assert len(run.cooldowns) == 4


@MODES
def test_what_the_old_behaviour_cost(mode: str, tmp_path: Path) -> None:
    """The same 429 under GlobalPause: four profiles stand still for 30 s instead of one; scene 5 goes back to it."""
    fault = Fault("rate", scene="s5", nth=1)
    new, old = (
        live(
            tmp_path / type(policy).__name__,
            lambda s: s.run_blocking(scenes(24)),
            mode=mode,
            faults=[fault],
            policy=policy,
        )
        for policy in (PerProfileCooldown(30), GlobalPause(30))
    )
    assert [len(run.cooldowns) for run in (new, old)] == [1, 4]
    started = {}
    for name, run in (("new", new), ("old", old)):
        window = run.cooldowns[0]
        started[name] = len([a for a in run.attempts if window.start < a.start < window.end])
    assert started["old"] == 0
    assert started["new"] > 0
    assert [len({a.profile for a in run.attempts if a.scene == "s5"}) for run in (new, old)] == [2, 1]
