"""The queue's length, and the time in which a profile was idle beside a queue."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

import vidgen_nb as vg
from vidgen_nb.analysis.metrics.measure import measure
from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, RunData, SceneRecord
from vidgen_nb.analysis.records.idle_time import idle_spans as idle
from vidgen_nb.analysis.records.timeline import queue_steps, subtract, union
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Transient

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda s: (float(s[0]), float(s[0] + s[1]))))


def waiting_run() -> RunData:
    """Make a run: b is free all the time; one scene waits from 0 to 10 for a, another is cancelled at 14."""
    scenes = [
        SceneRecord("one", "p", "succeeded", 1, "a", 0.0, 0.0, 10.0, None, None),
        SceneRecord("two", "p", "succeeded", 1, "a", 0.0, 10.0, 20.0, None, None),
        SceneRecord("gone", "p", "cancelled", 0, None, 2.0, None, 14.0, None, None),
    ]
    attempts = [
        AttemptRecord("one", 1, "a", 0.0, 0.0, 10.0, "succeeded", None, None),
        AttemptRecord("two", 1, "a", 0.0, 10.0, 20.0, "succeeded", None, None),
    ]
    return RunData({}, [], ["a", "b"], scenes, attempts, [], [], 20.0)


def inside(intervals: list[tuple[float, float]], at: float) -> bool:
    """Return whether a time lies in one of the intervals."""
    return any(start <= at < end for start, end in intervals)


@settings(deadline=None)
@given(SPANS, SPANS)
def test_interval_arithmetic(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    """Union and difference hold at every point of time, and give sorted, disjoint intervals."""
    whole, holes = union(one), union(other)
    left = subtract(whole, holes)
    for at in range(40):
        assert inside(whole, at) == inside(one, at)
        assert inside(left, at) == (inside(one, at) and not inside(other, at))
    for made in (whole, left):
        assert all(a[0] < a[1] <= b[0] < b[1] for a, b in pairwise(made))


def test_the_queue_counts_scenes_that_wait() -> None:
    """A scene counts from when it is added until it starts or is cancelled."""
    assert queue_steps(waiting_run(), 20.0) == [(0.0, 1), (2.0, 2), (10.0, 1), (14.0, 0), (20.0, 0)]


def test_a_queued_scene_waits_to_the_end() -> None:
    """A scene that still waits when the run ends has waited until then, also after a bounce."""
    data = waiting_run()
    data.scenes[2] = replace(data.scenes[2], status="queued", end=None)
    data.scenes[1] = replace(data.scenes[1], status="queued", end=None)
    data.attempts[1] = replace(data.attempts[1], end=12.0, outcome="rate_limited")
    assert queue_steps(data, 20.0)[-2:] == [(12.0, 2), (20.0, 2)]


def test_a_scene_run_again_waits_from_then() -> None:
    """It does not wait between its end and when it was added again, but from then on."""
    run = vg.simulate(
        2, [vg.SimulatedProfile("a", None, vg.Constant(10), 1)],
        requests=[(30.0, ev.Paused()), (40.0, ev.SceneAdded(vg.Scene("s001", "again"))), (60.0, ev.Unpaused())],
    )  # fmt: skip
    assert queue_steps(run.data, run.data.end) == [(0.0, 1), (10.0, 0), (40.0, 1), (60.0, 0), (70.0, 0)]
    assert idle(run.data, run.data.end)["a"] == []
    whole = measure(run.data)
    assert whole.queue_length == (10 + 20) / 70


def test_idle_beside_a_queue_is_found() -> None:
    """A profile without work while scenes wait is idle while they wait; a busy one is not."""
    assert idle(waiting_run(), 20.0) == {"a": [], "b": [(0.0, 14.0)]}


def test_cooling_is_not_idle() -> None:
    """While a profile cools it could not have worked."""
    data = replace(waiting_run(), cooldowns=[CooldownRecord("b", "b", 3.0, 6.0, "429")])
    assert idle(data, 20.0)["b"] == [(0.0, 3.0), (6.0, 14.0)]


def test_pauses_stops_and_absence_are_not_idle() -> None:
    """Before the start, in a pause, after a stop and while the profile is not there, nothing could have been done."""
    events: list[ev.Event] = [
        ev.RunStarted(at=1.0), ev.ProfileAdded("b", at=2.0), ev.Paused(at=4.0), ev.Unpaused(at=5.0),
        ev.ProfileRemoved("b", at=7.0), ev.ProfileAdded("b", at=8.0), ev.Stopped(at=12.0),
        ev.RunEnded(ev.EndReason.STOPPED, at=20.0),
    ]  # fmt: skip
    assert idle(replace(waiting_run(), events=events), 20.0)["b"] == [(2.0, 4.0), (5.0, 7.0), (8.0, 12.0)]


def test_a_scene_in_back_off_is_no_backlog() -> None:
    """A scene that may not go yet keeps no profile busy, so nothing is wasted."""
    data = waiting_run()
    data.attempts[:] = [
        replace(data.attempts[0], end=2.0, outcome="transient"),
        replace(data.attempts[0], number=2, queued=2.0, start=9.0),
    ]
    back_off = ev.SceneRequeued("one", 1, "a", Transient("503"), "503", 7.0, at=2.0)
    data = replace(data, scenes=data.scenes[:1], events=[back_off], end=10.0)
    assert idle(data, 10.0)["b"] == [(7.0, 9.0)]
