"""The project's first scenarios for 429s per profile, on the scheduler, with an explicit clock."""

from __future__ import annotations

import pytest

from tests.core.harness import BOOST, NORMAL, World
from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Submit
from vidgen_nb.core.model import Mode
from vidgen_nb.policies.cooldowns import GlobalPause

MODES = pytest.mark.parametrize("mode", [NORMAL, BOOST], ids=["normal", "boost"])
KINDS = pytest.mark.parametrize("kind", ["batch", "single"])


def world_at_scene_5(mode: Mode, kind: str) -> World:
    """Return four profiles of two slots, with scene 5 submitted to profile 1 at 10 s and the others behind it."""
    world = World({f"p{k}": (2, "") for k in range(1, 5)}, mode=mode)
    for scene in ("s1", "s2", "s3", "s4"):
        world.add(scene)
        world.accept(scene)
    world.sleep_until(10)
    world.add("s5", single=kind == "single")
    assert world.profile_of("s5") == "p1"
    world.add("s6", "s7")
    return world


@MODES
@KINDS
def test_one_profile_gets_a_429(mode: Mode, kind: str) -> None:
    """Profile 1 gets a 429 on scene 5: only it cools, scene 5 moves at once, the others continue, it rejoins."""
    world = world_at_scene_5(mode, kind)
    (moved, *_) = world.limit("s5")
    assert (moved.scene.id, moved.number) == ("s5", 2)
    assert world.profile_of("s5") in ("p2", "p3", "p4")
    assert world.events(ev.AttemptStarted)[-1].at == 10.0
    assert world.scheduler.cooling(10) == {"p1": 30.0}

    world.accept("s5")
    for scene in ("s6", "s7"):
        world.accept(scene)
    assert {world.profile_of(f"s{k}") for k in (6, 7)} <= {"p2", "p3", "p4"}

    for scene in ("s1", "s2", "s3", "s4", "s5", "s6", "s7"):
        world.finish(scene)
    world.add("s8")
    assert world.profile_of("s8") != "p1"
    world.sleep_until(40)
    assert world.scheduler.cooling(40) == {}
    world.accept("s8")
    world.add("s9", "s10", "s11")
    for scene in ("s9", "s10", "s11"):
        if world.profile_of(scene) != "p1":
            world.accept(scene)
    assert "p1" in {world.profile_of(scene) for scene in ("s9", "s10", "s11")}


@MODES
def test_several_profiles_get_429s_at_different_times(mode: Mode) -> None:
    """Each has its own 30 s from its own 429 on."""
    world = World(profiles=4, mode=mode)
    ends = {}
    for when, scene in ((1.0, "s1"), (5.0, "s2"), (9.0, "s3")):
        world.sleep_until(when)
        world.add(scene)
        profile = world.profile_of(scene)
        world.limit(scene)
        ends[profile] = when + 30
        world.accept(scene)
    assert {e.profile: e.until for e in world.events(ev.CooldownStarted)} == ends
    world.sleep_until(50)
    assert {e.profiles[0]: e.at for e in world.events(ev.CooldownEnded)} == ends


@MODES
@KINDS
def test_all_profiles_cool(mode: Mode, kind: str) -> None:
    """The scheduler waits for the first profile that is free again, uses it at that moment, and so on."""
    world = World(profiles=4, mode=mode)
    world.add("s1", single=kind == "single")
    for when in (2.0, 4.0, 7.0, 11.0):
        world.sleep_until(when)
        world.limit("s1")
    assert [profile for _, profile in world.submitted()] == ["p1", "p2", "p3", "p4"]
    assert world.scheduler.cooling(11) == {"p1": 21.0, "p2": 23.0, "p3": 26.0, "p4": 30.0}
    assert world.sleep_until(31.9) == []
    (submit,) = world.sleep_until(32)
    assert isinstance(submit, Submit)
    assert submit.profile == "p1"
    assert world.sleep_until(60) == []
    assert [(e.profiles[0], e.at) for e in world.events(ev.CooldownEnded)] == [
        ("p1", 32.0), ("p2", 34.0), ("p3", 37.0), ("p4", 41.0)
    ]  # fmt: skip


def test_the_mode_changes_in_the_middle_of_a_run() -> None:
    """Normal submits one at a time; boost, from then on, all at once; nothing that runs is disturbed."""
    world = World(profiles=2, scenes=6, mode=NORMAL)
    world.accept("s1")
    assert world.scheduler.submitting == 1
    world.feed(ev.ModeChanged(BOOST))
    assert world.scheduler.submitting == 5
    world.feed(ev.ModeChanged(NORMAL))
    world.add("s7")
    world.accept("s2")
    assert world.status("s7") == "queued"
    assert [world.status(s) for s in ("s1", "s2")] == ["generating"] * 2


@MODES
def test_a_single_scene_while_a_batch_runs(mode: Mode) -> None:
    """A single scene is the next to be submitted, before the batch and before bounced scenes."""
    world = World({"p1": (1, ""), "p2": (1, "")}, scenes=4, mode=mode)
    world.accept("s1")
    world.limit("s2")
    world.add("now", single=True)
    world.finish("s1")
    assert world.submitted()[-1] == ("now", "p1")


@MODES
def test_what_the_old_behaviour_cost(mode: Mode) -> None:
    """Under GlobalPause the same 429 stops all four profiles for 30 s, and scene 5 goes back to the same one."""
    world = World({f"p{k}": (2, "") for k in range(1, 5)}, scenes=12, mode=mode, policy=GlobalPause(30))
    for scene in ("s1", "s2", "s3", "s4"):
        world.accept(scene)
    on = world.profile_of("s5")
    before = len(world.submitted())
    world.limit("s5")
    for scene in ("s1", "s2", "s3", "s4"):
        world.finish(scene)
    world.sleep_until(29.9)
    assert len(world.submitted()) == before
    world.sleep_until(30)
    assert ("s5", on) in world.submitted()[before:]
