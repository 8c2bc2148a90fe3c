"""R23: scenes that fail one after the other for the same reason hold new work back."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from tests.core.harness import World
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, RateLimited, Transient


def failing(world: World, scene: str, outcome: Failure) -> None:
    """Let a scene's job be accepted, and fail."""
    world.accept(scene)
    world.feed(ev.JobFailed(scene, world.scheduler.scenes[scene].number, outcome))


def test_three_in_a_row_pause_and_unpause_goes_on() -> None:
    """The third one holds new work back; what is under way goes on; a person says that it goes on."""
    world = World({"p1": (1, "")}, scenes=6, pause_after_same_failure=3)
    for scene in ("s1", "s2", "s3"):
        failing(world, scene, Permanent("blocked: a face", "content"))
    (paused,) = world.events(ev.SameFailureRepeated)
    assert (paused.scenes, paused.reason) == (("s1", "s2", "s3"), "blocked: a face")
    assert world.scheduler.ended == "paused after the same failure", "nothing was under way any more"
    world.feed(ev.Unpaused())
    world.feed(ev.RunStarted())
    assert world.status("s4") == "submitting"


def test_it_goes_on_before_the_end() -> None:
    """While something is under way, `Unpaused` is enough; then it takes three more."""
    world = World({"p1": (1, ""), "p2": (1, "")}, scenes=9, mode=vg.BOOST, pause_after_same_failure=2)
    world.accept("s1")
    for scene in ("s2", "s3"):
        failing(world, scene, Permanent("no"))
    assert world.scheduler.stopped and world.scheduler.ended is None and world.status("s4") == "queued"
    world.feed(ev.Unpaused())
    failing(world, "s4", Permanent("no"))
    assert not world.scheduler.stopped
    failing(world, "s5", Permanent("no"))
    assert world.scheduler.stopped


@pytest.mark.parametrize(
    "between", [Permanent("another"), Transient("blocked"), None], ids=["another reason", "another kind", "a success"]
)
def test_what_begins_anew(between: Failure | None) -> None:
    """Another reason, another kind, a job that is done."""
    world = World(1, scenes=6, pause_after_same_failure=2)
    failing(world, "s1", Permanent("blocked"))
    if between is None:
        world.accept("s2")
        world.finish("s2")
    else:
        failing(world, "s2", between)
        world.feed(ev.CancelRequested("s2"))
    failing(world, "s3", Permanent("blocked"))
    assert not world.events(ev.SameFailureRepeated)


def test_what_does_not_count() -> None:
    """Rate limits, submits that failed on the way or are in doubt, and the same scene again."""
    world = World(4, scenes=8, pause_after_same_failure=2)
    world.fail("s1", RateLimited())
    world.fail("s1", Transient("503"))
    world.fail("s2", Transient("503"))
    world.fail("s3", Ambiguous("502"))
    world.fail("s4", Ambiguous("502"))
    assert not world.events(ev.SameFailureRepeated)


def test_a_kill_is_no_failure_of_the_provider() -> None:
    """One kill holds several scenes for one reason, and so does Ctrl-C; the restored run goes on with the others."""
    world = World({"p1": (4, ""), "p2": (4, "")}, scenes=12, mode=vg.BOOST, pause_after_same_failure=2)
    world.accept("s1")
    world.accept("s2")
    world.feed(ev.Stopped(ev.StopReason.BROKEN_OFF))
    for number in range(1, 9):
        world.feed(ev.AttemptAbandoned(f"s{number}", 1, reason="the program ended"))
    assert world.status("s8") == "held" and world.scheduler.ended == "stopped"
    world.feed(
        ev.RunRestored(
            epoch=1e9, speed=1.0, seed=0, retry=vg.RetryPolicy(), on_ambiguous="hold", max_wait=9.0,
            hold_unknown_jobs=True, pause_after_same_failure=2,
        )
    )  # fmt: skip
    world.feed(ev.RunStarted())
    assert not world.events(ev.SameFailureRepeated) and world.status("s9") == "submitting"


def test_what_is_cancelled_or_stopped_is_no_failure() -> None:
    """By hand here or at the provider; and a run that is stopped and goes on begins anew."""
    world = World({"p1": (4, "")}, scenes=9, mode=vg.BOOST, pause_after_same_failure=2)
    for scene in ("s1", "s2"):
        failing(world, scene, Cancelled("deleted in the console"))
    world.feed(ev.CancelRequested("s3"))
    world.feed(ev.CancelRequested("s7"))
    failing(world, "s4", Permanent("no"))
    world.feed(ev.Stopped())
    world.feed(ev.RunStarted())
    failing(world, "s5", Permanent("no"))
    assert not world.events(ev.SameFailureRepeated)


def test_a_failure_that_may_pass_counts_from_a_scenes_second_time() -> None:
    """Jobs that fail by chance now and then do not pause a run; an outage, in which all fail again, does."""
    profiles = [vg.SimulatedProfile(name, None, vg.LogNormal(60, 0.3), 4) for name in "abcd"]
    options: dict[str, Any] = {"mode": "boost", "pause_after_same_failure": 3}
    chance = [vg.Fault("job_failure", probability=0.1)]
    assert {vg.simulate(150, profiles, faults=chance, seed=seed, **options).ended for seed in range(8)} == {"settled"}
    run = vg.simulate(150, profiles, faults=[vg.Fault("job_failure")], **options)
    assert run.ended == "paused after the same failure"
    failures = [each for each in run.events if isinstance(each, ev.JobFailed)]
    assert len(failures) < 60, "nobody waits until a scene has given up"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("job task_0a81f3 was refused", "job task_77ce02 was refused"),
        ("at 2026-12-01T22:51:00Z: no credit left for 720p", "at 2026-12-01T22:52:07.3Z: no credit left for 720p"),
        ("scene 7 of 12: bad size (id=9f)", "scene 11 of 12: bad size (id=3c)"),
        ("\"a fox\" is not allowed: it isn't safe", "\"an owl's nest\" is not allowed: it isn't safe"),
        ("'a fox' isn't allowed", "'a red owl' isn't allowed"),
    ],
)  # fmt: skip
def test_a_refused_submit_counts_and_ids_do_not_differ(first: str, second: str) -> None:
    """A reason that has each job's id, time or number, or quotes each prompt, is the same reason."""
    world = World(1, scenes=4, pause_after_same_failure=2)
    world.fail("s1", Permanent(first))
    world.fail("s2", Permanent(second))
    assert world.events(ev.SameFailureRepeated)


def test_nothing_left_to_hold_back_is_no_pause() -> None:
    """The last scenes fail: the run has settled."""
    world = World(1, scenes=2, pause_after_same_failure=2)
    failing(world, "s1", Permanent("no"))
    failing(world, "s2", Permanent("no"))
    assert world.scheduler.ended == "settled"


def test_simulations_pause_only_if_asked() -> None:
    """An experiment with broken jobs runs to its end."""
    profiles, faults = [vg.SimulatedProfile("p1")], [vg.Fault("content")]
    assert vg.simulate(5, profiles, faults=faults).ended == "settled"
    run = vg.simulate(5, profiles, faults=faults, pause_after_same_failure=3)
    assert run.ended == "paused after the same failure"
    assert [scene.status for scene in run.scenes] == ["failed"] * 3 + ["queued"] * 2


@pytest.mark.parametrize("wrong", [0, -3, 1.5, True, "3"])
def test_it_is_a_count(wrong: object) -> None:
    """Anything else is an error."""
    with pytest.raises(vg.InputError, match="pause_after_same_failure is a whole number from 1 up"):
        vg.simulate(1, [vg.SimulatedProfile("p1")], pause_after_same_failure=wrong)
