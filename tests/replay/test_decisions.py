"""The sentences of a replay: what was decided and why, in plain words, from what was recorded."""

from __future__ import annotations

from pathlib import Path

import vidgen_nb as vg
from tests.charts.random_runs import random_runs
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import ProfileUnusable, RateLimited
from vidgen_nb.replay.decisions import Decisions
from vidgen_nb.run import Run

FRONT = "to the front of the queue"


def sentences(run: Run) -> list[str]:
    """Return a run's sentences."""
    return [each.text for each in Decisions(run.data).moments]


def test_the_demo_in_words() -> None:
    """Starts say who cools and who is full; refusals say what cools, for how long, and where the scene goes."""
    found = sentences(vg.simulate(24, vg.demo_profiles(), mode="boost", seed=7))
    for wanted in (
        "s001 goes to alice: next in turn.",
        "s012 goes to delta: alice, bruno and chiara are full.",
        "alice refuses s009 (429, Retry-After 30.0 s) and cools for 30.0 s; s009 goes to the front of the queue.",
        "s009 moves from alice to chiara: alice cools, bruno and delta are full.",
        "s017 moves from bruno to chiara: alice and bruno cool, delta is full.",
        "alice is back from cooldown; one probe goes first.",
        "alice refuses s021 (429, Retry-After 30.0 s) and cools already; s021 goes to the front of the queue.",
        "s024 is done on alice.",
        "Run ended: settled.",
    ):
        assert wanted in found, wanted


def test_faults_in_words() -> None:
    """Each failure says where, why, and what follows."""
    faults = [vg.Fault("overload", scene="s001"), vg.Fault("content", scene="s002")]
    found = sentences(vg.simulate(3, vg.demo_profiles(), mode="boost", faults=faults))
    assert any(each.startswith("s001 fails on alice (503 overload); s001 tries again in 0.") for each in found)
    assert any(each.startswith("s002 has failed on bruno: ") for each in found)
    paused = sentences(vg.simulate(10, vg.demo_profiles(), mode="boost", seed=7, policy=vg.GlobalPause()))
    assert any(
        each.startswith(
            "alice refuses s009 (429, Retry-After 30.0 s); alice, bruno, chiara and delta cool for 30.0 s; "
        )
        and each.endswith("s009 waits for alice.")
        for each in paused
    )


def test_a_scene_that_runs_again_by_hand() -> None:
    """Is said to, before it goes anywhere."""
    again = ev.SceneAdded(vg.Scene("s001", "again"))
    found = sentences(vg.simulate(1, [vg.SimulatedProfile("a", None, vg.Constant(5))], requests=[(9.0, again)]))
    assert found[-5:-2] == ["By hand: s001 is to run again.", "The run goes on.", "s001 goes back to a: next in turn."]


def test_many_accounts_are_counted() -> None:
    """A sentence names some and counts the others."""
    profiles = [vg.SimulatedProfile(f"p{k:02}", None, vg.Constant(10 + k), capacity=1) for k in range(20)]
    found = sentences(vg.simulate(21, profiles, mode="boost"))
    assert "s021 goes back to p00" not in " ".join(found)
    assert "s021 goes to p00: p01, p02, p03 and 16 more are full." in found


def test_what_nobody_else_could_do_and_what_a_hand_did() -> None:
    """An account that is out, a scene that goes back, marks of a hand."""
    scene = vg.Scene("s1", "x")
    refused, bad = RateLimited(None, "", "429"), ProfileUnusable("the key is refused", "auth")
    run = Run({}, [
        ev.ProfileAdded("a", at=0.0), ev.ProfileAdded("b", at=0.0), ev.SceneAdded(scene, at=0.0), ev.RunStarted(at=0.0),
        ev.AttemptStarted("s1", 1, "a", "next in turn", at=0.0),
        ev.CooldownStarted("a", True, "a", ("a",), float("inf"), "the key is refused", "s1", True, at=1.0),
        ev.SceneRequeued("s1", 1, "a", bad, FRONT, at=1.0),
        ev.AttemptStarted("s1", 2, "b", "moved from a", at=1.0),
        ev.CooldownStarted("b", False, "b", ("b",), 31.0, "429", "s1", at=2.0),
        ev.SceneRequeued("s1", 2, "b", refused, FRONT, at=2.0),
        ev.Paused(at=3.0),
        ev.CooldownEnded("b", False, ("b",), at=31.0),
        ev.AttemptStarted("s1", 3, "b", "back on b: no other profile is free", at=32.0),
    ])  # fmt: skip
    assert sentences(run) == [
        "The run starts.",
        "s1 goes to a: next in turn.",
        f"s1 fails on a (the key is refused); a is out of the rotation, no end is known; s1 goes {FRONT}.",
        "s1 moves from a to b: a is out.",
        "b refuses s1 (429) and cools for 29.0 s; s1 goes to the front of the queue.",
        "By hand: paused: nothing new is submitted.",
        "b is back from cooldown; one probe goes first.",
        "s1 goes back to b: no other account is free; a is out.",
    ]


def test_every_start_names_only_accounts_that_could_take_nothing(tmp_path: Path) -> None:
    """In random runs, whoever is said to cool does, by the records."""
    said = 0
    for run in list(random_runs(tmp_path))[::5]:
        for moment in Decisions(run.data).moments:
            if (
                moment.attempt is None
                or " cool" not in moment.text
                or ": " not in moment.text
                or "refuses" in moment.text
            ):
                continue
            reason = moment.text.split(": ", 1)[1]
            for part in reason.replace(";", ",").split(", "):
                if part.rstrip(".").endswith(" cools"):
                    name = part.rstrip(".").removesuffix(" cools").strip()
                    windows = [each for each in run.cooldowns if each.profile == name]
                    assert any(each.start <= moment.at <= each.end for each in windows), moment
                    said += 1
    assert said > 20


def test_what_frees_a_slot_is_told_before_who_gets_it() -> None:
    """Where a video is fetched in the moment in which it is made; each is told once, and time never goes back."""
    run = vg.simulate(24, vg.demo_profiles(), mode="boost", seed=7)
    found = sentences(run)
    moved = "s009 moves from alice to chiara: alice cools, bruno and delta are full."
    assert found[found.index(moved) - 1] == "s011 is done on chiara."
    assert sum(" is done on " in each for each in found) == len(run.scenes)
    times = [each.at for each in Decisions(run.data).moments]
    assert times == sorted(times)


def test_a_held_scene_says_why_before_what_follows() -> None:
    """The reason is the scene's, not that of the cooldown; one that is cut short ends with one mark."""
    held = sentences(vg.simulate(1, vg.demo_profiles(2), faults=[vg.Fault("lost_answer")]))[2]
    assert held.startswith("s001 is held on alice: the answer to the submit was lost: ")
    assert held.endswith("; alice cools for 5.0 s.") and "…." not in held
