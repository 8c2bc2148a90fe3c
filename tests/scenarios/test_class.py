"""A class on one emulator: one limit for all, a key and a cooldown for each, and a teacher who sees them all."""

from __future__ import annotations

from collections import Counter

import pytest

import vidgen_nb as vg
from tests.drivers.over_http import class_over_http
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.core.model import BOOST
from vidgen_nb.policies.cooldowns import PerProfileCooldown

PER = 60.0


def play(students: int, scenes: int, burst: int) -> None:
    """Let a class run on one emulator over HTTP, in time that jumps; compare everybody's record with what it saw."""
    limit, service = vg.TokenBucket(burst, per=PER), vg.Constant(20)
    room = vg.class_profiles(students, limit=limit, service=service, capacity=2)
    each = [
        Simulation(vg.demo_scenes(scenes), room, BOOST, PerProfileCooldown(10 + number % 3), latency=0.4, seed=number)
        for number in range(students)
    ]
    runs, seen = class_over_http(each, room)

    names = [profile.name for profile in room]
    own = dict(zip(names, runs, strict=True))
    assert all(scene.status == "succeeded" for run in runs for scene in run.scenes)

    # one limit for all: whatever the window, no more was admitted than the bucket holds and gets
    attempts = [one for one in seen.attempts if one.profile in own]
    accepted = sorted(one.accepted for one in attempts if one.accepted is not None)
    assert len(accepted) == students * scenes
    for first, begin in enumerate(accepted):
        for number, end in enumerate(accepted[first:], 1):
            assert number <= burst + (end - begin) * burst / PER + 1e-6

    # a student's 429s cool their own account, and nobody else's
    refused = {name: sum(one.outcome == "rate_limited" for one in run.attempts) for name, run in own.items()}
    assert sum(refused.values()) >= students / 2
    for name, run in own.items():
        assert {window.profile for window in run.cooldowns} <= {name}
        assert bool(run.cooldowns) == bool(refused[name])

    # the teacher sees what they did; not the second of two submits that a 429 called back before it had left
    outcomes = Counter((one.profile, one.outcome) for one in attempts)
    theirs = Counter(
        (name, one.outcome) for name, run in own.items() for one in run.attempts if one.outcome != "cancelled"
    )
    assert outcomes == theirs
    for name, run in own.items():
        ends = {f"{name}/{one.scene}": one.generated for one in run.attempts if one.generated is not None}
        done = {
            one.scene: one.end
            for one in attempts
            if one.profile == name and one.end is not None and one.outcome == "succeeded"
        }
        assert ends.keys() == done.keys()
        assert all(ends[scene] - 8 < done[scene] <= ends[scene] for scene in done)  # found done at the next poll


def test_six_students() -> None:
    """Six of them with two scenes each."""
    play(6, scenes=2, burst=6)


@pytest.mark.long
def test_a_class_of_thirty() -> None:
    """Thirty clients with six scenes each, over real HTTP on loopback."""
    play(30, scenes=6, burst=60)
