"""Functions of time: spans, steps, who waits, what comes in."""

from __future__ import annotations

from math import inf

import pytest

from vidgen_nb.analysis.metrics.slot_time import slot_time
from vidgen_nb.analysis.records import timeline
from vidgen_nb.analysis.records.builder import AttemptRecord, RunData
from vidgen_nb.errors import InputError


def data(*spans: tuple[float, float, float | None]) -> RunData:
    """Return attempts on one profile, each given as (waiting since, start, end)."""
    attempts = [
        AttemptRecord(f"s{k}", 1, "a", queued, start, end, None if end is None else "succeeded", None, None)
        for k, (queued, start, end) in enumerate(spans)
    ]
    return RunData({}, [], ["a"], [], attempts, [], [], 20.0, {"a": 2})


def test_spans() -> None:
    """They merge where they touch, holes are cut out, and `Within` measures up to any time."""
    spans = timeline.union([(5, 9), (0, 2), (2, 3), (4, 4), (6, 7)])
    assert spans == [(0, 3), (5, 9)]
    assert timeline.subtract(spans, [(1, 2), (2.5, 6), (8, 20)]) == [(0, 1), (2, 2.5), (6, 8)]
    within = timeline.Within(spans)
    assert [within(t) for t in (-1, 0, 2, 3, 4, 5, 7, 9, 99)] == [0, 0, 2, 3, 3, 3, 5, 7, 7]
    assert timeline.Within([])(3) == 0


def test_steps() -> None:
    """What goes up and down at one time does not step; integral, value and the spans above 0 follow from them."""
    steps = timeline.steps([0, 1, 4, 4], [1, 3, 6])
    assert steps == [(0, 1), (3, 0), (4, 2), (6, 1)]
    assert timeline.integral(steps, 10) == 3 + 4 + 4
    assert timeline.integral(steps, 5) == 3 + 2
    assert [timeline.value_at(steps, t) for t in (-1, 0, 3, 5, 99)] == [0, 1, 0, 2, 1]
    assert timeline.above_zero(steps, 10) == [(0, 3), (4, 10)]
    assert timeline.above_zero(steps, 2) == [(0, 2)]
    assert list(timeline.merged(steps, [(0, 5.0), (4, 6.0)])) == [
        (0, (1, 5)), (3, (0, 5)), (4, (2, 6)), (6, (1, 6)),
    ]  # fmt: skip


def test_queue_busy_and_goodput() -> None:
    """Three attempts: two at once, one that still runs."""
    run = data((0, 0, 5), (0, 2, 8), (0, 5, None))
    assert timeline.queue(run) == [(0, 2), (2, 1), (5, 0)]
    assert timeline.busy(run) == {"a": [(0, 1), (2, 2), (8, 1)]}
    assert timeline.goodput(run, 4) == [(0, 0), (5, 0.25), (8, 0.5), (9, 0.25), (12, 0)]
    for window in (0, -1, inf):
        with pytest.raises(InputError, match="a number of seconds above 0"):
            timeline.goodput(run, window)


def test_slot_time_in_stretches() -> None:
    """What two slots did from 0 to 4, to 10, to 20; edges that do not rise are refused."""
    run = data((0, 0, 5), (0, 2, 8), (0, 5, None))
    first, second, third = slot_time(run, [0, 4, 10, 20])["a"]
    assert (first.ok, first.idle_waiting, first.total) == (4 + 2, 2, 8)  # a slot was free while s1 waited, to 2
    assert (second.ok, second.running, second.idle_empty, second.total) == (1 + 4, 5, 2, 12)
    assert (third.running, third.idle_empty, third.total) == (10, 10, 20)
    with pytest.raises(InputError, match="at least two times that rise"):
        slot_time(run, [3, 1])
